"""What people do with conversations: give them to each other, close them, note something, take apart and put together.

Whoever may read an account's mail may do all of it. A notice of being given one stands on a page; no mail is sent.
"""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.conversation_figures import figures_anew
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.conversation import Conversation, ConversationState, MessageWords, Note, Presence
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.models.record import Record
from postroom.queries.conversation import conversation_one, message_in, readers_of
from postroom.queries.message_type import types_to_choose
from postroom.queries.viewer import Viewer

NOTE_MAX = 20_000
#: What `conversation_change` takes.
CHANGED = ("state", "assignee_id", "type_id", "record_id")


@transaction.atomic
def conversation_change(
    *, viewer: Viewer, conversation_id: int, version: int | None = None, **values: Any
) -> Conversation:
    """values: some of CHANGED; None takes an assignee, type or record away. version: None = whatever it is now.

    Raises NotFound, InputError, Conflict STALE_VERSION (details: version).
    """
    conversation = conversation_one(viewer, conversation_id, lock=True)
    if version is not None and version != conversation.version:
        words = _("This conversation changed meanwhile. Look at it again.")
        raise Conflict(words, code="STALE_VERSION", details={"version": conversation.version})
    changed = {name: value for name, value in values.items() if getattr(conversation, name) != value}
    if not changed:
        return conversation
    _checked(viewer, conversation, changed)
    for name, value in changed.items():
        setattr(conversation, name, value)
    if "assignee_id" in changed:
        conversation.assigned_by = viewer.user
        conversation.assigned_at = timezone.now()
        conversation.told_at = None
    conversation.version += 1
    conversation.save()
    audit(viewer, "changed", "conversation", conversation.id, **changed)
    return conversation


def _checked(viewer: Viewer, conversation: Conversation, changed: dict[str, Any]) -> None:
    if changed.get("state", ConversationState.OPEN) not in ConversationState.values:
        raise InputError(_("A conversation is open, waiting or done."), field="state")
    assignee = changed.get("assignee_id")
    readers = readers_of(conversation.account, conversation.workspace_id)
    if assignee is not None and not readers.filter(id=assignee).exists():
        raise InputError(_("This person may not read the mail of this account."), field="assignee")
    kind = changed.get("type_id")
    if kind is not None and kind not in {one.id for one in types_to_choose(viewer)}:
        raise NotFound("There is no such message type.")
    record = changed.get("record_id")
    there = Record.objects.filter(workspace=viewer.workspace, deleted_at=None)
    if record is not None and not there.filter(id=record).exists():
        raise NotFound("There is no such record.")


def conversation_assign(
    *, viewer: Viewer, conversation_id: int, user_id: int | None, version: int | None = None
) -> Conversation:
    """Give it to a colleague who may read it, to oneself, or to nobody (None). Raises as `conversation_change`."""
    return conversation_change(
        viewer=viewer, conversation_id=conversation_id, version=version, assignee_id=user_id
    )


def conversation_set_state(
    *, viewer: Viewer, conversation_id: int, state: str, version: int | None = None
) -> Conversation:
    """state: open, waiting or done. Raises as `conversation_change`."""
    return conversation_change(viewer=viewer, conversation_id=conversation_id, version=version, state=state)


@transaction.atomic
def note_add(*, viewer: Viewer, conversation_id: int, text: str) -> Note:
    """Words for colleagues. They are kept in the database alone and go into no mail. Raises NotFound, InputError."""
    conversation = conversation_one(viewer, conversation_id)
    text = text.replace("\r\n", "\n").replace("\0", "").strip()
    if not text:
        raise InputError(_("The note is empty. Write something first."), code="EMPTY", field="text")
    if len(text) > NOTE_MAX:
        raise InputError(_("The note is too long."), code="TOO_LONG", field="text")
    return Note.objects.create(conversation=conversation, user=viewer.user, text=text)


