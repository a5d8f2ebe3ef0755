"""Leaving: by the link in a mail (RFC 8058), with the delivery's own signed token."""

from django.db import transaction
from django.utils import timezone

from postroom.actions.figures import figures_add
from postroom.actions.suppression import suppression_add
from postroom.errors import NotFound
from postroom.models.delivery import Delivery
from postroom.queries.matching import unsubscribe_number


def unsubscribe_target(token: str) -> Delivery:
    """The delivery whose recipient may leave with this link. Raises NotFound for a token we did not sign."""
    number = unsubscribe_number(token)
    delivery = (
        Delivery.objects.select_related("workspace", "contact", "message").filter(id=number).first()
        if number is not None
        else None
    )
    if delivery is None:
        raise NotFound(
            "This link is not valid. Use the link of the newest message, or answer it with one word: unsubscribe."
        )
    return delivery


def is_test(delivery: Delivery) -> bool:
    """Whether a colleague sent it to themselves to look at it: its link must not take them off anything."""
    return delivery.message is not None and delivery.message.purpose == "test"


@transaction.atomic
def unsubscribe(token: str) -> Delivery:
    """Stop all mailings of the workspace to this recipient. Doing it twice changes nothing; nor does a test's link."""
    target = unsubscribe_target(token)
    if is_test(target):
        return target
    delivery = Delivery.objects.select_for_update().get(id=target.id)
    suppression_add(
        workspace_id=delivery.workspace_id,
        entry_form="address",
        value=delivery.primary_canonical or delivery.canonical,  # it is the contact who leaves
        source="unsubscribe",
        why="link in the message",
    )
    if delivery.unsubscribed_at is None:
        delivery.unsubscribed_at = timezone.now()
        delivery.save(update_fields=["unsubscribed_at"])
        if delivery.campaign_id is not None:
            figures_add(delivery.campaign_id, {"unsubscribed": 1}, lane=delivery.id)
    return target
