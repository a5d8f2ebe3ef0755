"""Webhooks: what they can be told, and what they were told."""

from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from postroom.errors import NotFound
from postroom.models.profile import Right
from postroom.models.webhook import Webhook, WebhookCall
from postroom.queries.viewer import Viewer, demand

PAGE = 50

#: What happens to a delivery -> what it means. Told as message.NAME of single messages and campaign.NAME of campaigns.
OF_DELIVERY = {
    "accepted": _("The recipient's server took it"),
    "deferred": _("Refused for now; it is tried again"),
    "failed": _("Refused for good"),
    "uncertain": _("The answer was lost on the way"),
    "decided": _("A person decided about an answer that was lost"),
    "skipped": _("Not sent: suppressed, taken back or not possible"),
    "delivered": _("A report says it arrived"),
    "relayed": _("Passed on to a server that sends no reports"),
    "expanded": _("Went to a list"),
    "delayed": _("A report says it waits on the way"),
    "bounced": _("It came back"),
    "displayed": _("The recipient says it was opened"),
    "deleted_unread": _("Deleted without being opened"),
    "automatic": _("A program confirmed it"),
    "heuristic": _("Probably read"),
    "replied": _("The recipient answered"),
    "unsubscribed": _("The recipient wants no more"),
}
#: A mail for people came in.
RECEIVED = "message.received"
CAME_IN = _("A mail for people came in")
#: What happens to a mail to a group -> what it means. Told as posting.NAME.
OF_POSTING = {
    "accepted": _("It goes to the members"),
    "held": _("It waits for a decision"),
    "refused": _("Refused, by the rules or by a person"),
    "delivered": _("Each member's server took it"),
    "undelivered": _("No copy waits any more, and some members did not get it"),
}
#: Sent by the button of the page.
TEST = "test"
EVENTS = (
    *(f"message.{name}" for name in OF_DELIVERY),
    RECEIVED,
    *(f"campaign.{name}" for name in OF_DELIVERY),
    *(f"posting.{name}" for name in OF_POSTING),
)


def webhooks_visible_to(viewer: Viewer) -> "QuerySet[Webhook]":
    """Raises NotAllowed: calls tell of everybody's mail."""
    demand(viewer, Right.WORKSPACE_MANAGE)
    return Webhook.objects.filter(workspace=viewer.workspace).order_by("id")


def webhook_visible_to(viewer: Viewer, webhook_id: int, *, lock: bool = False) -> Webhook:
    """Raises NotAllowed, NotFound."""
    rows = webhooks_visible_to(viewer).filter(id=webhook_id)
    found = (rows.select_for_update(of=("self",)) if lock else rows).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def webhook_calls(
    viewer: Viewer, webhook_id: int, *, before: int = 0
) -> tuple[list[WebhookCall], int | None]:
    """Newest first, and the id to go on before; None at the end. Raises NotAllowed, NotFound."""
    rows = webhook_visible_to(viewer, webhook_id).calls.order_by("-id")
    if before:
        rows = rows.filter(id__lt=before)
    found = list(rows[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None
