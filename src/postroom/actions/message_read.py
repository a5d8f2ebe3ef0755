"""Marking messages as read, and as unread again."""

from postroom.queries.message import message_visible_to
from postroom.queries.viewer import Viewer


def message_mark(*, viewer: Viewer, message_id: int, is_read: bool) -> None:
    """Raises NotFound."""
    message = message_visible_to(viewer, message_id)
    message.is_read = is_read
    message.save(update_fields=["is_read"])
