"""What people do to mails here, to be done in their mailbox by the sync daemon, in order (goal 27).

Nothing in a mailbox changes but by a row of this table, and only in accounts whose owner has them read as mailboxes;
the copy of a sent mail is the one exception: it is filed wherever `keep_sent` is on.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict, InputError
from postroom.models.account import Account, Collector, Protocol
from postroom.models.delivery import Delivery
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.queries.viewer import Viewer

#: action -> (flag of the protocol, whether it is set, column of Placement).
FLAGS = {
    "seen": ("\\Seen", True, "is_seen"),
    "unseen": ("\\Seen", False, "is_seen"),
    "answered": ("\\Answered", True, "is_answered"),
    "flagged": ("\\Flagged", True, "is_flagged"),
    "unflagged": ("\\Flagged", False, "is_flagged"),
    "receipt_sent": ("$MDNSent", True, "is_receipt_sent"),
}
ACTIONS = (*FLAGS, "move", "delete", "append")
#: After so many failures a change is given up; its row says why.
TRIES = 6
#: How long done changes are kept as a trace.
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Change:
    """One thing to do. uid, uidvalidity and folder say where the mail lies; to_folder where a move leads."""

    id: int
    action: str
    tries: int
    placement_id: int
    folder: str
    folder_id: int
    uidvalidity: int
    uid: int
    is_gone: bool
    #: The message to append; `key` is the mail it is about in any case, `known_as` its Message-ID.
    message_id: int
    key: int
    known_as: str
    to_folder: str
    to_folder_id: int


def change_ask(
    viewer: Viewer | None,
    action: str,
    placements: Sequence[Placement] = (),
    *,
    message: Message | None = None,
    folder: Collector | None = None,
) -> int:
    """Have something done in the mailbox, soon; how many changes were noted. The rows here say it at once.

    action: of ACTIONS. placements: the mails it is about; instead `message`: wherever that one lies. folder: of "move".
    The caller has checked that the viewer may. viewer None: a program asks. Mails that are gone, and accounts that are
    only read, are passed over. Raises InputError for an unknown action or a folder of another account.
    """
    if action not in ACTIONS or (action == "move") != (folder is not None):
        raise InputError(_("This cannot be done to a mail."), field="action")
    numbers = [one.id for one in placements]
    rows = (
        Placement.objects.filter(id__in=numbers)
        if message is None
        else Placement.objects.filter(message=message)
    )
    found = list(
        rows.filter(gone_at=None, folder__account__is_mailbox=True, folder__account__deleted_at=None)
        .select_related("folder")
        .order_by("id")
    )
    if folder is not None and any(one.folder.account_id != folder.account_id for one in found):
        raise InputError(_("This folder is in another mailbox."), field="folder")
    if folder is not None:
        found = [one for one in found if one.folder_id != folder.id]
    with transaction.atomic():
        MailboxChange.objects.bulk_create(
            MailboxChange(
                account_id=one.folder.account_id,
                action=action,
                placement=one,
                folder=folder,
                user_id=viewer.user.id if viewer else None,
                next_at=timezone.now(),
            )
            for one in found
        )
        if action in FLAGS:
            on, column = FLAGS[action][1:]
            Placement.objects.filter(id__in=[one.id for one in found]).update(**{column: on})
        _wake({one.folder.account_id for one in found})
    return len(found)


def sent_copy_ask(message: Message) -> None:
    """Have a copy of a mail that is sent from here filed in its account's folder for sent mail, once it was accepted.

    Nothing when the account keeps none, or has no mailbox that is read. The same message is filed once.
    """
    account = message.account
    if account is None or not account.keep_sent or not account.imap_host or account.protocol != Protocol.IMAP:
        return
    if Collector.objects.filter(account=account, is_on=True).exists():
        at = max(message.send_at or timezone.now(), timezone.now())
        change = MailboxChange(account=account, action="append", message=message, next_at=at + _settle())
        MailboxChange.objects.bulk_create([change], ignore_conflicts=True)


def _settle() -> timedelta:
    """Some servers file what goes out themselves: they are given so long to do it."""
    return timedelta(seconds=settings.POSTROOM_FILE_SECONDS)


def _wake(account_ids: Collection[int]) -> None:
    for number in main_collectors(account_ids):
        notify(COLLECT, number)


def main_collectors(account_ids: Collection[int]) -> list[int]:
    """The collector of each account by which its reader is called."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(id) FROM postroom_collector WHERE account_id = ANY(%s) GROUP BY account_id",
            [list(account_ids)],
        )
        return [row[0] for row in cursor.fetchall()]


# --- for the sync daemon ----------------------------------------------------------------------------------------


_DUE = """
SELECT k.id FROM postroom_collector k
 WHERE k.id IN (SELECT (SELECT min(f.id) FROM postroom_collector f WHERE f.account_id = c.account_id)
                  FROM postroom_mailboxchange c
                 WHERE c.done_at IS NULL AND c.next_at <= now() GROUP BY c.account_id)
   AND k.is_on AND (k.failures = 0 OR k.next_run_at <= now()) -- a server in trouble is given its time
"""


