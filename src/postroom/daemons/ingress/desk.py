"""Where mail comes in: who is known here, storing before the 250, reading after it."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, TypeVar

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError, close_old_connections, connection

from postroom.actions.event import events_process, events_waiting
from postroom.actions.incoming import (
    Envelope,
    Sorted,
    To,
    incoming_sort,
    incoming_store,
    recipient_route,
)
from postroom.actions.log import refusal_note
from postroom.actions.posting import Judged
from postroom.daemons.ingress.authors import Authors
from postroom.errors import Conflict
from postroom.mail.reply import Reply
from postroom.queries.group_route import Route
from postroom.wire.lmtp import Received

log = logging.getLogger("postroom.ingress")

T = TypeVar("T")

#: Nothing was kept; the other side has it still and will come again.
NOT_NOW = Reply(451, "4.3.0 The mail cannot be stored now, try again later")
BUSY = Reply(451, "4.3.2 Too much to look at just now, try again later")
TOO_OFTEN = Reply(451, "4.7.1 Too many mails from this author to this group, try again later")

#: Events read at once, and the most that one sweep takes up.
_AT_ONCE = 100
_SWEPT = 10_000
_AGAIN_S = 1.0
#: Bytes above which messages are held in memory one at a time only.
_BIG = 1 << 20
#: Recipients whose way is remembered until their message has come.
_ROUTES = 1000
#: Refused recipients written to the log within a minute.
_TOLD_MOST = 30
#: How often a mail is sorted anew whose group is saved again and again at that very moment.
_SORTED_MOST = 5


class Desk:
    """The receiver behind a server; `source` is "smtp" or "lmtp"."""

    def __init__(self, source: str, inbox: "Inbox", storm: "Storm | None" = None) -> None:
        self._source, self._inbox = source, inbox
        self._storm = storm or Storm(0)
        #: As found at RCPT, for the message that follows; whether the group still takes mail is asked again then.
        self._routes: dict[str, Route] = {}
        self._told: deque[float] = deque(maxlen=_TOLD_MOST)

    async def recipient(self, address: str, mail_from: str) -> Reply:
        try:
            route, reply = await self._inbox.in_thread(recipient_route, address)
            if len(self._routes) >= _ROUTES:
                self._routes.clear()
            self._routes[address] = route
            if reply.permanent and self._is_told():
                await self._inbox.in_thread(refusal_note, address, f"{reply.code} {reply.text}")
            return reply
        except (DatabaseError, OSError) as error:
            _trouble(error)
            return NOT_NOW

    def _is_told(self) -> bool:
        """Refusals have a line in the log, but who tries a thousand names does not fill it."""
        now = time.monotonic()
        if len(self._told) == _TOLD_MOST and self._told[0] > now - 60:
            return False
        self._told.append(now)
        return True

    async def message(self, mail: Received) -> Sequence[Reply]:
        if mail.size > _BIG:
            async with self._inbox.big:  # one at a time in memory
                return await self._take(mail)
        return await self._take(mail)

    async def _take(self, mail: Received) -> Sequence[Reply]:
        """All of its recipients in one transaction: nobody is told to come again for what was stored."""
        envelope = self._envelope(mail)
        for turn in range(_SORTED_MOST):
            found = await self._sorted(envelope)
            if found is None:
                break
            if envelope.looked is None and any(one.wants_look for one in found.postings):
                looked = await self._inbox.authors.look(envelope)
                if looked is None:
                    return [BUSY] * len(mail.recipients)
                envelope = replace(envelope, looked=looked)
                found = await self._sorted(envelope)
                if found is None:
                    break
            if turn == 0 and any(self._storm.is_too_much(one) for one in found.postings):
                return [TOO_OFTEN] * len(mail.recipients)
            stored = not (found.events or found.postings) or await self._inbox.store(found)
            if stored:
                return found.replies
            if stored is False:
                break
        return [NOT_NOW] * len(mail.recipients)

    async def _sorted(self, envelope: Envelope) -> Sorted | None:
        """None: it cannot be done now."""
        try:
            return await self._inbox.in_thread(incoming_sort, envelope)
        except (DatabaseError, OSError) as error:
            _trouble(error)
        except Exception:
            log.exception("mail could not be read")
        return None

    def _envelope(self, mail: Received) -> Envelope:
        return Envelope(
            raw=mail.content.read(),
            mail_from=mail.mail_from,
            to=tuple(
                To(one.address, one.notify, one.orcpt, self._routes.get(one.address))
                for one in mail.recipients
            ),
            source=self._source,
            envid=mail.envid,
            ret=mail.ret,
            peer=mail.peer,
            client=mail.client,
            helo=mail.helo,
        )


class Storm:
    """Two programs that answer each other through a group: what one author sends to one group within a minute."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: dict[tuple[int, str], deque[float]] = {}

    def is_too_much(self, one: Judged) -> bool:
        if not self._most or not one.is_new or not one.verdict.reply.accepted:
            return False
        now = time.monotonic()
        key = one.handed.group_id, one.head.authors[0][1] if one.head.authors else one.handed.mail_from
        times = self._seen.setdefault(key, deque())
        while times and times[0] < now - 60:
            times.popleft()
        if len(times) >= self._most:
            return True
        times.append(now)
        if len(self._seen) > 10_000:
            self._seen = {key: kept for key, kept in self._seen.items() if kept and kept[-1] > now - 60}
        return False


