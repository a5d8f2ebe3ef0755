"""Who is looking: the key to every `*_visible_to` door."""

from dataclasses import dataclass

from postroom.models.user import User
from postroom.models.workspace import Membership, Role, Workspace


@dataclass(frozen=True)
class Viewer:
    """A signed-in person in one workspace."""

    user: User
    workspace: Workspace
    role: str

    @property
    def manages(self) -> bool:
        """May change what concerns everybody: accounts of others, settings, users."""
        return self.role in (Role.OWNER, Role.ADMIN)


def viewer_of(user: User, workspace_id: int | None = None) -> Viewer | None:
    """The viewer for a user: in the workspace asked for, else in the first they joined; None without one."""
    memberships = Membership.objects.filter(user=user, user__is_active=True).select_related("workspace")
    if workspace_id is not None:
        memberships = memberships.filter(workspace_id=workspace_id)
    membership = memberships.order_by("id").first()
    if membership is None:
        return None
    return Viewer(user=user, workspace=membership.workspace, role=membership.role)
