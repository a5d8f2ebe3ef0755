import os
import signal
import sys
import threading
import time

import pytest

from postroom.host import supervisor
from postroom.host.supervisor import Part, Supervisor
from tests.host import tools


def start(*programs, seconds=0.05):
    parts = [Part(f"part {n}", [sys.executable, "-c", program]) for n, program in enumerate(programs)]
    made = Supervisor(parts, cluster=None, account=None, env=dict(os.environ))
    made.start()
    return made


def watch_until(made, true, seconds=20):
    """Run the supervisor in this (the main) thread until `true`, then stop it."""
    came = []

    def wait():
        came.append(tools.until(true, seconds))
        made.stop()

    threading.Thread(target=wait).start()
    made.run()
    return came == [True]


SLEEP = "import time; time.sleep(60)"


def test_a_part_that_is_killed_is_started_again():
    made = start(SLEEP)
    first = made.parts[0].process.pid
    os.kill(first, signal.SIGKILL)
    assert watch_until(made, lambda: made.parts[0].process and made.parts[0].process.pid != first)


def test_a_part_that_ends_at_once_is_started_ever_more_slowly(monkeypatch):
    monkeypatch.setattr(supervisor, "PAUSES", (0.1, 0.2, 30))
    made = start("raise SystemExit(1)")
    assert watch_until(made, lambda: made.parts[0].failures == 3)
    assert made.parts[0].due - time.monotonic() > 20


def test_the_other_parts_go_on_meanwhile():
    made = start("raise SystemExit(1)", SLEEP)
    steady = made.parts[1].process.pid
    assert watch_until(made, lambda: made.parts[0].failures >= 2)
    assert made.parts[1].process.pid == steady


def test_a_stop_lets_a_part_finish_what_it_has_in_hand(tmp_path):
    mark = tmp_path / "done"
    made = start(
        "import pathlib, signal, sys, time\n"
        f"mark = pathlib.Path({str(mark)!r})\n"
        "def end(*_):\n time.sleep(0.5); mark.write_text('finished'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "mark.write_text('ready')\n"
        "time.sleep(60)"
    )
    assert watch_until(made, lambda: mark.exists() and mark.read_text() == "ready")
    assert mark.read_text() == "finished"


def test_a_part_that_does_not_stop_is_killed(monkeypatch, tmp_path):
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)
    mark = tmp_path / "ready"
    made = start(
        "import pathlib, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"pathlib.Path({str(mark)!r}).write_text('')\n"
        "time.sleep(60)"
    )
    assert watch_until(made, mark.exists)
    assert not tools.alive(made.parts[0].process.pid)


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGTERM])
def test_parts_do_not_outlive_the_supervisor(sig):
    word = f"orphan-{os.getpid()}-{sig}"
    program = (
        "import os, sys, time\n"
        "from postroom.host.supervisor import Part, Supervisor\n"
        f"env = {{**os.environ, 'WORD': {word!r}}}\n"
        f"Supervisor([Part('p', [sys.executable, '-c', {SLEEP!r}])], cluster=None, account=None, env=env).start()\n"
        "print('up', flush=True)\n"
        "time.sleep(60)"
    )
    import subprocess

    env = {**os.environ, "PYTHONPATH": str(tools.SOURCE)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env=env) as process:
        assert process.stdout.readline() == b"up\n"
        process.send_signal(sig)
        process.wait(10)
    assert tools.until(lambda: not tools.mentioning(f"WORD={word}"), 10)
