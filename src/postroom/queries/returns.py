"""The common list of returned addresses (AR-02): whoever's mailbox it came to, whoever sent the mail."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from postroom.mail.mask import mask_address, mask_words
from postroom.mail.report import Kind
from postroom.models.event import EventReport
from postroom.models.profile import Right
from postroom.queries.masking import is_masked
from postroom.queries.viewer import Viewer, demand

PAGE = 100
#: What each report says for good, or for now.
KINDS = (str(Kind.FAILURE), str(Kind.DELAYED), str(Kind.COMPLAINT))


@dataclass(frozen=True, slots=True)
class ReturnsFilter:
    """find: in the address or the server's words; bounce_class: see mail/bounce.py; the rest: ids, aware times."""

    find: str = ""
    bounce_class: str = ""
    account_id: int | None = None
    campaign_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """One report. folder: of the mailbox in which it lay, "" = it came to the bounce domain."""

    id: int
    at: datetime
    address: str
    kind: str
    bounce_class: str
    code: str
    status: str
    words: str
    campaign_id: int | None
    campaign: str
    account: str
    folder: str


def returns_page(
    viewer: Viewer, show: ReturnsFilter, *, before: int = 0, size: int = PAGE
) -> tuple[list[Returned], int]:
    """Newest first, and the id to go on before; 0 = there is no more. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    rows = _filtered(viewer, show)
    if before:
        rows = rows.filter(id__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    hidden: dict[int, bool] = {}
    shown = [_returned(viewer, one, hidden) for one in found[:size]]
    if show.find:  # what is hidden is not confirmed either
        shown = [one for one in shown if not hidden.get(one.campaign_id or 0)]
    return shown, found[size - 1].id if len(found) > size else 0


def _filtered(viewer: Viewer, show: ReturnsFilter) -> "QuerySet[EventReport]":
    rows = EventReport.objects.filter(workspace=viewer.workspace, kind__in=KINDS)
    if show.find:
        rows = rows.filter(Q(recipient__icontains=show.find) | Q(words__icontains=show.find))
    if show.bounce_class:
        rows = rows.filter(bounce_class=show.bounce_class)
    if show.account_id is not None:
        rows = rows.filter(event__account_id=show.account_id)
    if show.campaign_id is not None:
        rows = rows.filter(delivery__campaign_id=show.campaign_id)
    if show.since:
        rows = rows.filter(at__gte=show.since)
    if show.until:
        rows = rows.filter(at__lte=show.until)
    return rows.select_related("event__account", "delivery__campaign")


def _returned(viewer: Viewer, one: EventReport, hidden: dict[int, bool]) -> Returned:
    campaign = one.delivery.campaign if one.delivery else None
    address = one.recipient or (one.delivery.address if one.delivery else "")
    words = " ".join(one.words.split())
    if campaign is not None and hidden.setdefault(campaign.id, is_masked(viewer, campaign)):
        address, words = mask_address(address), mask_words(words, address)
    return Returned(
        id=one.id,
        at=one.at,
        address=address,
        kind=one.kind,
        bounce_class=one.bounce_class,
        code=one.code,
        status=one.status,
        words=words,
        campaign_id=campaign.id if campaign else None,
        campaign=campaign.name if campaign else "",
        account=one.event.account.address if one.event.account else "",
        folder=one.event.folder,
    )
