"""A courier without a network: the same interface as SmtpCourier, and answers that a test decides."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from postroom.errors import WireError
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.wire.courier import Parcel
from postroom.wire.smtp_core import Capabilities
from postroom.wire.smtp_dialogue import OnOutcome

#: From a parcel and the number of the try (1 = first) to what becomes of it; None: no answer before `close`.
Answer = Callable[[Parcel, int], Outcome | None]


def accepted(parcel: Parcel, attempt: int) -> Outcome | None:
    """Every parcel is taken."""
    return Outcome(OutcomeKind.ACCEPTED, Reply(250, "2.0.0 taken"), Stage.BODY, bool(parcel.envid))


class FakeCourier:
    """Delivers into `taken`. trouble: what `ready` raises, and what every batch then comes back with (UNSENT).

    delay_s: how long each batch takes, however large.
    """

    def __init__(
        self, answer: Answer = accepted, *, delay_s: float = 0.0, trouble: WireError | None = None
    ) -> None:
        self.answer = answer
        self.delay_s = delay_s
        self.trouble = trouble
        self.taken: list[Parcel] = []
        self.capabilities: Capabilities | None = Capabilities(dsn=True, pipelining=True, eight_bit=True)
        self.connections = 1
        self.closed = False
        self._tries: Counter[str] = Counter()
        self._unanswered: list[tuple[Parcel, OnOutcome]] = []

    @property
    def open_connections(self) -> int:
        return 0 if self.trouble or self.closed else self.connections

    @property
    def in_flight(self) -> int:
        return len(self._unanswered)

    async def ready(self) -> None:
        if self.trouble:
            raise self.trouble

    async def run_batch(self, parcels: Sequence[Parcel], on_outcome: OnOutcome, *, wait_s: float) -> int:
        await asyncio.sleep(min(self.delay_s, wait_s))
        before = len(self._unanswered)
        for parcel in parcels:
            self._deliver(parcel, on_outcome)
        return len(self._unanswered) - before

    def recall(self) -> int:
        """Nothing ever waits here."""
        return 0

    async def deliver(self, parcels: AsyncIterator[Parcel]) -> AsyncIterator[tuple[Parcel, Outcome]]:
        known: list[tuple[Parcel, Outcome]] = []
        async for parcel in parcels:
            self._deliver(parcel, lambda parcel, outcome: known.append((parcel, outcome)))
            while known:
                yield known.pop(0)

    async def set_connections(self, connections: int) -> None:
        self.connections = connections

    async def close(self, *, wait_s: float | None = 10.0) -> None:
        """What was never answered is in doubt."""
        self.closed = True
        waiting, self._unanswered = self._unanswered, []
        for parcel, on_outcome in waiting:
            lost = Reply(0, "The sending program was stopped.")
            on_outcome(parcel, Outcome(OutcomeKind.UNCERTAIN, lost, Stage.BODY))

    def _deliver(self, parcel: Parcel, on_outcome: OnOutcome) -> None:
        if self.trouble:
            reply = self.trouble.reply or Reply(0, self.trouble.message)
            stage = Stage(self.trouble.stage or Stage.TCP)
            on_outcome(parcel, Outcome(OutcomeKind.UNSENT, reply, stage, account_wide=True))
            return
        self.taken.append(parcel)
        self._tries[parcel.recipient] += 1
        outcome = self.answer(parcel, self._tries[parcel.recipient])
        if outcome:
            on_outcome(parcel, outcome)
        else:
            self._unanswered.append((parcel, on_outcome))
