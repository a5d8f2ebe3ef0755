"""Mail that came in: messages for people, and reports that fit nothing we sent."""

from datetime import timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from postroom.errors import NotFound
from postroom.models.account import Account
from postroom.models.delivery import Delivery, DeliveryState
from postroom.models.event import Event, EventReport, Strength
from postroom.models.message import Message
from postroom.models.profile import May
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, once

PER_PAGE = 50
#: Rows are counted up to here, and so many can be paged through; older ones are looked for.
COUNT_MOST = 10_000
#: The longest undo window: what waits only for its end was not put off.
_UNDO = timedelta(seconds=30)


def count_up_to_most(rows: Any) -> int:
    """COUNT_MOST + 1 = there are more."""
    return int(rows.order_by()[: COUNT_MOST + 1].count())


class LongPaginator(Paginator):
    """Of the first COUNT_MOST rows; `is_more`: there are more."""

    @cached_property
    def _counted(self) -> int:
        return count_up_to_most(self.object_list)

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNT_MOST)

    @property
    def is_more(self) -> bool:
        return self._counted > COUNT_MOST


def came_to(viewer: Viewer) -> Q:
    """What came to accounts whose mail the viewer may read, deleted ones too; who manages: all."""
    home = Q(workspace=viewer.workspace)
    if viewer.manages:
        return home
    accounts = Account.objects.filter(shared_with(viewer, Account, May.VIEW)).values_list("id", flat=True)
    return home & Q(account__in=once(viewer, "came to", lambda: list(accounts)))


def messages_visible_to(viewer: Viewer) -> "QuerySet[Message]":
    """Incoming ones, newest first."""
    came = Message.objects.filter(came_to(viewer), direction="in")
    return came.select_related("account", "campaign").order_by("-created_at", "-id")


def unmatched_visible_to(viewer: Viewer) -> "QuerySet[Event]":
    """Reports that matched no delivery, or only probably, and mails that could not be read. They count nowhere."""
    loose = EventReport.objects.filter(event=OuterRef("pk")).exclude(
        strength__in=(Strength.SIGNED, Strength.NAMED)
    )
    found = Event.objects.filter(came_to(viewer), message=None).exclude(kind="")
    found = found.filter(Q(error__gt="") | Q(Exists(loose)), strength__in=(Strength.NONE, Strength.LIKELY))
    return found.select_related("account", "campaign").order_by("-received_at", "-id")


def message_visible_to(viewer: Viewer, message_id: int) -> Message:
    """Raises NotFound."""
    message = messages_visible_to(viewer).filter(id=message_id).first()
    if message is None:
        raise NotFound("There is no such message.")
    return message


def unmatched_one(viewer: Viewer, event_id: int) -> Event:
    """Raises NotFound."""
    event = unmatched_visible_to(viewer).filter(id=event_id).first()
    if event is None:
        raise NotFound("There is no such report. It may have found its message in the meantime.")
    return event


def messages_page(viewer: Viewer, *, find: str = "", unread: bool = False, page: int = 1) -> "Page[Message]":
    found = messages_visible_to(viewer)
    if unread:
        found = found.filter(is_read=False)
    for word in find.split():
        found = found.filter(Q(subject__icontains=word) | Q(from_address__icontains=word))
    return LongPaginator(found, PER_PAGE).get_page(page)


def unmatched_page(viewer: Viewer, *, find: str = "", page: int = 1) -> "Page[Event]":
    found = unmatched_visible_to(viewer)
    for word in find.split():
        found = found.filter(Q(subject__icontains=word) | Q(from_address__icontains=word))
    return LongPaginator(found, PER_PAGE).get_page(page)


def reports_of(event: Event) -> list[EventReport]:
    return list(event.reports.select_related("delivery__campaign").order_by("id")[:100])


def messages_sent_visible_to(viewer: Viewer) -> "QuerySet[Message]":
    """Single messages that went out, newest first: one's own; who manages sees all."""
    found = Message.objects.filter(workspace=viewer.workspace, direction="out", purpose="single")
    if not viewer.manages:
        found = found.filter(user=viewer.user)
    return found.select_related("account", "user", "type").order_by("-id")


def message_sent_visible_to(viewer: Viewer, message_id: int) -> Message:
    """Raises NotFound."""
    message = messages_sent_visible_to(viewer).filter(id=message_id).first()
    if message is None:
        raise NotFound("There is no such message.")
    return message


def message_readable(viewer: Viewer, message_id: int) -> Message:
    """One that came in or was sent. Raises NotFound."""
    came = messages_visible_to(viewer).filter(id=message_id).first()
    return came or message_sent_visible_to(viewer, message_id)


def scheduled_visible_to(viewer: Viewer) -> "QuerySet[Message]":
    """What is to leave at a moment somebody chose, the next first; none of it has left yet."""
    waiting = Delivery.objects.filter(message=OuterRef("pk"), state=DeliveryState.QUEUED, attempts=0)
    found = messages_sent_visible_to(viewer).filter(Exists(waiting), send_at__gt=timezone.now() + _UNDO)
    return found.order_by("send_at", "id")


def scheduled_page(viewer: Viewer, *, page: int = 1) -> "Page[Message]":
    return Paginator(scheduled_visible_to(viewer), PER_PAGE).get_page(page)


def sent_page(viewer: Viewer, *, find: str = "", page: int = 1) -> "Page[Message]":
    found = messages_sent_visible_to(viewer)
    for word in find.split():
        found = found.filter(Q(subject__icontains=word) | Q(to_address__icontains=word))
    return LongPaginator(found.prefetch_related("deliveries"), PER_PAGE).get_page(page)
