"""E-mail groups in the API. The options have the names that CommuniGate Pro gives them, so that moving is a script."""

from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.group import group_delete, group_make, group_recommended, group_save
from postroom.actions.group_member import members_add
from postroom.actions.group_undo import group_undo
from postroom.errors import Conflict, InputError, PostroomError
from postroom.models.group import Group
from postroom.queries.domain import domains_proved
from postroom.queries.group import (
    MORE,
    OPTIONS,
    domains_for_groups,
    group_one,
    group_rows,
    managers_of,
    may_change,
    member_addresses,
    named_of,
)
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, page_of
from postroom.web.problem import problems

router = Router(tags=["groups"])
PAGE = 100
#: `Members` of one group are listed up to here; more are read page by page.
MEMBERS_SHOWN = 5000
Id = Annotated[int, Field(ge=0, le=2**53)]
Text = Annotated[str, Field(max_length=1000)]
Words = Annotated[str, Query(max_length=200)]
Who = Literal["anyone", "members", "named", "approved"]


class Options(Schema):
    """What is left out stays as it is; of a new group, as recommended."""

    SetReplyTo: bool | None = None
    Expand: bool | None = None
    RemoveAuthor: bool | None = None
    EmailDisabled: bool | None = None
    FinalDelivery: bool | None = None
    RejectAutomatic: bool | None = None
    RemoveToAndCc: bool | None = None
    SignalDisabled: bool | None = None
    IncludeExternalAuthor: bool | None = None
    VerifyToCc: bool | None = None
    WhoMayPost: Who | None = None
    #: Addresses that may write where WhoMayPost is "named".
    Named: Annotated[list[Text] | None, Field(max_length=1000)] = None
    #: Bytes; 0 = no limit of its own.
    SizeMax: Annotated[int | None, Field(ge=0, le=1_000_000_000)] = None
    #: Members read older postings.
    Archive: bool | None = None
    RealName: Annotated[str | None, Field(max_length=120)] = None
    Description: Annotated[str | None, Field(max_length=5000)] = None
    #: Ids of people.
    Managers: Annotated[list[Id] | None, Field(max_length=1000)] = None
    #: The mail account through which copies leave; 0 = the firm's mail server.
    account_id: Id | None = None


class GroupNew(Options):
    #: What stands before the @-sign.
    name: Text
    #: One of the proved domains; may be left out when there is one only.
    domain: Text = ""
    #: Addresses; one without @ is of the group's domain.
    Members: Annotated[list[Text], Field(max_length=5000)] = []


class GroupChange(Options):
    name: Text | None = None
    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: Id | None = None


class GroupOut(Schema):
    id: int
    address: str
    name: str
    domain: str
    version: int
    members_count: int
    #: Whether the caller may change it.
    may_change: bool
    created_at: str
    SetReplyTo: bool
    Expand: bool
    RemoveAuthor: bool
    EmailDisabled: bool
    FinalDelivery: bool
    RejectAutomatic: bool
    RemoveToAndCc: bool
    SignalDisabled: bool
    IncludeExternalAuthor: bool
    VerifyToCc: bool
    WhoMayPost: str
    SizeMax: int
    Archive: bool
    RealName: str
    Description: str


class GroupWhole(GroupOut):
    Named: list[str]
    Managers: list[int]
    account_id: int
    #: Their addresses; None when there are more than 5,000: read /members then.
    Members: list[str] | None


class Undo(Schema):
    #: POST it to /groups/undo/{undo} within the hour to take it back.
    undo: int


class GroupPut(GroupWhole):
    #: As in Undo.
    undo: int


class Groups(Schema):
    items: list[GroupOut]
    #: To go on with as `at`; None at the end.
    next: str | None


