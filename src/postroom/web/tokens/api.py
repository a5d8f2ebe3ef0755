"""API tokens, the audit trail and workspaces in the API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.token import token_add, token_revoke
from postroom.actions.workspace import workspace_add, workspace_limit
from postroom.models.profile import ApiToken
from postroom.models.workspace import Workspace
from postroom.queries.changes import audit_lines
from postroom.queries.member import places_of, workspace_rows
from postroom.queries.token import tokens_visible_to
from postroom.queries.viewer import Viewer, administers, demand_administers
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems

router = Router(tags=["tokens"])
WRONG = problems(400, 403, 404, 409, 422, 429)
PAGE = 100

Scopes = Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=100)]
Limit = Annotated[int, Field(ge=0, le=2_000_000_000)]


class TokenIn(Schema):
    name: Annotated[str, Field(max_length=500)]
    scopes: Scopes
    #: Until it expires; 0 = never.
    days: Annotated[int, Field(ge=0, le=3660)] = 90


class WorkspaceIn(Schema):
    name: Annotated[str, Field(max_length=500)]
    language: Annotated[str, Field(pattern="^(en|pl|bg)$")] = "en"
    time_zone: Annotated[str, Field(max_length=64)] = "Europe/Warsaw"


class LimitsIn(Schema):
    """0 = no limit."""

    seats: Limit
    parallel_runs: Limit
    per_day: Limit
    #: Marketing accounts of a firm with at most so many contacts need no word; left out = as it was.
    approve_below: Limit | None = None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _token(one: ApiToken) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "prefix": one.prefix,
        "scopes": one.scopes,
        "created_at": _moment(one.created_at),
        "expires_at": _moment(one.expires_at),
        "last_used_at": _moment(one.last_used_at),
    }


def _workspace(one: Workspace) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "seats": one.seats,
        "parallel_runs": one.parallel_runs,
        "per_day": one.per_day,
        "approve_below": one.approve_below,
    }


@router.get("/tokens", response={200: dict[str, Any], **WRONG})
def token_list(request: HttpRequest) -> Any:
    """One's own; never their secrets."""
    return {"items": [_token(one) for one in tokens_visible_to(_viewer(request))]}


@router.post("/tokens", response={201: dict[str, Any], **WRONG})
def token_make(request: HttpRequest, body: TokenIn) -> Any:
    """`secret` is in this answer only. For people who are signed in: a token makes no other (403 SCOPE)."""
    made, secret = token_add(viewer=_viewer(request), name=body.name, scopes=body.scopes, days=body.days)
    return Status(201, {**_token(made), "secret": secret})


@router.delete("/tokens/{int:token_id}", response={204: None, **WRONG})
def token_delete(request: HttpRequest, token_id: int) -> Any:
    token_revoke(viewer=_viewer(request), token_id=token_id)
    return Status(204, None)


@router.get("/audit", response={200: dict[str, Any], **WRONG}, tags=["audit"])
def audit_list(
    request: HttpRequest,
    user: Annotated[int, Field(ge=0, lt=2**63)] = 0,
    noun: Annotated[str, Field(max_length=40)] = "",
    at: At = "",
) -> Any:
    """Newest first."""
    lines = audit_lines(_viewer(request), user_id=user, noun=noun, before=number_at(at))
    shown, following = cut(list(lines[: PAGE + 1]), PAGE)
    items = [
        {
            "id": line.id,
            "at": _moment(line.at),
            "user": line.user_id,
            "verb": line.verb,
            "noun": line.noun,
            "noun_id": line.noun_id,
            "details": line.details,
        }
        for line in shown
    ]
    return {"items": items, "next": following}


@router.get("/workspaces", response={200: dict[str, Any], **WRONG}, tags=["workspaces"])
def workspace_list(request: HttpRequest) -> Any:
    """One's own; for who administers the installation, all with their limits."""
    viewer = _viewer(request)
    if administers(viewer):
        return {"items": [{**_workspace(one), "taken": taken} for one, _people, taken in workspace_rows()]}
    return {"items": [{"id": place.id, "name": place.name} for place in places_of(viewer)]}


@router.post("/workspaces", response={201: dict[str, Any], **WRONG}, tags=["workspaces"])
def workspace_make(request: HttpRequest, body: WorkspaceIn) -> Any:
    viewer = _viewer(request)
    made = workspace_add(viewer=viewer, name=body.name, language=body.language, time_zone=body.time_zone)
    return Status(201, _workspace(made))


@router.put(
    "/workspaces/{int:workspace_id}/limits", response={200: dict[str, Any], **WRONG}, tags=["workspaces"]
)
def workspace_put(request: HttpRequest, workspace_id: int, body: LimitsIn) -> Any:
    demand_administers(_viewer(request))
    return _workspace(workspace_limit(viewer=_viewer(request), workspace_id=workspace_id, **body.dict()))
