"""One message handed over on an open session, answer by answer; for tests of settings (SA-27). RFC 5321 section 3.3."""

import asyncio
from dataclasses import dataclass

from postroom.errors import HostUnreachable, WireTimeout
from postroom.mail.reply import Reply
from postroom.wire.smtp_core import stuffed
from postroom.wire.smtp_open import Session


@dataclass(frozen=True, slots=True)
class Letter:
    """raw: CRLF line ends, not dot-stuffed, the last line ends with CRLF."""

    mail_from: str
    recipient: str
    raw: bytes


async def hand_over(session: Session, letter: Letter, *, timeout_s: float) -> Reply:
    """The answer to the final dot, an acceptance; the server's words often name a queue id.

    Raises HostUnreachable LETTER_REFUSED with the reply that refused, WireTimeout, or what the session raises.
    """
    peer = session.peer
    wide = not (letter.mail_from + letter.recipient).isascii()
    commands = (
        f"MAIL FROM:<{letter.mail_from}>{' SMTPUTF8' if wide else ''}",
        f"RCPT TO:<{letter.recipient}>",
        "DATA",
    )
    try:
        async with asyncio.timeout(timeout_s):
            for command in commands:
                _taken(await peer.command(command), expected=3 if command == "DATA" else 2)
            for part in stuffed([letter.raw]):
                session.transport.write(part)
            session.transport.write(b".\r\n")
            return _taken(await peer.reply(), expected=2)
    except TimeoutError as error:
        raise WireTimeout("The server did not answer to the test message in time.") from error


def _taken(reply: Reply, *, expected: int) -> Reply:
    if reply.code // 100 != expected:
        error = HostUnreachable("The server did not take the test message.", code="LETTER_REFUSED")
        error.reply = reply
        raise error
    return reply
