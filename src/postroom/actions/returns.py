"""Synchronise returns (AR-03): every reachable mailbox is read now, and what matched nothing is matched once more."""

from postroom.actions.account_reading import reading_all_now
from postroom.actions.event import event_again
from postroom.models.profile import Right
from postroom.queries.message import unmatched_visible_to
from postroom.queries.viewer import Viewer, demand

#: Reports looked at again with one press.
AGAIN_MOST = 200


def returns_synchronise(*, viewer: Viewer) -> tuple[int, int]:
    """(mailboxes asked for, reports that have found their message meanwhile). A report counts once, however often.

    Raises NotAllowed; TooMany within half a minute.
    """
    demand(viewer, Right.LOG_VIEW)
    asked = reading_all_now(viewer=viewer)
    loose = list(unmatched_visible_to(viewer).values_list("id", flat=True)[:AGAIN_MOST])
    for event_id in loose:
        event_again(event_id=event_id)
    left = set(unmatched_visible_to(viewer).filter(id__in=loose).values_list("id", flat=True))
    return asked, len(loose) - len(left)
