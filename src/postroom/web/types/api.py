"""Message types in the API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.message_type import type_add, type_delete, type_rename
from postroom.actions.sharing import Sharing
from postroom.models.message_type import MessageType
from postroom.queries.message_type import type_uses, type_visible_to, types_visible_to
from postroom.queries.sharing import grants_of
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, page_of
from postroom.web.problem import problems

router = Router(tags=["types"])
PAGE = 100
Name = Annotated[str, Field(max_length=1000)]


class TypeNew(Schema):
    name: Name
    #: Profiles that may choose it; left out = administrators only, said in `warnings`.
    profiles: Annotated[list[int], Field(max_length=500)] | None = None


class TypeChange(Schema):
    name: Name
    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: int


class TypeOut(Schema):
    id: int
    name: str
    version: int
    visibility: str
    profiles: list[int]
    created_at: str
    warnings: list[str] = []


class TypeList(Schema):
    items: list[TypeOut]
    #: To go on with as `at`; None at the end.
    next: str | None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(one: MessageType) -> dict[str, Any]:
    profiles = [grant.profile_id for grant in grants_of(one) if grant.profile_id]
    nobody = one.visibility != "workspace" and not profiles
    return {
        "id": one.id,
        "name": one.name,
        "version": one.version,
        "visibility": one.visibility,
        "profiles": profiles,
        "created_at": one.created_at.isoformat(timespec="milliseconds"),
        "warnings": ["ADMINS_ONLY"] if nobody else [],
    }


@router.get("/types", response={200: TypeList, **problems(422)})
def type_list(
    request: HttpRequest,
    q: Annotated[str, Query(max_length=200)] = "",
    id: Annotated[str, Query(max_length=20)] = "",
    at: At = "",
) -> dict[str, Any]:
    """By name. q: part of the name, accents and case aside; id: exactly this number; both = both must fit."""
    shown, following = page_of(types_visible_to(_viewer(request), words=q, number=id), at, PAGE)
    return {"items": [_out(one) for one in shown], "next": following}


@router.post("/types", response={201: TypeOut, **problems(403, 409, 422)})
def type_make(request: HttpRequest, body: TypeNew) -> Any:
    sharing = None
    if body.profiles:
        sharing = Sharing("profiles", profiles={number: ["view", "use"] for number in body.profiles})
    return Status(201, _out(type_add(viewer=_viewer(request), name=body.name, sharing=sharing)))


@router.get("/types/{int:type_id}", response={200: TypeOut, **problems(404)})
def type_show(request: HttpRequest, type_id: int) -> dict[str, Any]:
    return _out(type_visible_to(_viewer(request), type_id))


@router.put("/types/{int:type_id}", response={200: TypeOut, **problems(403, 404, 409, 422)})
def type_change(request: HttpRequest, type_id: int, body: TypeChange) -> dict[str, Any]:
    return _out(type_rename(viewer=_viewer(request), type_id=type_id, version=body.version, name=body.name))


@router.delete("/types/{int:type_id}", response={204: None, **problems(403, 404, 409, 422)})
def type_drop(request: HttpRequest, type_id: int, reassign_to: int = 0) -> Any:
    """409 IN_USE says how often it is used; `reassign_to` names the type that takes its place there."""
    viewer = _viewer(request)
    type_delete(viewer=viewer, type_id=type_id, reassign_to=reassign_to)
    return Status(204, None)


@router.get("/types/{int:type_id}/uses", response={200: dict[str, int], **problems(404)})
def type_used(request: HttpRequest, type_id: int) -> dict[str, int]:
    uses = type_uses(type_visible_to(_viewer(request), type_id))
    return {"accounts": uses.accounts, "campaigns": uses.campaigns, "messages": uses.messages}
