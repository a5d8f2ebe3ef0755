"""Postings of a group: the archive, the report of each, and those that wait for a manager's decision."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.moderation import moderation_read, posting_moderate
from postroom.errors import Conflict, PostroomError
from postroom.models.group import Posting, PostingState
from postroom.queries.group import group_one
from postroom.queries.group_posting import (
    COPIES,
    SHELVES,
    copy_state,
    figures_of,
    posting_one,
    posting_report_page,
    postings_page,
    shelf_counts,
)
from postroom.queries.viewer import Viewer
from postroom.web.errors import status_of
from postroom.web.groups.views import head
from postroom.web.groups.words import posting_words, reason_words
from postroom.web.messages.views import frame_of, parts_of, raw_of
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def postings(request: ViewerRequest, group_id: int) -> HttpResponse:
    group = group_one(request.viewer, group_id)
    shelf = request.GET.get("show", "")
    shelf = shelf if shelf in SHELVES else ""
    words = request.GET.get("q", "").strip()[:200]
    before = number(request.GET.get("before", ""), 0)
    found, following = postings_page(request.viewer, group_id, shelf=shelf, words=words, before=before)
    counts, looks, figures = shelf_counts(request.viewer, group), posting_words(), figures_of(found)
    chips = [
        ("", _("All"), counts["taken"]),
        ("held", _("Wait for a decision"), counts["held"]),
        ("refused", _("Refused"), counts["refused"]),
    ]
    values = {
        **head(request, group, "postings"),
        "rows": [(one, looks[one.state], figures[one.id], reason_words(one.reason)) for one in found],
        "chips": [chip for chip in chips if chip[0] == "" or chip[0] == shelf or chip[2]],
        "shelf": shelf,
        "words": words,
        "before": before,
        "following": following,
    }
    return render(request, "groups/postings.html", values)


def posting(request: ViewerRequest, group_id: int, posting_id: int) -> HttpResponse:
    return _page(request, posting_one(request.viewer, group_id, posting_id))


def _page(request: ViewerRequest, one: Posting, status: int = 200, **more: object) -> HttpResponse:
    top = head(request, one.group, "postings")
    values: dict[str, Any] = {**top, **_shown(one), "report": None, **more}
    if top["may_change"]:
        show = request.GET.get("copies", "")
        report = posting_report_page(
            request.viewer, one.group_id, one.id, show=show, at=number(request.GET.get("at", ""), 0)
        )
        names = {
            "": _("All"),
            "accepted": _("Accepted"),
            "delayed": _("On their way"),
            "failed": _("Failed"),
            "delivered": _("Delivered"),
        }
        chips = [(key, word, report.counts[key or "all"]) for key, word in names.items()]
        values |= {
            "report": report,
            "copies": [(row, copy_state(row)) for row in report.rows],
            "show": show if show in COPIES else "",
            "copy_chips": [chip for chip in chips if chip[0] in ("", show) or chip[2]],
        }
    return render(request, "groups/posting.html", values, status=status)


def _shown(one: Posting) -> dict[str, Any]:
    return {
        "posting": one,
        "look": posting_words()[one.state],
        "why": reason_words(one.reason),
        "is_held": one.state == PostingState.HELD,
        **parts_of(one.raw_id),
    }


def body(request: ViewerRequest, group_id: int, posting_id: int) -> HttpResponse:
    return frame_of(request, posting_one(request.viewer, group_id, posting_id).raw_id)


def raw(request: ViewerRequest, group_id: int, posting_id: int) -> HttpResponse:
    return raw_of(posting_one(request.viewer, group_id, posting_id).raw_id)


def held(request: ViewerRequest, group_id: int, posting_id: int) -> HttpResponse:
    """The address in notices."""
    one = posting_one(request.viewer, group_id, posting_id)
    return redirect("group_posting", one.group_id, one.id)


@require_POST
def decide(request: ViewerRequest, group_id: int, posting_id: int) -> HttpResponse:
    send = request.POST.get("send") == "yes"
    try:
        posting_moderate(viewer=request.viewer, group_id=group_id, posting_id=posting_id, send=send)
    except Conflict as error:
        one = posting_one(request.viewer, group_id, posting_id)
        return _page(request, one, 409, wrong=said(error))
    toast(request, _decided(send))
    return redirect("group_posting", group_id, posting_id)


def _decided(send: bool) -> str:
    return _("It is on its way to the members.") if send else _("It is thrown away; nobody gets it.")


def summoned(request: ViewerRequest, token: str) -> HttpResponse:
    """The link in a manager's mail: the posting with two buttons; opening it changes nothing."""
    asked = moderation_read(token)
    one = posting_one(asked.viewer, asked.group_id, asked.posting_id)
    if request.method != "POST":
        return _summons(request, asked.viewer, one, token)
    send = request.POST.get("send") == "yes"
    try:
        posting_moderate(viewer=asked.viewer, group_id=one.group_id, posting_id=one.id, send=send)
    except PostroomError as error:
        fresh = posting_one(asked.viewer, asked.group_id, asked.posting_id)
        return _summons(request, asked.viewer, fresh, token, status_of(error), wrong=said(error))
    fresh = posting_one(asked.viewer, asked.group_id, asked.posting_id)
    return _summons(request, asked.viewer, fresh, token, done=_decided(send))


def _summons(
    request: ViewerRequest, viewer: Viewer, one: Posting, token: str, status: int = 200, **more: object
) -> HttpResponse:
    values = {**_shown(one), "who": viewer.user, "here": reverse("moderation", args=[token]), **more}
    return render(request, "groups/summons.html", values, status=status)


summoned.login_required = False  # type: ignore[attr-defined]