class Inbox:
    """Reads what was stored, in batches, in a thread. What a crash left unread is swept up, every `sweep_s`."""

    def __init__(self, *, threads: int = 6, sweep_s: float = 60.0) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ingress")
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._open: set[int] = set()
        self._coming: asyncio.Queue[tuple[Sorted, asyncio.Future[bool | None]]] = asyncio.Queue()
        #: Set when there are postings to send on.
        self.posted = asyncio.Event()
        self.big = asyncio.Lock()
        self.authors = Authors()
        self._sweep_s = sweep_s
        #: How often a connection to the database was lost, and of each thread how many of these it knows.
        self._lost = 0
        self._mine = threading.local()

    async def in_thread(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def run() -> T:
            close_old_connections()
            if getattr(self._mine, "lost", 0) != self._lost:
                connection.close()  # what one thread lost, the others have lost as well
                self._mine.lost = self._lost
            try:
                return function(*args, **kwargs)
            except DatabaseError as error:
                connection.close()  # a broken one must not serve the next call
                if isinstance(error, OperationalError | InterfaceError):
                    self._lost += 1
                raise

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

    async def store(self, mail: Sorted) -> bool | None:
        """True once they are safe. None: a group was saved since the mail was sorted; nothing is kept."""
        stored: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        self._coming.put_nowait((mail, stored))
        return await stored

    async def write(self) -> None:
        """For ever: store what has come while the last batch was being stored."""
        while True:
            batch = [await self._coming.get()]
            while not self._coming.empty() and len(batch) < _AT_ONCE:
                batch.append(self._coming.get_nowait())
            if not await self._write(batch) and len(batch) > 1:
                for one in batch:
                    await self._write([one])
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(False)

    async def _write(self, batch: "list[tuple[Sorted, asyncio.Future[bool | None]]]") -> bool:
        """Store these, tell who waits, have them read. False leaves everything as it was."""
        try:
            done = await self.in_thread(incoming_store, [mail for mail, _ in batch])
        except Conflict:
            if len(batch) == 1 and not batch[0][1].done():
                batch[0][1].set_result(None)
            return False
        except (DatabaseError, OSError) as error:
            _trouble(error)
            return False
        except Exception:
            log.exception("mail could not be stored")
            return False
        for _, stored in batch:
            if not stored.done():
                stored.set_result(True)
        for event in done.events:
            self.put(event)
        if done.postings:
            self.posted.set()
        return True

    def put(self, event: int) -> None:
        """Have an event read; one that is waiting already is not put twice."""
        if event not in self._open:
            self._open.add(event)
            self._queue.put_nowait(event)

    async def read(self) -> None:
        """For ever: take what was put and read it, one batch at a time: two could lock deliveries crosswise."""
        while True:
            ids = [await self._queue.get()]
            while not self._queue.empty() and len(ids) < _AT_ONCE:
                ids.append(self._queue.get_nowait())
            done = await self._process(ids)
            for event in ids:
                self._open.discard(event)
                if not done:
                    asyncio.get_running_loop().call_later(_AGAIN_S, self.put, event)
                self._queue.task_done()

    async def sweep(self) -> None:
        """For ever: at the start and each `sweep_s` put what nobody has read."""
        while True:
            pause = self._sweep_s
            try:
                for event in await self.in_thread(events_waiting, _SWEPT):
                    self.put(event)
            except DatabaseError as error:
                _trouble(error)
                pause = _AGAIN_S
            await asyncio.sleep(pause)

    async def _process(self, ids: list[int]) -> bool:
        """False when they are to be read again: the database or the store is away."""
        try:
            await self.in_thread(events_process, ids)
        except (DatabaseError, OSError) as error:
            _trouble(error)
            return False
        except Exception:
            log.exception("events could not be read")
        return True

    async def drained(self) -> None:
        await self._queue.join()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.authors.close()


def _trouble(error: Exception) -> None:
    words = str(error).strip().splitlines()
    log.warning("no mail can be taken: %s", words[0] if words else type(error).__name__)
