"""Mail finds its conversation: what comes in, what goes out, what was in the mailbox before.

A conversation belongs to one account; a mail to two shared mailboxes opens one in each. Bounces and receipts are no
messages and never open one. The rules of joining: mail/thread.py.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from postroom.actions.bulk import row_new, rows_copy
from postroom.actions.webhook_tell import received_tell
from postroom.mail.thread import (
    Arrived,
    Known,
    Mails,
    addresses,
    answers,
    parent,
    person_of,
    topic,
    written_as,
)
from postroom.mail.token import tokens_in
from postroom.mail.words import account_word, space_word, words_of
from postroom.models.account import Account
from postroom.models.conversation import Conversation, ConversationState
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.queries.matching import is_ours
from postroom.queries.prepared import array_of, array_of_texts, array_of_times

#: Messages with a conversation: notices of the system, test sends and what goes to a group have none.
JOINED = ("reply", "other", "single")
#: Mail older than this asks for nobody any more: connecting an old mailbox opens no thousand tasks.
FRESH = timedelta(days=30)
#: Webhooks hear of no older mail: a mailbox that is connected holds years of it.
NEWS = timedelta(days=2)
#: Folders whose mail waits for nobody.
ASIDE = ("junk", "trash", "drafts")


#: The words of a text, as `words_of` cuts them.
Cut = list[str]


@dataclass
class _Batch:
    """What is known about the messages in hand. Conversations still to be made have numbers below 0."""

    now: datetime
    told: Mapping[int, int]
    accounts: dict[int, int | None] = field(default_factory=dict)
    own: dict[int | None, set[str]] = field(default_factory=dict)
    known: defaultdict[int | None, Mails] = field(default_factory=lambda: defaultdict(Mails))
    #: (account, delivery) -> conversation: another answer to the same copy of a campaign.
    answered: dict[tuple[int | None, int], int] = field(default_factory=dict)
    aside: set[int] = field(default_factory=set)
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    chosen: dict[int, int] = field(default_factory=dict)


@transaction.atomic
def conversations_join(
    messages: Sequence[Message],
    texts: Mapping[int, str | Cut],
    *,
    then: str = ConversationState.WAITING,
    into: Mapping[int, int] | None = None,
) -> None:
    """Give each of these its conversation, with its figures and the words it is found by.

    messages: stored, with their placements; those that have a conversation or need none are passed over.
    texts: message id -> plain text of the body, or its words. then: the state after an answer of ours. into: message
    id -> its conversation, where that is known already.
    """
    mails = [
        one for one in messages if one.purpose in JOINED and one.workspace_id and not one.conversation_id
    ]
    mails.sort(key=lambda one: (_at(one), one.id))
    for workspace_id in sorted({one.workspace_id or 0 for one in mails}):
        _join(
            workspace_id, [one for one in mails if one.workspace_id == workspace_id], texts, then, into or {}
        )


def _at(message: Message) -> datetime:
    return message.at or message.created_at or timezone.now()


def _join(
    workspace_id: int,
    mails: list[Message],
    texts: Mapping[int, str | Cut],
    then: str,
    into: Mapping[int, int],
) -> None:
    batch = _Batch(now=timezone.now(), told=into)
    _look_up(workspace_id, mails, batch)
    for number, mail in enumerate(mails, 1):
        _choose(batch, mail, -number)
    conversations = _locked(batch)
    for mail in mails:
        number = batch.chosen[mail.id]
        if number not in conversations:
            account_id = batch.accounts[mail.id]
            conversations[number] = row_new(
                Conversation, workspace_id=workspace_id, account_id=account_id, last_at=_at(mail), version=0
            )
        _grow(conversations[number], mail, batch, then)
    _store(conversations, mails, batch)
    _words(mails, [conversations[batch.chosen[mail.id]].account_id for mail in mails], texts)
    came = [one for one in mails if one.direction == "in" and one.id not in batch.aside]
    received_tell([one for one in came if _at(one) > batch.now - NEWS])


def _look_up(workspace_id: int, mails: list[Message], batch: _Batch) -> None:
    """Accounts, deliveries, folders and the mails these may belong to: five statements whatever their number."""
    numbers = {one.delivery_id for one in mails if one.delivery_id}
    found = Delivery.objects.filter(id__in=numbers).select_related("campaign", "message") if numbers else ()
    batch.deliveries = {one.id: one for one in found}
    for mail in mails:
        batch.accounts[mail.id] = mail.account_id or _account_of(batch.deliveries.get(mail.delivery_id or 0))
    rows = Account.objects.filter(id__in={one for one in batch.accounts.values() if one})
    for number, *own in rows.values_list("id", "address", "reply_to_address"):
        batch.own[number] = {one.lower() for one in own if one}
    asked = {key for mail in mails for one in _ids(mail) for key in (one, _key(one))}
    with connection.cursor() as cursor:
        cursor.execute(_ASIDE_SQL, {"ids": array_of(one.id for one in mails), "roles": list(ASIDE)})
        batch.aside = {row[0] for row in cursor.fetchall()}
        values: dict[str, Any] = {
            "workspace": workspace_id,
            "ids": array_of_texts(asked),
            "deliveries": array_of(numbers),
        }
        cursor.execute(_KNOWN_SQL, values)
        for number, conversation, account, id_, answered, direction, delivery, *people in cursor.fetchall():
            ours = direction == "out"
            one = Known(
                number,
                conversation,
                _key(id_),
                _key(answered),
                addresses(*people),
                ours,
                ours and is_ours(id_),
            )
            batch.known[account].add(one)
            if delivery:
                batch.answered[(account, delivery)] = conversation


_ASIDE_SQL = """
SELECT p.message_id FROM postroom_placement p JOIN postroom_collector f ON f.id = p.folder_id
 WHERE p.message_id = ANY(%(ids)s::bigint[]) AND p.gone_at IS NULL GROUP BY 1 HAVING bool_and(f.role = ANY(%(roles)s))
