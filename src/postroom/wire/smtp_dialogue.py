"""The mail part of one SMTP session, sans I/O: replies in, bytes and outcomes out. RFC 2920, DESIGN 4.5.

A dialogue knows at most two jobs: `sent`, whose final dot waits for its answer, and `opened`, whose envelope is on the
wire. `opened` becomes `writing` while its body leaves in chunks (large ones), then `sent`.

    idle --take--> opened --354--> (writing) --final dot--> sent --2yz 4yz 5yz--> known
                                                             `-- looks ahead: the next job is opened at the same time
"""

from collections.abc import Callable, Iterator
from enum import IntEnum

from postroom.errors import ProtocolBroken
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.wire import smtp_core
from postroom.wire.courier import Parcel
from postroom.wire.smtp_core import Capabilities

#: Up to this size a body is joined and written at once; larger ones leave in chunks as the socket drains.
WHOLE_BYTES = 65536
#: Replies that speak of our login or the server's state, wherever they come (RFC 4954 section 6, RFC 5321 section 3.8).
ACCOUNT_WIDE_CODES = frozenset({421, 530, 534, 535, 538})

OnOutcome = Callable[[Parcel, Outcome], None]


class Batch:
    """Jobs that were handed over together: where their outcomes go, and how many are still missing."""

    __slots__ = ("begin", "finished", "left", "on_outcome")

    def __init__(self, on_outcome: OnOutcome, left: int, begin: Callable[[int], None] | None = None) -> None:
        self.on_outcome = on_outcome
        #: Told the key of a parcel before the first byte of its body leaves: up to there nothing can have arrived.
        self.begin = begin
        self.left = left
        self.finished: Callable[[], None] | None = None

    def settle(self, parcel: Parcel, outcome: Outcome) -> None:
        self.left -= 1
        self.on_outcome(parcel, outcome)
        if not self.left and self.finished:
            self.finished()


class Job:
    """One parcel on its way. `refused` is the reply to MAIL or RCPT that decided against it, with its stage."""

    __slots__ = ("batch", "dsn", "parcel", "refused", "withdrawn")

    def __init__(self, parcel: Parcel, batch: Batch) -> None:
        self.parcel = parcel
        self.batch = batch
        self.dsn = False
        self.withdrawn = False
        self.refused: tuple[Stage, Reply] | None = None

    def settle(self, kind: OutcomeKind, reply: Reply, stage: Stage, *, account_wide: bool = False) -> None:
        if not self.withdrawn:
            self.batch.settle(self.parcel, Outcome(kind, reply, stage, self.dsn, account_wide))

    def withdraw(self, words: str) -> None:
        """Give the parcel back as never started; what the server still says about it counts no more."""
        self.settle(OutcomeKind.UNSENT, Reply(0, words), Stage.MAIL)
        self.withdrawn = True


class Await(IntEnum):
    """Which reply to `opened` comes next."""

    RSET = 0
    MAIL = 1
    RCPT = 2
    DATA = 3
    #: the answer to the lone dot that ends a DATA nobody wanted (RFC 2920 section 3.1)
    LONE_DOT = 4


_NEXT = {Await.RSET: Await.MAIL, Await.MAIL: Await.RCPT, Await.RCPT: Await.DATA}


