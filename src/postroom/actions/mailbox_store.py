"""A batch of mails of a folder becomes rows: raw bytes first, then what they are (RETURNED_MAIL goals 20, 22, 29).

Identity is (folder, UIDVALIDITY, UID). A mail met before in another folder, or under an earlier UIDVALIDITY, keeps its
message: known by its very bytes, or by its Message-ID together with what it says. Reports, receipts and answers to what
was sent from here go the way of everything that comes back and open no conversation.
"""

import hashlib
import logging
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from postroom.actions.blob import blobs_commit, blobs_write
from postroom.actions.bulk import row_new, rows_copy, rows_number
from postroom.actions.conversation_join import ASIDE, NEWS, Cut, conversations_join
from postroom.actions.event import letters_join
from postroom.actions.event_effect import LETTERS, Effects
from postroom.actions.mailbox_letter import letter_message
from postroom.actions.posting_mailbox import postings_take
from postroom.actions.webhook_tell import received_tell
from postroom.mail import mime
from postroom.mail.letter import Read, letter_of
from postroom.mail.recognise import recognise
from postroom.mail.report import Kind, Recognised
from postroom.mail.words import words_of
from postroom.models.account import Account, Collector
from postroom.models.blob import Blob
from postroom.models.event import Event
from postroom.models.group import Group
from postroom.models.mailbox import Placement
from postroom.models.message import Message
from postroom.queries.blob import blobs_read
from postroom.queries.matching import Found, is_ours, signed_match, tag_tried
from postroom.queries.prepared import prepared

log = logging.getLogger("postroom.mailbox")

