"""Who belongs to a workspace."""

from django.utils.translation import gettext

from postroom.models.profile import OFFICE_RIGHTS, Profile, ProfileMember
from postroom.models.user import User
from postroom.models.workspace import Membership, Role, Workspace


def workspace_make(*, name: str, language: str = "en", time_zone: str = "Europe/Warsaw") -> Workspace:
    """A workspace with its first profile, which everybody who joins gets."""
    workspace = Workspace.objects.create(name=name, language=language, time_zone=time_zone)
    Profile.objects.create(
        workspace=workspace,
        name=gettext("Office"),
        rights=[str(right) for right in OFFICE_RIGHTS],
        is_default=True,
    )
    return workspace


def member_add(*, workspace: Workspace, user: User, role: str = Role.MEMBER) -> Membership:
    """The person belongs to the workspace from now on, with the profiles that come by themselves."""
    membership = Membership.objects.create(workspace=workspace, user=user, role=role)
    ProfileMember.objects.bulk_create(
        ProfileMember(profile=profile, user=user)
        for profile in Profile.objects.filter(workspace=workspace, is_default=True)
    )
    return membership
