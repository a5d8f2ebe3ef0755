"""FETCH for whole mailboxes. RFC 9051 section 7.5.2.

IMAPClient reads an answer sign by sign, which costs more than all else in taking a mail over. Answers of the usual form
are read here at once; as soon as one is not, the library reads all of them.
"""

import imaplib
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, NamedTuple

from imapclient.datetime_util import parse_to_datetime
from imapclient.response_parser import parse_fetch_response

#: What imaplib hands over: a line, or a line with the literal that it announces at its end.
Told = Sequence[Any]

_FACTS = "(RFC822.SIZE INTERNALDATE FLAGS)"
_FACT = re.compile(rb'[ (](?:(UID|RFC822\.SIZE) (\d{1,19})|INTERNALDATE "([^"\\]*)"|FLAGS \(([^()"{]*)\))')
_BODY = re.compile(rb"\d+ \(UID (\d{1,10}) BODY\[(?:HEADER)?\] \{\d+\}")
_ENDS = (b")", None)
_DATE = re.compile(rb"([ \d]\d)-(\w{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = dict(zip(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), range(1, 13), strict=True))


class Facts(NamedTuple):
    """size: in octets, 0 = not told. received_at: aware, None = not told. flags: in lower case."""

    size: int
    received_at: datetime | None
    flags: frozenset[str]


def facts(client: Any, uids: Sequence[int]) -> dict[int, Facts]:
    """Of each of these mails that is there. Raises imaplib's and imapclient's errors."""
    told = _fetch(client, uids, _FACTS)
    found = {}
    for line in told:
        one = _facts_of(line) if isinstance(line, bytes) else None
        if one is None:
            return {uid: _of_library(fact) for uid, fact in _parsed(told).items()}
        found[one[0]] = one[1]
    return found


def bodies(client: Any, uids: Sequence[int], *, header_only: bool = False) -> dict[int, bytes]:
    """The octets of each of these mails that is there, nothing marked as read. Raises as `facts`."""
    part = "BODY[HEADER]" if header_only else "BODY[]"
    told = _fetch(client, uids, f"({part.replace('[', '.PEEK[')})")
    found = {}
    for line in told:
        if isinstance(line, tuple) and (head := _BODY.fullmatch(line[0])):
            found[int(head[1])] = line[1]
        elif line not in _ENDS:
            key = part.encode()
            return {uid: bytes(fact[key]) for uid, fact in _parsed(told).items() if fact.get(key) is not None}
    return found


def flags_of(told: Iterable[Any]) -> frozenset[str]:
    """Flags as the server names them, in lower case; they are names, whatever they look like."""
    return frozenset(
        (flag.decode("latin-1") if isinstance(flag, bytes) else str(flag)).lower() for flag in told
    )


def _fetch(client: Any, uids: Sequence[int], items: str) -> Told:
    kind, told = client._imap.uid("FETCH", ",".join(map(str, uids)), items)
    if kind != "OK":
        raise imaplib.IMAP4.error(f"FETCH refused: {told!r}")
    return [] if told == [None] else list(told)


def _parsed(told: Told) -> Any:
    return parse_fetch_response([line for line in told if line is not None] or [None], False, True)


def _facts_of(line: bytes) -> tuple[int, Facts] | None:
    """None: not of the usual form, or one that nobody asked for."""
    uid = size = moment = flags = None
    for name, number, date, names in _FACT.findall(line):
        if name == b"UID":
            uid = int(number)
        elif name:
            size = int(number)
        elif date:
            moment = date
        else:
            flags = names
    if uid is None or size is None or moment is None or flags is None:
        return None
    return uid, Facts(size, _moment(moment), _flags(flags))


def _of_library(fact: dict[bytes, Any]) -> Facts:
    at = fact.get(b"INTERNALDATE")
    at = at.astimezone(UTC) if isinstance(at, datetime) else None
    return Facts(int(fact.get(b"RFC822.SIZE") or 0), at, flags_of(fact.get(b"FLAGS") or ()))


@lru_cache(maxsize=256)
def _flags(names: bytes) -> frozenset[str]:
    return flags_of(names.split())


def _moment(text: bytes) -> datetime | None:
    """RFC 9051 section 9, date-time; in UTC."""
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            odd: datetime = parse_to_datetime(text, normalise=False)
            return odd.astimezone(UTC)
        day, month, year, hour, minute, second, *offset = found.groups()
        zone = _zone(*offset)
        at = datetime(
            int(year), _MONTHS[month.title()], int(day), int(hour), int(minute), int(second), 0, zone
        )
    except (ValueError, KeyError, OverflowError):
        return None
    return at if zone is UTC else at.astimezone(UTC)


@lru_cache(maxsize=64)
def _zone(sign: bytes, hours: bytes, minutes: bytes) -> timezone:
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == b"-" else offset) if offset else UTC
