"""People with a login."""

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings

from postroom.models.user import User
from postroom.models.workspace import Instance, Membership, Workspace
from postroom.queries.viewer import Viewer


def instance_url() -> str:
    """What links begin with, without a final slash: the wizard's answer, else POSTROOM_URL."""
    row = Instance.objects.filter(id=1).first()
    return (row.url if row else "") or settings.POSTROOM_URL


def private_hosts_allowed() -> bool:
    row = Instance.objects.filter(id=1).first()
    return bool(row and row.allow_private_hosts)


def notices_go_out() -> bool:
    """Whether any workspace has an account that sends system mail."""
    return Workspace.objects.filter(notice_account__deleted_at=None, notice_account__isnull=False).exists()


def users_visible_to(viewer: Viewer) -> list[User]:
    """Active members of the viewer's workspace, by name."""
    found = Membership.objects.filter(workspace=viewer.workspace, is_active=True, user__is_active=True)
    members = found.select_related("user")
    return sorted((member.user for member in members), key=lambda user: str(user).casefold())


def users_all() -> list[tuple[User, str, str]]:
    """(user, workspace name, role) of everybody, by address; "" where someone belongs to none. For the command line."""
    found: list[tuple[User, str, str]] = []
    for user in User.objects.order_by("email").prefetch_related("memberships__workspace"):
        places = [(m.workspace.name, m.role) for m in user.memberships.all()] or [("", "")]
        found += [(user, name, role) for name, role in places]
    return found


def passkeys_of(user: User) -> int:
    """How many passkeys and security keys this person has."""
    return int(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).count())


def second_factor_on(user: User) -> bool:
    return bool(is_mfa_enabled(user))


def user_by_email(email: str) -> User | None:
    """Who signs in with this address, switched off or not; None = nobody."""
    return User.objects.filter(email=email.strip().lower()).first()


def user_exists(email: str) -> bool:
    """Whether somebody signs in with this address, switched off or not."""
    return User.objects.filter(email=email.strip().lower()).exists()
