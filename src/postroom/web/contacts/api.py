"""People we may write to, and their free fields, in the API."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.contact import (
    ContactValues,
    attribute_key_add,
    contact_add,
    contact_delete,
    contact_edit,
    contact_put_back,
)
from postroom.models.contact import Contact
from postroom.queries.contact import (
    attribute_keys,
    contact_count,
    contact_deliveries,
    contact_page,
    contact_rows,
    contact_visible_to,
)
from postroom.queries.viewer import Viewer
from postroom.web.contacts.exporting import exported
from postroom.web.download import csv_answer
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems

router = Router(tags=["contacts"])
PAGE = 100

Line = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Field(ge=1, le=2**53)]
ListId = Annotated[int, Query(alias="list", ge=0, le=2**53, description="Only who is on this list; 0 = all.")]
Only = Literal["", "blocked", "unlisted"]
_OWN = ("email", "name", "surname", "salutation", "company", "kind", "language")


class ContactNew(Schema):
    email: Line
    name: Line = ""
    surname: Line = ""
    salutation: Line = ""
    company: Line = ""
    kind: Literal["employee", "contractor", "other"] = "other"
    language: Annotated[str, Field(max_length=5)] = ""
    #: Free fields by key, see /contacts/fields.
    attributes: dict[str, Annotated[str, Field(max_length=10_000)]] = {}


class ContactChange(Schema):
    """A field left out keeps its value; an attribute that is "" goes."""

    #: As it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: int
    email: Line | None = None
    name: Line | None = None
    surname: Line | None = None
    salutation: Line | None = None
    company: Line | None = None
    kind: Literal["employee", "contractor", "other"] | None = None
    language: Annotated[str, Field(max_length=5)] | None = None
    attributes: dict[str, Annotated[str, Field(max_length=10_000)]] | None = None


class ContactOut(Schema):
    id: int
    email: str
    name: str
    surname: str
    salutation: str
    company: str
    kind: str
    language: str
    attributes: dict[str, str]
    version: int
    created_at: str
    updated_at: str


class ContactRow(ContactOut):
    #: Names of the lists they are on, of those the caller may look into.
    lists: list[str]
    #: Whether an entry stops mail from the caller to them.
    blocked: bool


class Contacts(Schema):
    items: list[ContactRow]
    #: To go on with as `at`; None at the end.
    next: str | None


class Counted(Schema):
    count: int
    #: False: an estimate, for more than 10,000.
    exact: bool


class Sent(Schema):
    delivery: int
    campaign: int | None
    subject: str
    state: str
    arrival: str
    reading: str
    state_at: str | None


class SentList(Schema):
    #: Newest first, 100 a page.
    items: list[Sent]
    next: str | None


class ContactIds(Schema):
    ids: Annotated[list[Number], Field(min_length=1, max_length=10_000)]


class Deleted(Schema):
    deleted: int
    #: For POST /contacts/undo/{undo}, within an hour.
    undo: int


class Back(Schema):
    back: int


class FieldIn(Schema):
    label: Annotated[str, Field(max_length=1000)]


class FieldOut(Schema):
    key: str
    label: str


class FieldList(Schema):
    items: list[FieldOut]


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(contact: Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        **{name: getattr(contact, name) for name in _OWN},
        "attributes": {key: str(value) for key, value in contact.attributes.items()},
        "version": contact.version,
        "created_at": contact.created_at.isoformat(timespec="milliseconds"),
        "updated_at": contact.updated_at.isoformat(timespec="milliseconds"),
    }


@router.get("/contacts", response={200: Contacts, **problems(403, 404, 422)})
def contact_list(
    request: HttpRequest,
    q: Words = "",
    list_id: ListId = 0,
    only: Only = "",
    sort: Literal["name", "newest"] = "name",
    at: At = "",
) -> dict[str, Any]:
    """q: words of the name, company or address, accents and case aside. only: blocked, or unlisted (on no list)."""
    viewer = _viewer(request)
    page = contact_page(viewer, words=q, list_id=list_id, only=only, sort=sort, at=at, size=PAGE)
    items = [{**_out(row.contact), "lists": row.lists, "blocked": bool(row.blocks)} for row in page.rows]
    return {"items": items, "next": page.following or None}


@router.get("/contacts/count", response={200: Counted, **problems(403, 404, 422)})
def contact_counted(
    request: HttpRequest, q: Words = "", list_id: ListId = 0, only: Only = ""
) -> dict[str, Any]:
    found = contact_count(_viewer(request), words=q, list_id=list_id, only=only)
    return {"count": found.number, "exact": found.exact}


@router.post("/contacts", response={201: ContactOut, **problems(403, 409, 422)})
def contact_make(request: HttpRequest, body: ContactNew) -> Any:
    """409 CONTACT_EXISTS: the address is here already; details: contact_id."""
    return Status(201, _out(contact_add(viewer=_viewer(request), values=ContactValues(**body.dict()))))


@router.get(
    "/contacts/export",
    response={200: None, **problems(403, 404, 422)},
    openapi_extra={"responses": {200: {"description": "OK", "content": {"text/csv": {}}}}},
)
def contact_csv(
    request: HttpRequest, q: Words = "", list_id: ListId = 0, only: Only = ""
) -> HttpResponseBase:
    """As a file, for who may take people out."""
    rows = exported(_viewer(request), words=q, list_id=list_id, only=only)
    return csv_answer(_("people"), rows)


@router.get("/contacts/fields", response={200: FieldList, **problems()})
def field_list(request: HttpRequest) -> dict[str, Any]:
    """The free fields of the workspace."""
    return {"items": [{"key": one.key, "label": one.label} for one in attribute_keys(_viewer(request))]}


@router.post("/contacts/fields", response={201: FieldOut, **problems(403, 422)})
def field_make(request: HttpRequest, body: FieldIn) -> Any:
    """The field of this name; made when there is none."""
    made = attribute_key_add(viewer=_viewer(request), label=body.label)
    return Status(201, {"key": made.key, "label": made.label})


@router.post("/contacts/delete", response={200: Deleted, **problems(403, 404, 422)})
def contacts_drop(request: HttpRequest, body: ContactIds) -> dict[str, int]:
    """Their deliveries stay, with name and address."""
    count, step = contact_delete(viewer=_viewer(request), ids=body.ids)
    return {"deleted": count, "undo": step}


@router.post("/contacts/undo/{int:step_id}", response={200: Back, **problems(403, 409)})
def contacts_back(request: HttpRequest, step_id: int) -> dict[str, int]:
    return {"back": contact_put_back(viewer=_viewer(request), step_id=step_id)}


@router.get("/contacts/{int:contact_id}", response={200: ContactRow, **problems(404)})
def contact_show(request: HttpRequest, contact_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    contact = contact_visible_to(viewer, contact_id)
    (row,) = contact_rows(viewer, [contact.id])
    return {**_out(contact), "lists": row.lists, "blocked": bool(row.blocks)}


@router.put("/contacts/{int:contact_id}", response={200: ContactOut, **problems(403, 404, 409, 422)})
def contact_change(request: HttpRequest, contact_id: int, body: ContactChange) -> dict[str, Any]:
    viewer = _viewer(request)
    before = contact_visible_to(viewer, contact_id)
    given = body.dict(exclude={"version"}, exclude_none=True)
    values = {**{name: getattr(before, name) for name in _OWN}, **given}
    values["attributes"] = {**before.attributes, **given.get("attributes", {})}
    changed = contact_edit(
        viewer=viewer, contact_id=contact_id, version=body.version, values=ContactValues(**values)
    )
    return _out(changed)


@router.delete("/contacts/{int:contact_id}", response={204: None, **problems(403, 404)})
def contact_drop(request: HttpRequest, contact_id: int) -> Any:
    contact_delete(viewer=_viewer(request), ids=[contact_id])
    return Status(204, None)


@router.get("/contacts/{int:contact_id}/deliveries", response={200: SentList, **problems(404, 422)})
def contact_sent(request: HttpRequest, contact_id: int, at: At = "") -> dict[str, Any]:
    """What was sent to the person, of campaigns the caller sees."""
    viewer = _viewer(request)
    contact = contact_visible_to(viewer, contact_id)
    found = contact_deliveries(viewer, contact, before=number_at(at), limit=PAGE + 1)
    shown, following = cut(found, PAGE)
    return {
        "items": [
            {
                "delivery": one.id,
                "campaign": one.campaign_id,
                "subject": one.campaign.subject
                if one.campaign
                else (one.message.subject if one.message else ""),
                "state": one.state,
                "arrival": one.arrival,
                "reading": one.reading,
                "state_at": one.state_at.isoformat(timespec="milliseconds") if one.state_at else None,
            }
            for one in shown
        ],
        "next": following,
    }
