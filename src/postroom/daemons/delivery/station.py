"""One account in one delivery process: its courier, its share of connections and tokens, and its troubles."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from postroom.actions.account_state import account_refused, account_rest, account_works, sender_refused
from postroom.actions.journal import Journal
from postroom.actions.limit import Lot, connections_take, lot_take
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.diary import Diary
from postroom.daemons.delivery.press import Sheets
from postroom.errors import LoginRefused, WireError
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.queries.sending import SendingAccount, sending_account
from postroom.wire.courier import Parcel
from postroom.wire.server import Proxy, Security, Server
from postroom.wire.smtp import SmtpCourier

log = logging.getLogger("postroom.delivery")

#: How often the account's row is read again, and the share of connections asked for.
REFRESH_S = 1.0
#: How often a share of connections is asked for while there is none.
SHARE_S = 0.2
#: After this time without one a shard is given back, so that a pause or a stop is heeded.
SHARE_WAIT_S = 5.0
#: Connections of an account without work are given back after this time.
IDLE_S = 5.0
#: Tokens are taken ahead for this long at the present rate, so that a limit does not cost a commit a batch.
LOT_S = 0.25
#: Refusals of our sender in a row after which nobody else is asked.
SENDER_REFUSALS = 3
_NO_LINE = Reply(0, "No connection to the mail server.")


class Station:
    """Lanes of an account meet here. Only one batch at a time is in the courier's queue, first come first served."""

    def __init__(
        self,
        bridge: Bridge,
        worker: str,
        account: SendingAccount,
        lanes_here: Callable[[], int],
        journal: Journal,
    ) -> None:
        self.account = account
        self._journal = journal
        self._lanes_here = lanes_here
        self.lanes = 0
        self.resting_until = 0.0
        self._refused_until = 0.0
        self._bridge = bridge
        self.sheets = Sheets(bridge)
        self._worker = worker
        self._courier: SmtpCourier | None = None
        #: Couriers given up whose last messages are still on the wire.
        self._leaving: dict[SmtpCourier, asyncio.Task[None]] = {}
        self._held = 0
        self._refreshed = 0.0
        #: Held from the mark of a batch until it is off the queue.
        self.turn = asyncio.Lock()
        self._rate = 0.0
        self._sender_refusals = 0
        self._works = False
        self._used_at = time.monotonic()
        self._changing = asyncio.Lock()
        self._diary = Diary(bridge, account)
        self._lot = self._lot_number = 0
        self._lot_until = 0.0

    @property
    def resting(self) -> bool:
        return time.monotonic() < max(self.resting_until, self._refused_until)

    @property
    def eight_bit(self) -> bool:
        capabilities = self._courier.capabilities if self._courier else None
        return bool(capabilities and capabilities.eight_bit)

    @property
    def on_wire(self) -> int:
        """Messages begun whose outcome is not known, of all lanes."""
        couriers = [*self._leaving, *([self._courier] if self._courier else [])]
        return sum(courier.in_flight for courier in couriers)

    @property
    def _share(self) -> int:
        """Connections that may be open: what is held, without those to the same server that are still to close."""
        server = self.account.server
        leaving = sum(
            courier.open_connections
            for courier in self._leaving
            if (courier.server.host, courier.server.port) == (server["host"], server["port"])
        )
        return max(0, self._held - leaving)

    async def refresh(self) -> None:
        """Read the account again, ask for our share of its connections; at most once a second."""
        if time.monotonic() - self._refreshed < REFRESH_S:
            return
        async with self._changing:
            if time.monotonic() - self._refreshed >= REFRESH_S:
                await self._refresh()
                self._refreshed = time.monotonic()

    async def _refresh(self) -> None:
        account = await self._bridge.call(sending_account, self.account.id)
        changed = account.server != self.account.server
        self.account = account
        self._heed(account.paused_until)
        self._held = await self._bridge.call(
            connections_take,
            account_id=account.id,
            worker=self._worker,
            most=account.connections,
            wanted=account.connections if self.lanes else 0,
            lease=timedelta(seconds=settings.POSTROOM_LEASE_SECONDS),
        )
        if self._courier is not None and (changed or self._held == 0):
            self._leave(self._courier)
            self._courier = None
        elif self._courier is not None and self._share:
            await self._courier.set_connections(self._share)

    def _leave(self, courier: SmtpCourier) -> None:
        """Begin nothing more; what is on the wire ends, each message within its own time-outs."""
        task = asyncio.create_task(courier.close(wait_s=None))
        self._leaving[courier] = task
        task.add_done_callback(lambda task: self._leaving.pop(courier, None))

    def _heed(self, paused_until: datetime | None) -> None:
        """The row decides how long the account rests: another process may have met trouble, a person may end it."""
        left_s = 0.0
        if paused_until is not None:
            self._works = False  # the next accepted message tells everybody that the troubles are over
            left_s = (paused_until - timezone.now()).total_seconds()
        self.resting_until = time.monotonic() + max(0.0, left_s)

    async def ready(self) -> bool:
        """One connection is open. False: none may be opened now, or none could be (the account rests then)."""
        self._used_at = time.monotonic()
        await self.refresh()
        until = time.monotonic() + SHARE_WAIT_S
        while self._share == 0 and not self.resting and time.monotonic() < until:
            await asyncio.sleep(SHARE_S)  # others still hold all connections; they shrink within a second
            await self.refresh()
        if self.resting or self._share == 0:
            return False
        if self._courier is None:
            self._courier = SmtpCourier(server_of(self.account.server), connections=self._share)
        begun, was_open = time.monotonic(), self._courier.open_connections > 0
        try:
            await self._courier.ready()
        except WireError as error:
            await self.trouble(error)
            return False
        if not was_open:
            await self._diary.connected(self._courier, time.monotonic() - begun)
        return True

    async def trouble(self, error: WireError) -> None:
        """No connection could be had: the account rests; a refused login stops it."""
        words = error.reply.text if getattr(error, "reply", None) else error.message
        if isinstance(error, LoginRefused):
            await self._bridge.call(account_refused, account_id=self.account.id, words=words)
            self._refused_until = time.monotonic() + 1
        else:
            await self._rest(str(getattr(error, "stage", "") or "tcp"), words)

    async def _rest(self, stage: str, words: str) -> None:
        rest = await self._bridge.call(account_rest, account_id=self.account.id, stage=stage, words=words)
        self.resting_until = time.monotonic() + rest.total_seconds()
        log.warning("account %s rests %.0f s: %s", self.account.id, rest.total_seconds(), words)

    def batch_size(self) -> int:
        """What the open connections can start within 100 ms at the present rate; at least one each.

        All lanes of the process together stay below the largest batch: it bounds the doubt a kill leaves.
        """
        most = max(1, settings.POSTROOM_BATCH_MAX // max(1, self._lanes_here()))
        return min(most, max(self._held, int(self._rate * 0.1), 1))

    async def tokens(self, wanted: int) -> Lot:
        """A lot for now; without limits what was wanted. What is in hand dies with its slice."""
        if not self.account.limits:
            return Lot(wanted, None)
        if self._lot <= 0 or time.monotonic() >= self._lot_until:
            asked_at = time.monotonic()
            lot = await self._bridge.call(
                lot_take,
                account_id=self.account.id,
                limits=self.account.limits,
                wanted=max(wanted, int(self._rate * LOT_S)),
                share=self.lanes,
            )
            if lot.granted == 0:
                await self._diary.held_back(lot.until)
                return lot
            self._lot, self._lot_until = lot.granted, asked_at + lot.good_s
            self._lot_number += 1
        granted = min(wanted, self._lot)
        self._lot -= granted
        return Lot(granted, None, number=self._lot_number)

    def tokens_back(self, lot: Lot, unused: int) -> None:
        """Tokens that did not become a RCPT. Those of a lot that is not in hand any more have died with it."""
        if lot.number == self._lot_number:
            self._lot += max(0, unused)

    async def send(self, parcels: Sequence[Parcel], on_outcome: Callable[[Parcel, Outcome], None]) -> None:
        """One batch through the courier, by who has the turn; stragglers report later through `on_outcome`."""
        courier = self._courier
        if courier is None:
            for parcel in parcels:
                on_outcome(parcel, Outcome(OutcomeKind.UNSENT, _NO_LINE, Stage.TCP))
            return
        begun = time.monotonic()
        left = await courier.run_batch(
            parcels,
            self._noting(on_outcome),
            wait_s=settings.POSTROOM_BATCH_WAIT_SECONDS,
            begin=self._journal.begin,
        )
        rate = (len(parcels) - left) / max(time.monotonic() - begun, 0.001)
        self._rate = rate if self._rate == 0 else 0.7 * self._rate + 0.3 * rate

    def _noting(self, on_outcome: Callable[[Parcel, Outcome], None]) -> Callable[[Parcel, Outcome], None]:
        def note(parcel: Parcel, outcome: Outcome) -> None:
            if outcome.kind is OutcomeKind.ACCEPTED:
                self._journal.took(parcel.key)
            on_outcome(parcel, outcome)

        return note

    async def learn(self, outcomes: Sequence[Outcome]) -> None:
        """Account-wide answers slow the account down; a first accepted message ends its troubles."""
        for outcome in outcomes:
            if outcome.kind is OutcomeKind.ACCEPTED:
                self._diary.accepted += 1
                self._sender_refusals = 0
                if not self._works:
                    self._works = True
                    await self._bridge.call(
                        account_works, account_id=self.account.id, capabilities=self._capabilities()
                    )
            elif outcome.kind is OutcomeKind.FAILED and outcome.stage is Stage.MAIL:
                self._sender_refusals += 1
                if self._sender_refusals >= SENDER_REFUSALS:
                    self._sender_refusals = 0
                    await self._bridge.call(
                        sender_refused, account_id=self.account.id, words=outcome.reply.text
                    )
        wide = next((o for o in outcomes if o.account_wide), None)
        if wide is not None and not self.resting:
            self._works = False
            if wide.stage is Stage.LOGIN and wide.reply.permanent:
                await self._bridge.call(account_refused, account_id=self.account.id, words=wide.reply.text)
                self._refused_until = time.monotonic() + 1
            else:
                await self._rest(str(wide.stage), wide.reply.text)

    def _capabilities(self) -> dict[str, object]:
        seen = self._courier.capabilities if self._courier else None
        if seen is None:
            return {}
        return {
            "dsn": seen.dsn,
            "eight_bit": seen.eight_bit,
            "smtputf8": seen.smtputf8,
            "size": seen.size,
        }

    async def idle(self) -> None:
        """No lane uses it: give the share of connections back. Kept connections close by themselves."""
        async with self._changing:
            if self._held and self.lanes == 0 and time.monotonic() - self._used_at > IDLE_S:
                await self.close()

    async def close(self) -> None:
        """QUIT on all connections and give their leases back."""
        couriers = [*self._leaving, *([self._courier] if self._courier else [])]
        self._courier = None
        await asyncio.gather(*(courier.close(wait_s=10) for courier in couriers))
        await asyncio.gather(*self._leaving.values())
        await self._diary.closed()
        self._held = 0
        await self._bridge.call(
            connections_take,
            account_id=self.account.id,
            worker=self._worker,
            most=1,
            wanted=0,
            lease=timedelta(seconds=1),
        )


def server_of(values: dict[str, Any]) -> Server:
    """The server of an account as its row describes it."""
    typed = {"security": Security(values["security"]), "proxy": Proxy.of(values["proxy"])}
    return Server(**{**values, **typed})
