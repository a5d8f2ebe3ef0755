"""`postroom demo` as a stranger types it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest

from postroom.cli.demo import SHARES, plan
from postroom.cli.demo_show import compare
from postroom.queries.demo import Row

DEMO = [sys.executable, "-m", "postroom.cli.main", "demo"]


def environment(folder: Path) -> dict[str, str]:
    """Settings of a real installation lie about: none may reach the demo."""
    return {
        **os.environ,
        "TMPDIR": str(folder),
        "POSTROOM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "POSTROOM_INGRESS_LISTEN": "192.0.2.1:25",
    }


@pytest.fixture
def temporary():
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_the_demo_loses_nothing_doubles_nothing_and_agrees_with_the_post_office(temporary):
    recipients = 160
    done = subprocess.run(
        [*DEMO, "--recipients", str(recipients), "--exit", "--json"],
        env=environment(temporary),
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert done.stdout.count("\n") == 1
    assert list(found) == [
        *("recipients", "accepted", "failed", "deferred", "uncertain", "skipped", "delivered", "read"),
        *("bounced", "unsubscribed", "lost", "duplicates", "seconds", "messages_per_second"),
    ]
    tags = Counter(plan(recipients))
    delivered = {"ok", "later", "read", "slow", "leave", "vacation", "reply", "cut", "swallow"}
    assert {name: found[name] for name in list(found)[:12]} == {
        "recipients": recipients,
        "accepted": recipients - tags["refused"] - tags["suppressed"] - tags["silence"],
        "failed": tags["refused"],
        "deferred": 0,
        "uncertain": tags["silence"],
        "skipped": tags["suppressed"],
        "delivered": sum(tags[tag] for tag in delivered),
        "read": tags["read"],
        "bounced": tags["unknown"] + tags["full"] + tags["policy"],
        "unsubscribed": tags["leave"],
        "lost": 0,
        "duplicates": 0,
    }
    assert not any(temporary.iterdir())


def test_afterwards_the_pages_stay_up_and_control_c_clears_everything_away(temporary):
    log = temporary.parent / f"{temporary.name}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [*DEMO, "--recipients", "17", "--rate", "0"],
            env=environment(temporary),
            stdout=subprocess.PIPE,
            stderr=stderr,
        )
    try:
        until = time.monotonic() + 300
        while "until you press Ctrl-C" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        url = re.search(r"http://localhost:\d+", log.read_text())
        assert url is not None
        assert re.search(r"Sign in as owner@demo.example with \S+", log.read_text())
        with urllib.request.urlopen(url[0], timeout=20) as page:
            assert page.status == 200
        process.send_signal(signal.SIGINT)
        table, _ = process.communicate(timeout=90)
        assert process.returncode == 0
        assert b"17 recipients" in table
        assert re.search(rb"unsubscribed +1\n", table)
        assert not any(temporary.iterdir())
    finally:
        process.kill()
        process.communicate()
        log.unlink()


def test_a_hundred_people_carry_every_tag_in_its_share():
    assert Counter(plan(300)) == Counter({tag: 3 * share for tag, share in SHARES.items()})
    assert set(plan(len(SHARES))) == set(SHARES)
    assert plan(50) == plan(300)[:50]


GOOD = Row("a@f", "accepted", "delivered", "none", False, False, False)
BOOKS = {
    **{"copies": {"a@f": 1}, "refused_addresses": {}, "duplicates": 0, "not_taken": 0, "refusals": []},
    "back": {"delivered": {"a@f": 1}},
    "first_tries_per_second": 100.0,
}


@pytest.mark.parametrize(
    ("row", "books", "words"),
    [
        (GOOD, {}, []),
        (GOOD, {"copies": {}}, ["1 recipients are lost", "1 rows say accepted"]),
        (GOOD, {"copies": {"a@f": 3}, "duplicates": 2}, ["2 copies are too many, the first went to a@f."]),
        (GOOD, {"back": {}}, ["reported 0 delivered, our rows show 1: a@f differs"]),
        (GOOD, {"back": {"delivered": {"a@f": 1}, "read": {"a@f": 1}}}, ["reported 1 read, our rows show 0"]),
        (
            GOOD,
            {"not_taken": 1, "refusals": ["read to b: 550"]},
            ["1 answers were not taken: read to b: 550."],
        ),
    ],
)
def test_every_difference_to_the_books_of_the_post_office_is_said(row, books, words):
    found = compare([row], {**BOOKS, **books}, 1.0).wrong
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_recipients_are_lost_when_nobody_can_say_where_they_are():
    states = ("queued", "accepted", "failed", "deferred", "uncertain", "skipped")
    rows = [Row(f"{state}@f", state, "unknown", "none", False, False, False) for state in states]
    result = compare(rows, {**BOOKS, "copies": {}, "refused_addresses": {"failed@f": 1}, "back": {}}, 1.0)
    assert result.figures["lost"] == 2
    assert "2 recipients are lost, the first is queued@f." in result.wrong
    assert "The states of the recipients do not add up to their number." in result.wrong
