"""Reading a mailbox: what is asked, what comes out, and servers that are rude in the middle of it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from postroom.errors import HostUnreachable, ProtocolBroken, WireError, WireTimeout
from postroom.testing.peer import Peer
from postroom.wire import imap
from postroom.wire.imap import Folder, Mailbox
from postroom.wire.server import Security, Server

OPEN = [
    "S: * OK ready",
    "C: * CAPABILITY",
    "S: * CAPABILITY IMAP4rev1 IDLE",
    "S: {tag} OK done",
    "C: * LOGIN anna *",
    "S: {tag} OK in",
    "C: * CAPABILITY",
    "S: * CAPABILITY IMAP4rev1 IDLE CONDSTORE",
    "S: {tag} OK done",
]
EXAMINED = ["C: * EXAMINE *", "S: * 3 EXISTS", "S: * OK [UIDVALIDITY 99] v", "S: * OK [UIDNEXT 8] n"]
EXAMINE = [*EXAMINED, "S: {tag} OK done"]
BYE = ["C: * LOGOUT", "S: * BYE", "S: {tag} OK done"]


@contextmanager
def _mailbox(*script: str, **given: Any) -> Iterator[Mailbox]:
    with Peer([*OPEN, *script]) as peer:
        server = Server(
            "127.0.0.1",
            peer.port,
            Security.NONE,
            "anna",
            "secret",
            allow_private=True,
            timeout_s=2.0,
            **given,
        )
        mailbox = imap.open_mailbox(server)
        try:
            yield mailbox
        finally:
            imap.close(mailbox)


def test_a_folder_is_examined_and_never_selected() -> None:
    with _mailbox(*EXAMINED, "S: * OK [HIGHESTMODSEQ 1234] m", "S: {tag} OK [READ-ONLY]", *BYE) as mailbox:
        assert imap.examine(mailbox) == Folder("INBOX", 99, 8, 3, 1234)


def test_a_missing_folder_has_a_code_of_its_own() -> None:
    with (
        _mailbox("C: * EXAMINE *", "S: {tag} NO [NONEXISTENT] no such", *BYE) as mailbox,
        pytest.raises(WireError) as caught,
    ):
        imap.examine(mailbox, "Bounces")
    assert caught.value.code == "FOLDER_MISSING"
    assert "NONEXISTENT" in caught.value.reply.text


def test_a_folder_without_uidvalidity_cannot_be_followed() -> None:
    with (
        _mailbox("C: * EXAMINE *", "S: * 3 EXISTS", "S: {tag} OK done", *BYE) as mailbox,
        pytest.raises(ProtocolBroken),
    ):
        imap.examine(mailbox)


def test_new_messages_come_oldest_first_with_their_time_and_unread() -> None:
    script = [
        *EXAMINE,
        "C: * UID SEARCH UID 6:*",
        "S: * SEARCH 5 7 6",
        "S: {tag} OK done",
        "C: * UID FETCH 6,7 (RFC822.SIZE INTERNALDATE FLAGS)",
        'S: * 2 FETCH (UID 7 RFC822.SIZE 5 INTERNALDATE " 1-Feb-2026 10:00:00 +0100")',
        'S: * 1 FETCH (UID 6 RFC822.SIZE 5 INTERNALDATE "31-Jan-2026 23:00:00 +0000")',
        "S: {tag} OK done",
        "C: * UID FETCH 6,7 (BODY.PEEK[])",
        "S| * 2 FETCH (UID 7 BODY[] {5}\\r\\nseven)\\r\\n* 1 FETCH (UID 6 BODY[] {5}\\r\\n\\xff\\x00\\r\\n6)\\r\\n",
        "S: {tag} OK done",
        *BYE,
    ]
    with _mailbox(*script) as mailbox:
        imap.examine(mailbox)
        batches = list(imap.fetch_since(mailbox, 5))
    assert [(found.uid, found.raw) for found in batches[0]] == [(6, b"\xff\x00\r\n6"), (7, b"seven")]
    assert batches[0][1].received_at == datetime(2026, 2, 1, 9, tzinfo=UTC)
    assert len(batches) == 1


def test_nothing_new_asks_for_nothing_although_the_last_message_is_named() -> None:
    with _mailbox("C: * UID SEARCH UID 6:*", "S: * SEARCH 5", "S: {tag} OK done", *BYE) as mailbox:
        assert list(imap.fetch_since(mailbox, 5)) == []


def test_of_a_huge_message_only_the_header_is_read() -> None:
    script = [
        *EXAMINE,
        "C: * UID SEARCH *",
        "S: * SEARCH 1 2",
        "S: {tag} OK done",
        "C: * UID FETCH 1,2 *",
        "S: * 1 FETCH (UID 1 RFC822.SIZE 50000001)",
        "S: * 2 FETCH (UID 2 RFC822.SIZE 5)",
        "S: {tag} OK done",
        "C: * UID FETCH 1 (BODY.PEEK[HEADER])",
        "S| * 1 FETCH (UID 1 BODY[HEADER] {8}\\r\\nA: b\\r\\n\\r\\n)\\r\\n",
        "S: {tag} OK done",
        "C: * UID FETCH 2 (BODY.PEEK[])",
        "S: {tag} OK gone meanwhile",
        *BYE,
    ]
    with _mailbox(*script) as mailbox:
        imap.examine(mailbox)
        batches = list(imap.fetch_since(mailbox, 0))
    assert [[(found.uid, found.header_only, found.size) for found in batch] for batch in batches] == [
        [(1, True, 50000001)],
        [],
    ]
    assert batches[0][0].received_at is None


def test_a_literal_larger_than_announced_is_not_collected() -> None:
    script = [
        *EXAMINE,
        "C: * UID SEARCH *",
        "S: * SEARCH 1",
        "S: {tag} OK done",
        "C: * UID FETCH *",
        "S: * 1 FETCH (UID 1 RFC822.SIZE 5)",
        "S: {tag} OK done",
        "C: * UID FETCH *",
        "S: * 1 FETCH (UID 1 BODY[] {9000000000}",
        "S: xxxx",
        "silent",
    ]
    with _mailbox(*script) as mailbox:
        imap.examine(mailbox)
        with pytest.raises(HostUnreachable):
            list(imap.fetch_since(mailbox, 0))


@pytest.mark.parametrize(
    ("rude", "ours"),
    [
        (["S: * SEARCH 1 banana", "S: {tag} OK done"], ProtocolBroken),
        (["S| \\xff\\xfe\\x00\\r\\n", "silent"], ProtocolBroken),
        (["S: {tag} BAD what", "silent"], ProtocolBroken),
        (["S: * BYE going down", "close"], HostUnreachable),
        (["close"], HostUnreachable),
        (["reset"], HostUnreachable),
        (["half-close", "silent"], HostUnreachable),
        (["silent"], WireTimeout),
        (["S| * SEARCH 1", "silent"], WireTimeout),
    ],
)
def test_a_rude_server_gives_one_of_our_errors(rude: list[str], ours: type[WireError]) -> None:
    with _mailbox("C: * UID SEARCH *", *rude) as mailbox, pytest.raises(ours):
        list(imap.fetch_since(mailbox, 0))


IDLE = ["C: * IDLE", "S: + go on"]
DONE = ["C: DONE", "S: {tag} OK done"]


def test_waiting_ends_when_something_new_comes() -> None:
    with _mailbox(*IDLE, "S: * OK still here", "wait 0.3", "S: * 4 EXISTS", *DONE, *BYE) as mailbox:
        began = time.monotonic()
        assert imap.idle_wait(mailbox, 5.0)
        assert 0.2 < time.monotonic() - began < 3


def test_news_in_the_packet_of_the_go_ahead_are_heard_at_once() -> None:
    with _mailbox(IDLE[0], "S| + go on\\r\\n* 4 EXISTS\\r\\n", *DONE, *BYE) as mailbox:
        began = time.monotonic()
        assert imap.idle_wait(mailbox, 20.0)
        assert time.monotonic() - began < 5


def test_news_that_come_while_waiting_ends_are_not_missed() -> None:
    with _mailbox(*IDLE, "C: DONE", "S: * 4 EXISTS", "S: {tag} OK done", *BYE) as mailbox:
        assert imap.idle_wait(mailbox, 0.3)


def test_waiting_in_vain_ends_in_time_and_the_connection_can_be_used_again() -> None:
    with _mailbox(*IDLE, "wait 0.3", "S: * 2 EXPUNGE", *DONE, *EXAMINED, "S: {tag} OK done", *BYE) as mailbox:
        assert not imap.idle_wait(mailbox, 1.5)
        assert imap.examine(mailbox).messages == 3


def test_waiting_can_be_stopped() -> None:
    stop = threading.Event()
    with _mailbox(*IDLE, *DONE, *BYE) as mailbox:
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        assert not imap.idle_wait(mailbox, 30.0, stop=stop)
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "rude", [["S: * BYE idle too long", "close"], ["close"], ["reset"], ["half-close", "silent"]]
)
def test_a_server_that_goes_while_we_wait_is_noticed_at_once(rude: list[str]) -> None:
    with _mailbox(*IDLE, "wait 0.2", *rude) as mailbox:
        began = time.monotonic()
        with pytest.raises(HostUnreachable):
            imap.idle_wait(mailbox, 30.0)
        assert time.monotonic() - began < 10


def test_a_server_that_has_gone_silent_is_noticed_when_waiting_ends() -> None:
    with _mailbox(*IDLE, "silent") as mailbox, pytest.raises(WireTimeout):
        imap.idle_wait(mailbox, 0.3)


def test_a_server_without_idle_is_asked_at_the_end() -> None:
    script = [line.replace("IDLE ", "") for line in OPEN]
    with Peer([*script, "C: * NOOP", "S: * 4 EXISTS", "S: {tag} OK done", *BYE]) as peer:
        server = Server("127.0.0.1", peer.port, Security.NONE, "anna", "secret", allow_private=True)
        mailbox = imap.open_mailbox(server)
        assert imap.idle_wait(mailbox, 0.1)
        imap.close(mailbox)


def test_a_message_is_put_into_a_folder() -> None:
    script = ["C: * APPEND * (\\Seen) * {5}", "S: + go on", "C+ 7", "S: {tag} OK done"]
    with _mailbox(*script, *BYE) as mailbox:
        imap.append(mailbox, "Sent", b"hello", received_at=datetime(2026, 2, 1, 9, tzinfo=UTC))


def test_a_password_beyond_ascii_is_given_by_authenticate() -> None:
    script = [*OPEN[:2], "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN", OPEN[3], "C: * AUTHENTICATE PLAIN", "S: + "]
    script += ["C: AGFubmEAesWCYQ==", "S: {tag} OK in", *OPEN[6:], *BYE]
    with Peer(script) as peer:
        imap.close(
            imap.open_mailbox(
                Server("127.0.0.1", peer.port, Security.NONE, "anna", "zła", allow_private=True)
            )
        )
