"""What our rows say of the demo's campaign, recipient by recipient."""

from dataclasses import dataclass

from django.db import connection

from postroom.models.delivery import Delivery
from postroom.models.event import Event


@dataclass(frozen=True, slots=True)
class Row:
    address: str
    state: str
    arrival: str
    reading: str
    unsubscribed: bool
    replied: bool


def demo_rows(campaign_id: int) -> list[Row]:
    rows = Delivery.objects.filter(campaign_id=campaign_id).order_by("position")
    return [
        Row(
            d.canonical,
            d.state,
            d.arrival,
            d.reading,
            d.unsubscribed_at is not None,
            d.replied_at is not None,
        )
        for d in rows
    ]


def demo_unread() -> int:
    """Events stored and not looked at yet."""
    return Event.objects.filter(kind="", error="").count()


def demo_rate(campaign_id: int) -> float:
    """Messages decided a second, first tries only: from the first to the last that was not tried again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), extract(epoch FROM max(state_at) - min(state_at))::float FROM postroom_delivery"
            " WHERE campaign_id = %s AND attempts = 1 AND state IN ('accepted', 'failed')",
            [campaign_id],
        )
        count, seconds = cursor.fetchone()
    return count / seconds if seconds else 0.0
