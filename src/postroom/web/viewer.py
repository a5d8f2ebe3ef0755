"""Who is looking: `request.viewer` for every page, their language and time zone, and who must sign in first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation

from postroom.actions.session import seen
from postroom.actions.setup import setup_needed
from postroom.queries.viewer import Viewer, viewer_of

#: Key of the session: the workspace its person works in.
WORKSPACE = "workspace"


class ViewerRequest(HttpRequest):
    """A request of a signed-in member; what views are given."""

    viewer: Viewer
    htmx: Any


class ViewerMiddleware:
    """Sets `request.viewer` (None when nobody is signed in) and keeps strangers out of every other page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        viewer = _viewer(request) if request.user.is_authenticated else None
        if viewer is not None and request.method == "GET":
            viewer = replace(viewer, memory={})
        request.viewer = viewer  # type: ignore[attr-defined]
        if viewer is None:
            return self.get_response(request)
        seen(viewer, request.session.session_key or "")
        translation.activate(viewer.user.language)
        request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(_zone(viewer.user.time_zone)):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.path == "/sign-in/" and setup_needed():
            return redirect("/setup/")
        if not getattr(view, "login_required", True) or request.path.startswith("/api/"):
            return None
        if getattr(request, "viewer", None) is not None:
            return None
        if request.user.is_authenticated:
            return render(request, "errors/no_workspace.html", status=403)
        if setup_needed():
            return redirect("/setup/")
        answer = redirect_to_login(request.get_full_path(), "/sign-in/")
        if request.headers.get("HX-Request"):  # a block of a page cannot hold the sign-in page
            gone = HttpResponse(status=204)
            seen = urlsplit(request.headers.get("HX-Current-URL", ""))
            gone.headers["HX-Redirect"] = redirect_to_login(seen.path or "/", "/sign-in/").url
            return gone
        return answer


def _viewer(request: HttpRequest) -> Viewer | None:
    """In the workspace that the session remembers, while the person belongs to it; else in their first one."""
    chosen = request.session.get(WORKSPACE)
    found = viewer_of(request.user, chosen) if chosen else None  # type: ignore[arg-type]
    return found or viewer_of(request.user)  # type: ignore[arg-type]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(settings.TIME_ZONE)
