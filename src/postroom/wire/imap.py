"""Read a mailbox over IMAP: plain blocking functions around IMAPClient, for threads. RFC 9051, 2177, 3501, 8314.

Every failure is a WireError with `stage`; the library's own errors never come out.
"""

import imaplib
import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from postroom.errors import HostUnreachable, LoginRefused, ProtocolBroken, TlsFailed, WireError, WireTimeout
from postroom.mail.reply import Reply, Stage
from postroom.wire import guard, tls
from postroom.wire.server import Security, Server

log = logging.getLogger(__name__)

#: A message beyond this is not read whole: its header is, and it is marked.
LARGE_BYTES = 50_000_000
#: A batch of messages holds at most so many and, beyond its first one, so many bytes.
BATCH_MESSAGES, BATCH_BYTES = 100, 16_000_000


@dataclass(slots=True)
class Mailbox:
    """An open, secured, logged-in connection. capabilities: in capitals, as offered after the login."""

    client: Any
    server: Server
    tls: tls.TlsFacts | None
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Folder:
    """What EXAMINE says. uidnext and highest_modseq are 0 where the server does not tell."""

    name: str
    uidvalidity: int
    uidnext: int
    messages: int
    highest_modseq: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """One message. raw is only its header when header_only, b"" when the server refuses it.

    received_at: aware UTC, None when the server names none.
    """

    uid: int
    raw: bytes
    received_at: datetime | None
    size: int
    header_only: bool


def open_mailbox(server: Server, *, on_stage: Callable[[Stage], None] | None = None) -> Mailbox:
    """Connect, secure and log in; on_stage is told each stage as it begins. Nothing stays open after an error."""
    begin = on_stage or (lambda stage: None)
    begin(Stage.DNS)
    with _ours(server, Stage.DNS):
        addresses = guard.resolve_blocking(server.host, server.port, allow_private=server.allow_private)
    begin(Stage.TCP)
    with _ours(server, Stage.TCP):
        connected = _connect(server, addresses)
    client: _Client | None = None
    try:
        facts = None
        if server.security is Security.TLS:
            begin(Stage.TLS)
            with _ours(server, Stage.TLS):
                connected = _context(server).wrap_socket(connected, server_hostname=server.host)
                facts = tls.facts(connected)
        begin(Stage.GREETING)
        with _ours(server, Stage.GREETING):
            client = _Client(server, connected)
        if server.security is Security.STARTTLS:
            begin(Stage.TLS)
            with _ours(server, Stage.TLS):
                facts = _starttls(server, client)
        begin(Stage.LOGIN)
        with _ours(server, Stage.LOGIN):
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


def examine(mailbox: Mailbox, folder: str = "INBOX") -> Folder:
    """Open a folder for reading only. Raises WireError(FOLDER_MISSING) when the server does not open it."""
    with _ours(mailbox.server, Stage.BODY):
        try:
            told = mailbox.client.select_folder(folder, readonly=True)
        except (imaplib.IMAP4.abort, OSError):
            raise
        except imaplib.IMAP4.error as error:
            missing = WireError(f"The server does not open the folder {folder}.", code="FOLDER_MISSING")
            missing.reply = Reply(0, mailbox.server.masked(str(error)))
            raise missing from error
        if not told.get(b"UIDVALIDITY"):
            raise ProtocolBroken(f"The server names no UIDVALIDITY for the folder {folder}.", code="NOT_IMAP")
        numbers = (
            int(told.get(key) or 0) for key in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS", b"HIGHESTMODSEQ")
        )
        return Folder(folder, *numbers)


def fetch_since(mailbox: Mailbox, uid: int, *, at_most: int = BATCH_MESSAGES) -> Iterator[list[Fetched]]:
    """The messages of the examined folder with a UID above `uid`, oldest first, in batches; nothing is marked as read.

    Messages that vanish meanwhile are left out; one that the server refuses to hand out comes without bytes. An error
    names the first UID of the batch that failed in its details.
    """
    client = mailbox.client
    with _ours(mailbox.server, Stage.BODY):
        # n:* names the last message even when its UID is below n (RFC 9051 section 6.4.4)
        uids = sorted(found for found in client.search([b"UID", b"%d:*" % (uid + 1)]) if found > uid)
    for start in range(0, len(uids), BATCH_MESSAGES):
        with _ours(mailbox.server, Stage.BODY):
            facts = client.fetch(uids[start : start + BATCH_MESSAGES], ["RFC822.SIZE", "INTERNALDATE"])
        sizes = {number: int(fact.get(b"RFC822.SIZE") or 0) for number, fact in facts.items()}
        for group in _groups(sizes, at_most):
            try:
                with _ours(mailbox.server, Stage.BODY):
                    batch = _fetch_each(client, group, sizes, facts)
            except WireError as error:
                error.details["uid"] = group[0]
                raise
            yield batch


def last_uid_before(mailbox: Mailbox, folder: Folder, moment: datetime) -> int:
    """The UID of the examined folder after which mail begins that arrived at `moment` (aware) or later; 0 = all of it.

    Only dates are fetched, so a mailbox with years of mail costs little.
    """
    client = mailbox.client
    with _ours(mailbox.server, Stage.BODY):
        # SINCE knows days only, and the server's own time zone decides which (RFC 9051 section 6.4.4)
        day = (moment - timedelta(days=1)).date()
        uids = sorted(client.search(["SINCE", day]))
        for start in range(0, len(uids), BATCH_MESSAGES):
            facts = client.fetch(uids[start : start + BATCH_MESSAGES], ["INTERNALDATE"])
            for uid in sorted(facts):
                at = facts[uid].get(b"INTERNALDATE")
                if isinstance(at, datetime) and at.astimezone(UTC) >= moment:
                    return int(uid) - 1
        if folder.uidnext:
            return folder.uidnext - 1
        return max(client.search(["ALL"]), default=0)