_HEAD_END = re.compile(rb"\r?\n\r?\n")
#: Headers that a mail keeps wherever it goes.
_LASTING = ("from", "to", "date", "subject")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it was fetched. flags: lower case; header_only: too large to be read whole."""

    uid: int
    raw: bytes
    received_at: datetime | None
    flags: frozenset[str]
    header_only: bool = False


@dataclass(frozen=True, slots=True)
class Looked:
    """A mail in hand and what it was found to be. words: those of its text."""

    mail: Mail
    recognised: Recognised
    read: Read
    words: Cut
    found: Found | None


@dataclass(frozen=True, slots=True)
class _Seen(Looked):
    blob: Blob


def mails_look(mails: Sequence[Mail]) -> list[Looked]:
    """What they are. Asks nobody, and nothing raises, whatever the bytes."""
    return [_look(mail) for mail in mails]


def _look(mail: Mail) -> Looked:
    message = None
    try:
        message = mime.read(mail.raw, mime.WHOLE)
        read = letter_of(message)
    except Exception:
        log.exception("mail %d cannot be read", mail.uid)
        read = Read()
    # taken apart once, but for mails of which a report's reader would see less
    same = message is not None and len(mail.raw) <= mime.LIMIT and len(message.parts) < mime.REPORT.parts
    recognised = recognise(mail.raw, our_message_ids=is_ours, message=message if same else None)
    return Looked(mail, recognised, read, words_of(read.text), signed_match("", recognised))


def mails_write(mails: Sequence[Mail]) -> list[Blob]:
    """Their bytes to the disk, before anything else is done with them; their rows, for `mails_store`."""
    return blobs_write([mail.raw for mail in mails])


def mails_store(
    *, folder: Collector, uidvalidity: int, looked: Sequence[Looked], blobs: Sequence[Blob]
) -> int:
    """Store what was fetched from a folder; how many were new. The watermark moves with them.

    blobs: of `mails_write`, in the same order; all rows are of one transaction. A mail that cannot be worked on is kept
    as an event with its error, and is shown. Raises OperationalError or InterfaceError when the database is away.
    """
    if not looked:
        return 0
    account = Account.objects.select_related("workspace").get(id=folder.account_id)
    known = _known_uids(folder, uidvalidity, [one.mail.uid for one in looked])
    seen = [
        _Seen(one.mail, one.recognised, one.read, one.words, one.found, blob)
        for one, blob in zip(looked, blobs, strict=True)
        if one.mail.uid not in known
    ]
    last_uid = max(one.mail.uid for one in looked)
    try:
        _store(account, folder, uidvalidity, seen, last_uid)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("a batch of %d mails failed; trying them one by one", len(seen))
        for single in seen:
            _store_alone(account, folder, uidvalidity, single)
        _move_on(folder, uidvalidity, last_uid)
    return len(seen)


def _known_uids(folder: Collector, uidvalidity: int, uids: Sequence[int]) -> set[int]:
    """Of these UIDs the ones that were stored already."""
    among = {"uidvalidity": uidvalidity, "uid__gte": min(uids), "uid__lte": max(uids)}
    placed = Placement.objects.filter(folder=folder, **among)
    told = Event.objects.filter(
        source="imap", account_id=folder.account_id, folder=folder.folder, message__isnull=True, **among
    )
    return {*placed.values_list("uid", flat=True), *told.values_list("uid", flat=True)}


def _store_alone(account: Account, folder: Collector, uidvalidity: int, one: _Seen) -> None:
    try:
        _store(account, folder, uidvalidity, [one], one.mail.uid)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        log.exception("mail %d of %s cannot be worked on", one.mail.uid, folder.folder)
        with transaction.atomic():
            blobs_commit([one.blob])
            event = _event(account, folder, uidvalidity, one)
            event.kind, event.error = "other", f"{type(error).__name__}: {error}"[:500]
            Event.objects.bulk_create([event], ignore_conflicts=True)


@transaction.atomic
def _store(
    account: Account, folder: Collector, uidvalidity: int, seen: Sequence[_Seen], last_uid: int
) -> None:
    blobs_commit([one.blob for one in seen])
    kept = _met(account, folder, seen)
    left = [one for one in seen if one.mail.uid not in kept]
    reports: list[_Seen] = []
    letters: list[_Seen] = []
    posted = _to_groups(account, folder, left)
    for one in left:
        if _is_copy_of_mailing(folder, one):
            continue
        if one.mail.uid in posted:
            reports.append(one)
            continue
        is_letter = one.recognised.kind in LETTERS or one.recognised.kind is Kind.AUTO_REPLY
        plain = is_letter and one.found is None and tag_tried(one.recognised) is None
        (letters if plain or folder.role == "sent" else reports).append(one)
    made = {one.mail.uid: _letter(account, folder, one) for one in letters}
    made = _once(letters, made)
    messages = list({id(message): message for message in made.values()}.values())
    rows_number(messages)
    by_uid = {one.mail.uid: one for one in seen}
    places = (*kept.items(), *made.items())
    rows_copy([_placement(folder, uidvalidity, by_uid[uid], message) for uid, message in places])
    people = {
        made[one.mail.uid].id: one
        for one in letters
        if one.recognised.kind is not Kind.AUTO_REPLY or made[one.mail.uid].direction == "out"
    }
    texts = {number: one.words for number, one in people.items()}
    # before they are stored, so that each is written once; their places are looked at
    conversations_join([message for message in messages if message.id in people], texts)
    rows_copy(messages)
    if folder.role not in ASIDE:
        now = timezone.now()
        news = (one for one in messages if one.direction == "in" and one.at and one.at > now - NEWS)
        received_tell([one for one in news if one.id in people])
    _report(account, folder, uidvalidity, reports)
    _move_on(folder, uidvalidity, last_uid)


def _once(letters: Sequence[_Seen], made: dict[int, Message]) -> dict[int, Message]:
    """The very same bytes twice in one batch are one message in two places."""
    first: dict[str, Message] = {}
    return {one.mail.uid: first.setdefault(one.blob.sha256, made[one.mail.uid]) for one in letters}


def _letter(account: Account, folder: Collector, one: _Seen) -> Message:
    mail, read = one.mail, one.read
    message = letter_message(
        read,
        workspace_id=account.workspace_id,
        account_id=account.id,
        raw_id=one.blob.sha256,
        size_bytes=len(mail.raw),
        at=mail.received_at,
    )
    ours = {account.address.lower(), account.imap_login.lower()}
    if folder.role == "sent" or (folder.role not in ("inbox", "junk") and read.from_address.lower() in ours):
        message.direction, message.is_read = "out", True
        message.type_id = account.type_out_id
    else:
        message.is_read = "\\seen" in mail.flags
        message.type_id = account.type_in_id
    if "$mdnsent" in mail.flags and message.receipt_to:
        message.receipt_state = "sent"
    return message


def _placement(folder: Collector, uidvalidity: int, one: _Seen, message: Message) -> Placement:
    flags = one.mail.flags
    return row_new(
        Placement,
        folder_id=folder.id,
        uidvalidity=uidvalidity,
        uid=one.mail.uid,
        message_id=message.id,
        is_seen="\\seen" in flags,
        is_answered="\\answered" in flags,
        is_flagged="\\flagged" in flags,
        is_receipt_sent="$mdnsent" in flags,
    )


def _is_copy_of_mailing(folder: Collector, one: _Seen) -> bool:
    """Some servers file each mail that goes out: a campaign's are rows already, one a recipient."""
    return folder.role == "sent" and is_ours(one.read.message_id)


