"""What the API says of campaigns and their deliveries."""

from datetime import datetime
from typing import Any

from ninja import Schema

from postroom.models.campaign import Attachment, Campaign
from postroom.models.delivery import Delivery
from postroom.queries.campaign import ARRIVALS, OTHERS, READINGS, SENT_STATES, Figures, figures_of, pace_of
from postroom.queries.delivery import Entry
from postroom.queries.slot import place_in_line

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
    "sender_name",
    "sender_address",
)
_TIMES = ("start_at", "started_at", "finished_at", "created_at", "updated_at", "until")
_ROW = ("id", "position", "name", "address", "state", "reason", "code", "words", "bounce_class", "attempts")
_ROW_TIMES = ("state_at", "retry_at", "arrival_at", "reading_at", "unsubscribed_at", "replied_at")


class AccountShort(Schema):
    id: int
    address: str


class CampaignShort(Schema):
    """state: draft, freezing, waiting_for_slot, running, paused, needs_account, cancelled or finished."""

    id: int
    name: str
    subject: str
    state: str
    reason: str
    #: Why it goes slower than it could.
    throttled: str
    account: AccountShort | None
    start_at: str | None
    started_at: str | None
    finished_at: str | None
    created_at: str
    updated_at: str
    until: str | None
    #: total, done, and how many are in each state, arrival and reading.
    figures: dict[str, int]


class Campaigns(Schema):
    items: list[CampaignShort]
    #: To go on with as `at`; None at the end.
    next: str | None


class AttachmentOut(Schema):
    id: int
    name: str
    content_type: str


class PaceOut(Schema):
    per_minute: int
    seconds_left: int | None


class CampaignOut(CampaignShort):
    html: str
    text: str
    receipt_delivery: bool
    receipt_read: bool
    unsubscribe_header: bool
    on_missing: str
    on_doubt: str
    sender_name: str
    sender_address: str
    version: int
    #: The campaign it is one mailing with.
    mailing: int | None
    #: Recipients whose own sender, or addressee, could not be used.
    from_fallback: int
    to_fallback: int
    type: int | None
    #: 1 = the next to begin; 0 when it does not wait.
    place: int
    lists: list[int]
    attachments: list[AttachmentOut]
    pace: PaceOut


class Warned(Schema):
    code: str
    people: int


class StartedOut(CampaignOut):
    warnings: list[Warned]


class DeliveryRow(Schema):
    """words: the deciding answer of the other server, code: its number."""

    id: int
    position: int
    name: str
    address: str
    state: str
    reason: str
    code: int
    words: str
    bounce_class: str
    attempts: int
    arrival: str
    reading: str
    state_at: str | None
    retry_at: str | None
    arrival_at: str | None
    reading_at: str | None
    unsubscribed_at: str | None
    replied_at: str | None


class Deliveries(Schema):
    items: list[DeliveryRow]
    #: To go on with as `at`; None at the end.
    next: str | None


class Happened(Schema):
    """event: the raw mail behind it, None for an answer of a server. number: which try."""

    what: str
    at: str | None
    words: str
    number: int
    event: int | None
    strength: str
    by: str
    decided: str


class DeliveryOut(DeliveryRow):
    campaign: int | None
    timeline: list[Happened]


class Decided(Schema):
    decided: int


class TrialOut(Schema):
    message: int


def moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def figures_json(figures: Figures) -> dict[str, int]:
    names = (*SENT_STATES, *ARRIVALS, "no_report", *READINGS, "no_answer", *OTHERS)
    return {
        "total": figures.total,
        "done": figures.done,
        **{name: getattr(figures, name) for name in names},
    }


def campaign_short(campaign: Campaign, figures: Figures) -> dict[str, Any]:
    account = campaign.account
    return {
        "id": campaign.id,
        "name": campaign.name,
        "subject": campaign.subject,
        "state": campaign.state,
        "reason": campaign.reason,
        "throttled": campaign.throttled,
        "account": {"id": account.id, "address": account.address} if account else None,
        **{name: moment(getattr(campaign, name)) for name in _TIMES},
        "figures": figures_json(figures),
    }


def campaign_json(campaign: Campaign) -> dict[str, Any]:
    figures = figures_of([campaign])[campaign.id]
    pace = pace_of(campaign, figures)
    return {
        **campaign_short(campaign, figures),
        **{name: getattr(campaign, name) for name in CONTENT},
        "version": campaign.version,
        "mailing": campaign.mailing_id,
        "from_fallback": campaign.from_fallback,
        "to_fallback": campaign.to_fallback,
        "type": campaign.type_id,
        "place": place_in_line(campaign),
        "lists": sorted(campaign.lists.values_list("id", flat=True)),
        "attachments": [attachment_json(one) for one in campaign.attachments.order_by("id")],
        "pace": {
            "per_minute": pace.per_minute,
            "seconds_left": round(pace.left.total_seconds()) if pace.left else None,
        },
    }


def attachment_json(one: Attachment) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "content_type": one.content_type}


def delivery_row(row: Delivery) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in _ROW},
        "arrival": row.arrival,
        "reading": row.reading,
        **{name: moment(getattr(row, name)) for name in _ROW_TIMES},
    }


def happened(entry: Entry) -> dict[str, Any]:
    names = ("what", "words", "number", "strength", "by", "decided")
    return {
        **{name: getattr(entry, name) for name in names},
        "at": moment(entry.at),
        "event": entry.event_id,
    }
