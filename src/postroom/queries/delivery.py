"""Who got it: a campaign's recipients row by row, and everything known about one of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from postroom.errors import NotAllowed, NotFound
from postroom.mail.fold import fold
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.profile import May, Right
from postroom.models.search import SearchNoun
from postroom.queries.campaign import campaigns_visible_to
from postroom.queries.masking import delivery_masked, entry_masked, is_masked
from postroom.queries.search_grams import things_holding
from postroom.queries.sharing import demand_may
from postroom.queries.viewer import Viewer, demand

PAGE = 50
#: More people than that are not looked up one by one: among the rows in order they come soon.
KNOWN_MAX = 2_000

#: Filter name -> rows. `not_reached`: nobody can say it arrived.
FILTERS: dict[str, Q] = {
    "all": Q(),
    "queued": Q(state="queued"),
    "accepted": Q(state="accepted"),
    "deferred": Q(trouble="deferred"),
    "failed": Q(trouble="failed"),
    "uncertain": Q(trouble="uncertain"),
    "skipped": Q(trouble="skipped"),
    "not_reached": Q(trouble="failed") | Q(arrival="bounced"),
    "delivered": Q(arrival="delivered"),
    "relayed": Q(arrival="relayed"),
    "expanded": Q(arrival="expanded"),
    "delayed": Q(arrival="delayed"),
    "bounced": Q(arrival="bounced"),
    "no_report": Q(state="accepted", arrival="unknown"),
    "displayed": Q(reading="displayed"),
    "heuristic": Q(reading="heuristic"),
    "deleted_unread": Q(reading="deleted_unread"),
    "automatic": Q(reading="automatic"),
    "no_answer": Q(state="accepted", reading="none"),
    "unsubscribed": Q(unsubscribed_at__isnull=False),
    "replied": Q(replied_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Page:
    """rows: at most PAGE; after: position to go on from, None at the end; masked: the people are not shown.

    quick: the search knew people as they are today, and whole addresses; rows may hold an older name or address.
    """

    rows: list[Delivery]
    after: int | None
    masked: bool = False
    quick: bool = False


def deliveries_page(
    viewer: Viewer,
    campaign: Campaign,
    *,
    show: str = "all",
    search: str = "",
    after: int = 0,
    every: bool = True,
) -> Page:
    """Rows of a campaign the caller was allowed to see, by position. Raises NotFound for an unknown filter.

    Who may not see the people of its lists gets masked rows, and no search: it would tell who is among them.
    every: compare every row with the search; otherwise only those of people found by it where they are few (`quick`).
    """
    hidden = is_masked(viewer, campaign)
    words = "" if hidden else search.strip()
    known = _known(campaign, words) if words and not every else None
    rows = _filtered(campaign, show, "" if known is not None else words).filter(position__gt=after)
    if known is not None:
        rows = rows.filter(id__in=known)
    found = list(rows.order_by("position")[: PAGE + 1])
    more = len(found) > PAGE
    shown = [delivery_masked(row) if hidden else row for row in found[:PAGE]]
    return Page(shown, shown[-1].position if more else None, hidden, known is not None)


def _filtered(campaign: Campaign, show: str, search: str) -> "QuerySet[Delivery]":
    if show not in FILTERS:
        raise NotFound("There is no such filter.")
    if show == "queued" and campaign.state == CampaignState.FINISHED:
        return Delivery.objects.none()  # no index holds the state: all rows would be read to find none
    rows = Delivery.objects.filter(FILTERS[show], campaign=campaign)
    if search.strip():
        folded = fold(search.strip())
        rows = rows.filter(
            Q(canonical__contains=search.strip().lower())
            | Q(contact_id__in=_contacts(campaign, folded))
            | Q(name__icontains=search.strip())
        )
    return rows


def _known(campaign: Campaign, words: str) -> list[int] | None:
    """Ids of the campaign's rows to people found by these words; None when those are many.

    Rows whose person was deleted, or was written to under another address, are compared by themselves.
    """
    people = list(_contacts(campaign, fold(words))[: KNOWN_MAX + 1])
    if len(people) > KNOWN_MAX:
        return None
    rows = Delivery.objects.filter(campaign=campaign)
    loose = Q(contact=None) | Q(primary_canonical__isnull=False)
    looks = (
        Q(contact__in=[one["contact_id"] for one in people]),
        Q(canonical=words.lower(), workspace=campaign.workspace_id),
        loose & (Q(canonical__contains=words.lower()) | Q(name__icontains=words)),
    )
    found: set[int] = set()
    for look in looks:
        found.update(rows.filter(look).order_by().values_list("id", flat=True)[:KNOWN_MAX])
    return sorted(found)


def _contacts(campaign: Campaign, folded: str) -> "QuerySet[Any]":
    from postroom.models.contact import ContactSearch

    found = ContactSearch.objects.filter(workspace_id=campaign.workspace_id, text__contains=folded)
    known = things_holding(SearchNoun.CONTACT, campaign.workspace_id, folded.split())
    if known is not None:
        found = found.filter(contact_id__in=known)
    return found.values("contact_id")


def deliveries_stream(
    viewer: Viewer, campaign: Campaign, *, show: str = "all", search: str = ""
) -> Iterator[Delivery]:
    """All rows of a filter, for an export, read in portions.

    Raises NotAllowed without "export" on the campaign. Masked where a list of it may not be taken out.
    """
    demand_may(viewer, campaign, May.EXPORT)
    hidden = is_masked(viewer, campaign, May.EXPORT)
    if not hidden:
        demand(viewer, Right.CONTACTS_EXPORT)
    rows = _filtered(campaign, show, "" if hidden else search).order_by("position")
    return (delivery_masked(row) if hidden else row for row in rows.iterator(chunk_size=2000))


def delivery_visible_to(viewer: Viewer, delivery_id: int) -> Delivery:
    """One row, masked where its people are not shown to the viewer. Raises NotFound."""
    delivery = _delivery(viewer, delivery_id)
    return delivery_masked(delivery) if is_masked(viewer, delivery.campaign) else delivery


def _delivery(viewer: Viewer, delivery_id: int) -> Delivery:
    rows = Delivery.objects.select_related("campaign", "message").filter(workspace=viewer.workspace)
    found = rows.filter(id=delivery_id).first()
    if found is None or not _seen(viewer, found):
        raise NotFound("There is no such recipient.")
    return found


def _seen(viewer: Viewer, delivery: Delivery) -> bool:
    """A row of a campaign the viewer sees, or of a single message of their own."""
    if delivery.campaign_id:
        return campaigns_visible_to(viewer).filter(id=delivery.campaign_id).exists()
    message = delivery.message
    return viewer.manages or (message is not None and message.user_id == viewer.user.id)


def neighbours(delivery: Delivery) -> tuple[int | None, int | None]:
    """Ids of the rows before and after it in its campaign."""
    if delivery.campaign_id is None:
        return None, None
    rows = Delivery.objects.filter(campaign_id=delivery.campaign_id)
    before = rows.filter(position__lt=delivery.position).order_by("-position").values_list("id", flat=True)
    after = rows.filter(position__gt=delivery.position).order_by("position").values_list("id", flat=True)
    return before.first(), after.first()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a delivery.

    what: a state, arrival or reading word, or reply, auto_reply, unsubscribe, complaint. words: the server's own.
    event_id: the raw mail behind it, None for an SMTP answer. number: which try.
    """

    what: str
    at: datetime | None
    words: str = ""
    number: int = 0
    event_id: int | None = None
    strength: str = ""
    by: str = ""
    decided: str = ""
    detail: dict[str, Any] = field(default_factory=dict)