def viewer_of(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _row(viewer: Viewer, group: Group, count: int) -> dict[str, Any]:
    return {
        "id": group.id,
        "address": group.address,
        "name": group.name,
        "domain": group.domain.name,
        "version": group.version,
        "members_count": count,
        "may_change": may_change(viewer, group),
        "created_at": group.created_at.isoformat(timespec="milliseconds"),
        **{key: getattr(group, column) for key, column in {**OPTIONS, **MORE}.items()},
    }


def whole(viewer: Viewer, group: Group) -> dict[str, Any]:
    """A group as the API and the command line show it."""
    count = group.members.count()
    return {
        **_row(viewer, group, count),
        "Named": named_of(group),
        "Managers": [user.id for user in managers_of(group)],
        "account_id": group.account_id or 0,
        "Members": member_addresses(group) if count <= MEMBERS_SHOWN else None,
    }


def _values(body: Options) -> dict[str, Any]:
    """Columns, of what was given."""
    given = body.dict(exclude_unset=True)
    columns = {**OPTIONS, **MORE, "Named": "named", "Managers": "managers", "account_id": "account_id"}
    return {column: given[key] for key, column in columns.items() if key in given and given[key] is not None}


@router.get("/groups", response={200: Groups, **problems(422)})
def group_list(request: HttpRequest, q: Words = "", at: At = "") -> dict[str, Any]:
    """By address. q: part of the address or the name."""
    viewer = viewer_of(request)
    found: Any = group_rows(viewer, q)
    rows, following = page_of(found, at, PAGE)
    return {"items": [_row(viewer, one, one.member_count) for one in rows], "next": following}


@router.post("/groups", response={201: GroupWhole, **problems(400, 403, 409, 422)})
@transaction.atomic
def group_post(request: HttpRequest, body: GroupNew) -> Status[dict[str, Any]]:
    """409 NO_DOMAIN, NAME_TAKEN, MEMBER_EXISTS. With a member that does not fit, nothing is made."""
    viewer = viewer_of(request)
    domains = {one.name: one.id for one in domains_for_groups(viewer)}
    if body.domain and body.domain.lower() not in domains and domains_proved(viewer.workspace.id):
        raise InputError("Choose one of your proved domains.", field="domain")
    made = group_make(
        viewer=viewer, domain_id=domains.get(body.domain.lower(), 0), name=body.name, **_values(body)
    )
    if body.Members:
        added = members_add(viewer=viewer, group_id=made.id, text="\n".join(body.Members))
        if added.errors:
            first = added.errors[0]
            kind: type[PostroomError] = Conflict if first.code == "MEMBER_EXISTS" else InputError
            raise kind(first.message, code=first.code, field="Members")
    return Status(201, whole(viewer, group_one(viewer, made.id)))


@router.get("/groups/{int:group_id}", response={200: GroupWhole, **problems(404)})
def group_get(request: HttpRequest, group_id: int) -> dict[str, Any]:
    viewer = viewer_of(request)
    return whole(viewer, group_one(viewer, group_id))


@router.put("/groups/{int:group_id}", response={200: GroupWhole, **problems(400, 403, 404, 409, 422)})
def group_put(request: HttpRequest, group_id: int, body: GroupChange) -> dict[str, Any]:
    """Holds for the next mail. 409 STALE_VERSION, NAME_TAKEN."""
    viewer = viewer_of(request)
    values = _values(body)
    if body.name is not None:
        values["name"] = body.name
    group_save(viewer=viewer, group_id=group_id, version=body.version, **values)
    return whole(viewer, group_one(viewer, group_id))


@router.post("/groups/{int:group_id}/defaults", response={200: GroupPut, **problems(403, 404)})
def group_defaults(request: HttpRequest, group_id: int) -> dict[str, Any]:
    """The eight options as recommended."""
    viewer = viewer_of(request)
    step = group_recommended(viewer=viewer, group_id=group_id)
    return {**whole(viewer, group_one(viewer, group_id)), "undo": step}


@router.delete("/groups/{int:group_id}", response={200: Undo, **problems(403, 404, 409, 422)})
def group_drop(
    request: HttpRequest,
    group_id: int,
    confirm: Annotated[str, Query(max_length=400)] = "",
    also_in_groups: bool = False,
) -> dict[str, int]:
    """confirm: its address, else 422 CONFIRM. 409 IN_GROUPS where other groups have it as a member, until
    also_in_groups says that it leaves them too. Nobody gets the address for 30 days."""
    step = group_delete(
        viewer=viewer_of(request), group_id=group_id, confirm=confirm, also_in_groups=also_in_groups
    )
    return {"undo": step}


@router.post("/groups/undo/{int:step_id}", response={200: GroupWhole, **problems(403, 404, 409)})
def group_back(request: HttpRequest, step_id: int) -> dict[str, Any]:
    """Take back a deletion, a removal of members or restored options. 409 UNDO_GONE, NAME_TAKEN."""
    viewer = viewer_of(request)
    return whole(viewer, group_one(viewer, group_undo(viewer=viewer, step_id=step_id)))