@transaction.atomic
def note_delete(*, viewer: Viewer, note_id: int, conversation_id: int | None = None) -> None:
    """One's own note; who manages the workspace deletes any. Raises NotFound."""
    rows = _own_note(viewer, note_id, deleted=False)
    if conversation_id is not None:
        _known(rows.filter(conversation=conversation_one(viewer, conversation_id)).exists())
    rows.update(deleted_at=timezone.now())


@transaction.atomic
def note_undelete(*, viewer: Viewer, note_id: int) -> Note:
    """Raises NotFound."""
    rows = _own_note(viewer, note_id, deleted=True)
    rows.update(deleted_at=None)
    return Note.objects.select_related("user", "conversation").get(id=note_id)


def _known(is_there: bool) -> None:
    if not is_there:
        raise NotFound("There is no such note.")


def _own_note(viewer: Viewer, note_id: int, *, deleted: bool) -> Any:
    rows = Note.objects.filter(id=note_id, deleted_at__isnull=not deleted)
    note = rows.first()
    if note is None:
        raise NotFound("There is no such note.")
    conversation_one(viewer, note.conversation_id)
    if not viewer.manages and note.user_id != viewer.user.id:
        raise NotFound("There is no such note of yours.")
    return rows


@transaction.atomic
def conversation_split(*, viewer: Viewer, message_id: int) -> tuple[Conversation, int]:
    """Make one mail a conversation of its own: (the new one, the number for `conversation_split_undo`).

    What answers it from now on goes there. Raises NotFound, Conflict ONLY_MESSAGE.
    """
    conversation = conversation_one(viewer, message_in(viewer, message_id).conversation_id or 0, lock=True)
    message = message_in(viewer, message_id, conversation_id=conversation.id)
    if conversation.message_count < 2:
        raise Conflict(_("It is the only message of this conversation."), code="ONLY_MESSAGE")
    made = Conversation.objects.create(
        workspace_id=conversation.workspace_id,
        account_id=conversation.account_id,
        state=ConversationState.OPEN,
        assignee_id=conversation.assignee_id,
        type_id=message.type_id,
        last_at=message.at or message.created_at,
    )
    _move([message.id], made)
    figures_anew(conversation)
    figures_anew(made)
    step = undo_keep(viewer, "split", [{"messages": [message.id], "from": conversation.id, "made": made.id}])
    audit(viewer, "split", "conversation", conversation.id, made=made.id)
    return made, step


@transaction.atomic
def conversation_split_undo(*, viewer: Viewer, step_id: int) -> Conversation:
    """Raises Conflict UNDO_GONE, NotFound."""
    kept = undo_take(viewer, "split", step_id)[0]
    return _put_together(viewer, into=kept["from"], gone=kept["made"])


@transaction.atomic
def conversation_merge(*, viewer: Viewer, conversation_id: int, into_id: int) -> tuple[Conversation, int]:
    """Put one into another of the same account: (what it became, the number for `conversation_merge_undo`).

    Mails and notes move; the address of the one that is gone leads to the other. Raises NotFound, InputError.
    """
    first, second = _both(viewer, conversation_id, into_id)
    messages = list(Message.objects.filter(conversation=first).values_list("id", flat=True))
    notes = list(Note.objects.filter(conversation=first).values_list("id", flat=True))
    into = _put_together(viewer, into=second.id, gone=first.id)
    rows = [{"messages": messages, "notes": notes, "from": into.id, "gone": first.id}]
    step = undo_keep(viewer, "merge", rows)
    audit(viewer, "merged", "conversation", first.id, into=into.id)
    return into, step


@transaction.atomic
def conversation_merge_undo(*, viewer: Viewer, step_id: int) -> Conversation:
    """The one that was gone, with the mails and notes it had. Raises Conflict UNDO_GONE, NotFound."""
    kept = undo_take(viewer, "merge", step_id)[0]
    into = conversation_one(viewer, kept["from"], lock=True)
    gone = Conversation.objects.select_for_update().filter(id=kept["gone"], merged_into=into.id).first()
    if gone is None:
        raise Conflict(_("This cannot be taken back any more."), code="UNDO_GONE")
    gone.merged_into = None
    gone.save()
    still = Message.objects.filter(id__in=kept["messages"], conversation=into)
    _move(list(still.values_list("id", flat=True)), gone)
    Note.objects.filter(id__in=kept["notes"], conversation=into).update(conversation=gone)
    figures_anew(into)
    figures_anew(gone)
    return gone


