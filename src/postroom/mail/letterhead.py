"""The header of a mail that is passed on: its fields, and where each of them stands, so that nothing else is touched.

RFC 5322 section 2.2. Never raises; at most LIMIT octets of a header are looked at.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from postroom.errors import BadAddress
from postroom.mail.address import canonical, parse_many
from postroom.mail.mime import words

LIMIT = 1 << 18
_FIELD = re.compile(rb"([!-9;-~]{1,76})[ \t]*:((?:[^\r\n]|\r(?!\n))*(?:\r?\n[ \t][^\r\n]*)*)\r?\n")
_LINE = re.compile(rb"[^\n]*\n")
_FOLD = re.compile(r"\r?\n[ \t]+")
_PATH = re.compile(r"<([^<>]*)>")
_ID = re.compile(r"<\s*([^<>\s]{1,255})\s*>")


@dataclass(frozen=True, slots=True)
class Field:
    """name: lower case; value: unfolded, trimmed, odd octets replaced; it fills [begin, end) of the mail."""

    name: str
    value: str
    begin: int
    end: int


@dataclass(frozen=True)
class Head:
    """size: octets of the header with the empty line behind it; the body begins there."""

    fields: tuple[Field, ...]
    size: int

    def all(self, name: str) -> list[str]:
        return [field.value for field in self.fields if field.name == name]

    def first(self, name: str) -> str:
        """ "" when there is none."""
        return next((field.value for field in self.fields if field.name == name), "")

    @cached_property
    def msgid(self) -> str:
        """Without angle brackets, at most 255 characters."""
        return next(iter(_ID.findall(self.first("message-id"))), "").replace("\0", "")

    @cached_property
    def mail_from(self) -> str:
        """Return-Path (RFC 5321 section 4.4); without one From stands in."""
        path = _PATH.search(self.first("return-path"))
        return path[1].strip() if path else self.authors[0][1] if self.authors else ""

    @cached_property
    def references(self) -> list[str]:
        """What it answers, nearest first, at most 50."""
        found = _ID.findall(" ".join(self.all("references")))[::-1]
        return list(dict.fromkeys(_ID.findall(self.first("in-reply-to")) + found))[:50]

    def people(self, *names: str) -> list[tuple[str, str]]:
        """(display name, canonical address) of these fields, each address once; what is no address is passed over."""
        return people_in([value for name in names for value in self.all(name)])

    @cached_property
    def authors(self) -> list[tuple[str, str]]:
        return self.people("from")

    @cached_property
    def subject(self) -> str:
        return " ".join(words(self.first("subject")).replace("\0", "").split())


def people_in(values: Iterable[str]) -> list[tuple[str, str]]:
    found: dict[str, str] = {}
    for value in values:
        for name, spec, error in parse_many(value[:LIMIT]):
            if not error:
                try:
                    found.setdefault(canonical(spec), words(name).replace("\0", ""))
                except BadAddress:
                    continue
    return [(name, address) for address, name in found.items()]


def head_of(raw: bytes) -> Head:
    """Lines that are no fields are passed over."""
    fields: list[Field] = []
    at = 0
    end = min(len(raw), LIMIT)
    while at < end:
        if raw.startswith(b"\r\n", at):
            at += 2
            break
        if raw.startswith(b"\n", at):
            at += 1
            break
        found = _FIELD.match(raw, at)
        if found is not None:
            value = _FOLD.sub(" ", found[2].decode("utf-8", "replace")).strip()
            fields.append(Field(found[1].decode("ascii").lower(), value, at, found.end()))
            at = found.end()
        else:
            line = _LINE.match(raw, at)
            at = line.end() if line else len(raw)
    else:
        at = _body_begin(raw)
    return Head(tuple(fields), at)


def _body_begin(raw: bytes) -> int:
    """Of a header that was not read to its end."""
    found = re.compile(rb"\r?\n\r?\n").search(raw)
    return found.end() if found else len(raw)
