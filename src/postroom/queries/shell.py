"""The few figures that stand around every page."""

from typing import Any

from postroom.models.message import Message
from postroom.queries.account import accounts_visible_to
from postroom.queries.campaign import campaign_going_out
from postroom.queries.viewer import Viewer


def shell_figures(viewer: Viewer) -> dict[str, Any]:
    """unread: incoming messages nobody opened (at most 99); accounts; going_out: the campaign on its way, or None."""
    unread = Message.objects.filter(workspace=viewer.workspace, direction="in", is_read=False)
    return {
        "unread": unread[:99].count(),
        "accounts": accounts_visible_to(viewer).count(),
        "going_out": campaign_going_out(viewer),
    }
