"""Folders of a mailbox and the flags of its mails, as the sync daemon finds them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.db import connection, transaction
from django.db.models.functions import Now

from postroom.actions.collecting import Reading
from postroom.models.account import Collector
from postroom.models.mailbox import Placement

#: Folders that are not read unless somebody asks: nobody has sent yet what lies in drafts.
NOT_READ = ("drafts",)
_NAME_MAX = 255


@dataclass(frozen=True, slots=True)
class Found:
    """A folder as the server lists it. role: see Collector.role; is_view: it only shows mails of other folders."""

    name: str
    title: str
    role: str
    is_view: bool


@transaction.atomic
def folders_found(*, main: Reading, found: Sequence[Found]) -> list[str]:
    """Keep the rows of the account's folders like the server's list; names too long to be kept, which are passed over.

    What is new is read from the account's start date on. A list without the folder that is read first is not believed.
    """
    rows = Collector.objects.select_for_update().filter(account=main.account_id)
    known = {_key(row.folder): row for row in rows}
    named = {one.name: one for one in found if len(one.name) <= _NAME_MAX}
    first = main.collector
    if _key(first.folder) not in named:
        return []
    fresh, changed = [], []
    for one in named.values():
        row = known.get(one.name)
        if row is None:
            fresh.append(
                Collector(
                    account_id=main.account_id,
                    folder=one.name,
                    title=one.title[:_NAME_MAX],
                    role=one.role,
                    is_on=first.is_on,
                    is_wanted=not one.is_view and one.role not in NOT_READ,
                    interval_s=first.interval_s,
                    take_from=first.take_from,
                )
            )
        elif (row.title, row.role, row.gone_at) != (one.title[:_NAME_MAX], one.role, None):
            row.title, row.role, row.gone_at = one.title[:_NAME_MAX], one.role, None
            changed.append(row)
    Collector.objects.bulk_create(fresh)
    Collector.objects.bulk_update(changed, ["title", "role", "gone_at"])
    gone = [row.id for name, row in known.items() if name not in named and row.gone_at is None]
    if gone:
        Collector.objects.filter(id__in=gone).update(gone_at=Now(), uidvalidity=0, last_uid=0, modseq=0)
        Placement.objects.filter(folder__in=gone, gone_at=None).update(gone_at=Now())
    return [one.title for one in found if len(one.name) > _NAME_MAX]


def folders_to_read(*, main: Reading) -> list[Reading]:
    """The account's folders that are read, each as a reading of its own: the first one, sent mail, the rest."""
    rows = Collector.objects.filter(account_id=main.account_id, is_wanted=True, gone_at=None).exclude(
        id=main.collector_id
    )
    order = {"inbox": 0, "sent": 1, "": 2, "archive": 3, "trash": 4, "junk": 5}
    found = sorted(rows, key=lambda row: (order.get(row.role, 6), row.folder))
    first = Collector.objects.get(id=main.collector_id)
    return [_reading_of(main, row) for row in (first, *found)]


def _reading_of(main: Reading, row: Collector) -> Reading:
    return replace(
        main,
        collector=row,
        collector_id=row.id,
        folder=row.folder,
        uidvalidity=row.uidvalidity,
        last_uid=row.last_uid,
        take_from=row.take_from,
        retries=row.failures,
        error_code=row.error_code,
    )


def folder_seen(*, collector_id: int, modseq: int, messages: int) -> None:
    """What the folder was like when it was last read to its end."""
    Collector.objects.filter(id=collector_id).update(modseq=modseq, message_count=messages)


def folder_restarted(*, folder: Collector, uidvalidity: int) -> None:
    """Its UIDs mean nothing any more (RFC 9051 section 2.3.1.1): places that were not found again are gone."""
    old = Placement.objects.filter(folder=folder, gone_at=None)
    for other in (old.filter(uidvalidity__lt=uidvalidity), old.filter(uidvalidity__gt=uidvalidity)):
        other.update(gone_at=Now())


def uids_known(*, folder: Collector, uidvalidity: int) -> list[int]:
    """UIDs of the folder's mails as far as we know them, in order."""
    rows = Placement.objects.filter(folder=folder, uidvalidity=uidvalidity, gone_at=None)
    return list(rows.order_by("uid").values_list("uid", flat=True))


def _key(name: str) -> str:
    """INBOX is the same however it is written (RFC 9051 section 5.1)."""
    return "INBOX" if name.upper() == "INBOX" else name


@transaction.atomic
def mails_vanished(*, folder: Collector, uidvalidity: int, uids: Collection[int]) -> None:
    """These lie in the folder no more. Their messages stay."""
    if uids:
        Placement.objects.filter(
            folder=folder, uidvalidity=uidvalidity, uid__in=list(uids), gone_at=None
        ).update(gone_at=Now())


_FLAGS = """
UPDATE postroom_placement p
   SET is_seen = n.seen, is_answered = n.answered, is_flagged = n.flagged, is_receipt_sent = n.told
  FROM unnest(%s::bigint[], %s::bool[], %s::bool[], %s::bool[], %s::bool[]) AS n(uid, seen, answered, flagged, told)
 WHERE p.folder_id = %s AND p.uidvalidity = %s AND p.uid = n.uid
   AND (p.is_seen, p.is_answered, p.is_flagged, p.is_receipt_sent) IS DISTINCT FROM
       (n.seen, n.answered, n.flagged, n.told)
   AND NOT EXISTS (SELECT FROM postroom_mailboxchange c WHERE c.placement_id = p.id AND c.done_at IS NULL)
RETURNING p.message_id
"""
#: A mail is read when it is in one of the places it lies in.
_READ = """
UPDATE postroom_message m SET is_read = s.seen
  FROM (SELECT message_id, bool_or(is_seen) AS seen FROM postroom_placement
         WHERE message_id = ANY(%s) AND gone_at IS NULL GROUP BY 1) AS s
 WHERE m.id = s.message_id AND m.direction = 'in' AND m.is_read <> s.seen
RETURNING m.conversation_id
"""
_TOLD = """
UPDATE postroom_message m SET receipt_state = 'sent' FROM postroom_placement p
 WHERE p.message_id = m.id AND p.is_receipt_sent AND m.id = ANY(%s) AND m.receipt_to <> '' AND m.receipt_state = ''
"""
_UNREAD = """
UPDATE postroom_conversation c SET version = c.version + 1, unread_count =
       (SELECT count(*) FROM postroom_message m WHERE m.conversation_id = c.id AND m.direction = 'in' AND NOT m.is_read)
 WHERE c.id = ANY(%s)
"""


@transaction.atomic
def flags_found(*, folder: Collector, uidvalidity: int, flags: Mapping[int, frozenset[str]]) -> None:
    """What the server says of mails, by UID. What a person changed here and the server was not told yet stays."""
    if not flags:
        return
    names = ("\\seen", "\\answered", "\\flagged", "$mdnsent")
    columns = [[name in one for one in flags.values()] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_FLAGS, [list(flags), *columns, folder.id, uidvalidity])
        changed = [row[0] for row in cursor.fetchall()]
        if not changed:
            return
        cursor.execute(_TOLD, [changed])
        cursor.execute(_READ, [changed])
        conversations = sorted({row[0] for row in cursor.fetchall() if row[0]})
        if conversations:
            cursor.execute(_UNREAD, [conversations])
