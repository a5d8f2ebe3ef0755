"""The list of campaigns, and the one screen of a campaign that was started."""

import hashlib
from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.campaign import campaign_delete, campaign_undelete
from postroom.actions.campaign_run import campaign_cancel, campaign_pause, campaign_resume
from postroom.actions.campaign_start import campaign_unstart
from postroom.errors import NotFound
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.profile import May, Right
from postroom.queries.campaign import (
    ARRIVALS,
    LIVE,
    READINGS,
    SENT_STATES,
    Figures,
    campaign_visible_to,
    campaigns_visible_to,
    figures_of,
    pace_of,
)
from postroom.queries.campaign_choice import accounts_to_choose
from postroom.queries.delivery import FILTERS, deliveries_page
from postroom.queries.sharing import may
from postroom.queries.slot import place_in_line
from postroom.queries.viewer import can
from postroom.web.campaigns import editing
from postroom.web.campaigns.posting import post_or_back
from postroom.web.live import unchanged
from postroom.web.states import look
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

DONE = (CampaignState.FINISHED, CampaignState.CANCELLED)
PLANNED = (CampaignState.DRAFT, CampaignState.SCHEDULED)
#: Finished campaigns on one page.
SHOWN = 50


def index(request: ViewerRequest) -> HttpResponse:
    """Going out now, planned and drafts, done."""
    everything = campaigns_visible_to(request.viewer).select_related("account", "started_by", "created_by")
    find, show = request.GET.get("q", "").strip(), request.GET.get("show", "all")
    mine = Q(started_by=request.viewer.user) | Q(created_by=request.viewer.user)
    chosen = everything
    if find:
        chosen = chosen.filter(
            Q(name__icontains=find)
            | Q(subject__icontains=find)
            | Q(started_by__name__icontains=find)
            | Q(created_by__name__icontains=find)
        )
    if show == "mine":
        chosen = chosen.filter(mine)
    elif show == "drafts":
        chosen = chosen.filter(state=CampaignState.DRAFT)
    campaigns = list(chosen.filter(state__in=[*LIVE, *PLANNED]).order_by("-started_at", "-id")[:200])
    campaigns += list(chosen.filter(state__in=DONE).order_by("-finished_at", "-id")[:SHOWN])
    figures = figures_of(campaigns)
    if show == "decide":
        campaigns = [one for one in campaigns if figures[one.id].uncertain]
    rows = [_row(one, figures[one.id]) for one in campaigns]
    values: dict[str, Any] = {
        "now": [row for row in rows if row["campaign"].state in LIVE],
        "planned": [row for row in rows if row["campaign"].state in PLANNED],
        "done": [row for row in rows if row["campaign"].state in DONE],
        "all": everything.count(),
        "mine": everything.filter(mine).count(),
        "drafts": everything.filter(state=CampaignState.DRAFT).count(),
        "decide": sum(1 for one in campaigns if figures[one.id].uncertain),
        "find": find,
        "show": show,
    }
    version = _version(*[str(row["figures"].counts) + row["campaign"].state for row in rows])
    values["version"] = version
    if request.htmx:
        return unchanged(request, version) or render(request, "campaigns/runs.html", values)
    return render(request, "campaigns/index.html", values)


