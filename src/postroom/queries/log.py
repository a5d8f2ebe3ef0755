"""The log of all mail work (CM-50): lines that were written, beside what deliveries and events say of each recipient.

Three sources with one order, newest first. A source that has read enough says how far down it is whole (`floor`): the
page ends there and the next one goes on.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Q

from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.mask import mask_address, mask_words
from postroom.mail.report import Kind
from postroom.mail.token import tokens_in
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport, LogLine
from postroom.models.message import Message
from postroom.models.profile import Right
from postroom.queries.account import accounts_visible_to
from postroom.queries.log_line import ORDER, Line, LogFilter, Place, Search, Some, hides
from postroom.queries.log_sent import sent_by_words, sent_lines
from postroom.queries.matching import token_number
from postroom.queries.viewer import Viewer, demand

PAGE = 100
#: Events looked at for a page of trouble.
WINDOW = 5000
#: Deliveries found by an address or an id.
FOUND_MOST = 2000
_BAD_NEWS = (str(Kind.FAILURE), str(Kind.COMPLAINT))


@dataclass(frozen=True, slots=True)
class LogPage:
    """next: where the page after it begins, None at the end. Lines may be fewer than asked for though there is more."""

    lines: list[Line]
    next: Place | None


def log_page(viewer: Viewer, show: LogFilter, *, after: Place | None = None, size: int = PAGE) -> LogPage:
    """A page, newest first. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    search = _search(viewer, show, after, size)
    if search is None:
        return LogPage([], None)
    found = [_written(search), _events(search), sent_lines(search)]
    floors = [one.floor for one in found if one.floor]
    floor = max(floors, default=None)
    lines = sorted((line for one in found for line in one.lines), key=lambda line: line.order, reverse=True)
    if floor is not None:
        lines = [line for line in lines if line.at >= floor]
    shown = [_named(search, line) for line in lines[:size]]
    if len(lines) > size:
        last = lines[size - 1]
        return LogPage(shown, Place(last.at, last.kind, last.number))
    return LogPage(shown, Place(floor) if floor else None)


def log_lines(viewer: Viewer, show: LogFilter, *, most: int) -> Iterator[Line]:
    """All lines, page after page, at most so many. For a file."""
    after: Place | None = None
    while most > 0:
        page = log_page(viewer, show, after=after, size=min(most, 1000))
        yield from page.lines
        most -= len(page.lines)
        if page.next is None:
            return
        after = page.next