def _both(viewer: Viewer, first_id: int, second_id: int) -> tuple[Conversation, Conversation]:
    """Both locked, always in the same order. Raises NotFound, InputError."""
    found = {}
    for number in sorted({first_id, second_id}):
        found[number] = conversation_one(viewer, number, lock=True)
    first, second = found[first_id], found[second_id]
    if first.id == second.id:
        raise InputError(_("It is one conversation already."), code="SAME", field="into")
    if first.account_id != second.account_id:
        words = _("These are conversations of two accounts, read by different people. They stay apart.")
        raise InputError(words, code="OTHER_ACCOUNT", field="into")
    return first, second


def _put_together(viewer: Viewer, *, into: int, gone: int) -> Conversation:
    first, second = _both(viewer, gone, into)
    _move(list(Message.objects.filter(conversation=first).values_list("id", flat=True)), second)
    Note.objects.filter(conversation=first).update(conversation=second)
    first.drafts.update(conversation=second)
    if first.state == ConversationState.OPEN:
        second.state = ConversationState.OPEN
    for name in ("assignee_id", "type_id", "record_id", "campaign_id"):
        setattr(second, name, getattr(second, name) or getattr(first, name))
    first.merged_into, first.unread_count = second, 0
    first.version += 1
    first.save()
    figures_anew(second)
    return second


def _move(message_ids: list[int], into: Conversation) -> None:
    Message.objects.filter(id__in=message_ids).update(conversation=into)
    MessageWords.objects.filter(message__in=message_ids).update(conversation_id=into.id)


@transaction.atomic
def conversation_seen(*, viewer: Viewer, conversation_id: int, is_read: bool = True) -> int:
    """Mark its mails read, or the newest that came in unread again; how many. The server is told by the sync daemon.

    A notice of having been given it is over with it. Raises NotFound.
    """
    conversation = conversation_one(viewer, conversation_id, lock=True)
    mails = Message.objects.filter(conversation=conversation, direction="in", is_read=not is_read)
    if not is_read:
        mails = mails.filter(id__in=mails.order_by("-at", "-id").values("id")[:1])
    numbers = list(mails.values_list("id", flat=True))
    if numbers:
        Message.objects.filter(id__in=numbers).update(is_read=is_read)
        _tell_server(viewer, numbers, is_read)
        unread = Message.objects.filter(conversation=conversation, direction="in", is_read=False)
        Conversation.objects.filter(id=conversation.id).update(unread_count=unread.count())
    if is_read and conversation.assignee_id == viewer.user.id and conversation.told_at is None:
        Conversation.objects.filter(id=conversation.id).update(told_at=timezone.now())
    return len(numbers)


def _tell_server(viewer: Viewer, message_ids: list[int], is_read: bool) -> None:
    placed = Placement.objects.filter(
        message__in=message_ids, gone_at=None, folder__account__is_mailbox=True
    ).exclude(is_seen=is_read)
    MailboxChange.objects.bulk_create(
        MailboxChange(
            account_id=account_id,
            action="seen" if is_read else "unseen",
            placement_id=number,
            user=viewer.user,
            next_at=timezone.now(),
        )
        for number, account_id in placed.values_list("id", "folder__account_id")
    )


def presence_touch(*, viewer: Viewer, conversation_id: int, is_writing: bool = False) -> None:
    """The viewer has it open now (said every few seconds), and writes an answer or not. Raises NotFound."""
    conversation = conversation_one(viewer, conversation_id)
    Presence.objects.update_or_create(
        conversation=conversation,
        user=viewer.user,
        defaults={"seen_at": timezone.now(), "is_writing": is_writing},
    )


def presence_leave(*, viewer: Viewer, conversation_id: int) -> None:
    """The viewer closed it."""
    Presence.objects.filter(conversation_id=conversation_id, user=viewer.user).delete()
