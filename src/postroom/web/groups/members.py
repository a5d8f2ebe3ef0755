"""The members of a group: listed, searched, pasted in, paused, taken out."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.group_member import (
    LineError,
    member_pause,
    members_add,
    members_put_back,
    members_remove,
)
from postroom.actions.member_consent import member_ask_again
from postroom.errors import Conflict, InputError, TooMany
from postroom.models.group import Group, GroupMember
from postroom.queries.group import group_one, kind_of, members_page
from postroom.queries.signal import may_signal
from postroom.web.errors import status_of
from postroom.web.groups.views import head
from postroom.web.groups.words import kind_words, state_words
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import numbers
from postroom.web.viewer import ViewerRequest

#: Longer pastes are for `postroom group import`.
TEXT_MAX = 1_000_000


def members(request: ViewerRequest, group_id: int) -> HttpResponse:
    return members_shown(request, group_one(request.viewer, group_id))


def members_shown(request: ViewerRequest, group: Group, status: int = 200, **more: object) -> HttpResponse:
    """The page, with what went wrong."""
    words, kind = request.GET.get("q", "").strip()[:200], request.GET.get("kind", "")
    at = request.GET.get("at", "")[:260]
    page = members_page(request.viewer, group.id, words=words, kind=kind, at=at)
    kinds, states = kind_words(), state_words()
    values = {
        **head(request, group, "members"),
        "rows": [(one, kinds[kind_of(one)], states[one.state]) for one in page.rows],
        "following": page.following,
        "chips": _chips(page.counts),
        "words": words,
        "kind": kind,
        "at": at,
        "asks_first": request.viewer.workspace.confirm_members,
        "may_signal": not group.signal_disabled and may_signal(request.viewer, group),
        **more,
    }
    return render(request, "groups/members.html", values, status=status)


def _chips(counts: dict[str, int]) -> list[tuple[str, str, int]]:
    words = (
        ("", _("All"), counts["all"]),
        ("local", _("Of the firm"), counts["local"]),
        ("group", _("Groups"), counts["group"]),
        ("external", _("Outside"), counts["external"]),
        ("paused", _("Get no mail"), counts["paused"]),
        ("unconfirmed", _("Asked"), counts["unconfirmed"]),
    )
    return [one for one in words if one[0] in ("", "local", "external") or one[2]]


@require_POST
def add(request: ViewerRequest, group_id: int) -> HttpResponse:
    text = request.POST.get("addresses", "")
    group = group_one(request.viewer, group_id)
    try:
        if len(text) > TEXT_MAX:
            raise InputError(_("That is too much at once. Paste it in parts."), field="addresses")
        added = members_add(viewer=request.viewer, group_id=group_id, text=text)
    except (InputError, Conflict) as error:
        return members_shown(request, group, status_of(error), wrong=said(error), left=text[:TEXT_MAX])
    count = len(added.members)
    if count:
        words = ngettext("%(n)s member is new.", "%(n)s members are new.", count) % {"n": count}
        asked = sum(1 for one in added.members if one.state == GroupMember.State.UNCONFIRMED)
        if asked:
            more = ngettext("%(n)s of them is asked first.", "%(n)s of them are asked first.", asked)
            words = f"{words} {more % {'n': asked}}"
        toast(request, words)
    if not added.errors:
        return redirect("group", group_id)
    if count:
        return members_shown(request, group, errors=added.errors)
    return members_shown(
        request, group, 422, errors=added.errors, left=_lines(added.errors), wrong=_why(added.errors)
    )


def _lines(errors: list[LineError]) -> str:
    """What was not taken, to be put right."""
    return "\n".join(one.text for one in errors)


def _why(errors: list[LineError]) -> str:
    return said(errors[0].message) if len(errors) == 1 else _("None of these lines was taken.")


@require_POST
def remove(request: ViewerRequest, group_id: int) -> HttpResponse:
    ids = numbers(request.POST.getlist("id"))
    count, step = members_remove(viewer=request.viewer, group_id=group_id, member_ids=ids)
    words = ngettext(
        "%(n)s member is removed; the mailbox stays.",
        "%(n)s members are removed; their mailboxes stay.",
        count,
    )
    toast(request, words % {"n": count}, undo=f"/groups/members-undo/{step}/")
    return redirect("group", group_id)


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    group_id, count = members_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, ngettext("%(n)s member is back.", "%(n)s members are back.", count) % {"n": count})
    return redirect("group", group_id)


@require_POST
def ask(request: ViewerRequest, group_id: int, member_id: int) -> HttpResponse:
    """Once more."""
    try:
        member = member_ask_again(viewer=request.viewer, group_id=group_id, member_id=member_id)
    except (Conflict, TooMany) as error:
        return members_shown(
            request, group_one(request.viewer, group_id), status_of(error), trouble=said(error)
        )
    toast(request, _("%(address)s is asked again.") % {"address": member.address})
    return redirect("group", group_id)


@require_POST
def pause(request: ViewerRequest, group_id: int, member_id: int) -> HttpResponse:
    on = bool(request.POST.get("on"))
    try:
        member = member_pause(viewer=request.viewer, group_id=group_id, member_id=member_id, on=on)
    except Conflict as error:
        return members_shown(request, group_one(request.viewer, group_id), 409, trouble=said(error))
    words = (
        _("%(address)s gets no mail of this group for now.") if on else _("%(address)s gets its mail again.")
    )
    values: dict[str, Any] = {"address": member.address}
    toast(request, words % values)
    return redirect("group", group_id)
