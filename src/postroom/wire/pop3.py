"""Read a mailbox over POP3, for accounts of old (CM-03): plain blocking functions around poplib, for threads.

RFC 1939, 2449 (CAPA), 2595 (STLS), 3206 (why a login failed). Every failure is a WireError with `stage`.
"""

import poplib
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from postroom.errors import HostUnreachable, LoginRefused, ProtocolBroken, TlsFailed, WireError, WireTimeout
from postroom.mail.reply import Reply, Stage
from postroom.wire import tls
from postroom.wire.imap_open import LARGE_BYTES, context, reach
from postroom.wire.server import Security, Server

#: An answer of more bytes is not read on; one of a single line has at most LINE_BYTES.
ANSWER_BYTES, LINE_BYTES = LARGE_BYTES + 1_000_000, 65_536
_UIDL = re.compile(rb"\s*([0-9]{1,9})\s+([^\s\0]{1,1000})\s*")
_SIZE = re.compile(rb"\s*([0-9]{1,9})\s+([0-9]{1,15}).*")
#: RFC 2449 and 3206: it is not the password that is wrong.
_NOT_NOW = ("[in-use]", "[login-delay]", "[sys/temp]", "[sys/perm]")


@dataclass(slots=True)
class PopBox:
    """An open, secured, logged-in connection. sizes: octets by message number, as far as the server told."""

    client: "_Pop3"
    server: Server
    tls: tls.TlsFacts | None
    capabilities: frozenset[str]
    sizes: dict[int, int] = field(default_factory=dict)


class _Pop3(poplib.POP3):
    """poplib on a socket of ours, and lines as long as mails have them: poplib itself stops at 2048 octets."""

    def __init__(self, server: Server, connected: socket.socket) -> None:
        self._connected = connected
        self._left = LINE_BYTES
        try:
            super().__init__(server.host, server.port)
        except BaseException:
            self.file.close()  # else it would hold the socket open
            raise

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return self._connected

    def _putcmd(self, line: str) -> None:
        self._left = LINE_BYTES
        super()._putcmd(line)  # type: ignore[misc]

    def _getlongresp(self) -> tuple[bytes, list[bytes], int]:
        answer = self._getresp()  # type: ignore[attr-defined]
        self._left = ANSWER_BYTES
        lines: list[bytes] = []
        while (line := self._getline()[0]) != b".":
            lines.append(line[1:] if line.startswith(b"..") else line)
        return answer, lines, 0

    def _getline(self) -> tuple[bytes, int]:
        line = self.file.readline(self._left + 1)
        self._left -= len(line)
        if self._left < 0:
            raise poplib.error_proto("an answer without end")
        if not line.endswith(b"\n"):
            raise ConnectionError("closed")
        return line[:-2] if line.endswith(b"\r\n") else line[:-1], len(line)


def open_pop3(server: Server, on_stage: Callable[[Stage], None] | None = None) -> PopBox:
    """Connect, secure and log in; on_stage is told each stage as it begins. Nothing stays open after an error."""
    begin = on_stage or (lambda stage: None)
    connected = reach(server, begin)
    client: _Pop3 | None = None
    try:
        facts = None
        if server.security is Security.TLS:
            begin(Stage.TLS)
            with _our_errors(server, Stage.TLS):
                connected = context(server).wrap_socket(connected, server_hostname=server.host)
                facts = tls.facts(connected)
        begin(Stage.GREETING)
        with _our_errors(server, Stage.GREETING):
            client = _Pop3(server, connected)
        if server.security is Security.STARTTLS:
            begin(Stage.TLS)
            with _our_errors(server, Stage.TLS):
                facts = _stls(server, client)
        begin(Stage.LOGIN)
        with _our_errors(server, Stage.LOGIN):
            _login(server, client)
            capabilities = frozenset(_capabilities(client))
    except BaseException:
        for one in (client and client.sock, connected):
            if one:
                one.close()
        if client:
            client.file.close()
        raise
    return PopBox(client, server, facts, capabilities)


def uidls(box: PopBox) -> list[tuple[int, str]]:
    """(message number, UIDL) of everything in the mailbox, in its order; of messages that share a UIDL the first.

    Raises ProtocolBroken NO_UIDL: a server that gives messages no lasting names.
    """
    with _our_errors(box.server, Stage.BODY):
        try:
            lines = box.client.uidl()[1]
        except poplib.error_proto as error:
            if not _refused(error):
                raise
            raise ProtocolBroken(
                "The server gives its mails no lasting names (UIDL), so nobody can tell which were read already."
                " Use IMAP.",
                code="NO_UIDL",
            ) from error
        found: dict[str, int] = {}
        for line in lines:
            match = _UIDL.fullmatch(line)
            if match is None:
                raise poplib.error_proto(line)
            found.setdefault(match[2].decode("ascii", "backslashreplace"), int(match[1]))
        told = (_SIZE.fullmatch(line) for line in box.client.list()[1])
        box.sizes = {int(match[1]): int(match[2]) for match in told if match}
    return [(number, uidl) for uidl, number in found.items()]


