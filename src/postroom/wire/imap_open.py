"""Open an IMAP connection: name, TCP, TLS, greeting, login; and the one place where foreign errors become ours."""

import imaplib
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from postroom.errors import HostUnreachable, LoginRefused, ProtocolBroken, TlsFailed, WireError, WireTimeout
from postroom.mail.reply import Reply, Stage
from postroom.wire import guard, socks, tls
from postroom.wire.server import Security, Server

log = logging.getLogger(__name__)

#: A message beyond this is not read whole: its header is, and it is marked.
LARGE_BYTES = 50_000_000


@dataclass(slots=True)
class Mailbox:
    """An open, secured, logged-in connection. capabilities: in capitals, as offered after the login."""

    client: Any
    server: Server
    tls: tls.TlsFacts | None
    capabilities: frozenset[str]


def open_mailbox(server: Server, *, on_stage: Callable[[Stage], None] | None = None) -> Mailbox:
    """Connect, secure and log in; on_stage is told each stage as it begins. Nothing stays open after an error."""
    begin = on_stage or (lambda stage: None)
    connected = reach(server, begin)
    client: _Client | None = None
    try:
        facts = None
        if server.security is Security.TLS:
            begin(Stage.TLS)
            with our_errors(server, Stage.TLS):
                connected = context(server).wrap_socket(connected, server_hostname=server.host)
                facts = tls.facts(connected)
        begin(Stage.GREETING)
        with our_errors(server, Stage.GREETING):
            client = _Client(server, connected)
        if server.security is Security.STARTTLS:
            begin(Stage.TLS)
            with our_errors(server, Stage.TLS):
                facts = _starttls(server, client)
        begin(Stage.LOGIN)
        with our_errors(server, Stage.LOGIN):
            if server.authenticate:
                _login(server, client)
            capabilities = _words(client.capabilities())
    except BaseException:
        if client:
            with suppress(OSError):
                client.shutdown()
        connected.close()
        raise
    return Mailbox(client, server, facts, capabilities)


def reach(server: Server, begin: Callable[[Stage], None]) -> socket.socket:
    if server.proxy:
        begin(Stage.PROXY)
        with our_errors(server, Stage.PROXY):
            return socks.connect_blocking(server, server.proxy)
    begin(Stage.DNS)
    with our_errors(server, Stage.DNS):
        addresses = guard.resolve_blocking(server.host, server.port, allow_private=server.allow_private)
    begin(Stage.TCP)
    with our_errors(server, Stage.TCP):
        return _connect(server, addresses)


def close(mailbox: Mailbox) -> None:
    """LOGOUT, and the socket closed whatever the server does."""
    with suppress(Exception):
        mailbox.client.socket().settimeout(2.0)
        mailbox.client.logout()
    with suppress(OSError):
        mailbox.client.shutdown()


class _Imap4(imaplib.IMAP4):
    """imaplib on a socket of ours: connected to the checked address, so that no name is resolved twice."""

    def __init__(self, server: Server, connected: socket.socket) -> None:
        self._connected = connected
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._connected

    def read(self, size: int) -> bytes:
        if size > LARGE_BYTES + 1_000_000:
            raise self.abort(f"a literal of {size} bytes")
        return super().read(size)


class _Client(IMAPClient):  # type: ignore[misc]
    def __init__(self, server: Server, connected: socket.socket) -> None:
        self._given = (server, connected)
        super().__init__(server.host, server.port, ssl=False, timeout=server.timeout_s)
        # the library's trace would cost time, and hold what people wrote
        self._imap.debug = 0
        self.normalise_times = False

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802 - the library's name
        return _Imap4(*self._given)


def context(server: Server) -> ssl.SSLContext:
    if not server.verify_certificate:
        log.warning("certificate of %s:%s is not verified", server.host, server.port)
    return tls.context(verify=server.verify_certificate)


def _connect(server: Server, addresses: Sequence[str]) -> socket.socket:
    failure: OSError | None = None
    for address in addresses:
        try:
            timeout_s = server.connect_timeout_s / len(addresses)
            connected = socket.create_connection((address, server.port), timeout=timeout_s)
            connected.settimeout(server.timeout_s)
            return connected
        except OSError as error:
            failure = error
    if isinstance(failure, TimeoutError):
        raise failure
    raise HostUnreachable(
        f"{server.host} does not answer at port {server.port}. Check host and port."
    ) from failure


