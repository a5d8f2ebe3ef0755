"""Read a mailbox over IMAP: plain blocking functions around IMAPClient, for threads. RFC 9051, 2177, 3501, 8314.

Every failure is a WireError with `stage`; the library's own errors never come out.
"""

import imaplib
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from postroom.errors import HostUnreachable, ProtocolBroken, WireError
from postroom.mail.reply import Reply, Stage
from postroom.wire import imap_box, imap_fetch
from postroom.wire.imap_fetch import Facts
from postroom.wire.imap_open import LARGE_BYTES, Mailbox, close, open_mailbox, our_errors

__all__ = [
    "Fetched",
    "Folder",
    "Mailbox",
    "append",
    "close",
    "examine",
    "fetch_since",
    "idle_wait",
    "last_uid_before",
    "open_mailbox",
]

#: A batch of messages holds at most so many and, beyond its first one, so many bytes.
BATCH_MESSAGES, BATCH_BYTES = 100, 16_000_000


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

    received_at: aware UTC, None when the server names none. flags: in lower case.
    """

    uid: int
    raw: bytes
    received_at: datetime | None
    size: int
    header_only: bool
    flags: frozenset[str] = frozenset()


def examine(mailbox: Mailbox, folder: str = "INBOX") -> Folder:
    """Open a folder for reading only. Raises WireError(FOLDER_MISSING) when the server does not open it."""
    with our_errors(mailbox.server, Stage.BODY):
        try:
            told = imap_box.select(mailbox, folder)
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
    with our_errors(mailbox.server, Stage.BODY):
        # n:* names the last message even when its UID is below n (RFC 9051 section 6.4.4)
        uids = sorted(found for found in client.search([b"UID", b"%d:*" % (uid + 1)]) if found > uid)
    step = max(at_most, BATCH_MESSAGES)
    for start in range(0, len(uids), step):
        with our_errors(mailbox.server, Stage.BODY):
            facts = imap_fetch.facts(client, uids[start : start + step])
        for group in _groups(facts, at_most):
            try:
                with our_errors(mailbox.server, Stage.BODY):
                    batch = _fetch_each(client, group, facts)
            except WireError as error:
                error.details["uid"] = group[0]
                raise
            yield batch


def last_uid_before(mailbox: Mailbox, folder: Folder, moment: datetime) -> int:
    """The UID of the examined folder after which mail begins that arrived at `moment` (aware) or later; 0 = all of it.

    Only dates are fetched, so a mailbox with years of mail costs little.
    """
    client = mailbox.client
    moment = moment.replace(microsecond=0)  # servers tell whole seconds
    with our_errors(mailbox.server, Stage.BODY):
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
        with our_errors(mailbox.server, Stage.BODY):
            return not stopped and _news(mailbox.client.noop()[1])
    client = mailbox.client
    found = False
    while not found and not stop.is_set() and time.monotonic() < until:
        with our_errors(mailbox.server, Stage.BODY):
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
    with our_errors(mailbox.server, Stage.BODY):
        mailbox.client.append(folder, raw, flags=[b"\\Seen"], msg_time=received_at)


def _groups(facts: dict[int, Facts], at_most: int) -> Iterator[list[int]]:
    """UIDs in groups whose bodies fit into memory together; a large message goes alone."""
    group: list[int] = []
    size = 0
    for uid in sorted(facts):
        if group and (size + facts[uid].size > BATCH_BYTES or len(group) == at_most):
            yield group
            group, size = [], 0
        group.append(uid)
        size += facts[uid].size
    if group:
        yield group


def _fetch_each(client: Any, uids: list[int], facts: dict[int, Facts]) -> list[Fetched]:
    """The messages; where the server refuses a whole group because of one, each is asked for alone."""
    try:
        return _fetch(client, uids, facts)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        if len(uids) == 1:
            return [Fetched(uids[0], b"", None, facts[uids[0]].size, True)]
        return [one for uid in uids for one in _fetch_each(client, [uid], facts)]


def _fetch(client: Any, uids: list[int], facts: dict[int, Facts]) -> list[Fetched]:
    large = len(uids) == 1 and facts[uids[0]].size > LARGE_BYTES
    found = imap_fetch.bodies(client, uids, header_only=large)
    return [
        Fetched(uid, found[uid], one.received_at, one.size, large, one.flags)
        for uid, one in ((uid, facts[uid]) for uid in uids)
        if uid in found
    ]


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
