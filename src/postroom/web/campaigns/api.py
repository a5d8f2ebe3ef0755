"""Campaigns in the API: write, start, watch, decide. The same queries and actions as the pages."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.campaign import campaign_create, campaign_edit
from postroom.actions.campaign_run import campaign_cancel, campaign_pause, campaign_resume, uncertain_decide
from postroom.actions.campaign_start import campaign_start, campaign_unstart
from postroom.actions.message import campaign_test_send
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.queries.campaign import (
    ARRIVALS,
    OTHERS,
    READINGS,
    SENT_STATES,
    Figures,
    campaign_visible_to,
    campaigns_visible_to,
    figures_of,
    pace_of,
)
from postroom.queries.campaign_check import asks_many, audience_of
from postroom.queries.delivery import deliveries_page, delivery_visible_to, timeline_visible_to
from postroom.queries.slot import place_in_line
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["campaigns"])

#: Campaigns in one answer.
PAGE = 100
#: What of a draft can be read and written under the same name.
CONTENT = (
    "name",
    "subject",
    "html",
    "text",
    "receipt_delivery",
    "receipt_read",
    "unsubscribe_header",
    "on_missing",
    "on_doubt",
)
_TIMES = ("start_at", "started_at", "finished_at", "created_at", "updated_at", "until")
_ROW = ("id", "position", "name", "address", "state", "reason", "code", "words", "bounce_class", "attempts")
_ROW_TIMES = ("state_at", "retry_at", "arrival_at", "reading_at", "unsubscribed_at", "replied_at")

Body = Annotated[str, Field(max_length=2_000_000)]


class CampaignIn(Schema):
    """A field left out keeps its value."""

    name: Annotated[str, Field(max_length=120)] | None = None
    subject: Annotated[str, Field(max_length=2000)] | None = None
    html: Body | None = None
    text: Body | None = None
    receipt_delivery: bool | None = None
    receipt_read: bool | None = None
    unsubscribe_header: bool | None = None
    on_missing: Literal["skip", "empty"] | None = None
    on_doubt: Literal["ask", "resend"] | None = None
    account: int | None = None
    lists: list[int] | None = None
    #: The campaign it is one mailing with: an address in both gets one copy. 0 = none.
    mailing: int | None = None
    #: What it is about: the id of a message type. 0 = none.
    type: int | None = None


class CampaignNew(CampaignIn):
    name: Annotated[str, Field(max_length=120)]
    template: int | None = None


class CampaignChange(CampaignIn):
    #: Of the draft as it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: int


class StartIn(Schema):
    #: Ask for receipts although nobody reads where they return to.
    force: bool = False


class TrialIn(Schema):
    #: As this contact would get it; left out = the first of the lists.
    contact: int | None = None
    #: Other addresses than one's own; the suppression list applies to them.
    to: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=5)] = []


class DecideIn(Schema):
    decision: Literal["again", "accepted"]
    #: Left out = all uncertain ones of the campaign.
    deliveries: list[int] | None = None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _given(body: CampaignIn) -> dict[str, Any]:
    values = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    names = {"lists": "list_ids", **{name: f"{name}_id" for name in ("account", "template", "mailing", "type")}}
    return {names.get(name, name): value for name, value in values.items()}


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _figures(figures: Figures) -> dict[str, int]:
    names = (*SENT_STATES, *ARRIVALS, "no_report", *READINGS, "no_answer", *OTHERS)
    return {
        "total": figures.total,
        "done": figures.done,
        **{name: getattr(figures, name) for name in names},
    }


def _short(campaign: Campaign, figures: Figures) -> dict[str, Any]:
    account = campaign.account
    return {
        "id": campaign.id,
        "name": campaign.name,
        "subject": campaign.subject,
        "state": campaign.state,
        "reason": campaign.reason,
        "throttled": campaign.throttled,
        "account": {"id": account.id, "address": account.address} if account else None,
        **{name: _moment(getattr(campaign, name)) for name in _TIMES},
        "figures": _figures(figures),
    }


def _answer(campaign: Campaign) -> dict[str, Any]:
    figures = figures_of([campaign])[campaign.id]
    pace = pace_of(campaign, figures)
    return {
        **_short(campaign, figures),
        **{name: getattr(campaign, name) for name in CONTENT},
        "version": campaign.version,
        "mailing": campaign.mailing_id,
        "type": campaign.type_id,
        "place": place_in_line(campaign),
        "lists": sorted(campaign.lists.values_list("id", flat=True)),
        "attachments": list(campaign.attachments.order_by("id").values("id", "name", "content_type")),
        "pace": {
            "per_minute": pace.per_minute,
            "seconds_left": round(pace.left.total_seconds()) if pace.left else None,
        },
    }


@router.get("/campaigns")
def campaign_list(request: HttpRequest, state: str = "", before: int = 0) -> dict[str, Any]:
    """Newest first. state: only these; before: an id to go on from, as given by the last answer."""
    rows = campaigns_visible_to(_viewer(request)).select_related("account").order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if before:
        rows = rows.filter(id__lt=before)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    figures = figures_of(shown)
    return {
        "items": [_short(campaign, figures[campaign.id]) for campaign in shown],
        "before": shown[-1].id if len(found) > PAGE else None,
    }


@router.post("/campaigns", response={201: dict[str, Any]})
def campaign_make(request: HttpRequest, body: CampaignNew) -> Any:
    return Status(201, _answer(campaign_create(viewer=_viewer(request), **_given(body))))


@router.get("/campaigns/{int:campaign_id}")
def campaign_show(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return _answer(campaign_visible_to(_viewer(request), campaign_id))


@router.put("/campaigns/{int:campaign_id}")
def campaign_change(request: HttpRequest, campaign_id: int, body: CampaignChange) -> dict[str, Any]:
    return _answer(campaign_edit(viewer=_viewer(request), campaign_id=campaign_id, **_given(body)))


@router.post(
    "/campaigns/{int:campaign_id}/test", response={202: dict[str, int], **problems(403, 404, 409, 422)}
)
def trial(request: HttpRequest, campaign_id: int, body: TrialIn | None = None) -> Any:
    """The message to one's own address, or to others. 422 RECIPIENT_SUPPRESSED names those it must not go to."""
    asked = body or TrialIn()
    sent = campaign_test_send(
        viewer=_viewer(request), campaign_id=campaign_id, contact_id=asked.contact, to=asked.to
    )
    return Status(202, {"message": sent.id})