_WHAT = {"failure": "bounced", "read": "displayed", "deleted": "deleted_unread"}


def timeline_visible_to(viewer: Viewer, delivery_id: int) -> list[Entry]:
    """`timeline` of a row, masked where its people are not shown to the viewer. Raises NotFound."""
    delivery = _delivery(viewer, delivery_id)
    entries = timeline(delivery)
    if is_masked(viewer, delivery.campaign):
        return [entry_masked(entry, delivery) for entry in entries]
    return entries


def timeline(delivery: Delivery) -> list[Entry]:
    """What happened, oldest first: the tries with the server's words, then what came back."""
    entries: list[Entry] = []
    number = 0
    for earlier in delivery.tries:
        number += 1
        entries.append(
            Entry(
                what=str(earlier.get("kind", "deferred")),
                at=_moment(earlier.get("at")),
                words=_words(earlier.get("code"), earlier.get("words")),
                number=number,
                by=str(earlier.get("by", "")),
                decided=str(earlier.get("decided", "")),
            )
        )
    if delivery.state != "queued":
        entries.append(
            Entry(
                what=delivery.state,
                at=delivery.state_at,
                words=_words(delivery.code, delivery.words),
                number=max(delivery.attempts, number + 1) if delivery.attempts else 0,
                detail={"reason": delivery.reason, "retry_at": delivery.retry_at},
            )
        )
    for report in EventReport.objects.filter(delivery=delivery).select_related("event").order_by("at", "id"):
        what = _WHAT.get(report.kind, report.kind)
        if report.kind == "read" and report.event.kind == "read" and delivery.reading == "heuristic":
            what = "heuristic"
        entries.append(
            Entry(
                what=what,
                at=report.at,
                words=_report_words(report),
                event_id=report.event_id,
                strength=report.strength,
                detail={
                    "found_by": report.found_by,
                    "reason": report.reason,
                    "subject": report.event.subject,
                },
            )
        )
    if delivery.unsubscribed_at and not any(entry.what == "unsubscribe" for entry in entries):
        entries.append(Entry(what="unsubscribe", at=delivery.unsubscribed_at))
    return sorted(entries, key=_order(entries))


