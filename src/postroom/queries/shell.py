"""The few figures that stand around every page."""

from typing import Any

from postroom.queries.account import accounts_visible_to
from postroom.queries.campaign import campaign_going_out
from postroom.queries.conversation import unread_count
from postroom.queries.viewer import Viewer


def shell_figures(viewer: Viewer) -> dict[str, Any]:
    """unread: mails nobody opened (at most 99); accounts; going_out: the campaign on its way, or None."""
    return {
        "unread": unread_count(viewer),
        "accounts": accounts_visible_to(viewer).count(),
        "going_out": campaign_going_out(viewer),
    }
