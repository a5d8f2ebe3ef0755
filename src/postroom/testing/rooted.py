"""Running a server of Debian in the root that scripts/roots.py unpacks: its folder, its process, its end."""

import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from postroom.host import child

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "roots.py"
VMAIL = 6105
POSTFIX, POSTDROP = 6101, 6102


class NoRoot(Exception):
    """The servers cannot be had on this machine; the text says why."""


def mail_root() -> Path:
    """The root with Postfix and Dovecot, made when absent. Raises NoRoot."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, str(SCRIPT), "--json"], capture_output=True, text=True, timeout=600, check=False
    )
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise NoRoot(f"{SCRIPT.name} failed: {done.stderr.strip()[-500:]}") from error
    if answer["error"]:
        raise NoRoot(answer["error"])
    return Path(answer["root"])


#: Reads process groups to look after, one a line, "-" before one that has ended. When its parent is gone, so are they.
#: The kernel's death signal is no help here: Postfix changes its user for a moment, and that clears it.
GUARD = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    number = int(line)
    groups.add(number) if number > 0 else groups.discard(-number)
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Place:
    """A folder of one test run inside the root, seen from both sides of the chroot."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for old in (root / "srv").iterdir():  # of runs that were killed
            if not Path(f"/proc/{old.name.split('-')[0]}").exists():
                shutil.rmtree(old, ignore_errors=True)
        self.inside = f"/srv/{os.getpid()}-{secrets.token_hex(4)}"
        self.path = root / self.inside[1:]
        self.path.mkdir(parents=True)
        self.path.chmod(0o755)
        self._guard = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", GUARD],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def guard(self, group: int) -> None:
        """Have a process group end with us, however we end; its negative number: it has ended by itself."""
        assert self._guard.stdin is not None
        self._guard.stdin.write(f"{group}\n")
        self._guard.stdin.flush()

    def folder(self, name: str, mode: int = 0o755, uid: int = 0, gid: int = 0) -> Path:
        path = self.path / name
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        os.chown(path, uid, gid)
        return path

    def write(self, name: str, text: str) -> str:
        """Write a file; its path as the server sees it."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return f"{self.inside}/{name}"

    def clear(self) -> None:
        """Remove the folder; what still runs is killed."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(10)
        shutil.rmtree(self.path, ignore_errors=True)


class Daemon:
    """A server in the root, in a process group of its own. It ends when we stop it, and when we die."""

    def __init__(self, place: Place, name: str, *command: str) -> None:
        self.name = name
        self._place = place
        #: What the server writes itself, besides its output.
        self.logs = [place.path / name / "log"]
        self.log = place.path / f"{name}.out"
        with open(self.log, "ab") as output:
            self.process = child.start(
                ["/usr/sbin/chroot", str(place.root), *command], end=signal.SIGTERM, cwd="/", output=output
            )
        place.guard(self.process.pid)

    def wait_for(self, ready: Callable[[], bool], timeout: float = 20) -> None:
        """Return when it is ready. Raises NoRoot with its last words when it is not."""
        until = time.monotonic() + timeout
        while not ready():
            if self.process.poll() is not None or time.monotonic() > until:
                words = "".join(read(path)[-2000:] for path in (self.log, *self.logs))
                self.stop()
                raise NoRoot(f"{self.name} does not start: {words}")
            time.sleep(0.01)

    def stop(self, patience: float = 0.5) -> None:
        """Ask it to end, and kill what is left of its process group after `patience` seconds."""
        if self.process.poll() is None:
            self.process.terminate()
        killed = time.monotonic() + patience
        given_up = killed + 10
        while group_lives(self.process.pid):
            if time.monotonic() > given_up:
                raise NoRoot(f"{self.name} does not end.")
            if time.monotonic() > killed:
                os.killpg(self.process.pid, signal.SIGKILL)
            time.sleep(0.01)
        self.process.wait()
        self._place.guard(-self.process.pid)


def group_lives(group: int) -> bool:
    """Whether a process of this group still runs; one that only waits to be reaped does not."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, its_group = (
                stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[:3]
            )
        except OSError:  # it has just gone
            continue
        if int(its_group) == group and state not in "ZX":
            return True
    return False


def read(path: Path) -> str:
    """A log; "" when there is none."""
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody uses now. They lie below those that clients are given (32768 and up on Linux):
    nobody's connection takes one between this answer and the server's start."""
    found: dict[int, None] = {}
    while len(found) < count:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found[port] = None
    return list(found)


def free_port() -> int:
    return free_ports(1)[0]


def greets(port: int) -> bool:
    """Whether a server on this port says something at once."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
            return bool(peer.recv(1))
    except OSError:
        return False


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
