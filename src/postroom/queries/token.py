"""API tokens: whose they are, and who comes with one."""

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.models.profile import ApiToken
from postroom.queries.viewer import Viewer


def tokens_visible_to(viewer: Viewer) -> "QuerySet[ApiToken]":
    """One's own in this workspace, newest first; revoked ones are gone."""
    found = ApiToken.objects.filter(workspace=viewer.workspace, user=viewer.user, revoked_at=None)
    return found.order_by("-id")


def token_by_digest(digest: str) -> ApiToken | None:
    """Neither revoked nor expired; whether its person may still come in says viewer_of."""
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    found = ApiToken.objects.filter(alive, digest=digest, revoked_at=None)
    return found.select_related("user").first()
