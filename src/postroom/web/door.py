"""Who may call the API: a signed-in member with the CSRF header, or a program with a bearer token and its scopes."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from ninja.errors import HttpError
from ninja.security import HttpBearer, SessionAuth

from postroom.actions.token import digest_of, token_calls, token_used
from postroom.errors import NotAllowed
from postroom.queries.scopes import allows, scope_of
from postroom.queries.token import token_by_digest
from postroom.queries.viewer import Viewer, viewer_of

ROOT = "/api/v1/"


class TokenAuth(HttpBearer):
    """`Authorization: Bearer pr_...`"""

    def authenticate(self, request: HttpRequest, token: str) -> Viewer | None:
        """Raises NotAllowed SCOPE when the token does not reach so far."""
        found = token_by_digest(digest_of(token))
        viewer = viewer_of(found.user, found.workspace_id) if found else None
        if found is None or viewer is None:
            return None
        _slow_down(found.id)
        scopes = frozenset(found.scopes)
        path = request.path.removeprefix(ROOT)
        if not allows(scopes, request.method or "GET", path):
            needed = scope_of(request.method or "GET", path)
            raise NotAllowed(
                f"The token does not have the scope {needed}." if needed else "No token may do this.",
                code="SCOPE",
                details={"scope": needed, "scopes": sorted(scopes)},
            )
        token_used(found)
        translation.activate(viewer.user.language)
        request.viewer = viewer = replace(viewer, scopes=scopes)  # type: ignore[attr-defined]
        return viewer


class MemberAuth(SessionAuth):
    """A signed-in member; POST, PUT and DELETE carry the X-CSRFToken header."""

    def __call__(self, request: HttpRequest) -> Any:
        # a wrong token is not made good by a session that happens to be there
        return None if "Authorization" in request.headers else super().__call__(request)

    def authenticate(self, request: HttpRequest, key: str | None) -> Viewer | None:
        viewer: Viewer | None = getattr(request, "viewer", None)
        return viewer


def _slow_down(token_id: int) -> None:
    """Raises HttpError 429 above POSTROOM_API_PER_MINUTE requests in one minute of the clock."""
    if token_calls(token_id) > settings.POSTROOM_API_PER_MINUTE:
        raise HttpError(429, "Too many requests in this minute. Wait a little.")
