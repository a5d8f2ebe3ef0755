"""The SMTP client: kept connections that pipeline across messages. RFC 5321, 2920, 3207, 3461, 4954, 6152, 6531.

How the engine uses it:

    courier = SmtpCourier(server, connections=8)
    left = await courier.run_batch(parcels, on_outcome, wait_s=1.0)
    ...
    await courier.close()

`run_batch` hands the parcels to the open connections (and opens more, up to `connections`, while there is
work) and calls `on_outcome(parcel, outcome)`, in the loop's thread, exactly once a parcel, as soon as it is
known. It returns when all are known, or after `wait_s`: then what has not begun is taken back (outcome UNSENT,
so it can be written back as queued), and what is on the wire stays there, at most one message a connection; its
outcome comes later through the same callback. The returned number counts those stragglers. `on_outcome` must
not raise and should only note things down. Call `ready` before a batch is marked: it opens the first connection
and raises what prevents it.

While the final dot of one message is being answered, a connection has already written MAIL, RCPT and DATA of the
next one, so a message costs one round trip, one write and one read. It looks ahead only while the server answers
within LOOK_AHEAD_S: a slow server would otherwise bind a second message to the connection.

Outcomes (DESIGN 4.5, 4.7): a reply decides (2yz, 4yz, 5yz); lost before the last byte of the final dot was handed to
the transport = DEFERRED; lost after it = UNCERTAIN; body never begun and RCPT never answered = UNSENT. 421 is DEFERRED
and account_wide. When no connection can be opened (name, port, TLS, login), every waiting parcel comes back UNSENT,
account_wide, with the stage and the server's words; run_batch never raises for what a server does.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from functools import partial

from postroom.errors import WireError
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.wire.courier import Parcel
from postroom.wire.server import Security, Server
from postroom.wire.smtp_core import Capabilities
from postroom.wire.smtp_dialogue import Batch, Job, OnOutcome
from postroom.wire.smtp_line import Line
from postroom.wire.smtp_open import OnStage, open_session
from postroom.wire.tls import TlsFacts

__all__ = ["Capabilities", "Connection", "Security", "Server", "SmtpCourier"]

log = logging.getLogger(__name__)

#: Wait before another connection is tried after one failed while others work; doubled up to the second figure.
RETRY_S, RETRY_MAX_S = 1.0, 60.0


class Connection:
    """One open, greeted, secured and authenticated session, for one parcel at a time."""

    capabilities: Capabilities

    def __init__(self, line_of: "Callable[[Connection], Line]") -> None:
        self._job: Job | None = None
        self._closed = asyncio.get_running_loop().create_future()
        self._line = line_of(self)
        self.capabilities = self._line.dialogue.capabilities

    @classmethod
    async def open(cls, server: Server, *, on_stage: OnStage | None = None) -> "Connection":
        """Raises a WireError with `stage` and `reply`. on_stage is told each stage as it begins."""
        session = await open_session(server, on_stage=on_stage)
        return cls(
            lambda own: Line(
                session, server, take=own._take, on_free=lambda line: None, on_closed=own._on_closed
            )
        )

    async def send(self, parcel: Parcel) -> Outcome:
        """The outcome of one parcel; on a closed connection UNSENT."""
        known: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self._closed.done():
            return Outcome(OutcomeKind.UNSENT, Reply(0, "The connection is closed."), Stage.MAIL)
        self._job = Job(parcel, Batch(lambda _, outcome: known.set_result(outcome), 1))
        self._line.start()
        return await known

    async def close(self) -> None:
        """QUIT; returns when the connection is gone, after QUIT_S at the latest."""
        if not self._closed.done():
            self._line.close()
            await self._closed

    def _take(self, line: Line) -> Job | None:
        job, self._job = self._job, None
        return job

    def _on_closed(self, line: Line, reply: Reply | None) -> None:
        self._closed.set_result(None)
        if job := self._take(line):
            job.settle(OutcomeKind.UNSENT, reply or Reply(0, "The connection is closed."), Stage.MAIL)


class SmtpCourier:
    """A pool of connections to one server, for one account.

    connections:  how many at most (at least 1); opened one by one as there is work for them.
    idle_close_s: a connection without work that long is closed with QUIT.
    on_trouble:   told when a connection could not be opened (also while others go on working).
    """

    def __init__(
        self,
        server: Server,
        *,
        connections: int,
        idle_close_s: float = 30.0,
        on_trouble: Callable[[WireError], None] | None = None,
    ) -> None:
        self.server = server
        self.capabilities: Capabilities | None = None
        #: Of the newest connection; None without TLS.
        self.tls: TlsFacts | None = None
        self._limit = max(connections, 1)
        self._idle_close_s = idle_close_s
        self._on_trouble = on_trouble
        self._queue: deque[Job] = deque()
        self._lines: set[Line] = set()
        self._free: dict[Line, None] = {}
        self._opening: set[asyncio.Task[None]] = set()
        self._waiters: list[asyncio.Future[None]] = []
        self._pipelining = True
        self._retry_s = RETRY_S
        self._not_before = 0.0
        self._closing = False
        self._retry: asyncio.TimerHandle | None = None

    @property
    def open_connections(self) -> int:
        """Connections that send or are ready to."""
        return len(self._lines)

    @property
    def in_flight(self) -> int:
        """Parcels begun whose outcome is not known."""
        return sum(line.dialogue.in_flight for line in self._lines)

    async def run_batch(
        self,
        parcels: Sequence[Parcel],
        on_outcome: OnOutcome,
        *,
        wait_s: float,
        begin: Callable[[int], None] | None = None,
    ) -> int:
        """Deliver; see the top of this file. Returns how many are still on the wire after `wait_s`.

        begin: told a parcel's key before the first byte of its body leaves.
        """
        if not parcels:
            return 0
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        batch = Batch(on_outcome, len(parcels), begin)
        batch.finished = partial(_resolve, done)
        self._queue.extend(Job(parcel, batch) for parcel in parcels)
        self._kick()
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await done
        if batch.left:
            self._recall(batch)
        return batch.left

    def recall(self) -> int:
        """Take back at once what has not begun (outcome UNSENT), of all batches; how many that was.

        Also an envelope that waits behind an unanswered message: its body will not be sent.
        """
        return self._recall(None)

    def _recall(self, batch: Batch | None) -> int:
        taken = [job for job in self._queue if batch in (None, job.batch)]
        self._queue = deque(job for job in self._queue if batch not in (None, job.batch))
        for job in taken:
            job.withdraw("Not begun.")
        return len(taken) + sum(line.dialogue.withdraw("Not begun.", batch) for line in list(self._lines))

    async def ready(self) -> None:
        """Open one connection if none is; raises the WireError that prevents it. Call it before a batch is marked.

        Also returns when the courier is closed meanwhile: what it is given then comes back UNSENT.
        """
        if self._lines or self._closing:
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        if not self._opening:
            self._open(1)
        await waiter

    async def deliver(self, parcels: AsyncIterator[Parcel]) -> AsyncIterator[tuple[Parcel, Outcome]]:
        """The seam of wire/courier.py: at most two parcels a connection are taken ahead."""
        known: asyncio.Queue[tuple[Parcel, Outcome] | None] = asyncio.Queue()
        room = asyncio.Semaphore(2 * self._limit)
        batch = Batch(lambda parcel, outcome: known.put_nowait((parcel, outcome)), 0)

        async def feed() -> None:
            async for parcel in parcels:
                await room.acquire()
                batch.left += 1
                self._queue.append(Job(parcel, batch))
                self._kick()

        feeder = asyncio.create_task(feed())
        feeder.add_done_callback(lambda _: known.put_nowait(None))
        try:
            while not (feeder.done() and batch.left == 0 and known.empty()):
                if (found := await known.get()) is not None:
                    room.release()
                    yield found
            await feeder
        finally:
            feeder.cancel()

    async def set_connections(self, connections: int) -> None:
        """Change how many may be open; surplus ones finish their message and close."""
        self._limit = max(connections, 1)
        while self._surplus() and self._free:
            self._free.popitem()[0].close()
        self._kick()

    async def close(self, *, wait_s: float | None = 10.0) -> None:
        """Recall, wait for what is on the wire, QUIT; then cut. None: only the time-outs of each message count."""
        self._closing = True
        self.recall()
        if self._retry:
            self._retry.cancel()
        for task in self._opening:
            task.cancel()
        await asyncio.gather(*self._opening, return_exceptions=True)
        for line in [line for line in self._lines if line.dialogue.idle]:
            line.close()
        if not self._lines:
            self._wake(None)  # those who wait in `ready` for a connection that will not be opened now
        if self._lines:
            gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiters.append(gone)
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await gone
        for line in list(self._lines):
            line.abort("The sending program was stopped.")

    # -- lines and work

    def _kick(self) -> None:
        for line in list(self._free):
            if self._queue:
                del self._free[line]
                self._on_free(line)
        for line in list(self._lines):
            if self._queue:
                line.start()
        self._grow()

    def _surplus(self) -> bool:
        if len(self._lines) <= self._limit:
            return False
        return sum(not line.dialogue.closing for line in self._lines) > self._limit

    def _take(self, line: Line) -> Job | None:
        if self._closing or self._surplus():
            line.dialogue.closing = True
            return None
        return self._queue.popleft() if self._queue else None

    def _on_free(self, line: Line) -> None:
        if self._closing or self._surplus():
            line.close()
        elif self._queue:
            line.start()
        if line.dialogue.idle and not line.dialogue.closing:
            self._free[line] = None

    def _grow(self) -> None:
        """Open what the waiting work needs, unless a failure has just advised against it."""
        if self._closing or not self._queue:
            return
        now = asyncio.get_running_loop().time()
        if self._lines and now < self._not_before:
            if self._retry is None or self._retry.when() <= now:
                self._retry = asyncio.get_running_loop().call_at(self._not_before, self._grow)
            return
        open_or_soon = len(self._lines) + len(self._opening)
        self._open(min(self._limit - open_or_soon, len(self._queue) - len(self._opening)))

    def _open(self, count: int) -> None:
        for _ in range(count):
            task = asyncio.create_task(self._open_line())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    async def _open_line(self) -> None:
        session = await open_session(self.server)
        self.capabilities, self.tls = session.capabilities, session.tls
        line = Line(
            session,
            self.server,
            take=self._take,
            on_free=self._on_free,
            on_closed=self._on_closed,
            idle_close_s=self._idle_close_s,
            pipelining=self._pipelining,
        )
        if task := asyncio.current_task():
            self._opening.discard(
                task
            )  # now, not when the loop gets round to it: the line may be lost before
        self._lines.add(line)
        self._retry_s = RETRY_S
        self._wake(None)
        self._on_free(line)

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if not isinstance(error, WireError):
            log.error("a connection could not be opened", exc_info=error)
            error = WireError(f"The connection could not be opened: {type(error).__name__}.")
        if self._on_trouble:
            self._on_trouble(error)
        reply = error.reply or Reply(0, error.message)
        self._trouble(reply, Stage(error.stage or Stage.TCP))
        if not self._lines and not self._opening:
            self._wake(error)

    def _on_closed(self, line: Line, reply: Reply | None) -> None:
        self._lines.discard(line)
        self._free.pop(line, None)
        if line.pipelining_broken:
            self._pipelining = False
        if reply and (reply.code == 421 or not line.dialogue.answered):
            self._trouble(reply, Stage.GREETING)
        else:
            self._grow()
        if self._closing and not self._lines:
            self._wake(None)

    def _trouble(self, reply: Reply, stage: Stage) -> None:
        """Hold back new connections for a while; without any connection give all waiting work back."""
        self._not_before = asyncio.get_running_loop().time() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_MAX_S)
        if self._lines:
            self._grow()
        elif not self._opening:
            waiting, self._queue = self._queue, deque()
            for job in waiting:
                job.settle(OutcomeKind.UNSENT, reply, stage, account_wide=True)

    def _wake(self, error: WireError | None) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if error and not waiter.done():
                waiter.set_exception(error)
            else:
                _resolve(waiter)


def _resolve(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
