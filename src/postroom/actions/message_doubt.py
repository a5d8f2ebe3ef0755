"""A person decides about a single message of which nobody knows whether it arrived."""

from django.db import connection, transaction

from postroom.actions.audit import audit
from postroom.actions.doubt import DECIDED, decision_write
from postroom.actions.notify import SHARD, notify
from postroom.actions.webhook_tell import deliveries_tell
from postroom.models.delivery import Delivery, DeliveryState
from postroom.queries.message import message_sent_visible_to
from postroom.queries.viewer import Viewer


@transaction.atomic
def message_decide(*, viewer: Viewer, message_id: int, send_again: bool) -> int:
    """Send it again to those in doubt (same Message-ID), or leave it and count it as accepted. How many recipients.

    Raises NotFound.
    """
    message = message_sent_visible_to(viewer, message_id)
    rows = Delivery.objects.select_for_update().filter(message=message, state=DeliveryState.UNCERTAIN)
    ids = list(rows.order_by("id").values_list("id", flat=True))
    if not ids:
        return 0
    with connection.cursor() as cursor:
        decision_write(cursor, ids, by=str(viewer.user), send_again=send_again)
    deliveries_tell([(number, "decided") for number in ids])
    audit(viewer, f"decided: {DECIDED[send_again]}", "message", message.id, count=len(ids))
    notify(SHARD)
    return len(ids)
