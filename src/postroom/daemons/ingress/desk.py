"""Where mail for the bounce domain comes in: who is known here, storing before the 250, reading after it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from postroom.actions.event import event_store_smtp, events_process, events_waiting, ingress_accepts
from postroom.mail.reply import Reply
from postroom.wire.lmtp import Received

log = logging.getLogger("postroom.ingress")

T = TypeVar("T")

KNOWN = Reply(250, "2.1.5 Ok")
UNKNOWN = Reply(550, "5.1.1 No mail is expected at this address")
TAKEN = Reply(250, "2.0.0 Stored")
#: Nothing was kept; the other side has it still and will come again.
NOT_NOW = Reply(451, "4.3.0 The mail cannot be stored now, try again later")

#: Events read at once, and the most that one sweep takes up.
_AT_ONCE = 100
_SWEPT = 10_000
_AGAIN_S = 1.0


class Desk:
    """The receiver behind a server; `source` is "smtp" or "lmtp"."""

    def __init__(self, source: str, inbox: "Inbox") -> None:
        self._source, self._inbox = source, inbox

    async def recipient(self, address: str, mail_from: str) -> Reply:
        try:
            known = await self._inbox.in_thread(ingress_accepts, address)
        except (DatabaseError, OSError) as error:
            _trouble(error)
            return NOT_NOW
        return KNOWN if known else UNKNOWN

    async def message(self, mail: Received) -> Sequence[Reply]:
        """Stored is stored for each recipient by itself; what failed is asked for again."""
        try:
            raw = mail.content.read()
        except OSError as error:
            _trouble(error)
            return [NOT_NOW] * len(mail.recipients)
        return [await self._store(mail.mail_from, one.address, raw) for one in mail.recipients]

    async def _store(self, mail_from: str, address: str, raw: bytes) -> Reply:
        try:
            event = await self._inbox.in_thread(
                event_store_smtp,
                envelope_from=mail_from[:254],
                envelope_to=address[:254],
                raw=raw,
                source=self._source,
            )
        except (DatabaseError, OSError) as error:
            _trouble(error)
            return NOT_NOW
        except Exception:
            log.exception("a mail could not be stored")
            return NOT_NOW
        self._inbox.put(event)
        return TAKEN


class Inbox:
    """Reads what was stored, in batches, in a thread. What a crash left unread is swept up, every `sweep_s`."""

    def __init__(self, *, threads: int = 12, sweep_s: float = 60.0) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="ingress")
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._open: set[int] = set()
        self._sweep_s = sweep_s

    async def in_thread(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        def run() -> T:
            close_old_connections()
            try:
                return function(*args, **kwargs)
            except DatabaseError:
                connection.close()  # a broken one must not serve the next call
                raise

        return await asyncio.get_running_loop().run_in_executor(self._pool, run)

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


def _trouble(error: Exception) -> None:
    words = str(error).strip().splitlines()
    log.warning("no mail can be taken: %s", words[0] if words else type(error).__name__)
