"""Postings of a group as its page shows them, and what became of each copy."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from postroom.errors import NotAllowed, NotFound
from postroom.models.delivery import Arrival, Delivery, DeliveryState
from postroom.models.group import Group, Posting, PostingState
from postroom.queries.group import group_one, may_change, may_read_postings
from postroom.queries.viewer import Viewer

PER_PAGE = 50

_ACCEPTED = Q(state=DeliveryState.ACCEPTED) & ~Q(arrival__in=(Arrival.BOUNCED, Arrival.DELAYED))
_DELAYED = (
    Q(state=DeliveryState.DEFERRED)
    | Q(state=DeliveryState.QUEUED)
    | Q(state=DeliveryState.UNCERTAIN)
    | Q(state=DeliveryState.ACCEPTED, arrival=Arrival.DELAYED)
)
_FAILED = Q(state=DeliveryState.FAILED) | Q(state=DeliveryState.ACCEPTED, arrival=Arrival.BOUNCED)
_DELIVERED = Q(arrival__in=(Arrival.DELIVERED, Arrival.RELAYED, Arrival.EXPANDED))
#: What a copy is in the report. "delivered" are accepted ones too.
COPIES = {"accepted": _ACCEPTED, "delayed": _DELAYED, "failed": _FAILED, "delivered": _DELIVERED}
#: Shown under "all": what was refused during the dialogue is a line of the log, and shown apart.
_TAKEN = (PostingState.TAKEN, PostingState.HELD, PostingState.SENT, PostingState.DROPPED)
SHELVES = {"": _TAKEN, "held": (PostingState.HELD,), "refused": (PostingState.REFUSED,)}


def postings_visible_to(viewer: Viewer, group_id: int) -> "QuerySet[Posting]":
    """Newest first. Managers see all; members what was sent, where the group keeps it for them.

    Raises NotFound, NotAllowed.
    """
    group = group_one(viewer, group_id)
    if not may_read_postings(viewer, group):
        raise NotAllowed(_("What was written to this group is read by its managers only."))
    found = Posting.objects.filter(group=group).select_related("decided_by", "group__domain")
    if not may_change(viewer, group):
        found = found.filter(state=PostingState.SENT)
    return found.order_by("-id")


def posting_one(viewer: Viewer, group_id: int, posting_id: int) -> Posting:
    """Raises NotFound, NotAllowed."""
    found = postings_visible_to(viewer, group_id).filter(id=posting_id).first()
    if found is None:
        raise NotFound(_("This posting is not here any more."))
    return found


def postings_page(
    viewer: Viewer, group_id: int, *, shelf: str = "", words: str = "", before: int = 0, size: int = PER_PAGE
) -> tuple[list[Posting], str]:
    """Newest first, and `before` of the next page ("" at the end). shelf: a key of SHELVES."""
    found = postings_visible_to(viewer, group_id).filter(state__in=SHELVES.get(shelf, _TAKEN))
    for word in words.replace("\0", "").split():
        found = found.filter(
            Q(subject__icontains=word) | Q(author__icontains=word) | Q(author_name__icontains=word)
        )
    if before:
        found = found.filter(id__lt=before)
    rows = list(found[: size + 1])
    return rows[:size], str(rows[size - 1].id) if len(rows) > size else ""


def shelf_counts(viewer: Viewer, group: Group) -> dict[str, int]:
    rows = postings_visible_to(viewer, group.id).order_by()
    counted: dict[str, int] = rows.aggregate(
        taken=Count("id", filter=Q(state__in=_TAKEN)),
        held=Count("id", filter=Q(state=PostingState.HELD)),
        refused=Count("id", filter=Q(state=PostingState.REFUSED)),
    )
    return counted


def figures_of(postings: list[Posting]) -> dict[int, dict[str, int]]:
    """Posting id -> {"all", "accepted", "delayed", "failed", "delivered"} of its copies; one statement for all."""
    messages = {one.message_id: one.id for one in postings if one.message_id}
    empty = {"all": 0, **dict.fromkeys(COPIES, 0)}
    found = {one.id: dict(empty) for one in postings}
    if not messages:
        return found
    counts: dict[str, Any] = {name: Count("id", filter=test) for name, test in COPIES.items()}
    rows = Delivery.objects.filter(message__in=messages).order_by().values("message_id")
    for row in rows.annotate(all=Count("id"), **counts):
        found[messages[row["message_id"]]] = {name: int(row[name]) for name in ("all", *COPIES)}  # type: ignore[literal-required]
    return found


@dataclass(frozen=True)
class Report:
    """rows: of this page, by id. counts: as in figures_of; following: `at` of the next page, "" at the end."""

    rows: list[Delivery]
    counts: dict[str, int]
    following: str


def posting_report_page(
    viewer: Viewer, group_id: int, posting_id: int, *, show: str = "", at: int = 0, size: int = 100
) -> Report:
    """What became of each member's copy, for managers. show: a key of COPIES, "" = all.

    Raises NotFound, NotAllowed.
    """
    posting = posting_one(viewer, group_id, posting_id)
    if not may_change(viewer, posting.group):
        raise NotAllowed(_("What became of each copy is seen by the group's managers only."))
    counts = figures_of([posting])[posting.id]
    if posting.message_id is None:
        return Report([], counts, "")
    found = Delivery.objects.filter(message=posting.message_id, id__gt=at).order_by("id")
    if show in COPIES:
        found = found.filter(COPIES[show])
    rows = list(found[: size + 1])
    return Report(rows[:size], counts, str(rows[size - 1].id) if len(rows) > size else "")


def copy_state(delivery: Delivery) -> str:
    """The word of ui/UI.md that says most of a copy."""
    if delivery.state == DeliveryState.ACCEPTED and delivery.arrival != Arrival.UNKNOWN:
        return delivery.arrival
    return delivery.state
