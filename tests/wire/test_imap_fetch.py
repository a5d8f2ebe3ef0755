"""Answers to FETCH: the usual ones are read quickly, all others the library's way, and both say the same."""

from datetime import UTC, datetime
from typing import Any

import pytest
from imapclient.exceptions import ProtocolError

from postroom.wire import imap_fetch
from postroom.wire.imap_fetch import Facts

AT = datetime(2026, 11, 16, 8, 12, 33, tzinfo=UTC)
SEEN = frozenset({"\\seen", "$forwarded"})


class _Client:
    """What IMAPClient's connection would have heard."""

    def __init__(self, told: list[Any], kind: str = "OK") -> None:
        self._imap = self
        self._said = kind, told

    def uid(self, *_: str) -> tuple[str, list[Any]]:
        return self._said


@pytest.mark.parametrize(
    "line",
    [
        b'1 (UID 7 RFC822.SIZE 9 INTERNALDATE "16-Nov-2026 09:12:33 +0100" FLAGS (\\Seen $Forwarded))',
        b'1 (FLAGS (\\Seen $Forwarded) INTERNALDATE "16-nov-2026 03:12:33 -0500" RFC822.SIZE 9 UID 7)',
        b'1 (flags (\\Seen $Forwarded) internaldate "16-Nov-2026 08:12:33 +0000" rfc822.size 9 uid 7)',
        b'1 (UID 7 MODSEQ (12) FLAGS (\\Seen $Forwarded) INTERNALDATE "16-Nov-2026 08:12:33 +0000" RFC822.SIZE 9)',
        b'1  (UID 7  RFC822.SIZE 9 INTERNALDATE "16-Nov-2026 08:12:33 +0000"  FLAGS  (\\Seen $Forwarded) )',
    ],
)
def test_facts_are_read_in_any_order_and_writing(line: bytes) -> None:
    assert imap_fetch.facts(_Client([line]), [7]) == {7: Facts(9, AT, SEEN)}


@pytest.mark.parametrize("when", [b"NIL", b'"soon"', b'"31-Feb-2026 08:12:33 +0000"', b'""'])
def test_a_time_nobody_can_read_is_none(when: bytes) -> None:
    line = b"1 (UID 7 RFC822.SIZE 9 INTERNALDATE %s FLAGS ())" % when
    assert imap_fetch.facts(_Client([line]), [7]) == {7: Facts(9, None, frozenset())}


def test_a_flag_that_is_called_like_an_item_is_a_flag() -> None:
    line = b'1 (FLAGS (UID 8 RFC822.SIZE 5) UID 7 RFC822.SIZE 9 INTERNALDATE "16-Nov-2026 08:12:33 +0000")'
    found = imap_fetch.facts(_Client([line]), [7])
    assert found == {7: Facts(9, AT, frozenset({"uid", "8", "rfc822.size", "5"}))}


def test_what_the_server_tells_unasked_changes_nothing_but_flags() -> None:
    lines = [
        b'1 (UID 7 RFC822.SIZE 9 INTERNALDATE "16-Nov-2026 08:12:33 +0000" FLAGS ())',
        b"1 (UID 7 FLAGS (\\Seen $Forwarded))",
    ]
    assert imap_fetch.facts(_Client(lines), [7]) == {7: Facts(9, AT, SEEN)}


@pytest.mark.parametrize(
    "told",
    [
        [(b"1 (UID 7 BODY[] {5}", b"A: b\n"), b")"],
        [(b"1 (BODY[] {5}", b"A: b\n"), b" UID 7)"],
        [(b"1 (FLAGS (\\Seen) UID 7 BODY[] {5}", b"A: b\n"), b")", None],
        [(b"1 (UID 7 BODY[] {5}", b"A: b\n"), b")", b"2 (UID 8 FLAGS (\\Seen))"],
    ],
)
def test_bodies_are_read_however_they_come(told: list[Any]) -> None:
    assert imap_fetch.bodies(_Client(told), [7]) == {7: b"A: b\n"}


def test_an_empty_mail_has_no_octets_and_a_missing_one_is_left_out() -> None:
    assert imap_fetch.bodies(_Client([b'1 (UID 7 BODY[] "")', b"2 (UID 8 BODY[] NIL)"]), [7, 8]) == {7: b""}
    assert imap_fetch.bodies(_Client([None]), [7]) == {}
    assert imap_fetch.facts(_Client([None]), [7]) == {}


def test_nonsense_is_an_error_of_the_library() -> None:
    with pytest.raises(ProtocolError):
        imap_fetch.facts(_Client([b"1 (UID"]), [7])
    with pytest.raises(Exception, match="FETCH refused"):
        imap_fetch.bodies(_Client([b"no"], "NO"), [7])
