"""A fast SMTP server that only counts copies, and can be as rude as a test needs it."""

import asyncio
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from postroom.practice.session import Envelope, Recipient, Session
from postroom.testing.receiving import in_thread, sessions_cut


@dataclass(frozen=True, slots=True)
class Manners:
    """How the server behaves; everything off by default.

    refuse, tempfail, once: patterns searched in the address: 550 always, 451 always, 451 the first time.
    drop:          share of messages after whose final dot the connection is cut without an answer (they count).
    drop_data:     share of DATA commands at which it is cut (nothing counts).
    delay_s:       before every answer to a final dot.
    """

    refuse: str = ""
    tempfail: str = ""
    once: str = ""
    drop: float = 0.0
    drop_data: float = 0.0
    delay_s: float = 0.0
    seed: int = 1


class CountingDesk:
    name = "counting.test"

    def __init__(self, manners: Manners | None = None) -> None:
        self.manners = manners or Manners()
        self.answer_delay_s = self.manners.delay_s
        #: Copies taken, by address.
        self.copies: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        #: Messages taken whose answer was never given.
        self.unanswered: set[str] = set()
        self.sessions: set[Session] = set()
        self.size_bytes = 0
        self.last: bytes = b""
        self._seen: set[str] = set()
        self._dice = random.Random(self.manners.seed)
        self._refuse, self._tempfail, self._once = (
            re.compile(pattern).search if pattern else None
            for pattern in (self.manners.refuse, self.manners.tempfail, self.manners.once)
        )

    def rcpt(self, envelope: Envelope, recipient: Recipient) -> str | None:
        address = recipient.address.lower()
        if self._refuse and self._refuse(address):
            self.refused[address] += 1
            return "550 5.1.1 User unknown"
        if self._tempfail and self._tempfail(address):
            return "451 4.3.0 Try again later"
        if self._once and self._once(address) and address not in self._seen:
            self._seen.add(address)
            return "451 4.7.1 Greylisted"
        return "250 2.1.5 Ok"

    def data(self, envelope: Envelope) -> str | None:
        if self.manners.drop_data and self._dice.random() < self.manners.drop_data:
            return None
        return "354 Go on"

    def message(self, envelope: Envelope, raw: bytes) -> str | None:
        addresses = [recipient.address.lower() for recipient in envelope.recipients]
        self.copies.update(addresses)
        self.size_bytes += len(raw)
        self.last = raw
        if self.manners.drop and self._dice.random() < self.manners.drop:
            self.unanswered.update(addresses)
            return None
        return "250 2.0.0 Ok"

    def cut(self, envelope: Envelope, octets: int) -> None:
        """Never: it cuts at DATA or after the final dot."""

    def summary(self) -> dict[str, Any]:
        return {
            "accepted": sum(self.copies.values()),
            "addresses": len(self.copies),
            "duplicates": sum(self.copies.values()) - len(self.copies),
            "refused": len(self.refused),
            "unanswered": len(self.unanswered),
            "size_bytes": self.size_bytes,
        }

    def everything(self) -> dict[str, Any]:
        return {
            **self.summary(),
            "copies": dict(self.copies),
            "refused_addresses": dict(self.refused),
            "unanswered_addresses": sorted(self.unanswered),
        }

    def reset(self) -> dict[str, Any]:
        """Forget all figures; returns them as they were."""
        was = self.summary()
        self.copies.clear()
        self.refused.clear()
        self.unanswered.clear()
        self._seen.clear()
        self.size_bytes = 0
        return was

    async def serve(self, host: str, port: int) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: Session(self, self.sessions), host, port, backlog=512)


@contextmanager
def counting(manners: Manners | None = None, *, port: int = 0) -> Iterator[tuple[CountingDesk, int]]:
    """A counting server in a thread of this process: its desk and its port."""
    desk = CountingDesk(manners)

    async def start() -> tuple[int, Any]:
        server = await desk.serve("127.0.0.1", port)

        async def end() -> None:
            await sessions_cut(server, desk.sessions)

        return server.sockets[0].getsockname()[1], end

    with in_thread(start) as found:
        yield desk, found
