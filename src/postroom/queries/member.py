"""Who belongs to a workspace, who is invited, and how many places there are."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.errors import NotFound
from postroom.models.account import Account
from postroom.models.profile import Invitation, ProfileMember
from postroom.models.user import User
from postroom.models.workspace import Membership, Workspace
from postroom.queries.viewer import Viewer


@dataclass(frozen=True, slots=True)
class MemberRow:
    user: User
    role: str
    is_active: bool
    seen_at: datetime | None
    profiles: dict[int, str] = field(default_factory=dict)
    primary: int = 0
    #: Names of mail accounts that would need another owner.
    accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace that a person may go to."""

    id: int
    name: str
    is_here: bool


def membership_visible_to(viewer: Viewer, user_id: int, *, lock: bool = False) -> Membership:
    """Of the viewer's workspace. Raises NotFound."""
    found = Membership.objects.filter(workspace=viewer.workspace, user_id=user_id).select_related("user")
    membership = (found.select_for_update(of=("self",)) if lock else found).first()
    if membership is None:
        raise NotFound("There is no such person in this workspace.")
    return membership


def member_rows(viewer: Viewer) -> list[MemberRow]:
    """Everybody of the workspace by name, switched-off ones last."""
    profiles: dict[int, dict[int, str]] = {}
    primary: dict[int, int] = {}
    for link in ProfileMember.objects.filter(profile__workspace=viewer.workspace).select_related("profile"):
        profiles.setdefault(link.user_id, {})[link.profile_id] = link.profile.name
        if link.is_primary:
            primary[link.user_id] = link.profile_id
    accounts: dict[int | None, list[str]] = {}
    for owner, name in (
        Account.objects.filter(workspace=viewer.workspace, deleted_at=None)
        .order_by("name")
        .values_list("owner_id", "name")
    ):
        accounts.setdefault(owner, []).append(name)
    rows = [
        MemberRow(
            user=row.user,
            role=row.role,
            is_active=row.is_active and row.user.is_active,
            seen_at=row.seen_at or row.user.last_login,
            profiles=profiles.get(row.user_id, {}),
            primary=primary.get(row.user_id, 0),
            accounts=tuple(accounts.get(row.user_id, ())),
        )
        for row in Membership.objects.filter(workspace=viewer.workspace).select_related("user")
    ]
    return sorted(rows, key=lambda row: (not row.is_active, str(row.user).casefold()))


def invitations_open(workspace: Workspace) -> "QuerySet[Invitation]":
    """Neither accepted nor revoked nor expired, newest first."""
    return workspace.invitations.filter(
        accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    ).order_by("-id")


def invitations_shown(viewer: Viewer) -> list[Invitation]:
    """Open and expired ones, newest first."""
    found = viewer.workspace.invitations.filter(accepted_at=None, revoked_at=None)
    return list(found.select_related("invited_by").order_by("-id"))


def invitation_visible_to(viewer: Viewer, invitation_id: int, *, lock: bool = False) -> Invitation:
    """Neither accepted nor revoked. Raises NotFound."""
    found = viewer.workspace.invitations.filter(id=invitation_id, accepted_at=None, revoked_at=None)
    invitation = (found.select_for_update() if lock else found).first()
    if invitation is None:
        raise NotFound("There is no such invitation. It may be used already.")
    return invitation


def seats_taken(workspace: Workspace) -> int:
    """Active members and open invitations (GW-07)."""
    members = Membership.objects.filter(workspace=workspace, is_active=True, user__is_active=True)
    return members.count() + invitations_open(workspace).count()


def places_of(viewer: Viewer) -> list[Place]:
    """The workspaces of this person, by name."""
    found = Membership.objects.filter(user=viewer.user, is_active=True).select_related("workspace")
    places = [
        Place(row.workspace_id, row.workspace.name, row.workspace_id == viewer.workspace.id) for row in found
    ]
    return sorted(places, key=lambda place: place.name.casefold())


def workspace_rows() -> list[tuple[Workspace, int, int]]:
    """(workspace, active members, seats taken), oldest first: for who administers the installation."""
    active = Q(is_active=True, user__is_active=True)
    return [
        (one, one.memberships.filter(active).count(), seats_taken(one))
        for one in Workspace.objects.order_by("id")
    ]
