"""What is sent from here stands in its conversation from the moment it is queued, and leaves it when taken back."""

from postroom.actions.conversation_figures import figures_anew
from postroom.actions.conversation_join import conversations_join
from postroom.mail.letter import letter_read
from postroom.models.conversation import Conversation, ConversationState, MessageWords
from postroom.models.message import Message
from postroom.queries.conversation import conversation_begun_in
from postroom.queries.viewer import Viewer


def sent_join(
    *, viewer: Viewer, message: Message, raw: bytes, conversation_id: int | None = None, is_done: bool = False
) -> None:
    """Put a queued message into its conversation: the one it was written in, that of what it answers, or a new one.

    raw: its bytes. is_done: nothing is to be waited for after it.
    """
    read = letter_read(raw)
    message.at = message.created_at
    message.from_name, message.snippet, message.size_bytes = read.from_name, read.snippet, len(raw)
    message.in_reply_to, message.references = read.in_reply_to, list(read.references)
    message.files = [one.to_json() for one in read.files]
    message.save(
        update_fields=["at", "from_name", "snippet", "size_bytes", "in_reply_to", "references", "files"]
    )
    begun = conversation_begun_in(viewer, conversation_id) if conversation_id is not None else None
    into = {message.id: begun.id} if begun else {}
    then = ConversationState.DONE if is_done else ConversationState.WAITING
    conversations_join([message], {message.id: read.text}, then=then, into=into)


def sent_leave(message: Message) -> None:
    """A message that was taken back: its conversation is as before, and gone when it was the only one in it."""
    conversation = Conversation.objects.select_for_update().filter(id=message.conversation_id or 0).first()
    if conversation is None:
        return
    message.conversation = None
    message.save(update_fields=["conversation"])
    MessageWords.objects.filter(message=message).delete()
    if not conversation.messages.exists() and not conversation.notes.exists():
        conversation.delete()
        return
    figures_anew(conversation)
    if conversation.last_direction == "in":
        conversation.state = ConversationState.OPEN
        conversation.save(update_fields=["state"])
