"""Groups: the list, a new one, its settings, deleting it."""

from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.group import (
    group_delete,
    group_make,
    group_options_put_back,
    group_put_back,
    group_recommended,
    group_save,
)
from postroom.errors import Conflict, InputError, PostroomError
from postroom.models.group import Group
from postroom.models.profile import Right
from postroom.queries.group import (
    MORE,
    OPTIONS,
    RECOMMENDED,
    domains_for_groups,
    group_counts,
    group_one,
    group_rows,
    group_senders,
    managers_of,
    may_change,
    may_read_postings,
    named_of,
    parents_of,
    people_reached,
)
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import can
from postroom.web.groups.words import options_shown, what_happens, who_choices
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

#: What a new group begins with beside the eight options.
_FIRST = {"who_may_post": "anyone", "include_external_author": True, "size_max": 0}
_SWITCHES = (*OPTIONS.values(), "include_external_author", "verify_to_cc", "archive")


def index(request: ViewerRequest) -> HttpResponse:
    return render(request, "groups/index.html", _rows(request))


def rows(request: ViewerRequest) -> HttpResponse:
    """The table alone, for the page that renews itself."""
    values = _rows(request)
    return unchanged(request, values["version"]) or render(request, "groups/rows.html", values)


def _rows(request: ViewerRequest) -> dict[str, Any]:
    words = request.GET.get("q", "").strip()[:200]
    found: list[Any] = list(group_rows(request.viewer, words)[:500])
    version = sum((one.id * 31 + one.version * 7 + one.member_count * 3 + one.held_count) for one in found)
    return {
        "rows": found,
        "words": words,
        "version": f"{len(found)}-{version}",
        "may_make": can(request.viewer, Right.GROUPS_MANAGE),
    }


def new(request: ViewerRequest) -> HttpResponse:
    if not can(request.viewer, Right.GROUPS_MANAGE):
        group_make(viewer=request.viewer, domain_id=0, name="")  # says that there is no right
    if request.method != "POST":
        return _new_page(request, {**RECOMMENDED, **_FIRST})
    domains = {one.name: one.id for one in domains_for_groups(request.viewer)}
    values = _switches(request.POST, OPTIONS.values())
    typed = {name: request.POST.get(name, "") for name in ("name", "domain", "real_name", "description")}
    try:
        made = group_make(
            viewer=request.viewer,
            domain_id=domains.get(typed["domain"], 0),
            name=typed["name"],
            real_name=typed["real_name"],
            description=typed["description"],
            **values,
        )
    except (InputError, Conflict) as error:
        shown = {**RECOMMENDED, **_FIRST, **values, **typed}
        return _new_page(request, shown, _status(error), wrong=said(error), wrong_field=error.field)
    toast(request, _("%(address)s is there. Now add its members.") % {"address": made.address})
    return redirect("group", made.id)


def _new_page(
    request: ViewerRequest, shown: dict[str, Any], status: int = 200, **more: object
) -> HttpResponse:
    shared, turned = options_shown(shown)
    domains = domains_for_groups(request.viewer)
    values = {
        "shown": shown,
        "shared": shared,
        "turned": turned,
        "domains": domains,
        "chosen": shown.get("domain") or (domains[0].name if domains else ""),
        "may_domains": can(request.viewer, Right.DOMAINS_MANAGE),
        **more,
    }
    return render(request, "groups/new.html", values, status=status)


def head(request: ViewerRequest, group: Group, tab: str) -> dict[str, Any]:
    """What the head of each of a group's pages needs."""
    members, postings, held = group_counts(group)
    return {
        "group": group,
        "tab": tab,
        "title": group.real_name or group.address,
        "member_total": members,
        "posting_total": postings,
        "held_total": held,
        "may_change": may_change(request.viewer, group),
        "may_read": may_read_postings(request.viewer, group),
        "may_delete": can(request.viewer, Right.GROUPS_MANAGE),
    }


