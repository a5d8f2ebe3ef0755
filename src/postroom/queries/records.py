"""Reading records: the list, one with its people and files, and its timeline of mail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from postroom.errors import NotFound
from postroom.mail.answer import typed
from postroom.mail.fields import RECORD_ANY
from postroom.mail.fold import search_words
from postroom.models.contact import Contact
from postroom.models.message import Message
from postroom.models.record import Record, RecordFile, RecordKey
from postroom.queries.contact import contacts_visible_to
from postroom.queries.message import came_to
from postroom.queries.viewer import Viewer

PAGE = 50
#: Mails of a record that are counted, at most.
HIDDEN_MAX = 1000


def records_visible_to(viewer: Viewer) -> "QuerySet[Record]":
    """Everybody in the workspace sees all records."""
    return Record.objects.filter(workspace=viewer.workspace, deleted_at=None)


def record_visible_to(viewer: Viewer, record_id: int) -> Record:
    """Raises NotFound."""
    found = records_visible_to(viewer).filter(id=record_id).select_related("parent", "created_by").first()
    if found is None:
        raise NotFound("This record is not here. It may have been deleted.")
    return found


def record_named(viewer: Viewer, external_type: str, external_id: str) -> Record | None:
    """The live record that another system calls so."""
    kind, number = (" ".join(text.replace("\0", " ").split()) for text in (external_type, external_id))
    found = records_visible_to(viewer).filter(external_type=kind, external_id=number)
    return found.first() if number else None


def records_page(
    viewer: Viewer,
    *,
    words: str = "",
    kind: str = "",
    external_type: str = "",
    external_id: str = "",
    parent_id: int = 0,
    after: int = 0,
    size: int = PAGE,
) -> tuple[list[Record], int | None]:
    """By name: at most `size`, and the id to go on after; None at the end.

    words: all must be in name, number or id elsewhere, accents and case aside. after: the id of the last one seen.
    """
    found = records_visible_to(viewer)
    for word in search_words(words):
        found = found.filter(search__contains=word)
    exact = {"kind": kind, "external_type": external_type, "external_id": external_id}
    if "\0" in "".join(exact.values()):
        return [], None
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if parent_id:
        found = found.filter(parent=parent_id)
    last = Record.objects.filter(workspace=viewer.workspace, id=after).first() if after else None
    if last is not None:
        found = found.filter(Q(sort_key__gt=last.sort_key) | Q(sort_key=last.sort_key, id__gt=last.id))
    rows = list(found.select_related("parent").order_by("sort_key", "id")[: size + 1])
    return rows[:size], rows[size - 1].id if len(rows) > size else None


def record_people(viewer: Viewer, record: Record) -> list[Contact]:
    """Its contact persons in order; not who is kept from the viewer."""
    seen = contacts_visible_to(viewer).filter(records__record=record)
    return list(seen.order_by("records__position", "id"))


def record_recipients(viewer: Viewer, record: Record) -> str:
    """Whom a new message about it is proposed to, as typed: its first contact person, else its contractor's."""
    people = record_people(viewer, record)
    if not people and record.parent is not None and record.parent.deleted_at is None:
        people = record_people(viewer, record.parent)
    if not people:
        return ""
    first = people[0]
    name = f"{first.name} {first.surname}".strip()
    return typed(name, first.email)


def record_files(record: Record) -> list[RecordFile]:
    return list(record.files.select_related("blob").order_by("id"))


def record_values(record: Record | None) -> dict[str, str]:
    """The values of its merge fields by key; {} for None and for a deleted one."""
    if record is None or record.deleted_at is not None:
        return {}
    own = {f"{RECORD_ANY}{key}": str(value) for key, value in record.fields.items()}
    known = {"name": record.name, "number": record.number, "url": record.url}
    return own | {f"{RECORD_ANY}{key}": value for key, value in known.items()}


def record_keys(viewer: Viewer) -> list[str]:
    """The own fields that any live record of the workspace has, by name."""
    found = RecordKey.objects.filter(workspace=viewer.workspace).order_by("key")
    return list(found.values_list("key", flat=True))


def any_record(viewer: Viewer) -> bool:
    return records_visible_to(viewer).exists()


@dataclass(frozen=True)
class Line:
    """One mail of a record's timeline."""

    message: Message
    at: datetime


@dataclass(frozen=True)
class Timeline:
    """lines: newest first; hidden: mails the viewer may not read (at most HIDDEN_MAX are counted); before: to go on."""

    lines: Sequence[Line]
    hidden: int
    before: int | None


def record_timeline(viewer: Viewer, record: Record, *, before: int = 0) -> Timeline:
    """Its mail: that of its conversations, and what was sent or came in about it. before: a message id, 0 = newest."""
    mail = Message.objects.filter(Q(record=record) | Q(conversation__record=record))
    mail = mail.filter(workspace=viewer.workspace)
    readable = messages_readable(viewer)
    seen = mail.filter(readable).annotate(moment=Coalesce("at", "created_at"))
    if before:
        last = seen.filter(id=before).first()
        if last is not None:
            at = last.at or last.created_at
            seen = seen.filter(Q(moment__lt=at) | Q(moment=at, id__lt=before))
    rows = list(
        seen.select_related("account", "user", "conversation")
        .prefetch_related("deliveries")
        .order_by("-moment", "-id")[: PAGE + 1]
    )
    shown = rows[:PAGE]
    hidden = 0 if viewer.manages else len(mail.exclude(readable).values_list("id")[:HIDDEN_MAX])
    return Timeline(
        lines=[Line(row, row.at or row.created_at) for row in shown],
        hidden=hidden,
        before=shown[-1].id if len(rows) > PAGE else None,
    )


def messages_readable(viewer: Viewer) -> Q:
    """Of messages of the workspace: what the viewer sent, and what lies in an account they may read."""
    if viewer.manages:
        return Q(workspace=viewer.workspace)
    return Q(direction="out", user=viewer.user) | came_to(viewer)
