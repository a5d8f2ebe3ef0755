"""Sessions: ending them, and noting when a person was last seen."""

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.utils import timezone

from postroom.errors import NotFound
from postroom.models.user import User
from postroom.models.workspace import Membership
from postroom.queries.viewer import Viewer

#: Seconds between two notes about one session in one process.
EVERY = 60


def session_close(*, user: User, session_id: int) -> None:
    """One of the person's own. Raises NotFound."""
    found = UserSession.objects.filter(user=user, id=session_id).first()
    if found is None:
        raise NotFound("This session has ended already.")
    found.end()


def sessions_close_others(*, user: User, but: str) -> int:
    """but: the key of the session that goes on; "" = none does. Returns how many ended."""
    found = list(UserSession.objects.filter(user=user).exclude(session_key=but))
    for row in found:
        row.end()
    return len(found)


def seen(viewer: Viewer, session_key: str) -> None:
    """Note that this person is here now, at most once a minute."""
    if not cache.add(f"seen-{viewer.workspace.id}-{session_key}", 1, timeout=EVERY):
        return
    now = timezone.now()
    Membership.objects.filter(workspace=viewer.workspace, user=viewer.user).update(seen_at=now)
    UserSession.objects.filter(session_key=session_key).update(last_seen_at=now)