def settings(request: ViewerRequest, group_id: int) -> HttpResponse:
    group = group_one(request.viewer, group_id)
    if request.method != "POST":
        return _settings_page(request, group, _stored(group))
    values = _typed(request.POST)
    try:
        group_save(
            viewer=request.viewer,
            group_id=group_id,
            version=number(request.POST.get("version", ""), None),
            **values,
        )
    except (InputError, Conflict) as error:
        shown = {**_stored(group), **values}
        stale = error.code == "STALE_VERSION"
        return _settings_page(
            request, group, shown, _status(error), wrong=said(error), wrong_field=error.field, stale=stale
        )
    toast(request, _("Saved. It holds for the next mail that comes in."))
    return redirect("group_settings", group_id)


def _stored(group: Group) -> dict[str, Any]:
    shown = {name: getattr(group, name) for name in (*OPTIONS.values(), *MORE.values())}
    managers = [user.id for user in managers_of(group)]
    return {
        **shown,
        "name": group.name,
        "account_id": group.account_id,
        "managers": managers,
        "named": named_of(group),
    }


def _typed(form: QueryDict) -> dict[str, Any]:
    return {
        **_switches(form, _SWITCHES),
        "name": form.get("name", ""),
        "real_name": form.get("real_name", ""),
        "description": form.get("description", ""),
        "who_may_post": form.get("who_may_post", ""),
        "size_max": (number(form.get("size_mb", "0") or "0", -1)) * 1_000_000,
        "account_id": number(form.get("account", ""), None),
        "managers": numbers(form.getlist("managers")),
        "named": form.get("named", "").replace(",", "\n").replace(";", "\n").splitlines(),
    }


def _switches(form: QueryDict, names: Any) -> dict[str, bool]:
    return {name: name in form for name in names}


def _settings_page(
    request: ViewerRequest, group: Group, shown: dict[str, Any], status: int = 200, **more: object
) -> HttpResponse:
    shared, turned = options_shown(shown)
    reached = people_reached(group)
    values = {
        **head(request, group, "settings"),
        "shown": shown,
        "shared": shared,
        "turned": turned,
        "happens": what_happens(shown, reached),
        "who": who_choices(),
        "named_text": "\n".join(shown["named"]),
        "size_mb": max(0, int(shown["size_max"])) // 1_000_000,
        "people": users_visible_to(request.viewer),
        "senders": group_senders(request.viewer, group),
        "parents": parents_of(group),
        "reached": reached,
        **more,
    }
    return render(request, "groups/settings.html", values, status=status)


@require_POST
def what(request: ViewerRequest, group_id: int) -> HttpResponse:
    """What would happen with the options as they stand in the form; nothing is saved."""
    group = group_one(request.viewer, group_id)
    shown = {**_stored(group), **_typed(request.POST)}
    return render(request, "groups/happens.html", {"happens": what_happens(shown, people_reached(group))})


@require_POST
def recommended(request: ViewerRequest, group_id: int) -> HttpResponse:
    step = group_recommended(viewer=request.viewer, group_id=group_id)
    toast(request, _("All eight options are as recommended."), undo=f"/groups/options-undo/{step}/")
    return redirect("group_settings", group_id)


@require_POST
def options_undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    group = group_options_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("The options are as they were."))
    return redirect("group_settings", group.id)


@require_POST
def delete(request: ViewerRequest, group_id: int) -> HttpResponse:
    group = group_one(request.viewer, group_id)
    try:
        step = group_delete(
            viewer=request.viewer,
            group_id=group_id,
            confirm=request.POST.get("confirm", ""),
            also_in_groups="also_in_groups" in request.POST,
        )
    except (InputError, Conflict) as error:
        return _settings_page(request, group, _stored(group), _status(error), wrong_delete=said(error))
    words = _("%(address)s is deleted. Its members' mailboxes are as they were.")
    toast(request, words % {"address": group.address}, undo=f"/groups/undo/{step}/")
    return redirect("groups")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = group_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("%(address)s is back with its members.") % {"address": back.address})
    return redirect("groups")


def _status(error: PostroomError) -> int:
    return 409 if isinstance(error, Conflict) else 422
