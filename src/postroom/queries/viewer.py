"""Who is looking: the key to every `*_visible_to` door, and what they may do (`can`)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.utils.translation import gettext as _

from postroom.errors import NotAllowed
from postroom.models.profile import Profile, Right
from postroom.models.user import User
from postroom.models.workspace import Membership, Role, Workspace


@dataclass(frozen=True)
class Viewer:
    """A signed-in person in one workspace.

    rights: what their profiles add up to. profiles: ids of these. scopes: of the API token they came with; None = they
    came in person. memory: what was looked up for this one page, which changes nothing; None = nothing is kept.
    """

    user: User
    workspace: Workspace
    role: str
    rights: frozenset[str] = frozenset()
    profiles: frozenset[int] = frozenset()
    primary_profile: int = 0
    scopes: frozenset[str] | None = None
    memory: dict[Any, Any] | None = field(default=None, compare=False, repr=False)

    @property
    def manages(self) -> bool:
        """May do everything in the workspace."""
        return self.role in (Role.OWNER, Role.ADMIN)


def once(viewer: Viewer, what: object, find: Callable[[], list[int]]) -> list[int]:
    """What `find` finds; a page asks for the same several times. what: its name in the viewer's memory."""
    if viewer.memory is None:
        return find()
    if what not in viewer.memory:
        viewer.memory[what] = find()
    found: list[int] = viewer.memory[what]
    return found


def viewer_of(user: User, workspace_id: int | None = None) -> Viewer | None:
    """The viewer for a user: in the workspace asked for, else in the first they joined; None without one."""
    found = Membership.objects.filter(user=user, user__is_active=True, is_active=True)
    memberships = found.select_related("workspace")
    if workspace_id is not None:
        memberships = memberships.filter(workspace_id=workspace_id)
    membership = memberships.order_by("id").first()
    if membership is None:
        return None
    mine = Profile.objects.filter(workspace=membership.workspace, members__user=user)
    rows = list(
        mine.order_by("-members__is_primary", "name").values_list("id", "rights", "members__is_primary")
    )
    return Viewer(
        user=user,
        workspace=membership.workspace,
        role=membership.role,
        rights=reduce(frozenset.union, (frozenset(row[1]) for row in rows), frozenset()),
        profiles=frozenset(row[0] for row in rows),
        primary_profile=next((row[0] for row in rows if row[2]), 0),
    )


def can(viewer: Viewer, right: Right) -> bool:
    """Whether the viewer may do this in the workspace. What may be done with one thing: queries/sharing.py."""
    return viewer.manages or right in viewer.rights


def administers(viewer: Viewer) -> bool:
    """Whether the viewer administers the installation: the owners of its first workspace do."""
    first = Workspace.objects.order_by("id").values_list("id", flat=True).first()
    return viewer.role == Role.OWNER and viewer.workspace.id == first


def demand_administers(viewer: Viewer) -> None:
    """Raises NotAllowed."""
    if not administers(viewer):
        raise NotAllowed(
            _("Only the owner of the first workspace, who administers this installation, sees to this.")
        )


def demand(viewer: Viewer, right: Right) -> None:
    """Raises NotAllowed (details: the right that is missing)."""
    if not can(viewer, right):
        raise NotAllowed(details={"right": str(right)})
