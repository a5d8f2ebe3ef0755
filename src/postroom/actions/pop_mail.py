"""What was read of mailboxes by POP3, by the lasting names of their mails (CM-03), and known again later (CM-04)."""

import hashlib
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from postroom.actions.collecting import Reading
from postroom.actions.event import event_store_imap
from postroom.mail.identity import identity
from postroom.models.account import Collector, PopMail

#: Stands for the UIDVALIDITY of an Event read by POP3. IMAP's have 32 bits (RFC 9051 section 2.3.1.1), so numbers of
#: POP3 and UIDs of IMAP never meet in one account, and the change to IMAP finds its place anew by itself.
UIDVALIDITY = 1 << 32
_LONGEST = 255


def pop_mails_known(*, account_id: int, uidls: Sequence[str]) -> dict[str, bool]:
    """Of these UIDLs the ones that were met before: True = taken, False = passed over."""
    names = {_stored(uidl): uidl for uidl in uidls}
    known = PopMail.objects.filter(account_id=account_id, uidl__in=list(names))
    return {names[uidl]: at is not None for uidl, at in known.values_list("uidl", "taken_at")}


def pop_mails_none(*, account_id: int) -> bool:
    """Whether the mailbox was never read before."""
    return not PopMail.objects.filter(account_id=account_id).exists()


@transaction.atomic
def pop_mails_store(*, reading: Reading, items: Sequence[tuple[str, bytes]]) -> list[int]:
    """Store mails and that they were taken, all or none; ids of the new events. items: (UIDL, raw)."""
    fresh = _rows(reading, [uidl for uidl, _ in items])
    now = timezone.now()
    bytes_of = {_stored(uidl): raw for uidl, raw in items}
    for row in fresh:
        row.message_id, row.taken_at = identity(bytes_of[row.uidl]), now
    PopMail.objects.bulk_create(fresh)
    return event_store_imap(
        collector=reading.collector,
        uidvalidity=UIDVALIDITY,
        items=[(row.number, bytes_of[row.uidl]) for row in fresh],
    )


@transaction.atomic
def pop_mails_pass(*, reading: Reading, uidls: Sequence[str]) -> None:
    """Never take these: they were there long before, or nobody can read them."""
    PopMail.objects.bulk_create(_rows(reading, uidls), batch_size=2000)


def pop_mails_met(*, account_id: int, items: Sequence[tuple[int, bytes]]) -> set[int]:
    """UIDs of those mails that were taken by POP3 before the account was changed to IMAP; one statement."""
    names = {uid: identity(raw) for uid, raw in items}
    met = PopMail.objects.filter(
        account_id=account_id, message_id__in=set(names.values()), taken_at__isnull=False
    )
    known: Collection[str] = set(met.values_list("message_id", flat=True))
    return {uid for uid, name in names.items() if name in known}


def _rows(reading: Reading, uidls: Sequence[str]) -> list[PopMail]:
    """New rows, numbered; a second daemon that still reads the same mailbox waits here."""
    Collector.objects.select_for_update().get(id=reading.collector_id)
    known = pop_mails_known(account_id=reading.account_id, uidls=uidls)
    mails = PopMail.objects.filter(account_id=reading.account_id)
    number = mails.aggregate(last=Max("number"))["last"] or 0
    names = dict.fromkeys(_stored(uidl) for uidl in uidls if uidl not in known)
    return [
        PopMail(account_id=reading.account_id, uidl=name, number=number + place)
        for place, name in enumerate(names, 1)
    ]


def _stored(uidl: str) -> str:
    """RFC 1939 allows 70 characters; longer ones than a column holds are known by their digest."""
    return uidl if len(uidl) <= _LONGEST else f"sha256:{hashlib.sha256(uidl.encode()).hexdigest()}"