def _version(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _row(campaign: Campaign, figures: Figures) -> dict[str, Any]:
    row: dict[str, Any] = {"campaign": campaign, "figures": figures, "label": _label(figures)}
    if campaign.state in LIVE:
        pace = pace_of(campaign, figures, points=8)
        row["pace"] = pace
        row["minutes"] = pace.left.total_seconds() / 60 if pace.left else None
    return row


def _label(figures: Figures) -> str:
    """The rail in words."""
    words = [
        _("%(n)s %(state)s") % {"n": getattr(figures, state), "state": look(state).plural}
        for state in SENT_STATES
        if getattr(figures, state)
    ]
    return ", ".join(words).lower() or _("not started")


def show(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """A draft is edited; anything else shows who got it."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    if campaign.state == CampaignState.DRAFT:
        change = can(request.viewer, Right.CAMPAIGNS_SEND) and may(request.viewer, campaign, May.EDIT)
        return (editing.edit if change else editing.as_sent)(request, campaign)
    values = {**_progress(request, campaign), **_grid(request, campaign)}
    template = "campaigns/grid.html" if request.htmx else "campaigns/show.html"
    return render(request, template, values)


def progress(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """The block of figures, as long as something moves."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    if campaign.state == CampaignState.DRAFT:  # taken back by somebody, or it could not be prepared
        return HttpResponse(headers={"HX-Refresh": "true"})
    values = _progress(request, campaign)
    return unchanged(request, values["version"]) or render(
        request, "campaigns/progress.html", {**values, "polled": True}
    )


def _progress(request: ViewerRequest, campaign: Campaign) -> dict[str, Any]:
    figures = figures_of([campaign])[campaign.id]
    pace = pace_of(campaign, figures)
    now = timezone.now()
    takes_back = bool(
        campaign.start_at
        and campaign.start_at > now
        and campaign.state in (CampaignState.FREEZING, CampaignState.RUNNING)
    )
    account, place = campaign.account, place_in_line(campaign)
    recent = campaign.finished_at is not None and now - campaign.finished_at < timedelta(hours=1)
    return {
        "campaign": campaign,
        "figures": figures,
        "pace": pace,
        "points": ",".join(str(n * 6) for _, n in pace.points),
        "minutes": pace.left.total_seconds() / 60 if pace.left else None,
        "done_at": now + pace.left if pace.left else None,
        "label": _label(figures),
        "counters": [(name, getattr(figures, name)) for name in SENT_STATES],
        "arrivals": [(name, getattr(figures, name)) for name in ARRIVALS],
        "arrival_rail": [(look(name).colour, getattr(figures, name)) for name in ARRIVALS]
        + [("", figures.no_report)],
        "readings": [(name, getattr(figures, name)) for name in READINGS],
        "reading_rail": [(look(name).colour, getattr(figures, name)) for name in READINGS]
        + [("", figures.no_answer)],
        "has_arrivals": campaign.receipt_delivery or any(getattr(figures, name) for name in ARRIVALS),
        "has_readings": campaign.receipt_read or any(getattr(figures, name) for name in READINGS),
        "takes_back": takes_back,
        "limit": account.per_minute if account else 0,
        "quarter": figures.percent // 25,
        "not_reached": figures.failed + figures.bounced,
        "place": place,
        "accounts": accounts_to_choose(request.viewer)
        if campaign.state == CampaignState.NEEDS_ACCOUNT
        else [],
        "lists": ", ".join(campaign.lists.values_list("name", flat=True)),
        # what comes back still moves the figures for a while after the end
        "live": campaign.state in LIVE or recent,
        "version": _version(
            str(figures.counts),
            campaign.state,
            campaign.throttled,
            str(pace.per_minute),
            str(takes_back),
            str(place),
        ),
    }


def _grid(request: ViewerRequest, campaign: Campaign) -> dict[str, Any]:
    show, find = request.GET.get("show", "all"), request.GET.get("q", "").strip()
    text = request.GET.get("after", "")
    after = number(text, 0)
    every = request.GET.get("every") == "1"
    page = deliveries_page(request.viewer, campaign, show=show, search=find, after=after, every=every)
    return {"page": page, "show": show, "find": find, "after": after, "filters": _filters()}


def _filters() -> list[tuple[str, list[str]]]:
    """The words of the filter menu, by group."""
    return [
        (_("State"), [name for name in SENT_STATES if name in FILTERS]),
        (_("Arrival"), [*ARRIVALS]),
        (_("Reading"), [*READINGS]),
    ]


def message(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """The message as sent, for the first recipients or a chosen one."""
    return editing.as_sent(request, campaign_visible_to(request.viewer, campaign_id))


@post_or_back
def act(request: ViewerRequest, campaign_id: int, verb: str) -> HttpResponse:
    """pause, resume, cancel, unstart, delete, undelete."""
    here = reverse("campaign", args=[campaign_id])
    who: dict[str, Any] = {"viewer": request.viewer, "campaign_id": campaign_id}
    if verb == "pause":
        campaign_pause(**who)
        toast(
            request,
            _("Paused. What is on the wire still ends."),
            undo=reverse("campaign_act", args=[campaign_id, "resume"]),
        )
    elif verb == "resume":
        chosen = request.POST.get("account", "")
        campaign_resume(**who, account_id=number(chosen, None))
        toast(request, _("It goes on."))
    elif verb == "cancel":
        campaign_cancel(**who)
        toast(request, _("Cancelled. Nothing more is sent."))
    elif verb == "unstart":
        campaign_unstart(**who)
        toast(request, _("Taken back. Nothing has left; it is a draft again."))
    elif verb == "delete":
        campaign_delete(**who)
        toast(
            request, _("The draft is deleted."), undo=reverse("campaign_act", args=[campaign_id, "undelete"])
        )
        return redirect("campaigns")
    elif verb == "undelete":
        campaign_undelete(**who)
    else:
        raise NotFound(_("There is no such action."))
    return redirect(here)
