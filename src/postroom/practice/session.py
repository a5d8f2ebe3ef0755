"""A fast, small SMTP server session: pipelining and delivery reports asked for, no storage, no security.

For practice and for counting only. RFC 5321, RFC 2920, RFC 3461. Whoever stands behind it is a `Desk`.
"""

import asyncio
import re
import socket
import struct
from dataclasses import dataclass, field
from typing import Protocol

_MAIL = re.compile(rb"MAIL FROM:\s*<([^>]*)>(.*)", re.IGNORECASE | re.DOTALL)
_RCPT = re.compile(rb"RCPT TO:\s*<([^>]+)>(.*)", re.IGNORECASE | re.DOTALL)
_WORD = re.compile(rb"([A-Za-z0-9]+)=(\S+)")
_XTEXT = re.compile(r"\+([0-9A-Fa-f]{2})")
_LINE_MOST = 4096

HELLO = (
    "250-{name}\r\n250-PIPELINING\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
    "250 ENHANCEDSTATUSCODES"
)


@dataclass(slots=True)
class Recipient:
    """notify: NOTIFY in capitals, orcpt: decoded and without its type; "" when not given."""

    address: str
    notify: str = ""
    orcpt: str = ""


@dataclass(slots=True)
class Envelope:
    """size: what SIZE= announced, or 0. cut_after: the connection is reset after so many octets; 0: never."""

    mail_from: str
    envid: str = ""
    ret: str = ""
    size: int = 0
    cut_after: int = 0
    recipients: list[Recipient] = field(default_factory=list)


class Desk(Protocol):
    """Decides, at once. A reply is a line without its end; None cuts the connection without a word.

    answer_delay_s: the final dot is answered so much later.
    """

    name: str

    @property
    def answer_delay_s(self) -> float: ...

    def rcpt(self, envelope: Envelope, recipient: Recipient) -> str | None: ...

    def data(self, envelope: Envelope) -> str | None:
        """Answer DATA; "354 ..." lets the message come."""
        ...

    def message(self, envelope: Envelope, raw: bytes) -> str | None: ...

    def cut(self, envelope: Envelope, octets: int) -> None:
        """The connection was reset after `octets` of the message."""
        ...


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self, desk: Desk, sessions: "set[Session]") -> None:
        self.desk = desk
        self.sessions = sessions
        self.transport: asyncio.Transport | None = None
        self.buffer = bytearray()
        self.out: list[bytes] = []
        self.envelope: Envelope | None = None
        self.in_data = self.waiting = self.ended = False
        self.scanned = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.sessions.add(self)
        transport.write(f"220 {self.desk.name} ESMTP practice\r\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self.sessions.discard(self)
        self.transport, self.ended = None, True

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._work()

    def _work(self) -> None:
        while not self.ended and not self.waiting:
            if not (self._take_message() if self.in_data else self._take_command()):
                break
        if self.out and self.transport is not None:
            self.transport.write(b"".join(self.out))
            self.out.clear()
        if self.ended and self.transport is not None:
            # Not abort(): what was answered before must arrive.
            self.transport.close()

    def _say(self, reply: str | None) -> None:
        if reply is None:
            self.ended = True
        else:
            self.out.append(reply.encode() + b"\r\n")

    def _take_message(self) -> bool:
        buffer = self.buffer
        if self.envelope and 0 < self.envelope.cut_after <= len(buffer):
            self._reset(self.envelope)
            return False
        if buffer.startswith(b".\r\n"):
            end, skip = 0, 3
        else:
            end, skip = buffer.find(b"\r\n.\r\n", self.scanned), 5
            if end < 0:
                self.scanned = max(0, len(buffer) - 4)
                return False
            end += 2
            skip = 3
        raw = bytes(buffer[:end])
        del buffer[: end + skip]
        if raw.startswith(b".") or b"\r\n." in raw:
            raw = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n")[2:]
        envelope, self.envelope, self.in_data = self.envelope, None, False
        assert envelope is not None
        reply = self.desk.message(envelope, raw)
        late = self.desk.answer_delay_s if reply is not None else 0.0
        if reply is not None and late:
            self.waiting = True
            asyncio.get_running_loop().call_later(late, self._answer_late, reply)
        else:
            self._say(reply)
        return True

    def _reset(self, envelope: Envelope) -> None:
        """RST, so that the sender learns of it while it is still writing."""
        assert self.transport is not None
        self.desk.cut(envelope, len(self.buffer))
        now = struct.pack("ii", 1, 0)
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        self.transport.abort()
        self.ended = True

    def _answer_late(self, reply: str) -> None:
        self.waiting = False
        self._say(reply)
        self._work()

    def _take_command(self) -> bool:
        end = self.buffer.find(b"\n")
        if end < 0:
            if len(self.buffer) > _LINE_MOST:
                self._say("500 5.5.2 Line too long")
                self.ended = True
            return False
        line = bytes(self.buffer[:end]).rstrip(b"\r")
        del self.buffer[: end + 1]
        verb = line[:4].upper()
        if verb in (b"EHLO", b"HELO"):
            self.envelope = None
            self._say(HELLO.format(name=self.desk.name) if verb == b"EHLO" else f"250 {self.desk.name}")
        elif verb == b"MAIL":
            self._mail(line)
        elif verb == b"RCPT":
            self._rcpt(line)
        elif verb == b"DATA":
            self._data()
        elif verb in (b"RSET", b"NOOP"):
            self.envelope = None if verb == b"RSET" else self.envelope
            self._say("250 2.0.0 Ok")
        elif verb == b"QUIT":
            self._say("221 2.0.0 Bye")
            self.ended = True
        else:
            self._say("502 5.5.1 Not known here")
        return True

    def _mail(self, line: bytes) -> None:
        found = _MAIL.fullmatch(line)
        if found is None or self.envelope is not None:
            self._say("501 5.5.4 Syntax: MAIL FROM:<address>" if found is None else "503 5.5.1 Nested MAIL")
            return
        given = _given(found[2])
        size = given.get("SIZE", "")
        self.envelope = Envelope(
            found[1].decode("utf-8", "replace"),
            _xtext(given.get("ENVID", "")),
            given.get("RET", "").upper(),
            int(size) if size.isascii() and size.isdigit() else 0,
        )
        self._say("250 2.1.0 Ok")

    def _rcpt(self, line: bytes) -> None:
        found = _RCPT.fullmatch(line)
        if self.envelope is None or found is None:
            self._say(
                "501 5.5.4 Syntax: RCPT TO:<address>" if self.envelope else "503 5.5.1 MAIL comes first"
            )
            return
        given = _given(found[2])
        recipient = Recipient(
            found[1].decode("utf-8", "replace"),
            given.get("NOTIFY", "").upper(),
            _xtext(given.get("ORCPT", "").partition(";")[2]),
        )
        reply = self.desk.rcpt(self.envelope, recipient)
        if reply is not None and reply.startswith("2"):
            self.envelope.recipients.append(recipient)
        self._say(reply)

    def _data(self) -> None:
        if self.envelope is None or not self.envelope.recipients:
            self._say("554 5.5.1 No recipients" if self.envelope else "503 5.5.1 MAIL comes first")
            return
        reply = self.desk.data(self.envelope)
        if reply is not None and reply.startswith("3"):
            self.in_data, self.scanned = True, 0
        self._say(reply)


def _given(text: bytes) -> dict[str, str]:
    return {name.decode().upper(): value.decode("utf-8", "replace") for name, value in _WORD.findall(text)}


def _xtext(text: str) -> str:
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
