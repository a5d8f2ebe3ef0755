"""Apply exclusion: choose sets, look whom they mean, confirm, take back (SX-08)."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.exclusion_apply import exclusion_apply, exclusion_undo
from postroom.errors import Conflict
from postroom.models.campaign import CampaignState
from postroom.models.profile import May
from postroom.queries.campaign import campaign_visible_to
from postroom.queries.exclusion import applied_to, exclusions_visible_to, reading_state
from postroom.web.exclusions.api import look_at
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import numbers
from postroom.web.viewer import ViewerRequest


def _chosen(request: ViewerRequest) -> list[int]:
    given = request.POST.getlist("set") or request.GET.getlist("set")
    return numbers(given)


def choose(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """GET: the sets, and for those chosen what they would do. POST: it is done."""
    viewer = request.viewer
    campaign = campaign_visible_to(viewer, campaign_id)
    chosen = _chosen(request)
    if request.method == "POST":
        step = exclusion_apply(viewer=viewer, campaign_id=campaign_id, set_ids=chosen)
        words = ngettext("%(n)s person is left out.", "%(n)s people are left out.", step.people)
        toast(request, words % {"n": step.people}, undo=reverse("exclusion_undo", args=[campaign_id]))
        return redirect("campaign", campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise Conflict(_("Exclusion sets can be applied to drafts only."), code="RUN_ACTIVE")
    values: dict[str, Any] = {"campaign": campaign, "chosen": chosen, "look": None}
    if chosen:
        state, found = look_at(viewer, campaign, chosen)
        values |= {"state": state, "look": found if state == "ready" else None}
        values["unreadable"] = [] if state == "ready" else found
        values["version"] = state + ",".join(str(one.asked_at) for one in values["unreadable"])
    if request.htmx:
        return unchanged(request, str(values.get("version", ""))) or _again()
    sets = exclusions_visible_to(viewer, may=May.USE)[:500]
    values |= {
        "sets": [(one, reading_state(one)) for one in sets],
        "applied": applied_to(campaign),
    }
    return render(request, "exclusions/apply.html", values)


def _again() -> HttpResponse:
    answer = HttpResponse()
    answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def undo(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    try:
        step = exclusion_undo(viewer=request.viewer, campaign_id=campaign_id)
    except Conflict as error:
        toast(request, said(error))
        return redirect("campaign", campaign_id)
    words = ngettext("%(n)s person is in again.", "%(n)s people are in again.", step.people)
    toast(request, words % {"n": step.people})
    return redirect("campaign", campaign_id)
