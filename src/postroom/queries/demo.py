"""What our rows say of the demo's campaign, recipient by recipient."""

from dataclasses import dataclass

from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport


@dataclass(frozen=True, slots=True)
class Row:
    address: str
    state: str
    arrival: str
    reading: str
    unsubscribed: bool
    replied: bool
    answered: bool


def demo_rows(campaign_id: int) -> list[Row]:
    automatic = EventReport.objects.filter(
        kind="auto_reply", strength="signed", delivery__campaign=campaign_id
    )
    answered = set(automatic.values_list("delivery_id", flat=True))
    rows = Delivery.objects.filter(campaign_id=campaign_id).order_by("position")
    return [
        Row(
            d.canonical,
            d.state,
            d.arrival,
            d.reading,
            d.unsubscribed_at is not None,
            d.replied_at is not None,
            d.id in answered,
        )
        for d in rows
    ]


def demo_unread() -> int:
    """Events stored and not looked at yet."""
    return Event.objects.filter(kind="", error="").count()
