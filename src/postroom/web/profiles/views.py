"""Settings > Profiles: groups of people with rights."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.profile import profile_add, profile_change, profile_delete, profile_people
from postroom.errors import Conflict, InputError
from postroom.models.profile import Profile, Right
from postroom.queries.member import member_rows
from postroom.queries.profile import profile_rows, profile_visible_to
from postroom.queries.viewer import Viewer, demand
from postroom.web.rights_words import ARCHIVES, GROUPS
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

_NEW: dict[str, Any] = {"name": "", "rights": [], "is_default": False, "archive_scope": "team"}


def index(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.USERS_MANAGE)
    return render(request, "profiles/index.html", {"rows": profile_rows(request.viewer)})


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.USERS_MANAGE)
    typed = _typed(request) if request.method == "POST" else dict(_NEW)
    if request.method != "POST":
        return _page(request, None, typed)
    try:
        made = profile_add(viewer=request.viewer, **typed)
        profile_people(viewer=request.viewer, profile_id=made.id, user_ids=_ids(request))
    except (InputError, Conflict) as error:
        return _wrong(request, None, typed, error)
    toast(request, _("The profile “%(name)s” is made.") % {"name": made.name})
    return redirect("profiles")


def edit(request: ViewerRequest, profile_id: int) -> HttpResponse:
    demand(request.viewer, Right.USERS_MANAGE)
    profile = profile_visible_to(request.viewer, profile_id)
    if request.method != "POST":
        stored = {name: getattr(profile, name) for name in _NEW}
        return _page(request, profile, stored)
    typed = _typed(request)
    version = request.POST.get("version", "")
    seen = number(version, 0)
    try:
        saved = profile_change(viewer=request.viewer, profile_id=profile_id, version=seen, **typed)
        profile_people(viewer=request.viewer, profile_id=profile_id, user_ids=_ids(request))
    except (InputError, Conflict) as error:
        profile.refresh_from_db()
        return _wrong(request, profile, typed, error)
    toast(request, _("The profile “%(name)s” is saved.") % {"name": saved.name})
    return redirect("profiles")


@require_POST
def delete(request: ViewerRequest, profile_id: int) -> HttpResponse:
    gone = profile_delete(viewer=request.viewer, profile_id=profile_id)
    toast(request, _("The profile “%(name)s” is deleted.") % {"name": gone.name})
    return redirect("profiles")


def _typed(request: ViewerRequest) -> dict[str, Any]:
    return {
        "name": request.POST.get("name", ""),
        "rights": request.POST.getlist("rights"),
        "is_default": "is_default" in request.POST,
        "archive_scope": request.POST.get("archive_scope", "team"),
    }


def _ids(request: ViewerRequest) -> list[int]:
    return numbers(request.POST.getlist("people"))


def _wrong(
    request: ViewerRequest, profile: Profile | None, typed: dict[str, Any], error: InputError | Conflict
) -> HttpResponse:
    more: dict[str, Any] = {"people": set(_ids(request))}
    if error.code == "STALE_VERSION":
        more["stale"] = {"by": error.details["by"], "theirs": _words(error.details["theirs"])}
    else:
        more["wrong"] = said(error)
    return _page(request, profile, typed, 409 if isinstance(error, Conflict) else 422, **more)


def _words(values: Any) -> dict[str, Any]:
    known = {str(right): words for _heading, rights in GROUPS for right, words in rights}
    archive = [means for value, _word, means in ARCHIVES if value == values["archive_scope"]]
    rights = [known[right] for right in values["rights"] if right in known]
    return {"name": values["name"], "rights": [*rights, *archive]}


def _page(
    request: ViewerRequest, profile: Profile | None, typed: dict[str, Any], status: int = 200, **more: Any
) -> HttpResponse:
    viewer = request.viewer
    row = next((one for one in profile_rows(viewer) if profile and one.profile.id == profile.id), None)
    rows = member_rows(viewer)
    mine = {one.user.id for one in rows if profile and profile.id in one.profiles}
    values = {
        "profile": profile,
        "row": row,
        "typed": typed,
        "groups": _groups(viewer),
        "members": rows,
        "people": mine,
        "archives": ARCHIVES,
        **more,
    }
    return render(request, "profiles/edit.html", values, status=status)


def _groups(viewer: Viewer) -> list[tuple[Any, list[tuple[str, Any, bool]]]]:
    """(heading, [(right, words, whether the viewer may give it)])"""
    return [
        (heading, [(str(right), words, viewer.manages or right in viewer.rights) for right, words in rights])
        for heading, rights in GROUPS
    ]
