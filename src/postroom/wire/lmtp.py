"""The receiving side of mail: SMTP and LMTP sessions over aiosmtpd, which is left its command loop only.

A message is handed over when its last dot was read; the reply is what the receiver says, so whoever answers
250 has stored it. Bodies above a megabyte lie in a file, not in memory. The service extensions announced are
all kept: PIPELINING, 8BITMIME, DSN (parameters are handed over), SIZE, SMTPUTF8, ENHANCEDSTATUSCODES, and STARTTLS
where there is a certificate.

RFC 5321, RFC 2033 (LMTP), RFC 2920, RFC 3461 section 4, RFC 6152, RFC 1870, RFC 6531, RFC 2034, RFC 3207.
"""
# ruff: noqa: N802, N815 - the library finds commands by name

import asyncio
import collections
import contextlib
import logging
import socket
import ssl
import tempfile
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any, Protocol, cast

from aiosmtpd.smtp import SMTP

from postroom.mail.reply import Reply
from postroom.wire.lmtp_envelope import (
    Limits,
    Received,
    Recipient,
    mail_command,
    outside,
    rcpt_command,
    xforward,
)

__all__ = ["Limits", "LmtpSession", "MailServer", "Received", "Receiver", "Recipient", "SmtpSession"]

log = logging.getLogger("postroom.receive")
# The library logs every line it reads, and addresses hold tokens.
logging.getLogger("mail.log").setLevel(logging.ERROR)


_TOO_BIG = Reply(552, "5.3.4 The message is too big")
_NO_ROOM = Reply(452, "4.3.1 No room for the message, try again later")
#: Attributes of XFORWARD that are taken.
_FORWARDED = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")


class Receiver(Protocol):
    """Who decides on recipients and takes messages. Neither may raise for a reason of its own."""

    async def recipient(self, address: str, mail_from: str) -> Reply: ...

    async def message(self, mail: Received) -> Sequence[Reply]:
        """One reply a recipient, in their order. By SMTP the first that is not 2yz answers for all."""
        ...