def trouble_count(viewer: Viewer, *, most: int = 100) -> int:
    """Warnings and errors written within a day; `most` = or more. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    mine = Q(account=None) | Q(account__in=accounts_visible_to(viewer).order_by().values("id"))
    since = datetime.now(UTC) - timedelta(days=1)
    found = LogLine.objects.filter(mine, workspace=viewer.workspace, at__gte=since).exclude(level="info")
    return found.order_by()[:most].count()


def _search(viewer: Viewer, show: LogFilter, after: Place | None, size: int) -> Search | None:
    seen = accounts_visible_to(viewer).order_by()
    if show.account_id is not None:
        seen = seen.filter(id=show.account_id)
    rows = list(seen.values_list("id", "name", "address"))
    if show.account_id is not None and not rows:
        return None
    search = Search(
        viewer=viewer,
        show=show,
        accounts={number: (name, address) for number, name, address in rows},
        size=size,
        after=after,
    )
    find = show.find.strip().strip("<>").strip()
    return _found(search, find) if find else replace(search, show=replace(show, find=""))


def _found(search: Search, find: str) -> Search:
    """Who or what is meant: an address, else an id."""
    space = search.viewer.workspace.id
    numbers = {number for token in tokens_in(find) if (number := token_number(token)) is not None}
    address = ""
    rows = Delivery.objects.filter(workspace_id=space)
    if "@" in find and not numbers:
        try:
            address = canonical(find)
        except BadAddress:
            address = ""
        if address:
            mine = rows.filter(canonical=address, state_at__isnull=False)
            numbers = set(mine.order_by("-id").values_list("id", flat=True)[:FOUND_MOST])
    # a queue id leads to the Message-ID that stands beside it in a log of the server that gave it
    written = LogLine.objects.filter(workspace_id=space, queue_id=find).exclude(message_id="")
    ids = {find, find.partition("@")[0], *written.values_list("message_id", flat=True)[:20]}
    for token in (token for one in ids for token in tokens_in(one)):
        numbers |= {number} if (number := token_number(token)) is not None else set()
    messages = list(
        Message.objects.filter(workspace_id=space, message_id__in=ids).values_list("id", flat=True)[:100]
    )
    if messages:
        numbers |= set(rows.filter(message__in=messages).values_list("id", flat=True)[:FOUND_MOST])
    known = set(rows.filter(id__in=numbers).values_list("id", flat=True))
    if not known and not address and len(find) >= 5:
        known = sent_by_words(search, find)
    return replace(
        search, address=address or find, words=tuple(ids), deliveries=sorted(known), messages=messages
    )


# --- lines that were written


def _written(search: Search) -> Some:
    rows = LogLine.objects.filter(workspace=search.viewer.workspace)
    mine = Q(account__in=list(search.accounts))
    rows = rows.filter(mine if search.show.account_id is not None else mine | Q(account=None))
    if not search.everywhere:
        ids = list(search.words)
        rows = rows.filter(Q(address=search.address) | Q(message_id__in=ids) | Q(queue_id__in=ids))
    if search.show.trouble:
        rows = rows.exclude(level="info")
    found = rows.filter(_within(search, "log", "at")).order_by("-at", "-id")
    return Some([_written_line(one) for one in found[: search.size + 1]])


def _written_line(one: LogLine) -> Line:
    return Line(
        at=one.at,
        kind="log",
        number=one.id,
        account_id=one.account_id,
        direction=one.direction,
        stage=one.stage,
        level=one.level,
        address=one.address,
        words=one.words,
        message_id=one.message_id,
        queue_id=one.queue_id,
        duration_ms=one.duration_ms,
        source=one.source,
    )


def _within(search: Search, kind: str, name: str) -> Q:
    """After the place where the page before ended, and in the time asked for."""
    found = Q()
    if search.show.since:
        found &= Q(**{f"{name}__gte": search.show.since})
    if search.show.until:
        found &= Q(**{f"{name}__lte": search.show.until})
    after = search.after
    if after is None:
        return found
    if after.kind == kind:
        return found & (Q(**{f"{name}__lt": after.at}) | Q(**{name: after.at, "id__lt": after.number}))
    later = after.kind and ORDER.index(kind) < ORDER.index(after.kind)
    return found & Q(**{f"{name}__lte" if later else f"{name}__lt": after.at})


# --- what came in


def _events(search: Search) -> Some:
    rows = Event.objects.filter(workspace=search.viewer.workspace).exclude(kind="")
    mine = Q(account__in=list(search.accounts))
    rows = rows.filter(mine if search.show.account_id is not None else mine | Q(account=None))
    if not search.everywhere:
        reports = Q(delivery__in=search.deliveries) | Q(recipient=search.address)
        spoken = EventReport.objects.filter(reports, workspace=search.viewer.workspace)
        ids = list(spoken.order_by("-id").values_list("event_id", flat=True)[:FOUND_MOST])
        rows = rows.filter(Q(id__in=ids) | Q(message__in=search.messages))
    rows = rows.filter(_within(search, "event", "received_at")).order_by("-received_at", "-id")
    looked = WINDOW if search.show.trouble and search.everywhere else search.size + 1
    some = list(rows.only("id", "kind", "error", "received_at")[:looked])
    floor = some[-1].received_at if len(some) == looked > search.size + 1 else None
    if search.show.trouble:
        some = [one for one in some if one.kind in _BAD_NEWS or one.error]
    shown = [one.id for one in some[: search.size + 1]]
    found = (
        Event.objects.filter(id__in=shown).select_related("campaign").prefetch_related("reports__delivery")
    )
    return Some([_event_line(search, one) for one in found], floor)


def _event_line(search: Search, one: Event) -> Line:
    report = next(iter(sorted(one.reports.all(), key=lambda report: report.id)), None)
    address = report.recipient if report else ""
    words = one.error or (report.words if report else "")
    if report and report.delivery and not address:
        address = report.delivery.address
    if hides(search, one.campaign_id):
        words, address = mask_words(words, address), mask_address(address) if address else ""
    return Line(
        at=one.received_at,
        kind="event",
        number=one.id,
        account_id=one.account_id,
        direction="in",
        stage=one.kind,
        level="error" if one.error else "warning" if one.kind in _BAD_NEWS else "info",
        address=address or one.from_address,
        words=" ".join(words.split())[:500],
        campaign_id=one.campaign_id,
    )


def _named(search: Search, line: Line) -> Line:
    name, address = search.accounts.get(line.account_id or 0, ("", ""))
    return replace(line, account=name, account_address=address)