def _report(account: Account, folder: Collector, uidvalidity: int, reports: Sequence[_Seen]) -> None:
    """Everything that speaks of what was sent from here: settled, counted, and told once however often it is moved."""
    if not reports:
        return
    shas = {one.blob.sha256: one for one in reversed(reports)}
    told = Event.objects.filter(account=account, raw_id__in=shas).values_list("raw_id", flat=True)
    fresh = [one for sha256, one in shas.items() if sha256 not in set(told)]
    if not fresh:
        return
    events = Event.objects.bulk_create(_event(account, folder, uidvalidity, one) for one in fresh)
    effects = Effects()
    found = [one.found for one in fresh]
    raws = {one.blob.sha256: one.mail.raw for one in fresh}
    posted = postings_take(events, raws, [one.recognised for one in fresh], found)
    effects.lock({match.delivery_id for match in found if match})
    for event, one in zip(events, fresh, strict=True):
        if event.id in posted:
            continue
        effects.add(
            event,
            one.recognised,
            one.found,
            letter=lambda read=one.read: read,  # type: ignore[misc]
            size_bytes=len(one.mail.raw),
            at=one.mail.received_at,
        )
    effects.apply()
    flags = {one.mail.uid: one.mail.flags for one in fresh}
    for event, message, _ in effects.letters:
        if "\\seen" in flags[event.uid]:
            message.is_read = True
    Message.objects.filter(id__in=[m.id for _, m, _ in effects.letters if m.is_read]).update(is_read=True)
    letters_join(effects)


def _to_groups(account: Account, folder: Collector, seen: Sequence[_Seen]) -> set[int]:
    """UIDs of mails that went to the address of a group, in a mailbox that takes such mail."""
    if not account.takes_groups or folder.role != "inbox":
        return set()
    reached = {one.mail.uid: {address.lower() for address in one.recognised.reached} for one in seen}
    wanted = set().union(*reached.values())
    groups = Group.objects.filter(workspace_id=account.workspace_id, address__in=wanted, deleted_at=None)
    known = set(groups.values_list("address", flat=True))
    return {uid for uid, addresses in reached.items() if addresses & known}


def _event(account: Account, folder: Collector, uidvalidity: int, one: _Seen) -> Event:
    return Event(
        workspace_id=account.workspace_id,
        account=account,
        collector=folder,
        folder=folder.folder,
        uidvalidity=uidvalidity,
        uid=one.mail.uid,
        raw_id=one.blob.sha256,
        source="imap",
    )