def idle_wait(mailbox: Mailbox, timeout_s: float, *, stop: threading.Event | None = None) -> bool:
    """Wait until something new is in the examined folder; True when there may be.

    False after timeout_s (keep it below 29 minutes, RFC 2177), or as soon as `stop` is set. A server without
    IDLE is asked once, at the end of the time. Raises a WireError when the connection has gone (also by BYE).
    """
    until = time.monotonic() + timeout_s
    stop = stop or threading.Event()
    if "IDLE" not in mailbox.capabilities:
        stopped = stop.wait(timeout_s)
        with _ours(mailbox.server, Stage.BODY):
            return not stopped and _news(mailbox.client.noop()[1])
    client = mailbox.client
    found = False
    while not found and not stop.is_set() and time.monotonic() < until:
        with _ours(mailbox.server, Stage.BODY):
            client.idle()
            # what came in one packet with the go-ahead would be missed by polling the socket
            ended = _buffered(client)
            while not ended and not found and not stop.is_set() and (left := until - time.monotonic()) > 0:
                asked = min(left, 1.0)
                began = time.monotonic()
                told = client.idle_check(timeout=asked)
                found = _news(told)
                # readable but empty: closed, or a TLS record without data; DONE finds out
                ended = not told and time.monotonic() - began < asked / 2
            found = _news(client.idle_done()[1]) or found
    return found


def append(mailbox: Mailbox, folder: str, raw: bytes, *, received_at: datetime | None = None) -> None:
    """Put a message, marked as read, into a folder."""
    with _ours(mailbox.server, Stage.BODY):
        mailbox.client.append(folder, raw, flags=[b"\\Seen"], msg_time=received_at)


def close(mailbox: Mailbox) -> None:
    """LOGOUT, and the socket closed whatever the server does."""
    with suppress(Exception):
        mailbox.client.socket().settimeout(2.0)
        mailbox.client.logout()
    with suppress(OSError):
        mailbox.client.shutdown()


# -- opening


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


def _context(server: Server) -> ssl.SSLContext:
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
        client.starttls(_context(server))
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
        refused.reply = Reply(0, server.masked(str(error)))
        # the library's error may repeat what was sent
        raise refused from None


@contextmanager
def _ours(server: Server, stage: Stage) -> Iterator[None]:
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
    words = Reply(0, server.masked(" ".join(str(error).split()))[:500])
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


# -- reading


def _words(capabilities: Sequence[bytes | str]) -> frozenset[str]:
    return frozenset(
        (word.decode("ascii", "replace") if isinstance(word, bytes) else word).upper()
        for word in capabilities
    )


def _groups(sizes: dict[int, int], at_most: int) -> Iterator[list[int]]:
    """UIDs in groups whose bodies fit into memory together; a large message goes alone."""
    group: list[int] = []
    size = 0
    for uid in sorted(sizes):
        if group and (size + sizes[uid] > BATCH_BYTES or len(group) == at_most):
            yield group
            group, size = [], 0
        group.append(uid)
        size += sizes[uid]
    if group:
        yield group


def _fetch_each(client: Any, uids: list[int], sizes: dict[int, int], facts: dict[int, Any]) -> list[Fetched]:
    """The messages; where the server refuses a whole group because of one, each is asked for alone."""
    try:
        return list(_fetch(client, uids, sizes, facts))
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        if len(uids) == 1:
            return [Fetched(uids[0], b"", None, sizes[uids[0]], True)]
        return [one for uid in uids for one in _fetch_each(client, [uid], sizes, facts)]


def _fetch(client: Any, uids: list[int], sizes: dict[int, int], facts: dict[int, Any]) -> Iterator[Fetched]:
    large = len(uids) == 1 and sizes[uids[0]] > LARGE_BYTES
    part = "BODY.PEEK[HEADER]" if large else "BODY.PEEK[]"
    found = client.fetch(uids, [part])
    for uid in uids:
        raw = found.get(uid, {}).get(part.replace(".PEEK", "").encode())
        if raw is not None:
            at = facts[uid].get(b"INTERNALDATE")
            received_at = at.astimezone(UTC) if isinstance(at, datetime) else None
            yield Fetched(uid, bytes(raw), received_at, sizes[uid], large)


def _buffered(client: Any) -> bool:
    """Whether the library has read more than it was asked for."""
    connected = client.socket()
    timeout = connected.gettimeout()
    connected.setblocking(False)
    try:
        return bool(client._imap.file.peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        connected.settimeout(timeout)


def _news(told: Sequence[Any]) -> bool:
    """Whether untagged answers speak of new messages. Raises HostUnreachable for BYE."""
    found = False
    for answer in told:
        if isinstance(answer, tuple | list) and len(answer) > 1:
            if answer[0] == b"BYE":
                raise HostUnreachable("The server closed the connection.", code="CLOSED")
            found = found or answer[1] in (b"EXISTS", b"RECENT")
    return found