def collectors_with_changes() -> list[int]:
    """Collectors of accounts in whose mailbox something is to be done now."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return [row[0] for row in cursor.fetchall()]


def changes_due(*, account_id: int, most: int = 500) -> list[Change]:
    """What is to be done now in a mailbox, in the order it was asked for.

    A change waits behind an earlier one of the same mail that is not done yet. A mail that was moved meanwhile is met
    where it lies now.
    """
    rows = (
        MailboxChange.objects.filter(account_id=account_id, done_at=None)
        .select_related("placement__folder", "placement__message", "folder")
        .order_by("id")[:most]
    )
    now, waiting, found = timezone.now(), set(), []
    for row in rows:
        place = row.placement
        key = (place.message_id if place else None) or row.message_id
        if row.next_at > now:
            waiting.add(key)
        if key in waiting:
            continue
        if place is not None and place.gone_at is not None:
            place = _elsewhere(place) or place
        found.append(
            Change(
                id=row.id,
                action=row.action,
                tries=row.tries,
                placement_id=place.id if place else 0,
                folder=place.folder.folder if place else "",
                folder_id=place.folder_id if place else 0,
                uidvalidity=place.uidvalidity if place else 0,
                uid=place.uid if place else 0,
                is_gone=place is not None and place.gone_at is not None,
                message_id=row.message_id or 0,
                key=key or 0,
                known_as=place.message.message_id if place else "",
                to_folder=row.folder.folder if row.folder else "",
                to_folder_id=row.folder_id or 0,
            )
        )
    return found


def _elsewhere(place: Placement) -> Placement | None:
    """Where the same mail lies now, in the same mailbox."""
    others = Placement.objects.filter(
        message=place.message_id, folder__account_id=place.folder.account_id, gone_at=None
    )
    return others.select_related("folder").order_by("-id").first()


def change_begun(change: Change) -> None:
    """It is being done: should the daemon end now, the next one knows that it may be done already."""
    MailboxChange.objects.filter(id=change.id).update(tries=change.tries + 1)


@transaction.atomic
def change_done(change: Change, *, words: str = "", new_uid: int = 0, folder_id: int = 0) -> None:
    """It is done, or there is nothing to do it to (words). new_uid, folder_id: where the mail lies now."""
    MailboxChange.objects.filter(id=change.id).update(done_at=Now(), error=words[:500])
    place = Placement.objects.filter(id=change.placement_id)
    if change.action in FLAGS:
        on, column = FLAGS[change.action][1:]
        place.update(**{column: on})
    elif change.action in ("move", "delete") and not words:
        place.update(gone_at=Now())
    if not new_uid:
        return
    to = Collector.objects.filter(id=folder_id or change.to_folder_id).first()
    old = place.first()
    message_id = change.message_id or (old.message_id if old else 0)
    if to is None or not to.uidvalidity or not message_id:
        return  # met as a new one when the folder is read, and known again by what it says
    moved = Placement(folder=to, uidvalidity=to.uidvalidity, uid=new_uid, message_id=message_id)
    for name in ("is_seen", "is_answered", "is_flagged", "is_receipt_sent"):
        setattr(moved, name, getattr(old, name) if old else name == "is_seen")
    Placement.objects.bulk_create([moved], ignore_conflicts=True)


def change_failed(change: Change, *, words: str) -> None:
    """Later again, after ever longer waits; given up after TRIES."""
    schedule = settings.POSTROOM_COLLECT_RETRY_SCHEDULE
    wait = timedelta(seconds=schedule[min(change.tries, len(schedule) - 1)])
    row = MailboxChange.objects.filter(id=change.id)
    if change.tries + 1 >= TRIES:
        row.update(done_at=Now(), error=words[:500])
    else:
        row.update(tries=change.tries + 1, next_at=Now() + wait, error=words[:500])


def change_postponed(change: Change) -> None:
    """It is too early; that is no failure."""
    MailboxChange.objects.filter(id=change.id).update(next_at=Now() + max(_settle(), timedelta(seconds=1)))


def sent_mail(change: Change) -> tuple[str, str, str]:
    """(state, SHA-256 of the bytes, Message-ID token) of a mail whose copy is to be filed.

    state: "sent" when a server accepted it for somebody, "open" while that may still happen, "none" when it never will.
    """
    message = Message.objects.filter(id=change.message_id).first()
    if message is None or message.raw_id is None or message.account is None or not message.account.keep_sent:
        return "none", "", ""
    states = set(Delivery.objects.filter(message=message).values_list("state", flat=True))
    if "accepted" in states:
        return "sent", message.raw_id, message.message_id
    going = states & {"queued", "deferred", "uncertain"}
    return ("open" if going else "none"), "", ""


def changes_tidy() -> None:
    """Forget what was done long ago."""
    MailboxChange.objects.filter(done_at__lt=Now() - KEPT).delete()


def account_refuses(account: Account) -> None:
    """Raises Conflict when nothing may be changed in this account's mailbox."""
    if not account.is_mailbox:
        raise Conflict(
            _("This mailbox is only read. Its owner can change that in Settings."), code="NO_MAILBOX"
        )
