"""What every courier promises, the real one and the fake; and that no chaos loses or doubles a message."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import uvloop

from postroom.errors import HostUnreachable, WireError
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.testing.courier import FakeCourier, accepted
from postroom.wire.courier import Courier, Parcel
from postroom.wire.smtp import Security, Server, SmtpCourier


class Sink(asyncio.Protocol):
    """A small pipelining server. fate(step) may say "drop", or a reply to give instead of the right one."""

    taken: Counter[str]
    open: "set[Sink]"
    open_now = 0
    most_open = 0

    def __init__(self, fate: Callable[[str], str]) -> None:
        self.fate = fate
        self.rest = b""
        self.recipient = ""
        self.mail = self.in_body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        Sink.open_now += 1
        Sink.open.add(self)
        Sink.most_open = max(Sink.open_now, Sink.most_open)
        self.say("greeting", b"220 sink")

    def connection_lost(self, exc: Exception | None) -> None:
        Sink.open_now -= 1
        Sink.open.discard(self)

    def say(self, step: str, right: bytes) -> bool:
        """Whether the right thing was said."""
        fate = self.fate(step)
        if fate == "drop":
            self.transport.abort()
        elif fate:
            self.transport.write(fate.encode() + b"\r\n")
        else:
            self.transport.write(right + b"\r\n")
        return not fate

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while not self.transport.is_closing():
            if self.in_body:
                _found, mark, rest = self.rest.partition(b"\r\n.\r\n")
                if not mark:
                    return
                self.rest, self.in_body = rest, False
                if self.say("body", b"250 2.0.0 taken") or self.fate("swallow"):
                    Sink.taken[self.recipient] += 1
            else:
                line, mark, rest = self.rest.partition(b"\r\n")
                if not mark:
                    return
                self.rest = rest
                self.command(line)

    def command(self, line: bytes) -> None:
        word = line[:4].upper()
        if word == b"EHLO":
            self.transport.write(b"250-sink\r\n250-PIPELINING\r\n250 DSN\r\n")
        elif word == b"MAIL":
            self.recipient = ""
            self.mail = self.say("mail", b"250 ok")
        elif word == b"RCPT" and not self.mail:
            self.transport.write(b"503 no\r\n")
        elif word == b"RCPT" and self.say("rcpt", b"250 ok"):
            self.recipient = line[9:].partition(b">")[0].decode()
        elif word == b"DATA":
            if not self.recipient:
                self.transport.write(b"503 no\r\n")
            elif self.say("data", b"354 go"):
                self.in_body = True
            else:
                self.recipient = ""
        elif word in (b"RSET", b"QUIT"):
            self.transport.write(b"250 ok\r\n" if word == b"RSET" else b"221 bye\r\n")


@asynccontextmanager
async def _sink(fate: Callable[[str], str] = lambda step: "") -> AsyncIterator[Server]:
    Sink.taken, Sink.open, Sink.open_now, Sink.most_open = Counter(), set(), 0, 0
    listening = await asyncio.get_running_loop().create_server(lambda: Sink(fate), "127.0.0.1", 0)
    async with listening:
        port = listening.sockets[0].getsockname()[1]
        yield Server(
            "127.0.0.1",
            port,
            Security.NONE,
            authenticate=False,
            allow_private=True,
            timeout_s=5,
            answer_timeout_s=5,
        )
    for sink in list(Sink.open):  # one whose client has gone may not have heard of it
        sink.transport.abort()
    await asyncio.sleep(0.01)


def _parcels(count: int) -> list[Parcel]:
    body = (b"Subject: s\r\n\r\n", b"x" * 70 + b"\r\n")
    return [
        Parcel(key, "a@firm.example", f"user{key}@example.org", body, 86, envid="t") for key in range(count)
    ]


Make = Callable[[Server], Any]
COURIERS: dict[str, Make] = {
    "smtp": lambda server: SmtpCourier(server, connections=3),
    "fake": lambda server: FakeCourier(),
}


@pytest.mark.parametrize("make", COURIERS.values(), ids=COURIERS)
def test_every_parcel_comes_back_once(make: Make) -> None:
    async def run() -> Counter[int]:
        seen: Counter[int] = Counter()
        async with _sink() as server:
            courier = make(server)
            await courier.ready()

            def known(parcel: Parcel, outcome: Outcome) -> None:
                assert outcome.kind is OutcomeKind.ACCEPTED
                assert outcome.dsn_requested
                seen[parcel.key] += 1

            for start in range(0, 500, 100):
                assert await courier.run_batch(_parcels(500)[start : start + 100], known, wait_s=5) == 0
            assert courier.in_flight == 0
            assert courier.capabilities.dsn
            await courier.close()
        return seen

    assert asyncio.run(run()) == Counter(range(500))


@pytest.mark.parametrize("make", COURIERS.values(), ids=COURIERS)
def test_the_seam_yields_every_parcel_once(make: Make) -> None:
    async def run() -> Counter[int]:
        async with _sink() as server:
            courier = make(server)
            seam: Courier = courier

            async def parcels() -> AsyncIterator[Parcel]:
                for parcel in _parcels(50):
                    yield parcel

            seen = Counter([parcel.key async for parcel, _ in seam.deliver(parcels())])
            await courier.close()
        return seen

    assert asyncio.run(run()) == Counter(range(50))


TROUBLE = HostUnreachable("not there")
TROUBLE.stage = Stage.TCP


@pytest.mark.parametrize("name", COURIERS)
def test_without_a_connection_everything_comes_back_unsent(name: str) -> None:
    async def run() -> None:
        outcomes = []
        courier: Any = FakeCourier(trouble=TROUBLE)
        async with _sink() as server:
            pass  # it is closed now
        if name == "smtp":
            courier = SmtpCourier(server, connections=3)
        with pytest.raises(WireError):
            await courier.ready()
        await courier.run_batch(_parcels(5), lambda parcel, outcome: outcomes.append(outcome), wait_s=5)
        assert [(o.kind, o.stage, o.account_wide) for o in outcomes] == [
            (OutcomeKind.UNSENT, Stage.TCP, True)
        ] * 5
        assert courier.open_connections == 0
        await courier.close()

    asyncio.run(run())


def test_the_fake_answers_as_told_try_by_try() -> None:
    def answer(parcel: Parcel, attempt: int) -> Outcome | None:
        if parcel.key == 1:
            return None
        later = Outcome(OutcomeKind.DEFERRED, Reply(451, "4.7.1 greylisted"), Stage.RCPT)
        return later if attempt == 1 else accepted(parcel, attempt)

    async def run() -> list[tuple[int, OutcomeKind]]:
        seen: list[tuple[int, OutcomeKind]] = []
        courier = FakeCourier(answer)
        for _ in range(2):
            left = await courier.run_batch(
                _parcels(1), lambda parcel, outcome: seen.append((parcel.key, outcome.kind)), wait_s=1
            )
            assert left == 0
        left = await courier.run_batch(
            _parcels(2)[1:], lambda parcel, outcome: seen.append((parcel.key, outcome.kind)), wait_s=1
        )
        assert (left, courier.in_flight) == (1, 1)
        await courier.close()
        return seen

    assert asyncio.run(run()) == [
        (0, OutcomeKind.DEFERRED),
        (0, OutcomeKind.ACCEPTED),
        (1, OutcomeKind.UNCERTAIN),
    ]


def test_connections_keep_to_the_limit_also_when_it_changes() -> None:
    async def run() -> None:
        async with _sink() as server:
            courier = SmtpCourier(server, connections=4)
            kinds: Counter[OutcomeKind] = Counter()

            async def send(count: int) -> None:
                await courier.run_batch(
                    _parcels(count), lambda _, outcome: kinds.update([outcome.kind]), wait_s=5
                )

            await send(200)
            assert courier.open_connections == Sink.most_open == 4
            await courier.set_connections(2)
            await send(200)
            assert courier.open_connections == 2
            await courier.set_connections(6)
            await send(200)
            assert courier.open_connections == Sink.most_open == 6
            assert kinds == {OutcomeKind.ACCEPTED: 600}
            await courier.close()
            assert courier.open_connections == 0

    asyncio.run(run())


def test_two_batches_at_once_are_kept_apart() -> None:
    async def run() -> None:
        async with _sink(lambda step: "") as server:
            courier = SmtpCourier(server, connections=2)
            first: Counter[OutcomeKind] = Counter()
            second: Counter[OutcomeKind] = Counter()
            await asyncio.gather(
                courier.run_batch(
                    _parcels(2000), lambda _, outcome: first.update([outcome.kind]), wait_s=0.001
                ),
                courier.run_batch(_parcels(50), lambda _, outcome: second.update([outcome.kind]), wait_s=5),
            )
            await courier.close()
            assert sum(first.values()) == 2000
            assert first[OutcomeKind.UNSENT] > 0
            assert second == {OutcomeKind.ACCEPTED: 50}

    asyncio.run(run())


def test_closing_waits_for_what_is_on_the_wire_and_gives_the_rest_back() -> None:
    async def run() -> Counter[OutcomeKind]:
        kinds: Counter[OutcomeKind] = Counter()
        async with _sink() as server:
            courier = SmtpCourier(server, connections=2)
            await courier.ready()
            batch = asyncio.create_task(
                courier.run_batch(_parcels(500), lambda _, outcome: kinds.update([outcome.kind]), wait_s=5)
            )
            await asyncio.sleep(0)
            await courier.close()
            await batch
            assert kinds[OutcomeKind.ACCEPTED] == Sink.taken.total()
        return kinds

    kinds = asyncio.run(run())
    assert kinds.total() == 500
    assert set(kinds) <= {OutcomeKind.ACCEPTED, OutcomeKind.UNSENT}


def test_closing_lets_go_of_those_who_wait_for_a_connection() -> None:
    async def run() -> None:
        silent = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with silent:
            server = Server(
                "127.0.0.1",
                silent.sockets[0].getsockname()[1],
                Security.NONE,
                authenticate=False,
                allow_private=True,
            )
            courier = SmtpCourier(server, connections=2)
            waiting = [asyncio.create_task(courier.ready()) for _ in range(2)]
            await asyncio.sleep(0.1)
            await courier.close(wait_s=1)
            async with asyncio.timeout(2):
                await asyncio.gather(*waiting)
            kinds: list[OutcomeKind] = []
            left = await courier.run_batch(
                _parcels(2), lambda _, outcome: kinds.append(outcome.kind), wait_s=0.2
            )
            assert (left, kinds) == (0, [OutcomeKind.UNSENT] * 2)

    asyncio.run(run())


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize("seed", range(8))
def test_in_chaos_nothing_is_lost_or_doubled(
    seed: int, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Drops, refusals, nonsense at every step: what a server has taken is never called unsent, deferred or failed."""
    chance = random.Random(seed)

    def fate(step: str) -> str:
        if step == "swallow":
            return chance.choice(["", "yes"])
        if chance.random() > 0.12:
            return ""
        if step == "body":
            return chance.choice(["drop", "garbage"])  # swallowed or not: nobody can tell
        return chance.choice(
            ["drop", "450 4.2.1 later", "550 5.1.1 no", "421 4.3.2 bye", "garbage", "251-more\r\n251 ok"]
        )

    async def run() -> dict[int, Outcome]:
        seen: dict[int, Outcome] = {}

        def known(parcel: Parcel, outcome: Outcome) -> None:
            assert parcel.key not in seen
            seen[parcel.key] = outcome

        async with _sink(fate) as server:
            courier = SmtpCourier(server, connections=3)
            parcels = _parcels(300)
            for start in range(0, 300, 50):
                await courier.run_batch(parcels[start : start + 50], known, wait_s=5)
            await courier.close()
        return seen

    with asyncio.Runner(loop_factory=loop) as runner:
        seen = runner.run(run())
    assert sorted(seen) == list(range(300))
    kinds = Counter(outcome.kind for outcome in seen.values())
    for key, outcome in seen.items():
        copies = Sink.taken[f"user{key}@example.org"]
        assert copies <= 1
        if outcome.kind is OutcomeKind.ACCEPTED:
            assert copies == 1
        elif outcome.kind is not OutcomeKind.UNCERTAIN:
            assert copies == 0, outcome
    assert kinds[OutcomeKind.ACCEPTED] > 20
