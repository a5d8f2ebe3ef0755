"""People, invitations and profiles in the API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.invitation import Invited, invitation_add, invitation_resend, invitation_revoke
from postroom.actions.member import member_change, member_remove, member_switch
from postroom.actions.profile import profile_add, profile_change, profile_delete, profile_people
from postroom.models.profile import Invitation, Profile, Right
from postroom.queries.member import MemberRow, invitations_shown, member_rows, membership_visible_to
from postroom.queries.profile import profile_rows, profile_visible_to
from postroom.queries.viewer import Viewer, demand
from postroom.web.problem import problems

router = Router(tags=["people"])
WRONG = problems(400, 403, 404, 409, 422, 429)

Text = Annotated[str, Field(max_length=254)]
Ids = Annotated[list[Annotated[int, Field(ge=1, lt=2**63)]], Field(max_length=10_000)]
Rights = Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=100)]
_ID = 2**63


class MemberIn(Schema):
    """A field left out keeps its value."""

    role: Text | None = None
    profiles: Ids | None = None
    primary_profile: Annotated[int, Field(ge=0, lt=_ID)] | None = None
    active: bool | None = None
    #: Who gets the mail accounts of somebody switched off; 0 = nobody yet.
    accounts_to: Annotated[int, Field(ge=0, lt=_ID)] = 0


class InvitationIn(Schema):
    email: Text
    role: Text = "member"
    profiles: Ids = []


class ProfileIn(Schema):
    name: Text
    rights: Rights = []
    is_default: bool = False
    #: Whose sent mail its people find in the archive: own, team or all.
    archive_scope: Text = "team"
    people: Ids | None = None


class ProfileChange(Schema):
    """A field left out keeps its value."""

    #: As it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: int
    name: Text | None = None
    rights: Rights | None = None
    is_default: bool | None = None
    archive_scope: Text | None = None
    people: Ids | None = None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _member(row: MemberRow) -> dict[str, Any]:
    return {
        "id": row.user.id,
        "email": row.user.email,
        "name": row.user.name,
        "role": row.role,
        "active": row.is_active,
        "profiles": sorted(row.profiles),
        "primary_profile": row.primary or None,
        "seen_at": _moment(row.seen_at),
    }


def _invitation(one: Invitation) -> dict[str, Any]:
    return {
        "id": one.id,
        "email": one.email,
        "role": one.role,
        "profiles": one.profile_ids,
        "invited_by": one.invited_by_id,
        "created_at": _moment(one.created_at),
        "expires_at": _moment(one.expires_at),
    }


def _invited(made: Invited) -> dict[str, Any]:
    """link: to hand over, only where no mail went out."""
    return {
        **_invitation(made.invitation),
        "mailed": made.mailed,
        "link": "" if made.mailed else made.link,
    }


def _profile(profile: Profile, people: list[int]) -> dict[str, Any]:
    return {
        "id": profile.id,
        "name": profile.name,
        "rights": profile.rights,
        "is_default": profile.is_default,
        "archive_scope": profile.archive_scope,
        "version": profile.version,
        "people": people,
    }


def _one(viewer: Viewer, user_id: int) -> dict[str, Any]:
    membership_visible_to(viewer, user_id)
    return next(_member(row) for row in member_rows(viewer) if row.user.id == user_id)


@router.get("/members", response={200: dict[str, Any], **WRONG})
def member_list(request: HttpRequest) -> Any:
    demand(_viewer(request), Right.USERS_MANAGE)
    return {"items": [_member(row) for row in member_rows(_viewer(request))]}


@router.get("/members/{int:user_id}", response={200: dict[str, Any], **WRONG})
def member_show(request: HttpRequest, user_id: int) -> Any:
    demand(_viewer(request), Right.USERS_MANAGE)
    return _one(_viewer(request), user_id)


@router.put("/members/{int:user_id}", response={200: dict[str, Any], **WRONG})
def member_put(request: HttpRequest, user_id: int, body: MemberIn) -> Any:
    """409 LAST_OWNER, SEAT_LIMIT, SELF."""
    viewer = _viewer(request)
    member_change(
        viewer=viewer,
        user_id=user_id,
        role=body.role,
        profile_ids=body.profiles,
        primary_id=body.primary_profile,
    )
    if body.active is not None:
        member_switch(viewer=viewer, user_id=user_id, on=body.active, accounts_to=body.accounts_to)
    return _one(viewer, user_id)


@router.delete("/members/{int:user_id}", response={204: None, **WRONG})
def member_delete(request: HttpRequest, user_id: int, accounts_to: int = 0) -> Any:
    """409 LAST_OWNER. accounts_to: who gets their mail accounts; 0 = nobody yet."""
    member_remove(viewer=_viewer(request), user_id=user_id, accounts_to=accounts_to)
    return Status(204, None)


@router.get("/invitations", response={200: dict[str, Any], **WRONG})
def invitation_list(request: HttpRequest) -> Any:
    demand(_viewer(request), Right.USERS_MANAGE)
    return {"items": [_invitation(one) for one in invitations_shown(_viewer(request))]}


@router.post("/invitations", response={201: dict[str, Any], **WRONG})
def invitation_make(request: HttpRequest, body: InvitationIn) -> Any:
    """409 SEAT_LIMIT, MEMBER_ALREADY, INVITED_ALREADY."""
    made = invitation_add(
        viewer=_viewer(request), email=body.email, role=body.role, profile_ids=body.profiles
    )
    return Status(201, _invited(made))


@router.post("/invitations/{int:invitation_id}/resend", response={200: dict[str, Any], **WRONG})
def invitation_again(request: HttpRequest, invitation_id: int) -> Any:
    return _invited(invitation_resend(viewer=_viewer(request), invitation_id=invitation_id))


@router.delete("/invitations/{int:invitation_id}", response={204: None, **WRONG})
def invitation_delete(request: HttpRequest, invitation_id: int) -> Any:
    invitation_revoke(viewer=_viewer(request), invitation_id=invitation_id)
    return Status(204, None)


@router.get("/profiles", response={200: dict[str, Any], **WRONG})
def profile_list(request: HttpRequest) -> Any:
    demand(_viewer(request), Right.USERS_MANAGE)
    return {"items": [_shown(row.profile) for row in profile_rows(_viewer(request))]}


def _shown(profile: Profile) -> dict[str, Any]:
    return _profile(profile, list(profile.members.order_by("user_id").values_list("user_id", flat=True)))


@router.post("/profiles", response={201: dict[str, Any], **WRONG})
def profile_make(request: HttpRequest, body: ProfileIn) -> Any:
    viewer = _viewer(request)
    made = profile_add(viewer=viewer, **body.dict(exclude={"people"}))
    if body.people is not None:
        profile_people(viewer=viewer, profile_id=made.id, user_ids=body.people)
    return Status(201, _shown(made))


@router.get("/profiles/{int:profile_id}", response={200: dict[str, Any], **WRONG})
def profile_show(request: HttpRequest, profile_id: int) -> Any:
    demand(_viewer(request), Right.USERS_MANAGE)
    return _shown(profile_visible_to(_viewer(request), profile_id))


@router.put("/profiles/{int:profile_id}", response={200: dict[str, Any], **WRONG})
def profile_put(request: HttpRequest, profile_id: int, body: ProfileChange) -> Any:
    viewer = _viewer(request)
    saved = profile_change(
        viewer=viewer,
        profile_id=profile_id,
        version=body.version,
        name=body.name,
        rights=body.rights,
        is_default=body.is_default,
        archive_scope=body.archive_scope,
    )
    if body.people is not None:
        profile_people(viewer=viewer, profile_id=profile_id, user_ids=body.people)
    return _shown(saved)


@router.delete("/profiles/{int:profile_id}", response={204: None, **WRONG})
def profile_gone(request: HttpRequest, profile_id: int) -> Any:
    profile_delete(viewer=_viewer(request), profile_id=profile_id)
    return Status(204, None)
