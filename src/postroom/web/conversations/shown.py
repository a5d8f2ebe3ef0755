"""What the pages of conversations are given: rows of a shelf, and the entries of a thread with their mails read."""

import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from postroom.mail import quote
from postroom.mail.authres import Proof
from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.event import EventReport
from postroom.models.message import Message
from postroom.models.profile import May
from postroom.queries.conversation import (
    Entry,
    accounts_readable_by,
    counts,
    drafts_of_others,
    presence_of,
    readers_of,
    shelf,
    suggestions,
    timeline,
)
from postroom.queries.conversation_row import troubles
from postroom.queries.message_type import types_to_choose
from postroom.queries.picture import picture_sender, pictures_trusted_by
from postroom.queries.reading import Look, look, words_of
from postroom.queries.sharing import may
from postroom.queries.viewer import Viewer
from postroom.web.conversations.place import Place

#: People of one header that are named; the others are counted.
_NAMED = 5


@dataclass(frozen=True)
class Automatic:
    """What a program answered to a mail of ours: a holiday note. Nobody has to see to it."""

    who: str
    at: datetime
    subject: str
    words: str


@dataclass(frozen=True)
class Mail:
    """One mail of a thread. own, quoted: its text; fates: [(state, at, count)] of a mail that went out."""

    message: Message
    look: Look
    own: str
    quoted: str
    to: str
    to_more: int
    fates: list[tuple[str, Any, int]] = field(default_factory=list)
    automatic: list[Automatic] = field(default_factory=list)
    #: The pictures of its sender are always fetched for who looks.
    is_always: bool = False

    @property
    def is_proven(self) -> bool:
        return self.look.proof.proof is Proof.PROVEN

    @property
    def is_disproven(self) -> bool:
        return self.look.proof.proof is Proof.FAILED


@dataclass(frozen=True)
class Item:
    """kind: mail, note or fold (mails that are folded away: entries)."""

    kind: str
    entry: Entry
    mail: Mail | None = None
    entries: tuple[Entry, ...] = ()


def shelf_values(viewer: Viewer, place: Place, current: int | None = None) -> dict[str, Any]:
    """For conversations/shelf.html."""
    page = shelf(viewer, place.account, place.shelf, place.find, place.before)
    found = troubles(page.rows)
    rows = [(row, found.get(row.id, ""), page.writing.get(row.id, "")) for row in page.rows]
    figures = counts(viewer, place.account)
    told = [(row.id, row.version, row.last_at, row.unread_count, state, who) for row, state, who in rows]
    return {
        "rows": rows,
        "counts": figures,
        "next": page.next,
        "place": place,
        "current": current,
        "shelf_version": _stamp(told, figures, current),
    }


def box_values(viewer: Viewer, place: Place, current: int | None = None) -> dict[str, Any]:
    """For the whole column: the shelf and the mailboxes to choose from."""
    accounts = list(accounts_readable_by(viewer))
    return {
        **shelf_values(viewer, place, current),
        "accounts": accounts,
        "account": next((one for one in accounts if one.id == place.account), None),
        "has_mailbox": any(one.is_mailbox for one in accounts),
    }


def thread_values(viewer: Viewer, conversation: Conversation, place: Place) -> dict[str, Any]:
    """For conversations/thread.html."""
    account = conversation.account
    incoming = conversation.messages.filter(direction="in").order_by("-at", "-id").first()
    return {
        "conversation": conversation,
        "place": place,
        **flow_values(viewer, conversation),
        **present_values(viewer, conversation),
        "readers": readers_of(account, conversation.workspace_id),
        "types": types_to_choose(viewer),
        "suggestions": suggestions(viewer, conversation),
        "may_answer": account is not None and account.deleted_at is None and may(viewer, account, May.USE),
        "reply": incoming.id if incoming else None,
    }