class Dialogue:
    """Feed it replies and write what it puts in `out`; `take` gives the next job or None.

    closing: True once the connection must be closed, as soon as it is idle.
    cut:     True when QUIT must not be said any more: the server would take it for a line of a message.
    handed:  True when a final dot is in `out` or has been; the writer sets it back (see `not_handed`).
    """

    def __init__(self, capabilities: Capabilities, take: Callable[[], Job | None], *, limit: int = 0) -> None:
        self.capabilities = capabilities
        self.take = take
        self.pipelining = capabilities.pipelining
        self.look_ahead = capabilities.pipelining
        self.sent: Job | None = None
        self.opened: Job | None = None
        self.writing: Iterator[bytes] | None = None
        self.out: list[bytes] = []
        self.closing = False
        self.cut = False
        self.handed = False
        self.messages = 0
        self.answered = False
        self._limit = limit
        self._await = Await.MAIL
        self._reset = False
        self._chunk = b""

    @property
    def idle(self) -> bool:
        return self.sent is None and self.opened is None

    @property
    def in_flight(self) -> int:
        return (self.sent is not None) + (self.opened is not None and not self.opened.withdrawn)

    @property
    def stalled_inside(self) -> bool:
        """Whether a part of a pipelined group was answered and the rest is owed: commands may have been dropped."""
        return self.pipelining and not self.sent and bool(self.opened) and self._await > Await.MAIL

    def begin(self) -> None:
        """Open the next job, if there is one; those that this server cannot take are settled on the way."""
        if self.closing or self.opened or (self._limit and self.messages >= self._limit):
            self.closing = self.closing or bool(self._limit and self.messages >= self._limit and self.idle)
            return
        while job := self.take():
            parcel = job.parcel
            if reason := smtp_core.unfit(parcel, self.capabilities):
                # about this recipient, or about what everybody would be sent
                at_fault = reason.startswith(("5.6.7", "5.1.3")) and smtp_core.is_odd(parcel.recipient)
                job.settle(OutcomeKind.FAILED, Reply(0, reason), Stage.RCPT if at_fault else Stage.MAIL)
                continue
            self.messages += 1
            self.opened = job
            job.dsn = smtp_core.asks_dsn(parcel, self.capabilities)
            commands = smtp_core.envelope(parcel, self.capabilities)
            if self._reset:
                self.out.append(b"RSET\r\n")
            self._await = Await.RSET if self._reset else Await.MAIL
            self._reset = False
            if self.pipelining:
                self.out += (*commands, b"DATA\r\n")
            elif self._await is Await.MAIL:
                self.out.append(commands[0])
            return

    def receive(self, reply: Reply) -> None:
        """Take one reply. Raises ProtocolBroken for one that nobody asked for or that cannot be meant."""
        if self.cut:
            return
        if reply.code == 421:
            self.lost(reply)
        elif self.sent:
            job, self.sent = self.sent, None
            self.answered = True
            self._conclude(job, reply, Stage.BODY)
            if self.opened is None:
                self.begin()
        elif self.writing and self.opened:
            self._interrupted(self.opened, reply)
        elif self.opened:
            self._envelope_step(self.opened, reply)
        else:
            raise ProtocolBroken(f"The server said something unasked: {reply.code} {reply.text}")

    def pump(self) -> None:
        """Put the next piece of a large body into `out`. Call it while `writing` is not None and the socket drains."""
        if self.writing is None:
            return
        self.out.append(self._chunk)
        chunk = next(self.writing, None)
        if chunk is None:
            self._handed()
        else:
            self._chunk = chunk

    def lost(self, reply: Reply, *, account_wide: bool = False) -> None:
        """The connection is no more: settle what is in flight. reply: 421, or Reply(0, our words)."""
        self.closing = self.cut = True
        wide = account_wide or reply.code == 421
        sent, opened, writing = self.sent, self.opened, self.writing
        self.sent = self.opened = self.writing = None
        if sent:
            kind = OutcomeKind.DEFERRED if reply.code else OutcomeKind.UNCERTAIN
            sent.settle(kind, reply, Stage.BODY, account_wide=wide)
        if opened is None:
            return
        if opened.refused:
            self._settle_refused(opened)
        elif writing:
            opened.settle(OutcomeKind.DEFERRED, reply, Stage.BODY, account_wide=wide)
        elif sent is None and (reply.code or self._await >= Await.DATA):
            stage = (Stage.MAIL, Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DATA)[self._await]
            opened.settle(OutcomeKind.DEFERRED, reply, stage, account_wide=wide)
        else:
            opened.settle(OutcomeKind.UNSENT, reply, Stage.MAIL, account_wide=wide)

    def not_handed(self, reply: Reply) -> None:
        """The socket refused the write as a whole: the body that was in it has not left."""
        if self.handed and (job := self.sent):
            self.sent = None
            job.settle(OutcomeKind.DEFERRED, reply, Stage.BODY)
        self.lost(reply)

    def withdraw(self, words: str, batch: Batch | None) -> int:
        """Give back the job (of that batch, None = any) opened behind an unanswered one: its body will not be sent.

        Returns how many that were, 0 or 1.
        """
        job = self.opened
        if not self.sent or not job or job.withdrawn or batch not in (None, job.batch):
            return 0
        job.withdraw(words)
        return 1

    # -- the envelope, reply by reply

    def _envelope_step(self, job: Job, reply: Reply) -> None:
        step = self._await
        self.answered = True
        if step is Await.DATA:
            self._data_answered(job, reply)
        elif step is Await.LONE_DOT:
            self._settle_refused(job)
            self.opened = None
            self.begin()
        elif step is Await.RSET and not reply.accepted:
            raise ProtocolBroken(f"The server refused RSET: {reply.code} {reply.text}")
        else:
            if reply.accepted:
                pass
            elif reply.code < 400:
                raise ProtocolBroken(f"The server gave a strange answer: {reply.code} {reply.text}")
            elif job.refused is None and step is not Await.RSET:
                job.refused = (Stage.MAIL if step is Await.MAIL else Stage.RCPT, reply)
            self._await = _NEXT[step]
            if not self.pipelining:
                self._next_command(job)

    def _next_command(self, job: Job) -> None:
        """Without PIPELINING: one command, and nothing more after a refusal."""
        if job.refused:
            self._reset = self._await is Await.DATA
            self._settle_refused(job)
            self.opened = None
            self.begin()
            return
        commands = (*smtp_core.envelope(job.parcel, self.capabilities), b"DATA\r\n")
        self.out.append(commands[self._await - 1])

    def _data_answered(self, job: Job, reply: Reply) -> None:
        if reply.accepted:
            raise ProtocolBroken(f"The server gave a strange answer to DATA: {reply.code} {reply.text}")
        if 300 <= reply.code < 400:
            if job.withdrawn:
                # nothing but closing ends a DATA that has begun without sending a message
                self.opened = None
                self.closing = self.cut = True
            elif job.refused:
                self.out.append(b".\r\n")
                self._await = Await.LONE_DOT
            else:
                self._body(job)
            return
        if job.refused:
            self._settle_refused(job)
        else:
            self._conclude(job, reply, Stage.DATA)
        self.opened = None
        self._reset = True
        self.begin()

    def _body(self, job: Job) -> None:
        if job.batch.begin is not None:
            job.batch.begin(job.parcel.key)
        segments = smtp_core.body(job.parcel)
        if job.parcel.size > WHOLE_BYTES:
            self.writing = _chunks(segments)
            self._chunk = next(self.writing)
            return
        self.out += segments
        self._handed()

    def _handed(self) -> None:
        """All of the body, with its final dot, is in the caller's hands: from here on it is in doubt."""
        self.sent, self.opened, self.writing = self.opened, None, None
        self.handed = True
        if self.look_ahead:
            self.begin()

    def _interrupted(self, job: Job, reply: Reply) -> None:
        """An answer in the middle of the body: only a refusal makes sense, and only closing ends the body."""
        self.opened = self.writing = None
        self.closing = self.cut = True
        if reply.code < 400:
            job.settle(OutcomeKind.DEFERRED, reply, Stage.BODY)
        else:
            self._conclude(job, reply, Stage.BODY)

    # -- outcomes

    def _settle_refused(self, job: Job) -> None:
        assert job.refused is not None
        stage, reply = job.refused
        self._conclude(job, reply, stage)

    def _conclude(self, job: Job, reply: Reply, stage: Stage) -> None:
        """A reply decides (DESIGN 4.7)."""
        if reply.accepted:
            job.settle(OutcomeKind.ACCEPTED, reply, stage)
        elif reply.code in ACCOUNT_WIDE_CODES:
            self.closing = True
            job.settle(OutcomeKind.DEFERRED, reply, stage, account_wide=True)
        elif reply.transient:
            job.settle(OutcomeKind.DEFERRED, reply, stage)
        elif reply.permanent:
            job.settle(OutcomeKind.FAILED, reply, stage)
        else:
            job.settle(OutcomeKind.UNCERTAIN, reply, stage)
            raise ProtocolBroken(f"The server gave a strange answer: {reply.code} {reply.text}")


def _chunks(segments: list[bytes]) -> Iterator[bytes]:
    """Pieces of at most WHOLE_BYTES, small segments joined, so that little is copied and little is held at once."""
    held: list[bytes] = []
    size = 0
    for segment in segments:
        for start in range(0, len(segment), WHOLE_BYTES):
            piece = segment[start : start + WHOLE_BYTES]
            if size + len(piece) > WHOLE_BYTES:
                yield b"".join(held)
                held, size = [], 0
            held.append(piece)
            size += len(piece)
    yield b"".join(held)
