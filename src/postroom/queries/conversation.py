"""Conversations as a viewer sees them: those of the accounts whose mailbox they may read (May.VIEW)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from postroom.errors import InputError, NotFound
from postroom.models.account import Account
from postroom.models.conversation import Conversation, ConversationState, Note, Presence
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.event import EventReport
from postroom.models.message import Message
from postroom.models.profile import May, Share, Visibility
from postroom.models.user import User
from postroom.models.workspace import Role
from postroom.queries.conversation_search import Where, found_in, newest_in
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, once

PER_PAGE = 50
#: Shelves: what is open, what of it is mine, what waits for an answer, what is done, everything.
SHELVES = ("open", "mine", "waiting", "done", "all")
UNDONE = (ConversationState.OPEN, ConversationState.WAITING)
#: Figures are counted up to this; more is "999+".
COUNT_MOST = 1000
UNREAD_MOST = 99
#: Somebody whose browser said so within this time has the conversation open.
HERE = timedelta(seconds=15)
#: Of a long conversation the first mail and the last few are open, what lies between is folded.
UNFOLDED = 3
#: A machine's thread may have thousands; older ones are found by their words.
MAILS_MOST = 500


def accounts_readable_by(viewer: Viewer) -> "QuerySet[Account]":
    """Accounts whose mail the viewer may read, by name."""
    readable = Account.objects.filter(shared_with(viewer, Account, May.VIEW), deleted_at=None)
    return readable.order_by("name", "id")


def account_ids_readable(viewer: Viewer) -> list[int]:
    """The same by number: such a list finds its rows by an index, where a statement within may be asked row by row."""
    rows = accounts_readable_by(viewer).order_by().values_list("id", flat=True)
    return once(viewer, "readable", lambda: list(rows))


def readable(viewer: Viewer) -> Q:
    """The filter of things with `workspace` and `account`; what belongs to no account is seen by who manages."""
    home = Q(workspace=viewer.workspace)
    return home if viewer.manages else home & Q(account__in=account_ids_readable(viewer))


def conversations_visible_to(viewer: Viewer) -> "QuerySet[Conversation]":
    """In no order; merged ones are left out."""
    return Conversation.objects.filter(readable(viewer), merged_into=None)


def conversation_one(viewer: Viewer, conversation_id: int, *, lock: bool = False) -> Conversation:
    """One that was merged stands for where it went. Raises NotFound."""
    found = _followed(Conversation.objects.filter(readable(viewer)), conversation_id, lock=lock)
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


def conversation_begun_in(viewer: Viewer, conversation_id: int, *, lock: bool = False) -> Conversation | None:
    """Where a draft belongs that was begun in it, though its writer may read it no more; None = it is gone.

    Only for what is asked of a draft that is sent: its number comes from us, not from who asks.
    """
    return _followed(Conversation.objects.filter(workspace=viewer.workspace), conversation_id, lock=lock)


def _followed(rows: "QuerySet[Conversation]", number: int, *, lock: bool) -> Conversation | None:
    """The one of this number, or what it was merged into; None when that is none of the rows."""
    rows = rows.select_for_update() if lock else rows.select_related(*_RELATED)
    for _step in range(20):
        found = rows.filter(id=number).first()
        if found is None or found.merged_into_id is None:
            return found
        number = found.merged_into_id
    return None


_RELATED = ("account", "assignee", "assigned_by", "type", "record", "campaign")


@dataclass(frozen=True)
class ShelfPage:
    """rows: newest first, with account, assignee, type, record and campaign; next: for `before`, "" at the end."""

    rows: list[Conversation]
    next: str = ""
    #: conversation id -> the name of a colleague who writes an answer to it now.
    writing: dict[int, str] = field(default_factory=dict)


def shelf(
    viewer: Viewer,
    account_id: int | None = None,
    shelf: str = "open",
    find: str = "",
    before: str = "",
    size: int = PER_PAGE,
) -> ShelfPage:
    """One page of a shelf. find: words that all stand in one of its mails.

    before: `next` of the page before. Raises InputError for a shelf or place that is none.
    """
    if shelf not in SHELVES:
        raise InputError("There is no such shelf.", field="shelf")
    at, number = place_read(before)
    accounts = None if account_id is None else [account_id]
    if not viewer.manages:
        may = account_ids_readable(viewer)
        accounts = [one for one in accounts or may if one in may]
    where = _where(viewer, accounts, shelf)
    if find.strip():
        numbers = found_in(where, find, before=(at, number), most=size + 1)
    else:
        numbers = newest_in(where, before=(at, number), most=size + 1)
    # by their numbers alone: `where` told whose they are, and a second condition may be taken for the rarer one
    by_id = Conversation.objects.select_related(*_RELATED).in_bulk(numbers)
    return _page(viewer, [by_id[one] for one in numbers if one in by_id], size)


def _on(viewer: Viewer, shelf: str) -> Q:
    if shelf == "mine":
        return Q(assignee=viewer.user, state__in=UNDONE)
    return Q() if shelf == "all" else Q(state=shelf)


def _where(viewer: Viewer, accounts: list[int] | None, name: str) -> Where:
    """accounts: None = the whole workspace."""
    states = {"mine": UNDONE, "all": tuple(ConversationState)}.get(name, (name,))
    return Where(
        workspace_id=viewer.workspace.id,
        states=[str(state) for state in states],
        account_ids=accounts,
        assignee_id=viewer.user.id if name == "mine" else None,
    )


def _page(viewer: Viewer, found: list[Conversation], size: int) -> ShelfPage:
    shown = found[:size]
    more = place_written(shown[-1].last_at, shown[-1].id) if len(found) > size else ""
    return ShelfPage(shown, more, writing_now(viewer, shown))


def place_written(at: datetime, number: int) -> str:
    """A place in a list, as `next` gives it to a page or program."""
    return f"{int(at.timestamp() * 1_000_000)}-{number}"


def place_read(place: str) -> tuple[datetime | None, int]:
    """(None, 0) for "". Raises InputError."""
    if not place:
        return None, 0
    begin, _, end = place.partition("-")
    try:
        moment = datetime.fromtimestamp(0, tz=timezone.get_default_timezone()) + timedelta(
            microseconds=int(begin)
        )
        return moment, int(end)
    except (ValueError, OverflowError):
        raise InputError("There is no such place in the list.", field="before") from None


def counts(viewer: Viewer, account_id: int | None = None) -> dict[str, int]:
    """How many conversations each shelf has, at most COUNT_MOST; "unread": those of the open ones with unread mail."""
    seen = conversations_visible_to(viewer)
    if account_id is not None:
        seen = seen.filter(account_id=account_id)
    found = {name: seen.filter(_on(viewer, name))[:COUNT_MOST].count() for name in SHELVES if name != "all"}
    found["unread"] = seen.filter(state=ConversationState.OPEN, unread_count__gt=0)[:COUNT_MOST].count()
    return found


def unread_count(viewer: Viewer) -> int:
    """Unread mails that came in, at most UNREAD_MOST; junk folders do not count. One statement on a page."""
    unread = Message.objects.filter(readable(viewer), direction="in", is_read=False)
    shown = unread.filter(Q(conversation=None) | Q(conversation__unread_count__gt=0))
    return shown[:UNREAD_MOST].count()


@dataclass(frozen=True)
class Entry:
    """One thing in a conversation. kind: message or note; the other of `message` and `note` is None.

    deliveries: of a mail that went out, one for each recipient; reports: what came back about it, oldest first.
    """

    kind: str
    at: datetime
    message: Message | None = None
    note: Note | None = None
    deliveries: tuple[Delivery, ...] = ()
    reports: tuple[EventReport, ...] = ()
    is_folded: bool = False


def timeline(viewer: Viewer, conversation: Conversation) -> list[Entry]:
    """The newest MAILS_MOST mails, and notes, by time; what lies between the first and the last few is folded."""
    rows = Message.objects.filter(conversation=conversation).order_by("-at", "-id")
    mails = list(rows.select_related("user", "type", "account", "campaign")[:MAILS_MOST])[::-1]
    sent = [one.id for one in mails if one.direction == "out"]
    deliveries: dict[int, list[Delivery]] = {}
    for delivery in Delivery.objects.filter(message__in=sent).order_by("id") if sent else ():
        deliveries.setdefault(delivery.message_id or 0, []).append(delivery)
    reports: dict[int, list[EventReport]] = {}
    told = EventReport.objects.filter(delivery__message__in=sent).select_related("delivery", "event")
    for report in told.order_by("id") if sent else ():
        reports.setdefault((report.delivery and report.delivery.message_id) or 0, []).append(report)
    last = len(mails) - UNFOLDED
    entries = [
        Entry(
            kind="message",
            at=mail.at or mail.created_at,
            message=mail,
            deliveries=tuple(deliveries.get(mail.id, ())),
            reports=tuple(reports.get(mail.id, ())),
            is_folded=0 < place < last and mail.is_read,
        )
        for place, mail in enumerate(mails)
    ]
    notes = Note.objects.filter(conversation=conversation, deleted_at=None).select_related("user")
    entries += [Entry(kind="note", at=note.created_at, note=note) for note in notes]
    return sorted(entries, key=lambda one: (one.at, one.kind == "note"))


def message_in(viewer: Viewer, message_id: int, *, conversation_id: int | None = None) -> Message:
    """A mail of a conversation that the viewer may read. Raises NotFound."""
    found = Message.objects.filter(conversation__in=conversations_visible_to(viewer), id=message_id)
    if conversation_id is not None:
        found = found.filter(conversation_id=conversation_id)
    message = found.select_related("account", "conversation").first()
    if message is None:
        raise NotFound("There is no such message.")
    return message


def readers_of(account: Account | None, workspace_id: int) -> "QuerySet[User]":
    """Who may read an account's mail, and so be given its conversations; by name."""
    people = User.objects.filter(
        is_active=True, memberships__workspace_id=workspace_id, memberships__is_active=True
    )
    allowed = Q(memberships__workspace_id=workspace_id, memberships__role__in=(Role.OWNER, Role.ADMIN))
    if account is not None:
        allowed |= Q(id=account.owner_id)
        grants = Share.objects.filter(
            workspace_id=workspace_id,
            noun=Account.NOUN,
            noun_id=account.id,
            may__contains=[str(May.VIEW)],
        )
        if account.visibility != Visibility.PRIVATE:
            allowed |= Q(id__in=grants.values("user_id"))
            allowed |= Q(profile_members__profile__in=grants.exclude(profile=None).values("profile_id"))
        if account.visibility == Visibility.WORKSPACE and str(May.VIEW) in account.everyone:
            allowed = Q()
    return people.filter(allowed).distinct().order_by("name", "email")


