"""What a server answered, and what became of one try. RFC 5321 section 4.2, RFC 3463, RFC 2034."""

import re
from dataclasses import dataclass
from enum import StrEnum

_STATUS = re.compile(r"\s*([245]\.\d{1,3}\.\d{1,3})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply. code: 200..599, 0 when there was none; text: the server's own words, lines joined by a newline."""

    code: int
    text: str

    @property
    def status(self) -> str:
        """The enhanced status code that opens the text, "" when there is none (RFC 2034)."""
        found = _STATUS.match(self.text)
        return found.group(1) if found else ""

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def transient(self) -> bool:
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        return 500 <= self.code < 600


class OutcomeKind(StrEnum):
    #: 2yz after the final dot: the server took the message over.
    ACCEPTED = "accepted"
    #: 4yz, or the connection was lost before the last byte of the final dot was handed to the socket.
    DEFERRED = "deferred"
    #: 5yz.
    FAILED = "failed"
    #: The final dot may have gone out and no reply was read (DESIGN 4.5).
    UNCERTAIN = "uncertain"
    #: Never started: nothing of it was handed to a socket. Goes back to the queue without counting as a try.
    UNSENT = "unsent"


class Stage(StrEnum):
    """Where in the dialogue a try ended."""

    PROXY = "proxy"
    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    GREETING = "greeting"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try of one parcel.

    reply:  the answer that decided; Reply(0, words of ours) when the connection was lost.
    stage:  where it was decided.
    dsn_requested: whether NOTIFY/ENVID were really given to the server.
    account_wide: the answer speaks of us and not of the recipient (421, login refused, no connection).
    """

    kind: OutcomeKind
    reply: Reply
    stage: Stage
    dsn_requested: bool = False
    account_wide: bool = False