"""
_KNOWN_SQL = """
SELECT m.id, m.conversation_id, c.account_id, trim(m.message_id, '<> '), trim(m.in_reply_to, '<> '), m.direction,
       m.delivery_id, m.from_address, m.to_address, m.cc_address, m.bcc_address
  FROM postroom_message m JOIN postroom_conversation c ON c.id = m.conversation_id
 WHERE m.id IN (
       SELECT id FROM postroom_message
        WHERE workspace_id = %(workspace)s AND message_id = ANY(%(ids)s::text[]) AND message_id <> ''
       UNION
       SELECT id FROM postroom_message
        WHERE workspace_id = %(workspace)s AND in_reply_to = ANY(%(ids)s::text[]) AND in_reply_to <> ''
       UNION
       SELECT id FROM postroom_message WHERE delivery_id = ANY(%(deliveries)s::bigint[]))
 ORDER BY m.id DESC LIMIT 20000
"""


def _account_of(delivery: Delivery | None) -> int | None:
    """Of the mail that is answered: what came to a return path belongs where it was sent from."""
    source = (delivery.campaign or delivery.message) if delivery else None
    return source.account_id if source else None


def _key(message_id: str) -> str:
    """A Message-ID as it is compared: of ours, the token alone."""
    bare = message_id.strip("<> ")
    return next(iter(tokens_in(bare)), bare) if is_ours(bare) else bare


def _ids(mail: Message) -> list[str]:
    return [*answers(mail.in_reply_to, mail.references), *filter(None, [mail.message_id.strip("<> ")])]


def _choose(batch: _Batch, mail: Message, fresh: int) -> None:
    """Note the conversation of one mail, `fresh` for a new one, and what it makes known to the next."""
    account = batch.accounts[mail.id]
    people = addresses(mail.from_address, mail.to_address, mail.cc_address, mail.bcc_address)
    ours = mail.direction == "out"
    asked = tuple(map(_key, answers(mail.in_reply_to, mail.references)))
    arrived = Arrived(_key(mail.message_id), asked, people, mail.from_address.lower(), ours)
    number = batch.told.get(mail.id, 0)
    if not number:
        near = parent(arrived, batch.known[account])
        number = near.conversation if near else batch.answered.get((account, mail.delivery_id or 0), fresh)
    batch.chosen[mail.id] = number
    itself = Known(
        number=mail.id,
        conversation=number,
        message_id=arrived.message_id,
        in_reply_to=asked[0] if mail.in_reply_to else "",
        people=people,
        is_ours=ours,
        is_signed=ours and is_ours(arrived.message_id),
    )
    batch.known[account].add(itself)
    if mail.delivery_id:
        batch.answered.setdefault((account, mail.delivery_id), number)


def _locked(batch: _Batch) -> dict[int, Conversation]:
    """Those that are there, by number; one that was merged meanwhile stands for where it went."""
    wanted = {number for number in batch.chosen.values() if number > 0}
    found: dict[int, Conversation] = {}
    while wanted:
        rows = list(Conversation.objects.select_for_update().filter(id__in=wanted).order_by("id"))
        found |= {one.id: one for one in rows}
        wanted = {one.merged_into_id for one in rows if one.merged_into_id} - set(found)
    for mail_id, number in batch.chosen.items():
        while number > 0 and (into := found[number].merged_into_id) and into != number:
            number = into
        batch.chosen[mail_id] = number
    return {number: one for number, one in found.items() if number in batch.chosen.values()}


def _grow(conversation: Conversation, mail: Message, batch: _Batch, then: str) -> None:
    """What one more mail changes in a conversation."""
    delivery, at, incoming = batch.deliveries.get(mail.delivery_id or 0), _at(mail), mail.direction == "in"
    first = conversation.message_count == 0
    aside = mail.id in batch.aside
    if first:
        conversation.subject, conversation.topic = mail.subject, topic(mail.subject)
    if not conversation.person_address:
        sender = (mail.from_name, mail.from_address)
        name, address = person_of(
            sender, written_as(mail.to_address), batch.own.get(conversation.account_id, ())
        )
        conversation.person_name, conversation.person_address = name[:200], address[:254]
    campaign = mail.campaign_id or (delivery.campaign_id if delivery else None)
    for name, value in (("type_id", mail.type_id), ("record_id", mail.record_id), ("campaign_id", campaign)):
        if value and not getattr(conversation, name):
            setattr(conversation, name, value)
    newest = first or at >= conversation.last_at
    fresh = at > batch.now - FRESH and not aside
    if newest:
        conversation.last_at, conversation.last_direction = at, mail.direction
        conversation.snippet = mail.snippet
        if not incoming and not mail.is_automatic:
            conversation.state = then
        elif incoming and fresh and (first or not mail.is_automatic):
            conversation.state = ConversationState.OPEN
        if not fresh and first and (mail.is_read or aside or not incoming):
            conversation.state = ConversationState.DONE
    conversation.message_count += 1
    conversation.unread_count += incoming and not mail.is_read and not aside
    conversation.version += 1


def _store(conversations: dict[int, Conversation], mails: list[Message], batch: _Batch) -> None:
    made = {number: one for number, one in conversations.items() if number < 0}
    rows_copy(list(made.values()))
    kept = [one for number, one in conversations.items() if number > 0]
    for mail in mails:
        conversation = conversations[batch.chosen[mail.id]]
        mail.conversation_id = conversation.id
        if conversation.record_id and not mail.record_id:
            mail.record_id = conversation.record_id
    stored = [one for one in mails if not one._state.adding]
    with connection.cursor() as cursor:
        if kept:
            columns = [
                _ARRAYS[kind]([getattr(one, name) for one in kept])
                for name, kind in (("id", "bigint"), *_FIGURES.items())
            ]
            cursor.execute(_GROWN_SQL, columns)
        if stored:
            columns = [
                array_of([getattr(one, name) for one in stored])
                for name in ("id", "conversation_id", "record_id")
            ]
            cursor.execute(_JOINED_SQL, columns)


_FIGURES = {
    **dict.fromkeys(("subject", "topic", "state", "person_address", "person_name", "snippet"), "text"),
    **dict.fromkeys(
        ("type_id", "record_id", "campaign_id", "message_count", "unread_count", "version"), "bigint"
    ),
    **{"last_at": "timestamptz", "last_direction": "text"},
}
_ARRAYS: dict[str, Callable[[list[Any]], str]] = {
    "text": array_of_texts,
    "bigint": array_of,
    "timestamptz": array_of_times,
}
_GROWN_SQL = f"""
UPDATE postroom_conversation c SET {", ".join(f"{name} = n.{name}" for name in _FIGURES)}
  FROM unnest(%s::bigint[], {", ".join(f"%s::{kind}[]" for kind in _FIGURES.values())})
       AS n(id, {", ".join(_FIGURES)})
 WHERE c.id = n.id
