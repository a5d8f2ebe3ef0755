"""Everything that came in: raw bytes first, then what they mean (DESIGN section 5)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import InterfaceError, OperationalError, transaction

from postroom.actions.blob import blobs_commit, blobs_write
from postroom.actions.conversation_join import conversations_join
from postroom.actions.event_effect import Effects
from postroom.actions.posting_mailbox import postings_take
from postroom.mail.letter import letter_read
from postroom.mail.recognise import recognise
from postroom.mail.report import Kind
from postroom.models.account import Collector
from postroom.models.delivery import Delivery
from postroom.models.event import Event
from postroom.models.mailbox import Placement
from postroom.queries.blob import blobs_read
from postroom.queries.matching import ingress_purpose, is_ours, signed_match

log = logging.getLogger("postroom.event")

#: Events whose effects are committed together.
CHUNK = 100


def ingress_accepts(address: str) -> bool:
    """Whether the ingress takes mail for this envelope recipient: it carries a token of ours."""
    return ingress_purpose(address)[1] is not None


def event_store_imap(
    *, collector: Collector, uidvalidity: int, items: Sequence[tuple[int, bytes]]
) -> list[int]:
    """Store what was fetched: bytes, then rows and the watermark in one transaction. Ids of the new events.

    items: (UID, raw). UIDs that are known already are passed over.
    """
    blobs = blobs_write([raw for _, raw in items])
    with transaction.atomic():
        blobs_commit(blobs)
        known = set(
            Event.objects.filter(
                source="imap",
                account_id=collector.account_id,
                folder=collector.folder,
                uidvalidity=uidvalidity,
                uid__in=[uid for uid, _ in items],
            ).values_list("uid", flat=True)
        )
        rows = Event.objects.bulk_create(
            [
                Event(
                    workspace_id=collector.account.workspace_id,
                    account_id=collector.account_id,
                    collector=collector,
                    folder=collector.folder,
                    uidvalidity=uidvalidity,
                    uid=uid,
                    raw_id=blob.sha256,
                    source="imap",
                )
                for (uid, _), blob in zip(items, blobs, strict=True)
                if uid not in known
            ]
        )
        if items:
            Collector.objects.filter(id=collector.id).update(
                uidvalidity=uidvalidity, last_uid=max(uid for uid, _ in items)
            )
    return [row.id for row in rows]


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail for one envelope recipient. source: smtp or lmtp. workspace_id: whose it is where no token tells."""

    envelope_from: str
    envelope_to: str
    raw: bytes
    source: str
    workspace_id: int | None = None


def events_store_smtp(mails: Sequence[Incoming]) -> list[int]:
    """Store mails that the ingress took, all or none. The bytes are safe when this returns; ids in the same order."""
    if not mails:
        return []
    blobs = blobs_write([mail.raw for mail in mails])
    numbers = [ingress_purpose(mail.envelope_to)[1] for mail in mails]
    with transaction.atomic():
        known = Delivery.objects.filter(id__in={number for number in numbers if number is not None})
        workspaces = dict(known.values_list("id", "workspace_id"))
        blobs_commit(blobs)
        rows = Event.objects.bulk_create(
            Event(
                workspace_id=workspaces.get(number) if number is not None else mail.workspace_id,
                raw_id=blob.sha256,
                source=mail.source,
                envelope_from=mail.envelope_from[:254],
                envelope_to=mail.envelope_to[:254],
            )
            for mail, blob, number in zip(mails, blobs, numbers, strict=True)
        )
    return [row.id for row in rows]


def event_store_smtp(*, envelope_from: str, envelope_to: str, raw: bytes, source: str) -> int:
    """`events_store_smtp` for one mail."""
    return events_store_smtp([Incoming(envelope_from, envelope_to, raw, source)])[0]


def events_process(ids: Sequence[int]) -> None:
    """Recognise, match, settle, suppress and count. Never raises for a bad mail: its row keeps the error.

    An event is looked at once; repeating the call changes nothing.
    """
    for begin in range(0, len(ids), CHUNK):
        chunk = ids[begin : begin + CHUNK]
        try:
            _process(chunk)
        except (
            OperationalError,
            InterfaceError,
        ):  # the database is away, not the mail bad: the caller comes again
            raise
        except Exception:
            log.exception("a chunk of %d events failed; trying them one by one", len(chunk))
            for event_id in chunk:
                _process_alone(event_id)


def _process_alone(event_id: int) -> None:
    try:
        _process([event_id])
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("event %d cannot be processed", event_id)
        Event.objects.filter(id=event_id, kind="").update(
            kind="other", error=f"{type(error).__name__}: {error}"[:500]
        )


@transaction.atomic
def _process(ids: Sequence[int]) -> None:
    events = list(
        Event.objects.select_for_update(skip_locked=True).filter(id__in=ids, kind="").order_by("id")
    )
    effects = Effects()
    raws = blobs_read([event.raw_id for event in events])
    seen = [recognise(raws[event.raw_id], our_message_ids=is_ours) for event in events]
    found = [signed_match(event.envelope_to, mail) for event, mail in zip(events, seen, strict=True)]
    posted = postings_take(events, raws, seen, found)
    effects.lock({match.delivery_id for match in found if match})
    for event, mail, match in zip(events, seen, found, strict=True):
        if event.id in posted:
            continue
        raw = raws[event.raw_id]
        effects.add(event, mail, match, letter=partial(letter_read, raw), size_bytes=len(raw))
    effects.apply()
    letters_join(effects)


def letters_join(effects: Effects) -> None:
    """Mails for people get their place in the mailbox they came from, and their conversation.

    What a program answered opens none (RFC 3834).
    """
    Placement.objects.bulk_create(
        [
            Placement(
                folder_id=event.collector_id, uidvalidity=event.uidvalidity, uid=event.uid, message=message
            )
            for event, message, _ in effects.letters
            if event.source == "imap" and event.collector_id and event.uidvalidity
        ],
        ignore_conflicts=True,
    )
    people = [(message, read) for event, message, read in effects.letters if event.kind != Kind.AUTO_REPLY]
    conversations_join(
        [message for message, _ in people], {message.id: read.text for message, read in people}
    )


def events_waiting(limit: int = 500) -> list[int]:
    """Ids of events stored but not yet looked at: left by a process that ended in between."""
    return list(Event.objects.filter(kind="").order_by("id").values_list("id", flat=True)[:limit])


def event_again(*, event_id: int) -> None:
    """Look at an event once more ("retry" in the list of what could not be read)."""
    with transaction.atomic():
        Event.objects.filter(id=event_id).exclude(error="").update(kind="", error="")
    events_process([event_id])