@dataclass(frozen=True)
class Present:
    """A colleague who has the conversation open now."""

    user: User
    is_writing: bool
    seen_at: datetime


def presence_of(viewer: Viewer, conversation: Conversation) -> list[Present]:
    """Others than the viewer; who writes comes first."""
    rows = Presence.objects.filter(conversation=conversation, seen_at__gt=timezone.now() - HERE)
    rows = rows.exclude(user=viewer.user).select_related("user").order_by("-is_writing", "-seen_at")
    return [Present(row.user, row.is_writing, row.seen_at) for row in rows]


def writing_now(viewer: Viewer, conversations: Sequence[Conversation]) -> dict[int, str]:
    rows = Presence.objects.filter(
        conversation__in=[one.id for one in conversations],
        is_writing=True,
        seen_at__gt=timezone.now() - HERE,
    )
    others = rows.exclude(user=viewer.user).select_related("user").order_by("seen_at")
    return {row.conversation_id: str(row.user) for row in others}


def drafts_of_others(viewer: Viewer, conversation: Conversation) -> list[Draft]:
    """Answers that colleagues began and did not send, the last touched first."""
    rows = Draft.objects.filter(conversation=conversation, message=None, deleted_at=None, version__gt=1)
    return list(rows.exclude(user=viewer.user).select_related("user").order_by("-updated_at")[:10])


def suggestions(viewer: Viewer, conversation: Conversation, limit: int = 3) -> list[Conversation]:
    """Conversations of the same account with the same topic and person: perhaps the same, joined by one click."""
    if not conversation.topic or not conversation.person_address:
        return []
    same = conversations_visible_to(viewer).filter(
        workspace=conversation.workspace_id,
        account=conversation.account_id,
        person_address__iexact=conversation.person_address,
        topic=conversation.topic,
    )
    return list(same.exclude(id=conversation.id).order_by("-last_at")[:limit])


def assigned_news(viewer: Viewer) -> list[Conversation]:
    """Conversations a colleague gave to the viewer, who has not opened them since: the notice on their pages."""
    mine = conversations_visible_to(viewer).filter(assignee=viewer.user, told_at=None)
    given = mine.exclude(assigned_by=None).exclude(assigned_by=viewer.user)
    return list(given.select_related("assigned_by").order_by("-assigned_at")[:20])
