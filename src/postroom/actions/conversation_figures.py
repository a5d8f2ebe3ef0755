"""The figures of a conversation counted anew: after mails left it, came to it, or were read."""

from postroom.mail.thread import person_of, topic, written_as
from postroom.models.conversation import Conversation
from postroom.models.message import Message


def figures_anew(conversation: Conversation) -> None:
    """Count anew what its mails make of it; the person and subject stay once they are there."""
    mails = list(Message.objects.filter(conversation=conversation).order_by("at", "id"))
    if mails:
        newest = mails[-1]
        conversation.last_at = newest.at or newest.created_at
        conversation.last_direction, conversation.snippet = newest.direction, newest.snippet
        if not conversation.person_address and not conversation.subject:
            _begin(conversation, mails[0])
    conversation.message_count = len(mails)
    conversation.unread_count = sum(one.direction == "in" and not one.is_read for one in mails)
    conversation.version += 1
    conversation.save()


def _begin(conversation: Conversation, mail: Message) -> None:
    """Subject, topic and person of a conversation that begins with this mail."""
    own = {mail.account.address.lower()} if mail.account else set()
    name, address = person_of((mail.from_name, mail.from_address), written_as(mail.to_address), own)
    conversation.subject, conversation.topic = mail.subject, topic(mail.subject)
    conversation.person_name, conversation.person_address = name[:200], address[:254]
