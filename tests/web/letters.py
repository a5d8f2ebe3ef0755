"""Mail that has come into an account, as the reading of its mailbox leaves it, for tests of pages."""

from datetime import timedelta

from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.conversation_join import conversations_join
from postroom.actions.mailbox_letter import letter_message
from postroom.mail.letter import letter_read


def letter(
    body, *, sender="James Whitlock <james@northgate.example>", subject="Oak boards", head="", kind=""
):
    """A mail as bytes. body: text; head: further header lines, each with its line end; kind: its content type."""
    lines = (
        f"From: {sender}\r\nTo: sales@alderpike.example\r\nSubject: {subject}\r\n"
        f"Date: Mon, 16 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n{head}"
        f"Content-Type: {kind or 'text/plain; charset=utf-8'}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    return lines.encode() + body.encode()


def receive(account, raw, *, minutes_ago=0, **more):
    """The message, read, stored and in its conversation."""
    read = letter_read(raw)
    message = letter_message(
        read,
        workspace_id=account.workspace_id,
        account_id=account.id,
        raw_id=blob_put(raw).sha256,
        size_bytes=len(raw),
        at=timezone.now() - timedelta(minutes=minutes_ago),
    )
    for name, value in more.items():
        setattr(message, name, value)
    message.save()
    conversations_join([message], {message.id: read.text})
    message.refresh_from_db()
    return message
