"""One delivery process: claims shards, runs a lane for each, renews its leases, keeps house."""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from datetime import timedelta

from django.conf import settings

from postroom.actions.campaign_run import campaigns_finish, campaigns_sweep
from postroom.actions.fault import shard_give_up
from postroom.actions.journal import Journal, journals_forget
from postroom.actions.limit import lots_forget
from postroom.actions.message_lost import messages_drop
from postroom.actions.notify import SHARD
from postroom.actions.retry import retries_gather
from postroom.actions.shard import leases_renew, shard_claim
from postroom.actions.slot import slots_fill
from postroom.daemons.bridge import AWAY, Bridge, listen
from postroom.daemons.delivery.faults import Faults
from postroom.daemons.delivery.lane import Lane
from postroom.daemons.delivery.station import Station
from postroom.errors import PostroomError
from postroom.queries.sending import sending_account

log = logging.getLogger("postroom.delivery")

#: Shards one process works on at the same time.
LANES_MAX = 16


class DeliveryWorker:
    """Runs until `stop` is called; then what is on the wire is finished and recorded."""

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._bridge = Bridge(threads=8)
        self._journal = Journal(self.name)
        #: Leases are renewed over a connection of their own: nothing else can hold them up.
        self._pulse = Bridge(threads=1)
        self._stations: dict[int, Station] = {}
        self._lanes: dict[Lane, asyncio.Task[None]] = {}
        self._faults = Faults()
        self._wake = asyncio.Event()
        self._stopping = False
        self._lease = timedelta(seconds=settings.POSTROOM_LEASE_SECONDS)

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        for lane in self._lanes:
            lane.stopping = True

    async def run(self) -> None:
        log.info("delivery %s begins", self.name)
        await self._renew()
        await self._bridge.call(journals_forget)
        helpers = [
            asyncio.create_task(self._every(settings.POSTROOM_LEASE_RENEW_SECONDS, self._renew)),
            asyncio.create_task(self._every(settings.POSTROOM_POLL_SECONDS, self._keep_house)),
            asyncio.create_task(self._listen()),
        ]
        try:
            while not self._stopping:
                self._wake.clear()
                if not await self._begin():
                    await self._sleep(settings.POSTROOM_POLL_SECONDS)
            await self._finish()
        finally:
            for helper in helpers:
                helper.cancel()
            self._bridge.close()
            self._journal.close()
            self._pulse.closing = True
            self._pulse.close()
        log.info("delivery %s ended", self.name)

    async def _finish(self) -> None:
        if self._lanes:
            await asyncio.wait(self._lanes.values(), timeout=20)
        self._bridge.closing = True
        for station in self._stations.values():
            await station.close()
        if self._lanes:  # what was answered, or cut off, at the last moment is recorded too
            await asyncio.wait(self._lanes.values(), timeout=5)

    async def _begin(self) -> bool:
        """`_claim`; an account that cannot be read (its secret) does not keep the others from sending."""
        try:
            return await self._claim()
        except PostroomError as error:
            log.error("a shard cannot be begun: %s", error.message)
            return False

    async def _claim(self) -> bool:
        """Start a lane when there is a shard for us; True when it did."""
        busy = [lane.key for lane in self._lanes if not lane.draining]
        if len(busy) >= LANES_MAX:
            return False
        busy += [key for key in self._resting_keys() if key not in busy]
        claim = await self._bridge.call(shard_claim, worker=self.name, lease=self._lease, busy=busy)
        if claim is None:
            return False
        station = self._stations.get(claim.account_id)
        if station is None:
            account = await self._bridge.call(sending_account, claim.account_id)
            station = self._stations[claim.account_id] = Station(
                self._bridge, self.name, account, lambda: len(self._lanes), self._journal
            )
        lane = Lane(self._bridge, self.name, station, claim)
        lane.stopping = self._stopping  # told to stop while it was claimed
        task = asyncio.create_task(self._run(lane))
        self._lanes[lane] = task
        task.add_done_callback(lambda task: self._ended(lane, task))
        return True

    def _resting_keys(self) -> list[int]:
        """Single messages of a resting account need not be claimed again at once; campaigns are held by its row."""
        return [-account_id for account_id, station in self._stations.items() if station.resting]

    async def _run(self, lane: Lane) -> None:
        try:
            await lane.run()
        except AWAY:
            raise  # we are stopping, and the database is not there: another process takes over
        except Exception as error:
            claim, tries = lane.claim, self._faults.note(lane.claim)
            log.exception("shard %s broke its lane, %s times now", claim.shard_id, tries)
            if tries >= settings.POSTROOM_FAULT_TRIES and not self._stopping:
                await self._bridge.call(
                    shard_give_up,
                    shard_id=claim.shard_id,
                    campaign_id=claim.campaign_id,
                    kind=type(error).__name__,
                    tries=tries,
                )
                self._faults.forget(claim)
        else:
            self._faults.forget(lane.claim)

    def _ended(self, lane: Lane, task: "asyncio.Task[None]") -> None:
        del self._lanes[lane]
        if not task.cancelled() and task.exception() is not None:
            log.error("a lane broke; its shard is taken over when the lease ends", exc_info=task.exception())
        self._wake.set()

    async def _renew(self) -> None:
        held = [lane.claim.shard_id for lane in self._lanes]
        await self._pulse.call(leases_renew, worker=self.name, lease=self._lease, shard_ids=held)

    async def _keep_house(self) -> None:
        await self._bridge.call(retries_gather, size=settings.POSTROOM_SHARD_SIZE)
        await self._bridge.call(campaigns_sweep)
        await self._bridge.call(messages_drop)
        await self._bridge.call(campaigns_finish)
        await self._bridge.call(slots_fill)
        await self._bridge.call(lots_forget)
        for station in list(self._stations.values()):
            if station.lanes == 0:
                await station.idle()

    async def _listen(self) -> None:
        async for _ in listen([SHARD]):
            self._wake.set()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _every(self, seconds: float, function: Callable[[], Awaitable[None]]) -> None:
        """Call it for ever; what it raises is logged, since one bad round must not end the process's upkeep."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await function()
            except Exception:
                log.exception("upkeep failed")