@router.post("/campaigns/{int:campaign_id}/start")
def start(request: HttpRequest, campaign_id: int, body: StartIn | None = None) -> dict[str, Any]:
    """409 COLLECTOR_REQUIRED: receipts are asked for and nobody reads them; `force` starts all the same."""
    viewer = _viewer(request)
    audience = audience_of(campaign_visible_to(viewer, campaign_id), viewer.user.id)
    campaign = campaign_start(
        viewer=viewer, campaign_id=campaign_id, force_receipts=body is not None and body.force
    )
    warnings = []
    if asks_many(campaign, audience):
        warnings.append({"code": "READ_REQUESTS", "people": audience.will_get})
    return {**_answer(campaign), "warnings": warnings}


@router.post("/campaigns/{int:campaign_id}/unstart")
def unstart(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return _answer(campaign_unstart(viewer=_viewer(request), campaign_id=campaign_id))


@router.post("/campaigns/{int:campaign_id}/pause")
def pause(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return _answer(campaign_pause(viewer=_viewer(request), campaign_id=campaign_id))


@router.post("/campaigns/{int:campaign_id}/resume")
def resume(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return _answer(campaign_resume(viewer=_viewer(request), campaign_id=campaign_id))


@router.post("/campaigns/{int:campaign_id}/cancel")
def cancel(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return _answer(campaign_cancel(viewer=_viewer(request), campaign_id=campaign_id))


@router.get("/campaigns/{int:campaign_id}/deliveries")
def delivery_list(
    request: HttpRequest, campaign_id: int, show: str = "all", q: str = "", after: int = 0
) -> dict[str, Any]:
    """Recipients by position. show: a state, arrival or reading, or not_reached; after: as given by the last answer."""
    viewer = _viewer(request)
    campaign = campaign_visible_to(viewer, campaign_id)
    page = deliveries_page(viewer, campaign, show=show, search=q, after=after)
    return {"items": [_row(row) for row in page.rows], "after": page.after}


def _row(row: Delivery) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _ROW},
        "arrival": row.arrival,
        "reading": row.reading,
        **{name: _moment(getattr(row, name)) for name in _ROW_TIMES},
    }


@router.get("/deliveries/{int:delivery_id}")
def delivery_show(request: HttpRequest, delivery_id: int) -> dict[str, Any]:
    """One recipient and everything that happened, oldest first."""
    viewer = _viewer(request)
    delivery = delivery_visible_to(viewer, delivery_id)
    return {
        **_row(delivery),
        "campaign": delivery.campaign_id,
        "timeline": [
            {
                "what": entry.what,
                "at": _moment(entry.at),
                "words": entry.words,
                "number": entry.number,
                "event": entry.event_id,
                "strength": entry.strength,
                "by": entry.by,
                "decided": entry.decided,
            }
            for entry in timeline_visible_to(viewer, delivery_id)
        ],
    }


@router.post("/campaigns/{int:campaign_id}/decide")
def decide(request: HttpRequest, campaign_id: int, body: DecideIn) -> dict[str, Any]:
    """Doubt is settled by a person: send again, or count as accepted."""
    count = uncertain_decide(
        viewer=_viewer(request),
        campaign_id=campaign_id,
        delivery_ids=body.deliveries,
        send_again=body.decision == "again",
    )
    return {"decided": count}