"""
_JOINED_SQL = """
UPDATE postroom_message m SET conversation_id = n.conversation_id, record_id = n.record_id,
       at = coalesce(m.at, m.created_at)
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS n(id, conversation_id, record_id)
 WHERE m.id = n.id
"""
_WORDS_SQL = """
INSERT INTO postroom_messagewords (message_id, workspace_id, account_id, conversation_id, at, vector)
SELECT n.id, %s, n.account_id, n.conversation_id, n.at, array_to_tsvector(string_to_array(n.words, ' '))
  FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::timestamptz[], string_to_array(%s, E'\\n'))
       AS n(id, account_id, conversation_id, at, words)
    ON CONFLICT DO NOTHING
"""


def _words(mails: list[Message], accounts: list[int | None], texts: Mapping[int, str | Cut]) -> None:
    if not mails:
        return
    words = [
        " ".join([*_marks(one.workspace_id, account), *_words_of(one, texts.get(one.id, ""))])
        for one, account in zip(mails, accounts, strict=True)
    ]
    values = [
        mails[0].workspace_id,
        array_of(one.id for one in mails),
        array_of(accounts),
        array_of(one.conversation_id for one in mails),
        array_of_times(map(_at, mails)),
        "\n".join(words),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_WORDS_SQL, values)


def _marks(workspace_id: int | None, account_id: int | None) -> list[str]:
    """Whose mail it is, among the words: the index then tells only what may be read."""
    return [space_word(workspace_id or 0), *([account_word(account_id)] if account_id else [])]


def _words_of(mail: Message, text: str | Cut) -> list[str]:
    people = " ".join([mail.from_name, mail.from_address, mail.to_address, mail.cc_address])
    first = (mail.subject, people, " ".join(str(one.get("name", "")) for one in mail.files))
    return words_of(*first, text) if isinstance(text, str) else words_of(*first, after=text)