def _starttls(server: Server, client: _Client) -> tls.TlsFacts:
    if "STARTTLS" not in _words(client.capabilities()):
        raise TlsFailed(
            "The server does not offer STARTTLS here, and nothing is sent in clear text.",
            code="STARTTLS_NOT_OFFERED",
        )
    try:
        # what came in clear text behind the answer stays in the buffer that imaplib drops here (CVE-2011-0411)
        client.starttls(context(server))
    except (imaplib.IMAP4.abort, OSError):
        raise
    except imaplib.IMAP4.error as error:
        raise TlsFailed("The server refused STARTTLS, and nothing is sent in clear text.") from error
    return tls.facts(client.socket())


def _login(server: Server, client: _Client) -> None:
    offered = _words(client.capabilities())
    login, secret = server.login, server.password
    if "LOGINDISABLED" in offered and "AUTH=PLAIN" not in offered:
        raise LoginRefused("The server offers no login here.", code="NO_AUTH_OFFERED")
    try:
        if server.login_kind == "oauth":
            if "AUTH=XOAUTH2" not in offered:
                raise LoginRefused("The server does not offer XOAUTH2.", code="NO_AUTH_OFFERED")
            client.oauth2_login(login, secret)
        elif (login + secret).isascii() and (login + secret).isprintable() and "LOGINDISABLED" not in offered:
            client.login(login, secret)
        else:
            client.sasl_login("PLAIN", lambda _: f"\0{login}\0{secret}".encode())
    except LoginError as error:
        refused = LoginRefused("The server refused the user name or the password.")
        refused.reply = Reply(0, server.masked(_said(error)))
        # the library's error may repeat what was sent
        raise refused from None


@contextmanager
def our_errors(server: Server, stage: Stage) -> Iterator[None]:
    """Turn whatever sockets, ssl, imaplib and IMAPClient raise into ours."""
    try:
        yield
    except WireError as error:
        error.stage = error.stage or stage
        raise
    except Exception as error:
        ours = _translated(server, stage, error)
        ours.stage = stage
        raise ours from error


def _translated(server: Server, stage: Stage, error: Exception) -> WireError:
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return WireTimeout(f"{server.host} did not answer in time.")
    if isinstance(error, ssl.SSLError | ssl.CertificateError) and stage is Stage.TLS:
        return tls.explain(error, server.host)
    words = Reply(0, server.masked(" ".join(_said(error).split()))[:500])
    unread = "unexpected response" in str(error)
    ours: WireError
    if isinstance(error, OSError | imaplib.IMAP4.abort) and not unread:
        if stage is Stage.TLS:
            return TlsFailed("The server closed the connection instead of agreeing on encryption.")
        ours = HostUnreachable("The server closed the connection.", code="CLOSED")
    elif stage is Stage.GREETING and str(error).startswith("b'* BYE"):
        ours = HostUnreachable("The server does not let us in.", code="NOT_TAKING")
    elif isinstance(error, imaplib.IMAP4.error) and stage is not Stage.GREETING and not unread:
        ours = ProtocolBroken("The server refused a command.")
    else:
        # the library parses what a server sent, and says what it could not read in any error there is
        if "\\x15\\x03" in str(error):
            return TlsFailed(
                "The server speaks TLS at once on this port: choose TLS from the start.",
                code="TLS_WRONG_MODE",
            )
        ours = ProtocolBroken("This is no IMAP server.", code="NOT_IMAP")
    ours.reply = words
    return ours


def _said(error: Exception) -> str:
    """The server's words: the library hands some on as the text of a bytes literal."""
    text = str(error)
    return text[2:-1] if text[:2] in ("b'", 'b"') and text[-1:] == text[1] else text


def _words(capabilities: Sequence[bytes | str]) -> frozenset[str]:
    return frozenset(
        (word.decode("ascii", "replace") if isinstance(word, bytes) else word).upper()
        for word in capabilities
    )
