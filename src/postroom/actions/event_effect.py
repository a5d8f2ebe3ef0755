"""The effects of a chunk of events on deliveries, figures, suppressions and messages, applied with few statements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model
from django.utils import timezone

from postroom.actions.account_tag import tag_told
from postroom.actions.doubt import DOUBT_REASONS
from postroom.actions.figures import LANES, figures_add
from postroom.actions.mailbox_letter import letter_message
from postroom.actions.posting_news import news_note
from postroom.actions.webhook_tell import deliveries_tell
from postroom.mail.letter import Read
from postroom.mail.report import Kind, Recognised, Report
from postroom.mail.settle import Standing, Strength, Told, reading_of, settled, suppresses
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.message import Message
from postroom.models.suppression import Suppression
from postroom.queries.matching import (
    Found,
    ingress_purpose,
    is_of_one,
    likely_match,
    sibling_match,
    tag_tried,
)

#: Kinds that are a message for people to read, not (only) a report.
LETTERS = {Kind.REPLY, Kind.OTHER, Kind.SUBSCRIBE}
_ACTION_KIND = {
    "failed": Kind.FAILURE,
    "delivered": Kind.DELIVERED,
    "relayed": Kind.RELAYED,
    "expanded": Kind.EXPANDED,
    "delayed": Kind.DELAYED,
}

_EVENT_FIELDS = ("kind", "subject", "from_address", "strength", "campaign", "workspace", "message")
_DELIVERY_FIELDS = (
    *("state", "trouble", "state_at", "tries", "words", "code", "reason", "bounce_class", "retry_at"),
    *("arrival", "arrival_at", "reading", "reading_at", "unsubscribed_at", "replied_at"),
)


class Effects:
    """Collects what a chunk of events does; deliveries are locked as they are found, in the caller's transaction."""

    def __init__(self) -> None:
        self._deliveries: dict[int, Delivery] = {}
        self._before: dict[int, Standing] = {}
        self._was_unsubscribed: dict[int, bool] = {}
        self._was_replied: dict[int, bool] = {}
        self._events: list[Event] = []
        self._reports: list[EventReport] = []
        self._messages: list[Message] = []
        self._types: dict[int | None, int | None] = {}
        self._suppressions: list[Suppression] = []
        self._now: datetime = timezone.now()
        #: Mails for people among the events, as they were read.
        self.letters: list[tuple[Event, Message, Read]] = []

    def add(
        self,
        event: Event,
        seen: Recognised,
        found: Found | None,
        *,
        letter: Callable[[], Read],
        size_bytes: int = 0,
        at: datetime | None = None,
    ) -> None:
        """Note what one event changes. found: its signed match; letter: reads the mail, should it be one for people.

        at: when it came into its mailbox; None = as it says itself.
        """
        seen = _storable(seen)
        if event.account_id is not None and (tried := tag_tried(seen)) is not None:
            tag_told(account_id=event.account_id, number=tried[0], works=tried[1])
            event.kind, event.subject = str(seen.kind), seen.subject[:998]
            self._events.append(event)  # our own test: no message for people, no report
            return
        delivery = self._lock(found.delivery_id) if found else None
        kind = seen.kind
        if ingress_purpose(event.envelope_to)[0] == "unsubscribe" and not seen.reports:
            kind = Kind.UNSUBSCRIBE  # a mail to the unsubscribe address asks for it, whatever it says
        if kind is Kind.OTHER and event.source in ("smtp", "lmtp") and not event.envelope_from and found:
            kind = Kind.FAILURE  # the null path wrote to our return path: a failure, in words we do not know
        if delivery is not None and event.workspace_id not in (None, delivery.workspace_id):
            # A mailbox that two firms use is read once: a report belongs to whose mail it speaks of, a letter stays.
            if kind in LETTERS or kind is Kind.AUTO_REPLY:
                found = delivery = None
            else:
                event.workspace_id = delivery.workspace_id
        event.kind = str(kind)
        event.subject = seen.subject[:998].replace("\0", "")
        event.from_address = seen.from_address[:254].replace("\0", "")
        reports = seen.reports or (None,)
        for report in reports if (seen.reports or delivery or kind not in LETTERS) else ():
            self._report(event, seen, kind, report, delivery, found.found_by if found else "")
        if kind in LETTERS or (kind is Kind.AUTO_REPLY and delivery is None):
            self._letter(event, letter(), delivery, size_bytes, at)
        self._events.append(event)

    def lock(self, delivery_ids: Collection[int]) -> None:
        """Take the deliveries that the chunk is known to speak of: one statement, always in the same order."""
        wanted = [number for number in delivery_ids if number not in self._deliveries]
        if not wanted:
            return
        for delivery in Delivery.objects.select_for_update().filter(id__in=wanted).order_by("id"):
            self._deliveries[delivery.id] = delivery
            self._before[delivery.id] = Standing(delivery.state, delivery.arrival, delivery.reading)
            self._was_unsubscribed[delivery.id] = delivery.unsubscribed_at is not None
            self._was_replied[delivery.id] = delivery.replied_at is not None

    def _lock(self, delivery_id: int) -> Delivery | None:
        self.lock([delivery_id])
        return self._deliveries.get(delivery_id)

    def _report(
        self,
        event: Event,
        seen: Recognised,
        kind: Kind,
        report: Report | None,
        delivery: Delivery | None,
        found_by: str,
    ) -> None:
        strength = Strength.SIGNED if delivery is not None else Strength.NONE
        if delivery is not None and not is_of_one(delivery, found_by):
            who = report.recipient if report is not None else seen.from_address
            other = sibling_match(delivery, who)
            strength = Strength.LIKELY if other is None and report is not None else Strength.NAMED
            if other is not None and other.id != delivery.id:
                delivery, found_by = self._lock(other.id), "recipient"
        elif report is not None and delivery is not None and len(seen.reports) > 1:
            other = sibling_match(delivery, report.recipient)
            if other is not None and other.id != delivery.id:
                delivery, strength, found_by = self._lock(other.id), Strength.NAMED, "recipient"
        recipient = report.recipient if report is not None else seen.from_address
        if delivery is None and kind not in LETTERS and kind is not Kind.AUTO_REPLY:
            guess = likely_match(event.workspace_id, recipient)
            if guess is not None:
                delivery, strength, found_by = guess, Strength.LIKELY, "recipient"
        told = _told(seen, kind, report, strength)
        if delivery is not None and strength is not Strength.LIKELY:
            self._tell(event, delivery, told, report)
        self._reports.append(_row(event, seen, told, report, recipient, delivery, found_by))
        if delivery is not None:
            event.campaign_id = event.campaign_id or delivery.campaign_id
            event.workspace_id = event.workspace_id or delivery.workspace_id
            event.strength = str(strength)

    def _tell(self, event: Event, delivery: Delivery, told: Told, report: Report | None) -> None:
        before = Standing(delivery.state, delivery.arrival, delivery.reading)
        if delivery.state == "deferred" and delivery.retry_at and delivery.reason in DOUBT_REASONS:
            # it waits for another try because of doubt: proof that it arrived makes the try needless
            proved = settled(Standing("uncertain", delivery.arrival, delivery.reading), told)
            after = proved if proved.state == "accepted" else settled(before, told)
        else:
            after = settled(before, told)
        if after.state != before.state:
            delivery.retry_at = None
            delivery.tries = [
                *delivery.tries,
                {
                    "at": delivery.state_at.isoformat() if delivery.state_at else None,
                    "kind": delivery.state,
                    "code": delivery.code,
                    "words": delivery.words,
                },
            ]
            delivery.state, delivery.state_at = after.state, self._now
            delivery.trouble = None if after.state == "accepted" else after.state
            delivery.words, delivery.code = "", 0
            if report is not None and after.state == "failed":
                delivery.words, delivery.reason = report.words[:2000], report.reason
        if after.arrival != before.arrival:
            delivery.arrival, delivery.arrival_at = after.arrival, self._now
            if after.arrival == "bounced" and report is not None:
                delivery.bounce_class = str(report.bounce_class)
                delivery.reason = delivery.reason or report.reason
        if after.reading != before.reading:
            delivery.reading, delivery.reading_at = after.reading, self._now
        if told.kind is Kind.UNSUBSCRIBE and told.strength is Strength.SIGNED:
            delivery.unsubscribed_at = delivery.unsubscribed_at or self._now
        if told.kind is Kind.REPLY:
            delivery.replied_at = delivery.replied_at or self._now
        source = suppresses(told)
        if source and delivery.campaign_id is not None:
            self._suppressions.append(
                Suppression(
                    workspace_id=delivery.workspace_id,
                    form="address",
                    value=delivery.canonical,
                    source=source,
                    why=(report.words if report is not None else event.subject)[:1000],
                    event=event,
                )
            )

    def _letter(
        self, event: Event, read: Read, delivery: Delivery | None, size_bytes: int, at: datetime | None
    ) -> None:
        message = letter_message(
            read,
            workspace_id=event.workspace_id or (delivery.workspace_id if delivery else None),
            account_id=event.account_id,
            raw_id=event.raw_id,
            size_bytes=size_bytes,
            at=at,
        )
        if delivery is not None:
            message.purpose, message.delivery, message.campaign_id = "reply", delivery, delivery.campaign_id
        message.type_id = self._type_in(event.account_id)
        event.message = message
        self._messages.append(message)
        self.letters.append((event, message, read))

    def _type_in(self, account_id: int | None) -> int | None:
        """The account's default type of incoming mail, unless that type was deleted (CM-24)."""
        if account_id is None:
            return None
        if account_id not in self._types:
            kept = Account.objects.filter(id=account_id, type_in__deleted_at=None)
            self._types[account_id] = kept.values_list("type_in_id", flat=True).first()
        return self._types[account_id]

    def apply(self) -> None:
        """Write it all. Figures change by what really changed, so a repeated report counts once."""
        Message.objects.bulk_create(self._messages)
        for event in self._events:
            if event.message is not None:
                event.message_id = event.message.id
        _write(Event, _EVENT_FIELDS, self._events)
        EventReport.objects.bulk_create(self._reports)
        changed = [d for d in self._deliveries.values() if self._is_changed(d)]
        _write(Delivery, _DELIVERY_FIELDS, changed)
        news_note([delivery.id for delivery in changed if delivery.message_id is not None])
        self._count(changed)
        deliveries_tell([pair for delivery in changed for pair in self._news(delivery)])
        self._suppress()

    def _is_changed(self, delivery: Delivery) -> bool:
        return (
            self._before[delivery.id] != Standing(delivery.state, delivery.arrival, delivery.reading)
            or self._was_unsubscribed[delivery.id] != (delivery.unsubscribed_at is not None)
            or self._was_replied[delivery.id] != (delivery.replied_at is not None)
        )

    def _news(self, delivery: Delivery) -> list[tuple[int, str]]:
        """What is told of it: the words it has now and had not before."""
        before = self._before[delivery.id]
        words = [
            after
            for was, after in (
                (before.state, delivery.state),
                (before.arrival, delivery.arrival),
                (before.reading, delivery.reading),
            )
            if was != after
        ]
        if delivery.unsubscribed_at is not None and not self._was_unsubscribed[delivery.id]:
            words.append("unsubscribed")
        if delivery.replied_at is not None and not self._was_replied[delivery.id]:
            words.append("replied")
        return [(delivery.id, str(word)) for word in words]

    def _count(self, changed: list[Delivery]) -> None:
        sums: dict[tuple[int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for delivery in changed:
            if delivery.campaign_id is None:
                continue
            counts = sums[(delivery.campaign_id, delivery.id % LANES)]
            before = self._before[delivery.id]
            for old, new, empty in (
                (before.state, delivery.state, ""),
                (before.arrival, delivery.arrival, "unknown"),
                (before.reading, delivery.reading, "none"),
            ):
                if old != new:
                    if old != empty:
                        counts[old] -= 1
                    counts[new] += 1
            counts["unsubscribed"] += delivery.unsubscribed_at is not None
            counts["unsubscribed"] -= self._was_unsubscribed[delivery.id]
            counts["replied"] += delivery.replied_at is not None
            counts["replied"] -= self._was_replied[delivery.id]
        for (campaign_id, lane), counts in sorted(sums.items()):
            figures_add(campaign_id, dict(counts), lane=lane)

    def _suppress(self) -> None:
        if not self._suppressions:
            return
        Suppression.objects.bulk_create(self._suppressions, ignore_conflicts=True)
        with connection.cursor() as cursor:
            for workspace_id in sorted({entry.workspace_id for entry in self._suppressions}):
                cursor.execute("SELECT pg_notify('postroom_suppression', %s)", [str(workspace_id)])


def _write(model: type[Model], names: Sequence[str], rows: Sequence[Model]) -> None:
    """Update these columns of the rows, pipelined: bulk_update takes ten times as long to write its statement."""
    fields = [cast("Field[Any, Any]", model._meta.get_field(name)) for name in names]
    sets = ", ".join(f"{field.column} = %s" for field in fields)
    values = [
        (*(f.get_db_prep_save(getattr(row, f.attname), connection) for f in fields), row.pk) for row in rows
    ]
    if values:
        with connection.cursor() as cursor:
            cursor.executemany(f"UPDATE {model._meta.db_table} SET {sets} WHERE id = %s", values)


def _storable(seen: Recognised) -> Recognised:
    """The same with every text as PostgreSQL takes it: without NUL and lone surrogates."""
    reports = tuple(replace(report, **_clean(report)) for report in seen.reports)
    return replace(seen, reports=reports, **_clean(seen))


def _clean(told: Report | Recognised) -> dict[str, Any]:
    """The texts of it that must change, by name."""
    changed: dict[str, Any] = {}
    for field in fields(told):
        value = getattr(told, field.name)
        if type(value) is str and (clean := _text(value)) != value:
            changed[field.name] = clean
        elif field.name == "to":
            changed["to"] = tuple(map(_text, value))
    return changed


def _text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _told(seen: Recognised, kind: Kind, report: Report | None, strength: Strength) -> Told:
    automatic = bool(seen.disposition) and kind not in (Kind.READ, Kind.DELETED)
    if report is None:
        return Told(kind, strength, heuristic=seen.heuristic, automatic=automatic)
    return Told(
        kind=_ACTION_KIND.get(report.action, kind),
        strength=strength,
        heuristic=seen.heuristic,
        automatic=automatic,
        permanent=report.permanent,
        bounce_class=report.bounce_class,
    )


def _row(
    event: Event,
    seen: Recognised,
    told: Told,
    report: Report | None,
    recipient: str,
    delivery: Delivery | None,
    found_by: str,
) -> EventReport:
    row = EventReport(
        event=event,
        workspace_id=event.workspace_id or (delivery.workspace_id if delivery else None),
        delivery=delivery,
        kind=reading_of(told) if told.automatic else str(told.kind),
        strength=str(told.strength),
        found_by=found_by,
        recipient=recipient[:254].replace("\0", ""),
        disposition=seen.disposition[:200].replace("\0", ""),
    )
    if report is not None:
        row.action, row.status = report.action[:12], report.status[:12]
        row.code, row.reason = report.smtp_code[:3], report.reason[:40]
        row.bounce_class = str(report.bounce_class)
        row.words = report.words[:4000].replace("\0", "")
    return row
