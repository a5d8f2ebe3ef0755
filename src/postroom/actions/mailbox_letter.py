"""A mail that people read as a row: what came in, whatever way it came."""

import re
from collections.abc import Sequence
from datetime import datetime

from django.utils import timezone

from postroom.actions.bulk import row_new
from postroom.mail.letter import Person, Read
from postroom.models.message import Message

#: Characters of the people of one header that are kept: ten thousand addresses.
PEOPLE_MAX = 400_000
_SPECIAL = re.compile(r'[,;:<>()@"\\\[\]]')


def letter_message(
    read: Read,
    *,
    workspace_id: int | None,
    account_id: int | None,
    raw_id: str,
    size_bytes: int,
    at: datetime | None,
) -> Message:
    """Not stored yet; purpose is other, direction in: who knows more sets more.

    at: when it came into the mailbox; None = as it says itself. A clock that goes ahead makes no mail of tomorrow.
    """
    now = timezone.now()
    return row_new(
        Message,
        workspace_id=workspace_id,
        account_id=account_id,
        direction="in",
        purpose="other",
        raw_id=raw_id,
        message_id=read.message_id,
        subject=read.subject,
        from_name=read.from_name,
        from_address=read.from_address,
        to_address=people_line(read.to),
        cc_address=people_line(read.cc),
        at=min(at or read.arrived_at or read.date or now, now),
        in_reply_to=read.in_reply_to,
        references=list(read.references),
        snippet=read.snippet,
        size_bytes=size_bytes,
        files=[file.to_json() for file in read.files],
        is_automatic=read.is_automatic,
        receipt_to=read.receipt_to,
    )


def people_line(people: Sequence[Person]) -> str:
    """Recipients as they are stored and shown: Name <address>, in quotes where a name holds signs of a list."""
    line = ", ".join(map(_one, people))
    return line if len(line) <= PEOPLE_MAX else line[:PEOPLE_MAX].rpartition(", ")[0]


def _one(person: Person) -> str:
    if not person.name:
        return person.address
    name = person.name
    if _SPECIAL.search(name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        name = f'"{escaped}"'
    return f"{name} <{person.address}>"
