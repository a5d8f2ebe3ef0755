"""Records in the API: what mail is about; other systems keep theirs here by their own (type, id)."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.record_keep import (
    RecordValues,
    record_add,
    record_delete,
    record_edit,
    record_put_back,
    record_upsert,
)
from postroom.models.record import Record
from postroom.queries.records import (
    record_named,
    record_people,
    record_timeline,
    record_visible_to,
    records_page,
)
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, number_at
from postroom.web.problem import problems

router = Router(tags=["records"])

Line = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Field(ge=1, le=2**53)]
Fields = Annotated[
    dict[Annotated[str, Field(max_length=200)], Annotated[str, Field(max_length=20_000)]],
    Field(max_length=200),
]
People = Annotated[list[Number], Field(max_length=200)]


class RecordIn(Schema):
    """kind: contractor, document, opportunity, process or link."""

    name: Line
    kind: Annotated[str, Field(max_length=20)] = "link"
    #: Your own number of it.
    number: Line = ""
    #: What the system that keeps it calls it: together these two name one record.
    external_type: Line = ""
    external_id: Line = ""
    #: Where it can be looked at; http or https.
    url: Annotated[str, Field(max_length=2000)] = ""
    #: The contractor it belongs to.
    parent: Number | None = None
    #: Merge fields: "order" is {{ record.order }} in a template.
    fields: Fields = {}
    #: Contact persons in order, as ids of contacts; the first is proposed as the recipient. Left out = as they are.
    people: People | None = None


class RecordPut(RecordIn):
    """Of a record that is here already, what is left out stays as it is."""

    name: Line = ""


class RecordChange(RecordPut):
    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: int


class RecordOut(Schema):
    id: int
    name: str
    kind: str
    number: str
    external_type: str
    external_id: str
    url: str
    parent: int | None
    fields: dict[str, str]
    people: list[int]
    version: int
    created_at: str
    updated_at: str


class Gone(Schema):
    #: For POST /records/undo/{undo}, within an hour.
    undo: int


class RecordShort(Schema):
    id: int
    name: str
    kind: str
    number: str
    external_type: str
    external_id: str
    url: str
    parent: int | None
    version: int


class Records(Schema):
    items: list[RecordShort]
    #: To go on with as `at`; None at the end.
    next: str | None


class MailOut(Schema):
    id: int
    #: in, out
    direction: str
    at: str
    subject: str
    from_address: str
    to_address: str
    snippet: str
    conversation: int | None


class Mail(Schema):
    items: list[MailOut]
    #: Mails of the record that the caller may not read.
    hidden: int
    #: To go on with as `at`; None at the end.
    next: str | None


_SHORT = ("id", "name", "kind", "number", "external_type", "external_id", "url", "version")


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _short(record: Record) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _SHORT} | {"parent": record.parent_id}


def _out(viewer: Viewer, record: Record) -> dict[str, Any]:
    return _short(record) | {
        "fields": record.fields,
        "people": [one.id for one in record_people(viewer, record)],
        "created_at": record.created_at.isoformat(timespec="milliseconds"),
        "updated_at": record.updated_at.isoformat(timespec="milliseconds"),
    }


def _values(body: RecordIn, stored: Record | None = None) -> RecordValues:
    """What is left out is as it is stored, else empty."""
    names = ("name", "kind", "number", "external_type", "external_id", "url", "parent_id", "fields")
    kept = {name: getattr(stored, name) for name in names} if stored else {}
    given = body.dict(exclude={"version"}, exclude_unset=stored is not None)
    if "parent" in given:
        given["parent_id"] = given.pop("parent")
    return RecordValues(**{**kept, **given})


@router.get("/records", response={200: Records, **problems(422)})
def record_list(
    request: HttpRequest,
    q: Words = "",
    kind: Words = "",
    external_type: Words = "",
    external_id: Words = "",
    parent: Annotated[int, Field(ge=0, le=2**53)] = 0,
    at: At = "",
) -> dict[str, Any]:
    """By name. q: words of name, number or id elsewhere, accents and case aside."""
    rows, following = records_page(
        _viewer(request),
        words=q,
        kind=kind,
        external_type=external_type,
        external_id=external_id,
        parent_id=parent,
        after=number_at(at),
    )
    return {"items": [_short(row) for row in rows], "next": str(following) if following else None}


@router.post("/records", response={201: RecordOut, **problems(403, 404, 409, 422)})
def record_make(request: HttpRequest, body: RecordIn) -> Any:
    """409 NAME_TAKEN (details: record) when the other system's id is here already."""
    viewer = _viewer(request)
    return Status(201, _out(viewer, record_add(viewer=viewer, values=_values(body))))


@router.put("/records", response={200: RecordOut, 201: RecordOut, **problems(403, 404, 409, 422)})
def record_put(request: HttpRequest, body: RecordPut) -> Any:
    """Makes the record that the other system calls (external_type, external_id), or brings it up to date."""
    viewer = _viewer(request)
    stored = record_named(viewer, body.external_type, body.external_id)
    record, made = record_upsert(viewer=viewer, values=_values(body, stored))
    return Status(201 if made else 200, _out(viewer, record))


@router.get("/records/{int:record_id}", response={200: RecordOut, **problems(404)})
def record_show(request: HttpRequest, record_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    return _out(viewer, record_visible_to(viewer, record_id))


@router.put("/records/{int:record_id}", response={200: RecordOut, **problems(403, 404, 409, 422)})
def record_change(request: HttpRequest, record_id: int, body: RecordChange) -> dict[str, Any]:
    viewer = _viewer(request)
    values = _values(body, record_visible_to(viewer, record_id))
    changed = record_edit(viewer=viewer, record_id=record_id, version=body.version, values=values)
    return _out(viewer, changed)


@router.delete("/records/{int:record_id}", response={200: Gone, **problems(403, 404)})
def record_drop(request: HttpRequest, record_id: int) -> dict[str, int]:
    """Its mail stays."""
    return {"undo": record_delete(viewer=_viewer(request), record_id=record_id)}


@router.post("/records/undo/{int:step_id}", response={200: RecordOut, **problems(403, 409)})
def record_back(request: HttpRequest, step_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    return _out(viewer, record_put_back(viewer=viewer, step_id=step_id))


@router.get("/records/{int:record_id}/messages", response={200: Mail, **problems(404, 422)})
def record_mail(request: HttpRequest, record_id: int, at: At = "") -> dict[str, Any]:
    """Its mail, newest first: what the caller may read, and how many they may not."""
    viewer = _viewer(request)
    timeline = record_timeline(viewer, record_visible_to(viewer, record_id), before=number_at(at))
    items = [
        {
            "id": line.message.id,
            "direction": line.message.direction,
            "at": line.at.isoformat(timespec="milliseconds"),
            "subject": line.message.subject,
            "from_address": line.message.from_address,
            "to_address": line.message.to_address,
            "snippet": line.message.snippet,
            "conversation": line.message.conversation_id,
        }
        for line in timeline.lines
    ]
    following = str(timeline.before) if timeline.before else None
    return {"items": items, "hidden": timeline.hidden, "next": following}