def fetch(box: PopBox, number: int) -> bytes:
    """The message with CRLF line ends; only the header of one beyond LARGE_BYTES; b"" when the server refuses it."""
    large = box.sizes.get(number, 0) > LARGE_BYTES
    return _lines(box, lambda: box.client.top(number, 0) if large else box.client.retr(number))


def header(box: PopBox, number: int) -> bytes:
    """Its header alone; b"" when the server refuses it, or knows no TOP."""
    return _lines(box, lambda: box.client.top(number, 0))


def _lines(box: PopBox, ask: Callable[[], tuple[bytes, list[bytes], int]]) -> bytes:
    with _our_errors(box.server, Stage.BODY):
        try:
            lines = ask()[1]
        except poplib.error_proto as error:
            if not _refused(error):
                raise
            return b""
    return b"\r\n".join([*lines, b""])


def delete(box: PopBox, number: int) -> None:
    """Mark it for removal; the server removes it when the connection is closed in good order (RFC 1939 section 6)."""
    with _our_errors(box.server, Stage.BODY):
        box.client.dele(number)


def close(box: PopBox) -> None:
    """QUIT, and the socket closed whatever the server does."""
    with suppress(Exception):
        box.client.sock.settimeout(5.0)
        box.client.quit()
    with suppress(Exception):
        box.client.close()


def _stls(server: Server, client: _Pop3) -> tls.TlsFacts:
    if "STLS" not in _capabilities(client):
        raise TlsFailed(
            "The server does not offer STARTTLS here, and nothing is sent in clear text.",
            code="STARTTLS_NOT_OFFERED",
        )
    try:
        # what came in clear text behind the answer stays in the buffer that poplib drops here (CVE-2011-0411)
        client.stls(context(server))
    except poplib.error_proto as error:
        raise TlsFailed("The server refused STARTTLS, and nothing is sent in clear text.") from error
    return tls.facts(client.sock)  # type: ignore[arg-type]


def _capabilities(client: _Pop3) -> set[str]:
    """In capitals; empty where the server does not know CAPA."""
    try:
        return {name.upper() for name in client.capa()}
    except poplib.error_proto as error:
        if not _refused(error):
            raise
        return set()


def _login(server: Server, client: _Pop3) -> None:
    if not (server.login + server.password).isprintable():
        raise LoginRefused("User name and password must not hold control characters.")
    try:
        client.user(server.login)
        client.pass_(server.password)
    except poplib.error_proto as error:
        if not _refused(error):
            raise
        words = server.masked(_said(error))
        if words.lower().removeprefix("-err ").startswith(_NOT_NOW):
            ours: WireError = HostUnreachable("The server does not let us in.", code="NOT_TAKING")
        else:
            ours = LoginRefused("The server refused the user name or the password.")
        ours.reply = Reply(0, words)
        raise ours from None  # the library's error may repeat what was sent


def _refused(error: poplib.error_proto) -> bool:
    """Whether it is the server's -ERR, not something that cannot be read."""
    return _said(error).upper().startswith("-ERR")


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


@contextmanager
def _our_errors(server: Server, stage: Stage) -> Iterator[None]:
    """Turn whatever sockets, ssl and poplib raise into ours."""
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
    said = _said(error)
    ours: WireError
    if isinstance(error, OSError):
        if stage is Stage.TLS:
            return TlsFailed("The server closed the connection instead of agreeing on encryption.")
        ours, said = HostUnreachable("The server closed the connection.", code="CLOSED"), ""
    elif "\x15\x03" in said:
        return TlsFailed(
            "The server speaks TLS at once on this port: choose TLS from the start.", code="TLS_WRONG_MODE"
        )
    elif said.upper().startswith("-ERR"):
        ours = (
            HostUnreachable("The server does not let us in.", code="NOT_TAKING")
            if stage is Stage.GREETING
            else ProtocolBroken("The server refused a command.")
        )
    else:
        ours = ProtocolBroken("This is no POP3 server.", code="NOT_POP3")
    ours.reply = Reply(0, server.masked(" ".join(said.split()))[:500])
    return ours
