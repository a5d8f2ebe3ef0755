"""What a killed process had begun: the journal beside the database."""

import json
import os
import subprocess
import sys

import pytest

from postroom.actions.journal import ENTRIES, Journal, journal_read, journals_forget
from postroom.conf import place

WRITE = """
import os, signal, sys, json
import django
django.setup()
from postroom.actions.journal import Journal
journal = Journal(sys.argv[1])
begun, took = json.load(sys.stdin)
for number in begun:
    journal.begin(number)
for number in took:
    journal.took(number)
os.kill(os.getpid(), signal.SIGKILL)
"""


def name(part: str) -> str:
    return f"{os.uname().nodename[:40]}:{part}"


def killed(worker: str, begun: list[int], took: list[int]) -> None:
    """A process that wrote this and was killed with -9."""
    words = [sys.executable, "-c", WRITE, worker]
    done = subprocess.run(words, input=json.dumps([begun, took]), text=True, timeout=120)
    assert done.returncode == -9


def test_what_was_begun_and_taken_outlives_a_kill():
    killed(name("1:a"), [5, 6, 7], [6])
    assert journal_read(name("1:a")) == {5: False, 6: True, 7: False}


def test_the_newest_entries_stay_when_the_ring_is_full():
    killed(name("1:b"), list(range(1, ENTRIES + 4)), [])
    found = journal_read(name("1:b"))
    assert len(found) == ENTRIES
    assert not {1, 2, 3} & found.keys()


def test_of_a_process_that_lives_or_of_another_host_nothing_is_known():
    journal = Journal(name("1:c"))
    journal.begin(5)
    assert journal_read(name("1:c")) is None
    journal.close()
    assert journal_read(name("1:c")) == {5: False}
    assert journal_read("elsewhere:1:c") is None
    assert journal_read(name("1:never")) is None
    assert journal_read("") is None


def test_what_another_run_of_the_machine_wrote_is_not_believed():
    killed(name("1:d"), [5], [])
    path = place.data() / "journal" / name("1:d")
    raw = path.read_bytes()
    path.write_bytes(b"0" * 36 + raw[36:])
    assert journal_read(name("1:d")) is None


@pytest.mark.django_db
def test_files_that_nobody_needs_are_removed():
    killed(name("1:e"), [5], [])
    living = Journal(name("1:f"))
    journals_forget()
    assert journal_read(name("1:e")) is None
    assert (place.data() / "journal" / name("1:f")).exists()
    living.close()
