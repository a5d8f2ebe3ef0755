"""Open an SMTP session: name, TCP, greeting, EHLO, TLS, login. RFC 5321 section 3.1, RFC 3207, RFC 4954, RFC 8314."""

import asyncio
import logging
import ssl
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from postroom.errors import (
    HostUnreachable,
    LoginRefused,
    ProtocolBroken,
    TlsFailed,
    WireError,
    WireTimeout,
)
from postroom.mail.reply import Reply, Stage
from postroom.wire import guard, socks, tls
from postroom.wire.server import Security, Server
from postroom.wire.smtp_core import Capabilities, ReplyParser

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

OnStage = Callable[[Stage], None]

#: How long the answer to QUIT is waited for.
QUIT_S = 2.0


@dataclass(slots=True)
class Session:
    """An open session, ready for MAIL. The new owner of the transport sets its own protocol on it."""

    transport: asyncio.Transport
    capabilities: Capabilities
    parser: ReplyParser
    tls: tls.TlsFacts | None
    peer: "Opening"

    async def quit(self) -> None:
        """QUIT; nothing is open afterwards, whatever the server does. For an owner that kept `peer` as protocol."""
        try:
            async with asyncio.timeout(QUIT_S):
                await self.peer.command("QUIT")
        except (WireError, TimeoutError):
            pass  # gone, or silent: it is closed all the same
        finally:
            shut(self.transport)


def shut(transport: asyncio.Transport) -> None:
    """Close at once. TLS says its goodbye, but the server's, which may never come, is not waited for."""
    if not transport.is_closing():
        transport.close()
    transport.abort()