def flow_values(viewer: Viewer, conversation: Conversation) -> dict[str, Any]:
    entries = timeline(viewer, conversation)
    return {
        "conversation": conversation,
        "items": _items(entries, {one.address for one in pictures_trusted_by(viewer)}),
        "flow_version": _stamp([_told(one) for one in entries], conversation.message_count),
        "sender_may": viewer.manages,
    }


def present_values(viewer: Viewer, conversation: Conversation) -> dict[str, Any]:
    present = presence_of(viewer, conversation)
    writing = {one.user.id for one in present if one.is_writing}
    return {
        "present": present,
        "begun": [one for one in drafts_of_others(viewer, conversation) if one.user_id not in writing],
    }


def mail_of(entry: Entry, trusted: Collection[str] = ()) -> Mail:
    """trusted: whose pictures who looks always has fetched. A mail whose bytes are gone has no words."""
    message = entry.message
    assert message is not None
    seen = look(message)
    own, quoted = quote.split(seen.shown.text)
    named = [one.strip() for one in message.to_address[:4000].split(",") if one.strip()]
    more = message.to_address.count("@") + message.cc_address.count("@") - min(len(named), _NAMED)
    return Mail(
        message=message,
        look=seen,
        own=own,
        quoted=quoted,
        to=", ".join(one.partition("<")[0].strip(' "') or one.strip("<>") for one in named[:_NAMED]),
        to_more=max(more, 0),
        fates=_fates(entry.deliveries),
        automatic=[
            Automatic(
                one.event.from_address or one.recipient, one.at, one.event.subject, words_of(one.event.raw_id)
            )
            for one in _automatic(entry)[-_NAMED:]
        ],
        is_always=bool(trusted) and picture_sender(message) in trusted,
    )


def _automatic(entry: Entry) -> list[EventReport]:
    return [one for one in entry.reports if one.kind == "auto_reply"]


def _items(entries: Sequence[Entry], trusted: Collection[str]) -> list[Item]:
    items: list[Item] = []
    folded: list[Entry] = []
    for entry in [*entries, None]:
        if entry is not None and entry.is_folded:
            folded.append(entry)
            continue
        if len(folded) == 1:  # to fold one away takes as much room as to show it
            items.append(Item("mail", folded[0], mail_of(folded[0], trusted)))
        elif folded:
            items.append(Item("fold", folded[0], entries=tuple(folded)))
        folded = []
        if entry is not None:
            items.append(Item("note", entry) if entry.note else Item("mail", entry, mail_of(entry, trusted)))
    return items


def _fates(deliveries: Sequence[Delivery]) -> list[tuple[str, Any, int]]:
    """What became of a mail of ours: where there is one recipient with the hour, else with how many of them."""
    if len(deliveries) == 1:
        one = deliveries[0]
        found: list[tuple[str, Any, int]] = []
        if one.arrival not in ("", "unknown"):
            found.append((one.arrival, one.arrival_at, 1))
        elif one.reading in ("", "none"):
            found.append(("cancelled" if one.reason == "cancelled" else one.state, one.state_at, 1))
        if one.reading not in ("", "none"):
            found.append((one.reading, one.reading_at, 1))
        return found
    counted: dict[str, int] = {}
    for one in deliveries:
        state = one.arrival if one.arrival not in ("", "unknown") else one.state
        for name in (state, one.reading if one.reading not in ("", "none") else ""):
            if name:
                counted[name] = counted.get(name, 0) + 1
    return [(name, None, number) for name, number in counted.items()]


def _told(entry: Entry) -> tuple[Any, ...]:
    """What makes an entry look different."""
    if entry.note is not None:
        return ("note", entry.note.id)
    message = entry.message
    states = [(one.state, one.arrival, one.reading, one.attempts) for one in entry.deliveries]
    receipt = message.receipt_state if message else ""
    return ("mail", message.id if message else 0, receipt, states, len(_automatic(entry)))


def _stamp(*values: Any) -> str:
    return f"{zlib.crc32(repr(values).encode()):x}"