class _Session(SMTP):  # type: ignore[misc]
    """One connection. `open_sessions` is the set of all of this server."""

    line_length_limit = 1 << 16  # the buffer of the reader; lines themselves may be longer
    command_size_limit = 2048  # RFC 3461 section 5.1 and RFC 6531 section 3.4 lengthen MAIL and RCPT
    smtp_AUTH = None
    smtp_HELP = None
    _mail: Received | None = None
    #: The IP address of the other side; "" = it is not counted: this machine.
    client = ""
    #: What the server in front told of its own client, for the next message.
    _forwarded: dict[str, str] | None = None

    def __init__(
        self,
        receiver: Receiver,
        limits: Limits,
        hostname: str,
        open_sessions: set["_Session"],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(
            object(),
            hostname=hostname,
            ident="Postroom",
            enable_SMTPUTF8=True,
            timeout=limits.idle_s,
            tls_context=tls,
            loop=asyncio.get_running_loop(),
        )
        # The library keeps these in the class, and every new session would empty them for all others.
        self.command_size_limits: dict[str, int] = collections.defaultdict(lambda: self.command_size_limit)
        self._receiver, self._limits, self._open = receiver, limits, open_sessions
        self._refused = self._idle_replies = 0
        self.busy = False

    # --- the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self in self._open:  # once more, over TLS
            super().connection_made(transport)
            return
        self.client = _client(transport.get_extra_info("peername"))
        mine = sum(1 for one in self._open if one.client == self.client) if self.client else 0
        if len(self._open) >= self._limits.connections or mine >= self._limits.per_client:
            refused = cast("asyncio.Transport", transport)  # not an instance of it where the loop is uvloop's
            refused.write(b"421 4.3.2 Too many connections, try again later\r\n")
            transport.close()
            self._refused = -1
            return
        self._open.add(self)
        super().connection_made(transport)
        self._handler_coroutine.add_done_callback(_seen)

    def connection_lost(self, error: Exception | None) -> None:
        if self._refused >= 0:
            self._open.discard(self)
            self._drop()
            super().connection_lost(error)

    def eof_received(self) -> bool | None:
        """A client may close its side after its last command: what it sent is still answered."""
        if self._refused < 0:
            return False
        self._reader.feed_eof()
        return True

    def data_received(self, data: bytes) -> None:
        if self._refused >= 0:
            super().data_received(data)

    async def handle_exception(self, error: Exception) -> str:
        if not isinstance(error, asyncio.IncompleteReadError):
            log.exception("a session failed", exc_info=error)
        if self.transport is not None:
            self.transport.close()
        return "421 4.3.0 Closing the connection"

    async def push(self, status: str | bytes) -> None:
        self._idle_replies += 1
        if self._idle_replies > self._limits.commands and self.transport is not None:
            self._writer.write(b"421 4.7.0 Too many commands without a message\r\n")
            self.transport.close()
        elif self.transport is not None:
            raw = status if isinstance(status, bytes) else status.encode("utf-8", "replace")
            self._writer.write(raw + b"\r\n")
        await self._writer.drain()

    async def _say(self, reply: Reply) -> None:
        lines = reply.text.splitlines() or [""]
        for line in lines[:-1]:
            await self.push(f"{reply.code}-{line}")
        await self.push(f"{reply.code} {lines[-1]}")

    def _drop(self) -> None:
        if self._mail is not None:
            _closed(self._mail)
            self._mail = None

    def _peer(self) -> str:
        address = self.session.peer[0] if isinstance(self.session.peer, tuple) else "local"
        literal = f"IPv6:{address}" if ":" in address else address
        helo = "".join(sign for sign in self.session.host_name if sign.isascii() and sign.isprintable())
        return f"{helo[:200].replace('(', '').replace(')', '') or 'unknown'} ([{literal}])"

    # --- commands

    def _set_rset_state(self) -> None:
        super()._set_rset_state()
        self._forwarded = None
        self._drop()

    async def _hello(self, hostname: str) -> None:
        if not hostname:
            await self.push("501 5.5.4 Say who you are")
            return
        self._set_rset_state()
        self.session.extended_smtp = True
        self.session.host_name = hostname
        size = f"SIZE {self._limits.size_bytes}"
        offered = [self.hostname, "PIPELINING", size, "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES"]
        if not self.client:
            offered.append(f"XFORWARD {' '.join(_FORWARDED)}")
        if self.tls_context is not None and not self.session.ssl:
            offered.append("STARTTLS")
        await self._say(Reply(250, "\n".join(offered)))

    async def smtp_STARTTLS(self, arg: str) -> None:
        if self.tls_context is None or self.session.ssl:
            await self.push("502 5.5.1 There is no STARTTLS here")
        elif arg:
            await self.push("501 5.5.4 Syntax: STARTTLS")
        else:
            # commands sent behind it in clear text are thrown away (CVE-2011-0411)
            await super().smtp_STARTTLS("")

    async def smtp_VRFY(self, arg: str) -> None:
        await self.push("252 2.5.0 Send it and see")

    async def smtp_RSET(self, arg: str) -> None:
        self._set_rset_state()
        await self.push("250 2.0.0 Ok")

    async def smtp_NOOP(self, arg: str) -> None:
        await self.push("250 2.0.0 Ok")

    async def smtp_XFORWARD(self, arg: str) -> None:
        """Postfix's way to tell who handed the mail to it; believed of this machine only."""
        told = xforward(arg or "")
        if self.client:
            await self.push("550 5.7.0 Not from there")
        elif self._mail is not None:
            await self.push("503 5.5.1 A message is under way")
        elif told is None or not set(told) <= set(_FORWARDED):
            await self.push("501 5.5.4 Syntax: XFORWARD name=value ...")
        else:
            self._forwarded = {**(self._forwarded or {}), **told}
            await self.push("250 2.0.0 Ok")

    def _origin(self) -> tuple[str, str]:
        """The address outside that the next message comes from, and its greeting; ("", "") = nobody knows."""
        told, self._forwarded = self._forwarded, None
        if told is not None:
            return outside(told.get("ADDR", "")), told.get("HELO", "")
        return outside(self.client), self.session.host_name

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not self.session.host_name:
            await self.push("503 5.5.1 Say hello first")
        elif self._mail is not None:
            await self.push("503 5.5.1 One message at a time")
        else:
            mail = mail_command(arg or "", self._limits)
            if isinstance(mail, Received):
                mail.peer = self._peer()
                mail.client, mail.helo = self._origin()
                self._mail = mail
            await self.push("250 2.1.0 Ok" if isinstance(mail, Received) else mail)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if self._mail is None:
            await self.push("503 5.5.1 MAIL comes first")
            return
        recipient = rcpt_command(arg or "")
        if isinstance(recipient, str):
            await self.push(recipient)
            return
        if len(self._mail.recipients) >= self._limits.recipients:
            await self.push("452 4.5.3 Too many recipients")
            return
        reply = await self._receiver.recipient(recipient.address, self._mail.mail_from)
        if reply.accepted:
            self._mail.recipients.append(recipient)
        elif reply.permanent:
            self._refused += 1
            if self._refused > self._limits.refused:
                await self.push("421 4.7.0 Too many unknown recipients")
                self.transport.close()
                return
        await self._say(reply)

    async def smtp_DATA(self, arg: str) -> None:
        if self._mail is None or not self._mail.recipients:
            await self.push("503 5.5.1 RCPT comes first" if self._mail is None else "554 5.5.1 No recipients")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End with a dot alone on its line")
        mail, self._mail = self._mail, None
        self.busy = True
        try:
            mail.content = _spool(self._limits)
            async with asyncio.timeout(self._limits.message_s):
                refusal = await self._read_body(mail)
            # What the receiver does takes as long as it takes; only silence of the client counts.
            self._timeout_handle.cancel()
            replies: Sequence[Reply] = [refusal] * len(mail.recipients) if refusal else []
            if refusal is None:
                mail.content.seek(0)
                replies = await self._receiver.message(mail)
            if any(reply.accepted for reply in replies):
                self._idle_replies = 0
            self._reset_timeout()
            await self._answer(replies)
        except TimeoutError:
            await self.push("421 4.4.2 The message takes too long")
            self.transport.close()
        except OSError:  # the spool cannot be read again
            log.exception("a message cannot be spooled")
            await self.push("421 4.3.0 No room for the message, try again later")
            self.transport.close()
        finally:
            self.busy = False
            _closed(mail)

    async def _answer(self, replies: Sequence[Reply]) -> None:
        raise NotImplementedError

    async def _read_body(self, mail: Received) -> Reply | None:
        """Read to the final dot into mail.content. A reply: it cannot be taken, and the rest was read and let go.

        Looked for is ".CRLF"; it ends the message where a line begins there (RFC 5321 section 4.5.2).
        """
        carry, first, body = b"\r\n", True, b""
        refusal: Reply | None = None
        while True:
            try:
                chunk = await self._reader.readuntil(b".\r\n")
            except asyncio.LimitOverrunError as long:
                chunk = await self._reader.readexactly(max(long.consumed, 1))
            self._reset_timeout()
            body = carry + chunk
            ended = body.endswith(b"\r\n.\r\n")
            keep = 3 if ended else 2 if body.endswith(b"\r\n") else 1 if body.endswith(b"\r") else 0
            carry = body[len(body) - keep :]
            body = body[: len(body) - keep]
            # One dot goes from every line that begins with one; the carried CRLF is in front of its line.
            body = body.replace(b"\r\n.", b"\r\n")
            if first and len(body) >= 2:
                body, first = body[2:], False
            mail.size += len(body)
            if mail.size > self._limits.size_bytes:
                refusal = refusal or _TOO_BIG
            if refusal is None:
                refusal = _spooled(mail, body, whole=ended)
            if ended:
                return refusal


class SmtpSession(_Session):
    async def smtp_EHLO(self, hostname: str) -> None:
        await self._hello(hostname)

    async def _answer(self, replies: Sequence[Reply]) -> None:
        await self._say(next((reply for reply in replies if not reply.accepted), replies[0]))


class LmtpSession(_Session):
    """LMTP: LHLO instead of EHLO, and after the final dot one reply a recipient (RFC 2033 section 4.2)."""

    smtp_HELO = None
    smtp_EHLO = None

    async def smtp_LHLO(self, hostname: str) -> None:
        await self._hello(hostname)

    async def _answer(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            await self._say(reply)


class MailServer:
    """A listening socket and its sessions."""

    def __init__(
        self,
        receiver: Receiver,
        *,
        lmtp: bool = False,
        limits: Limits | None = None,
        hostname: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._receiver, self._limits = receiver, limits or Limits()
        self._kind = LmtpSession if lmtp else SmtpSession
        self._hostname = hostname or socket.gethostname()
        self._tls = tls
        self._sessions: set[_Session] = set()
        self._server: asyncio.Server | None = None

    async def start(self, at: tuple[str, int] | Path) -> None:
        """Listen at a host and port (0 = any free one) or a Unix socket. Raises OSError."""
        loop = asyncio.get_running_loop()

        def session() -> SmtpSession:
            return self._kind(self._receiver, self._limits, self._hostname, self._sessions, self._tls)

        if isinstance(at, Path):
            self._server = await loop.create_unix_server(session, sock=unix_socket(at))
        else:
            self._server = await loop.create_server(session, *at)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self, wait_s: float = 5.0) -> None:
        """Take no more connections; a message being taken may end, then all are cut."""
        if self._server is None:
            return
        self._server.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while any(session.busy for session in self._sessions):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)  # sessions learn of it


def _client(peer: Any) -> str:
    """The IP address of a client whose connections are counted."""
    if not isinstance(peer, tuple):
        return ""
    try:
        address = ip_address(str(peer[0]).partition("%")[0])
    except ValueError:
        return ""
    return "" if address.is_loopback else str(address)


def _spooled(mail: Received, body: bytes, *, whole: bool) -> Reply | None:
    try:
        mail.content.write(body)
        if whole:
            mail.content.flush()
    except OSError as error:  # the disk is full
        log.warning("a message cannot be spooled: %s", error.strerror)
        return _NO_ROOM
    return None


def _closed(mail: Received) -> None:
    with contextlib.suppress(OSError):  # what a full disk did not take is not wanted any more
        mail.content.close()


def _spool(limits: Limits) -> IO[bytes]:
    return tempfile.SpooledTemporaryFile(limits.spool_bytes, dir=limits.spool_folder)


def unix_socket(path: Path) -> socket.socket:
    """A socket at the path, for owner and group; one left by an earlier run gives way."""
    if path.is_socket():
        path.unlink()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    path.chmod(0o660)
    return listening


def _seen(task: "asyncio.Task[Any]") -> None:
    """Take note of how a session's task ended: a connection that was reset is nothing to report."""
    if not task.cancelled():
        task.exception()
