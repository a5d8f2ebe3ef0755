"""Who may see and use a thing, in the API: the same for every noun."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from postroom.actions.sharing import Sharing, sharing_change
from postroom.errors import NotAllowed
from postroom.queries.sharing import sharing_of
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["sharing"])

Nouns = Literal["lists", "templates", "types", "campaigns", "exclusions", "accounts"]
Words = list[Literal["view", "use", "edit", "export"]]
Number = Annotated[int, Field(ge=1, le=2**53)]


class Grant(Schema):
    id: Number
    may: Words


class SharingIn(Schema):
    visibility: Literal["private", "profiles", "workspace"]
    #: What everybody may while visibility is "workspace"; left out = as it was.
    everyone: Words | None = None
    #: All grants; who is not named has none.
    profiles: Annotated[list[Grant], Field(max_length=500)] = []
    users: Annotated[list[Grant], Field(max_length=1000)] = []


class GrantOut(Grant):
    name: str


class SharingOut(Schema):
    visibility: str
    everyone: list[str]
    profiles: list[GrantOut]
    users: list[GrantOut]


@router.get("/{nouns}/{int:noun_id}/sharing", response={200: SharingOut, **problems(403, 404)})
def sharing_show(request: HttpRequest, nouns: Nouns, noun_id: int) -> dict[str, Any]:
    """For who may change it."""
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    found = sharing_of(viewer, nouns[:-1], noun_id)
    if not found.may_change:
        raise NotAllowed(details={"may": "edit"})
    return {
        "visibility": found.thing.visibility,
        "everyone": found.thing.everyone,
        "profiles": [
            {"id": one.id, "name": one.name, "may": sorted(may)} for one, may in found.profiles if may
        ],
        "users": [{"id": one.id, "name": str(one), "may": sorted(may)} for one, may in found.people],
    }


@router.put("/{nouns}/{int:noun_id}/sharing", response={200: SharingOut, **problems(403, 404, 422)})
def sharing_put(request: HttpRequest, nouns: Nouns, noun_id: int, body: SharingIn) -> dict[str, Any]:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    asked = Sharing(
        visibility=body.visibility,
        everyone=body.everyone,
        profiles={one.id: one.may for one in body.profiles},
        users={one.id: one.may for one in body.users},
    )
    sharing_change(viewer=viewer, noun=nouns[:-1], noun_id=noun_id, sharing=asked)
    return sharing_show(request, nouns, noun_id)
