"""Lists of people in the API."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponseBase
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.contact_list import (
    contact_list_add,
    contact_list_delete,
    contact_list_fill,
    contact_list_rename,
    contact_list_take_off,
)
from postroom.models.contact import ContactList
from postroom.models.profile import May
from postroom.queries.contact import contact_page
from postroom.queries.contact_list import contact_list_visible_to, contact_lists_visible_to
from postroom.queries.sharing import rights_on
from postroom.queries.viewer import Viewer
from postroom.web.contacts.exporting import exported
from postroom.web.download import csv_answer
from postroom.web.paging import At, page_of
from postroom.web.problem import problems

router = Router(tags=["lists"])
PAGE = 100
Name = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Field(ge=1, le=2**53)]


class ListNew(Schema):
    name: Name


class ListChange(Schema):
    name: Name
    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: int


class Members(Schema):
    contacts: Annotated[list[Number], Field(max_length=10_000)]


class ListOut(Schema):
    id: int
    name: str
    size: int
    version: int
    visibility: str
    #: What the caller may do with it: view, use, edit, export.
    may: list[str]
    created_at: str


class Lists(Schema):
    items: list[ListOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class Person(Schema):
    id: int
    email: str
    name: str
    surname: str
    company: str


class People(Schema):
    items: list[Person]
    #: To go on with as `at`; None at the end.
    next: str | None


class Changed(Schema):
    changed: int


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(viewer: Viewer, lists: list[ContactList]) -> list[dict[str, Any]]:
    rights = rights_on(viewer, lists)
    return [
        {
            "id": one.id,
            "name": one.name,
            "size": one.size,
            "version": one.version,
            "visibility": one.visibility,
            "may": sorted(rights[one.id]),
            "created_at": one.created_at.isoformat(timespec="milliseconds"),
        }
        for one in lists
    ]


@router.get("/lists", response={200: Lists, **problems(422)})
def list_list(request: HttpRequest, q: Words = "", at: At = "") -> dict[str, Any]:
    """By name. q: part of the name, accents and case aside."""
    viewer = _viewer(request)
    shown, following = page_of(contact_lists_visible_to(viewer, q), at, PAGE)
    return {"items": _out(viewer, list(shown)), "next": following}


@router.post("/lists", response={201: ListOut, **problems(403, 409, 422)})
def list_make(request: HttpRequest, body: ListNew) -> Any:
    viewer = _viewer(request)
    return Status(201, _out(viewer, [contact_list_add(viewer=viewer, name=body.name)])[0])


@router.get("/lists/{int:list_id}", response={200: ListOut, **problems(403, 404)})
def list_show(request: HttpRequest, list_id: int) -> dict[str, Any]:
    """403 for a list one may send to but not look into."""
    viewer = _viewer(request)
    return _out(viewer, [contact_list_visible_to(viewer, list_id, May.VIEW)])[0]


@router.put("/lists/{int:list_id}", response={200: ListOut, **problems(403, 404, 409, 422)})
def list_change(request: HttpRequest, list_id: int, body: ListChange) -> dict[str, Any]:
    viewer = _viewer(request)
    changed = contact_list_rename(viewer=viewer, list_id=list_id, name=body.name, version=body.version)
    return _out(viewer, [changed])[0]


@router.delete("/lists/{int:list_id}", response={204: None, **problems(403, 404)})
def list_drop(request: HttpRequest, list_id: int) -> Any:
    """The list goes, its people stay."""
    contact_list_delete(viewer=_viewer(request), list_id=list_id)
    return Status(204, None)


@router.get("/lists/{int:list_id}/people", response={200: People, **problems(403, 404)})
def list_people(request: HttpRequest, list_id: int, q: Words = "", at: At = "") -> dict[str, Any]:
    """By name."""
    page = contact_page(_viewer(request), words=q, list_id=list_id, at=at)
    return {"items": [_person(row.contact) for row in page.rows], "next": page.following or None}


def _person(contact: Any) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in ("id", "email", "name", "surname", "company")}


@router.get(
    "/lists/{int:list_id}/people.csv",
    response={200: None, **problems(403, 404)},
    openapi_extra={"responses": {200: {"description": "OK", "content": {"text/csv": {}}}}},
)
def list_csv(request: HttpRequest, list_id: int) -> HttpResponseBase:
    """Everybody on the list as a file, for who may take it out."""
    return csv_answer(f"list-{list_id}", exported(_viewer(request), list_id=list_id))


@router.post("/lists/{int:list_id}/people", response={200: Changed, **problems(403, 404, 422)})
def list_fill(request: HttpRequest, list_id: int, body: Members) -> dict[str, Any]:
    """Put people on the list; changed: how many were not on it. Who the caller does not see is ignored."""
    count = contact_list_fill(viewer=_viewer(request), list_id=list_id, contact_ids=body.contacts)
    return {"changed": count}


@router.delete("/lists/{int:list_id}/people", response={200: Changed, **problems(403, 404, 422)})
def list_take_off(request: HttpRequest, list_id: int, body: Members) -> dict[str, Any]:
    count, _ = contact_list_take_off(viewer=_viewer(request), list_id=list_id, contact_ids=body.contacts)
    return {"changed": count}