class Opening(asyncio.Protocol):
    """A session while it is opened: one command, one reply."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.parser = ReplyParser()
        self.transport: asyncio.Transport | None = None
        self._replies: deque[Reply] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._end: WireError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._replies.extend(self.parser.feed(data))
        except ProtocolBroken as error:
            self._end = error
            if "TLS at once" in error.message:
                self._end = TlsFailed(error.message, code="TLS_WRONG_MODE")
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is None:
            self._end = HostUnreachable("The server closed the connection.", code="CLOSED")
            self._end.__cause__ = exc
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    async def reply(self) -> Reply:
        """The next reply. Raises WireTimeout, ProtocolBroken, HostUnreachable(CLOSED)."""
        while not self._replies:
            if self._end:
                raise self._end
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        return self._replies.popleft()

    async def command(self, line: str) -> Reply:
        assert self.transport is not None
        self.transport.write(line.encode() + b"\r\n")
        return await self.reply()

    @property
    def settled(self) -> bool:
        """Whether nothing unasked has been received."""
        return self.parser.empty and not self._replies and self._end is None


async def open_session(server: Server, *, on_stage: OnStage | None = None) -> Session:
    """Connect, greet, secure and log in. on_stage is told each stage as it begins.

    Raises a WireError with `stage` and, where the server said something, `reply`; nothing stays open then.
    """
    return await _Opener(server, on_stage or (lambda stage: None)).run()


class _Opener:
    def __init__(self, server: Server, on_stage: OnStage) -> None:
        self.server = server
        self.on_stage = on_stage
        self.peer = Opening(server)
        self.capabilities = Capabilities()
        self.facts: tls.TlsFacts | None = None

    async def run(self) -> Session:
        try:
            await self._run()
        except BaseException:
            if self.peer.transport:
                self.peer.transport.abort()
            raise
        assert self.peer.transport is not None
        return Session(self.peer.transport, self.capabilities, self.peer.parser, self.facts, self.peer)

    async def _run(self) -> None:
        server = self.server
        if server.proxy:
            async with self._stage(Stage.PROXY, server.connect_timeout_s):
                connected = await socks.connect(server, server.proxy)
                await asyncio.get_running_loop().create_connection(lambda: self.peer, sock=connected)
        else:
            async with self._stage(Stage.DNS, server.connect_timeout_s):
                addresses = await guard.resolve(server.host, server.port, allow_private=server.allow_private)
            async with self._stage(Stage.TCP, server.connect_timeout_s):
                await self._connect(addresses)
        if server.security is Security.TLS:
            async with self._stage(Stage.TLS, server.timeout_s):
                await self._secure()
        async with self._stage(Stage.GREETING, server.timeout_s):
            greeting = await self.peer.reply()
            if not greeting.accepted:
                raise self._refused(greeting, "The server does not let us in")
            await self._hello()
        if server.security is Security.STARTTLS:
            async with self._stage(Stage.TLS, server.timeout_s):
                await self._starttls()
                await self._hello()
        async with self._stage(Stage.LOGIN, server.timeout_s):
            if server.authenticate:
                await self._login()
            if not self.peer.settled:
                raise ProtocolBroken("The server said something unasked.", code="NOT_SMTP")

    @asynccontextmanager
    async def _stage(self, stage: Stage, timeout_s: float) -> "AsyncIterator[None]":
        self.on_stage(stage)
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except WireError as error:
            error.stage = error.stage or stage
            raise
        except TimeoutError as error:
            silent = WireTimeout(f"{self.server.host} did not answer within {timeout_s:g} seconds.")
            silent.stage = stage
            raise silent from error
        except OSError as error:
            lost = HostUnreachable("The connection was lost.", code="CLOSED")
            lost.stage = stage
            raise lost from error

    async def _connect(self, addresses: list[str]) -> None:
        loop = asyncio.get_running_loop()
        failure: OSError | None = None
        for address in addresses:
            try:
                # one silent address of several must not use up all of the time
                async with asyncio.timeout(self.server.connect_timeout_s / len(addresses)):
                    await loop.create_connection(lambda: self.peer, address, self.server.port)
                return
            except OSError as error:  # TimeoutError is one too
                failure = error
        if isinstance(failure, TimeoutError):
            raise failure
        raise HostUnreachable(
            f"{self.server.host} does not answer at port {self.server.port}. Check host and port."
        ) from failure

    async def _secure(self) -> None:
        assert self.peer.transport is not None
        if not self.server.verify_certificate:
            log.warning("certificate of %s:%s is not verified", self.server.host, self.server.port)
        try:
            transport = await asyncio.get_running_loop().start_tls(
                self.peer.transport,
                self.peer,
                tls.context(verify=self.server.verify_certificate),
                server_hostname=self.server.host,
            )
        except (ssl.SSLError, ssl.CertificateError) as error:
            raise tls.explain(error, self.server.host) from error
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise TlsFailed("The server closed the connection instead of agreeing on encryption.") from error
        assert transport is not None
        self.peer.transport = transport
        self.facts = tls.facts(transport.get_extra_info("ssl_object"))

    async def _starttls(self) -> None:
        if not self.capabilities.starttls:
            raise TlsFailed(
                "The server does not offer STARTTLS here, and nothing is sent in clear text.",
                code="STARTTLS_NOT_OFFERED",
            )
        reply = await self.peer.command("STARTTLS")
        if not reply.accepted:
            raise self._with_reply(
                TlsFailed("The server refused STARTTLS, and nothing is sent in clear text."), reply
            )
        if not self.peer.settled:
            # CVE-2011-0411: what came in clear text behind the answer must not count as said under TLS
            raise TlsFailed("The server sent clear text behind its answer to STARTTLS.", code="TLS_INJECTION")
        await self._secure()

    async def _hello(self) -> None:
        name = self.server.helo_name
        name = name if name.isascii() and name.isprintable() and name and " " not in name else "localhost"
        reply = await self.peer.command(f"EHLO {name}")
        self.capabilities = Capabilities.from_reply(reply) if reply.accepted else Capabilities()
        if reply.permanent:
            reply = await self.peer.command(f"HELO {name}")
        if not reply.accepted:
            raise self._refused(reply, "The server refused our greeting")

    async def _login(self) -> None:
        server = self.server
        offered = self.capabilities.auth
        if not offered:
            raise LoginRefused("The server offers no login here.", code="NO_AUTH_OFFERED")
        oauth = server.login_kind == "oauth"
        wanted = ("XOAUTH2",) if oauth else ("PLAIN", "LOGIN")
        usable = [mechanism for mechanism in wanted if mechanism in offered]
        if not usable:
            raise LoginRefused(
                f"The server offers the logins {' '.join(offered)}, none of which is {' or '.join(wanted)}.",
                code="NO_AUTH_OFFERED",
            )
        for mechanism in usable:
            reply = await self._authenticate(mechanism)
            if reply.code != 504:  # the mechanism itself is not taken (RFC 4954 section 4)
                break
        if reply.code == 235:
            return
        if reply.permanent:
            raise self._with_reply(LoginRefused("The server refused the user name or the password."), reply)
        raise self._refused(reply, "The server cannot take a login now")

    async def _authenticate(self, mechanism: str) -> Reply:
        login, secret = self.server.login.encode(), self.server.password.encode()
        if mechanism == "LOGIN":
            reply = await self.peer.command("AUTH LOGIN")
            for answer in (login, secret):
                if reply.code != 334:
                    return reply
                reply = await self.peer.command(b64encode(answer).decode())
            return reply
        if mechanism == "PLAIN":
            return await self.peer.command("AUTH PLAIN " + b64encode(b"\0%b\0%b" % (login, secret)).decode())
        token = b64encode(b"user=%b\1auth=Bearer %b\1\1" % (login, secret)).decode()
        reply = await self.peer.command("AUTH XOAUTH2 " + token)
        # a refusal comes as a challenge that wants an empty answer before the real reply
        return await self.peer.command("") if reply.code == 334 else reply

    def _refused(self, reply: Reply, words: str) -> WireError:
        if reply.code < 400:
            return self._with_reply(ProtocolBroken("This is no SMTP server.", code="NOT_SMTP"), reply)
        return self._with_reply(HostUnreachable(f"{words}.", code="NOT_TAKING"), reply)

    def _with_reply(self, error: WireError, reply: Reply) -> WireError:
        error.reply = Reply(reply.code, self.server.masked(reply.text))
        return error
