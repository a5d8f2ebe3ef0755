"""One shard on its way: load, mark, send, record (DESIGN 4.4). Crash windows: docs/message-states.md."""

import asyncio
import logging
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.utils import timezone

from postroom.actions.campaign_run import campaign_stop
from postroom.actions.campaign_sample import campaign_sample_keep
from postroom.actions.figures import pace_add
from postroom.actions.record import Result, Stepped, late_settle, shard_step
from postroom.actions.shard import Claim, Row, shard_load, shard_recheck
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.outcome import Rules, is_unfit
from postroom.daemons.delivery.signing import Press
from postroom.daemons.delivery.station import Station
from postroom.errors import PostroomError
from postroom.mail.reply import Outcome, OutcomeKind
from postroom.wire.courier import Parcel

log = logging.getLogger("postroom.delivery")

#: A load older than this is checked against suppressions once more before its mark.
STALE_S = 1.0


class Lane:
    """Works one claimed shard off. `draining`: all has begun, only answers are awaited."""

    def __init__(self, bridge: Bridge, worker: str, station: Station, claim: Claim) -> None:
        self.claim = claim
        self.draining = False
        self.stopping = False
        self._bridge = bridge
        self._worker = worker
        self._station = station
        self._step = claim.step
        self._held = True
        self._sampled = claim.campaign_id is None or claim.delivery_ids is not None or claim.first > 1
        self._out: dict[int, Row] = {}
        self._outcomes: list[Outcome] = []
        self._results: list[Result] = []
        self._answered = asyncio.Event()
        self._decided: Counter[str] = Counter()
        self._paced_at = self._recorded_at = time.monotonic()
        self._rules = Rules(
            schedule=settings.POSTROOM_RETRY_SCHEDULE,
            give_up_after=timedelta(hours=settings.POSTROOM_RETRY_GIVE_UP_HOURS),
        )

    @property
    def key(self) -> int:
        """What `shard_claim` calls busy."""
        return self.claim.campaign_id or -self.claim.account_id

    async def run(self) -> None:
        """Raises what no rule foresees, once all that is known is recorded; the shard is free when its lease ends."""
        self._station.lanes += 1
        try:
            await self._work()
        except Exception:
            await self._save()
            raise
        finally:
            self._station.lanes -= 1

    async def _work(self) -> None:
        mark = self.claim.mark
        try:
            if await self._station.ready():
                press = await self._station.sheets.press(self.claim, eight_bit=self._station.eight_bit)
                self._rules.resend_doubt = press.resend_doubt
                mark = await self._send_all(press, mark)
        except PostroomError as error:
            log.error("shard %s cannot be sent: %s", self.claim.shard_id, error.message)
            if self.claim.campaign_id is not None:
                await self._bridge.call(
                    campaign_stop, campaign_id=self.claim.campaign_id, reason=error.message
                )
        self.draining = True
        await self._drain()
        if self._held:
            done = mark >= self.claim.size
            await self._record(mark, close=done, release=not done)

    async def _save(self) -> None:
        """After a fault of ours: what is on the wire is waited for; what never got there stays in doubt."""
        self.draining = True
        try:
            while self._out and self._station.on_wire:  # noqa: ASYNC110  (the next answer may be another lane's)
                await asyncio.sleep(0.1)
            await self._record(self.claim.mark)
        except Exception:
            log.exception("shard %s: what its broken lane knew cannot be recorded", self.claim.shard_id)

    async def _send_all(self, press: Press, mark: int) -> int:
        """Batch after batch until the shard is used up, stopped, lost or the account rests; the mark reached."""
        ahead: asyncio.Task[list[Row]] | None = None
        ahead_end = 0
        try:
            while mark < self.claim.size and not self.stopping:
                await self._station.refresh()
                if self._station.resting or not await self._station.ready():
                    break
                lot = await self._station.tokens(min(self._station.batch_size(), self.claim.size - mark))
                if lot.granted == 0:
                    if ahead is not None:
                        ahead.cancel()
                        ahead = None
                    if not await self._wait_for_tokens(mark, lot.until):
                        break
                    continue
                end = min(mark + lot.granted, self.claim.size)
                loaded_at = time.monotonic()
                if ahead is not None and ahead_end >= end:
                    rows = [row for row in await ahead if row.index < end]
                    loaded_at = self._loaded_at
                else:
                    rows = await self._load(mark, end)
                ahead = None
                await press.fetch(rows)
                parcels = self._print(press, rows)
                async with self._station.turn:  # what is marked goes to the wire at once
                    if time.monotonic() - loaded_at > STALE_S:
                        parcels = await self._check_again(rows, parcels)
                    stepped = await self._record(end)
                    if not (stepped.held and stepped.go):
                        self._unload(parcels)
                        self._station.tokens_back(lot, lot.granted)
                        break
                    mark = end
                    self._station.tokens_back(lot, lot.granted - len(parcels))
                    if mark < self.claim.size:
                        ahead_end = min(mark + max(self._station.batch_size(), len(rows)), self.claim.size)
                        ahead = asyncio.create_task(self._load(mark, ahead_end))
                    if parcels:
                        await self._station.send(parcels, self._on_outcome)
                        await self._keep_sample(parcels[0])
                await self._learn()
        finally:
            if ahead is not None:
                ahead.cancel()
        return mark

    async def _keep_sample(self, parcel: Parcel) -> None:
        """The first parcel of a campaign's first shard, for the archive."""
        if not self._sampled:
            self._sampled = True
            raw = b"".join(parcel.segments)
            try:
                await self._bridge.call(campaign_sample_keep, campaign_id=self.claim.campaign_id, raw=raw)
            except OSError:  # a full disk stops no campaign
                log.exception("campaign %s: its first copy is not kept", self.claim.campaign_id)

    async def _load(self, begin: int, end: int) -> list[Row]:
        self._loaded_at = time.monotonic()
        return await self._bridge.call(shard_load, self.claim, begin, end)

    def _print(self, press: Press, rows: list[Row]) -> list[Parcel]:
        """Parcels of the rows that may go; what may not is noted as skipped."""
        parcels = []
        for row in rows:
            printed = row.suppressed or press.parcel(row)
            if isinstance(printed, str):
                self._skip(row, printed)
            else:
                self._out[row.id] = row
                parcels.append(printed)
        return parcels

    def _skip(self, row: Row, reason: str) -> None:
        self._results.append(
            Result(row.id, row.state, "skipped", timezone.now(), reason=reason, counted=False)
        )

    async def _check_again(self, rows: list[Row], parcels: list[Parcel]) -> list[Parcel]:
        suppressed = await self._bridge.call(shard_recheck, self.claim, rows)
        for delivery_id, reason in suppressed.items():
            row = self._out.pop(delivery_id, None)
            if row is not None:
                self._skip(row, reason)
        return [parcel for parcel in parcels if parcel.key not in suppressed]

    def _unload(self, parcels: list[Parcel]) -> None:
        """The mark was not moved over them: they wait where they were."""
        for parcel in parcels:
            self._out.pop(parcel.key, None)

    def _on_outcome(self, parcel: Parcel, outcome: Outcome) -> None:
        row = self._out.pop(parcel.key)
        if not (
            outcome.kind is OutcomeKind.FAILED and is_unfit(row, outcome)
        ):  # it says nothing of the account
            self._outcomes.append(outcome)
        self._results.append(self._rules.result(row, outcome, datetime.now(UTC)))
        if not self._out:
            self._answered.set()

    async def _learn(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        await self._station.learn(outcomes)

    async def _record(self, mark: int, *, close: bool = False, release: bool = False) -> Stepped:
        """Record what is known and move the mark, in one commit. A lost shard leaves only late answers to settle."""
        results, self._results = self._results, []
        if not self._held:
            await self._bridge.call(late_settle, results)
            return Stepped(held=False, go=False)
        self._step += 1
        self._recorded_at = time.monotonic()
        try:
            stepped = await self._bridge.call(
                shard_step,
                self.claim,
                worker=self._worker,
                step=self._step,
                results=results,
                mark=mark,
                close=close,
                release=release,
            )
        except Exception:
            self._step, self._results = self._step - 1, results + self._results
            raise
        self._held = stepped.held
        self._decided.update(result.state for result in results if result.state != "back")
        await self._pace(final=close or release)
        if not stepped.held:
            log.warning("shard %s was taken over by another process", self.claim.shard_id)
        return stepped

    async def _pace(self, *, final: bool) -> None:
        if not self._decided:
            return
        if final or time.monotonic() - self._paced_at >= 1:
            decided, self._decided = self._decided, Counter()
            self._paced_at = time.monotonic()
            await self._bridge.call(
                pace_add,
                campaign_id=self.claim.campaign_id,
                account_id=self.claim.account_id,
                shard_id=self.claim.shard_id,
                worker=self._worker,
                decided=decided,
            )

    async def _wait_for_tokens(self, mark: int, until: object) -> bool:
        """Record what is known, then sleep until the window opens, a second at most. False: stop.

        A window may stay closed for hours: a pause or a cancel must not wait for it.
        """
        if self._results or time.monotonic() - self._recorded_at >= 1:
            stepped = await self._record(mark)
            if not (stepped.held and stepped.running):
                return False
        await self._learn()
        wait = 1.0
        if until is not None:
            wait = min(1.0, max(0.02, (until - timezone.now()).total_seconds()))  # type: ignore[operator]
        await asyncio.sleep(wait)
        return True

    async def _drain(self) -> None:
        """Wait for what is on the wire; record as answers come in, once a second."""
        while self._out:
            self._answered.clear()
            try:
                async with asyncio.timeout(1):
                    await self._answered.wait()
            except TimeoutError:
                if self._results:
                    await self._record(self.claim.mark)
        await self._learn()