def _order(entries: list[Entry]) -> Callable[[Entry], tuple[float, int]]:
    """By time; but what a report says of a message follows its acceptance, which is noted a moment later."""
    reported = min((e.at.timestamp() for e in entries if e.event_id and e.at), default=None)

    def key(entry: Entry) -> tuple[float, int]:
        at = entry.at.timestamp() if entry.at else 0.0
        if entry.what == "accepted" and reported is not None and at - reported < 10:
            at = min(at, reported)
        return at, int(entry.event_id is not None)

    return key


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _words(code: object, words: object) -> str:
    return f"{code or ''} {words or ''}".strip()


def _report_words(report: EventReport) -> str:
    if report.disposition:
        return report.disposition
    parts = []
    if report.action:
        parts.append(f"Action: {report.action}")
    if report.status:
        parts.append(f"Status: {report.status}")
    head = " · ".join(parts)
    return "\n".join(part for part in (head, report.words) if part)


def event_visible_to(viewer: Viewer, event_id: int) -> Event:
    """A mail that came in, with its raw bytes behind `raw_id`: to one's own account, or about a campaign one sees.

    Raises NotFound; NotAllowed when it names people who are not shown to the viewer.
    """
    event = Event.objects.filter(id=event_id, workspace=viewer.workspace).select_related("account").first()
    if event is None:
        raise NotFound("There is no such report.")
    reports = EventReport.objects.filter(event=event).select_related(
        "delivery__campaign", "delivery__message"
    )
    about = [report.delivery for report in reports if report.delivery]
    if any(is_masked(viewer, delivery.campaign) for delivery in about):
        raise NotAllowed(_("You may write to these people, but not see who they are."))
    mine = event.account is not None and event.account.owner_id == viewer.user.id
    if not (viewer.manages or mine or any(_seen(viewer, delivery) for delivery in about)):
        raise NotFound("There is no such report.")
    return event