def _move_on(folder: Collector, uidvalidity: int, last_uid: int) -> None:
    Collector.objects.filter(id=folder.id).exclude(uidvalidity=uidvalidity, last_uid__gte=last_uid).update(
        uidvalidity=uidvalidity, last_uid=last_uid
    )


# --- known from elsewhere ---------------------------------------------------------------------------------------


def _met(account: Account, folder: Collector, seen: Sequence[_Seen]) -> dict[int, Message]:
    """UID -> message, of those known already: from another folder, another UIDVALIDITY, or sent from here."""
    shas = {one.blob.sha256 for one in seen}
    same = {one.raw_id: one for one in reversed(_messages(_SAME_SQL, account, shas))}
    met = {one.mail.uid: same[one.blob.sha256] for one in seen if one.blob.sha256 in same}
    left = [one for one in seen if one.mail.uid not in met and one.read.message_id]
    hinted = _by_message_id(account, left)
    raws = blobs_read([message.raw_id for found in hinted.values() for message in found if message.raw_id])
    for one in left:
        for message in hinted.get(_bare(one.read.message_id), ()):
            if _is_same(folder, one, message, raws):
                met[one.mail.uid] = message
                break
    return met


# Each asks for what is rare first: the plan is made without the values, and an account has many mails.
_SAME_SQL = """
WITH same AS MATERIALIZED (
  SELECT id, account_id FROM postroom_message WHERE raw_id = ANY(string_to_array(%(wanted)s, E'\\n')))
SELECT id FROM same WHERE account_id = %(account)s
"""
_HINTED_SQL = """
WITH hinted AS MATERIALIZED (
  SELECT id, account_id, raw_id FROM postroom_message
   WHERE workspace_id = %(workspace)s AND message_id = ANY(string_to_array(%(wanted)s, E'\\n'))
     AND message_id <> '')
SELECT id FROM hinted WHERE account_id = %(account)s AND raw_id IS NOT NULL ORDER BY id LIMIT 1000
"""


def _messages(sql: str, account: Account, wanted: Collection[str]) -> list[Message]:
    """By lines of text, none of which holds a line end; in the order of their ids."""
    values = {"workspace": account.workspace_id, "account": account.id, "wanted": "\n".join(wanted)}
    ids = [number for (number,) in prepared(sql, values)] if wanted else []
    return list(Message.objects.filter(id__in=ids).order_by("id")) if ids else []


def _by_message_id(account: Account, seen: Sequence[_Seen]) -> dict[str, list[Message]]:
    wanted = {name for one in seen for name in (one.read.message_id, _bare(one.read.message_id))}
    found: dict[str, list[Message]] = {}
    for message in _messages(_HINTED_SQL, account, wanted):
        found.setdefault(_bare(message.message_id), []).append(message)
    return found


def _bare(message_id: str) -> str:
    """Messages of ours are kept by their token alone, the left side of the id."""
    return message_id.partition("@")[0] if is_ours(message_id) else message_id


def _is_same(folder: Collector, one: _Seen, message: Message, raws: Mapping[str, bytes]) -> bool:
    """A Message-ID is only a hint: anybody may use it again. In the folder for sent mail one of ours is enough."""
    if folder.role == "sent" and message.direction == "out" and is_ours(one.read.message_id):
        return True
    return _says(one.mail.raw) == _says(raws.get(message.raw_id or "", b""))


def _says(raw: bytes) -> bytes:
    """A digest of what a mail says, without the lines that servers add on its way."""
    end = _HEAD_END.search(raw)
    head = mime.read(raw[: end.end()] if end else raw, mime.WHOLE)
    body = b" ".join(raw[end.end() :].split()) if end else b""
    lasting = "\0".join(head.header(name) for name in _LASTING)
    return hashlib.sha256(lasting.encode("utf-8", "replace") + b"\0" + body).digest()
