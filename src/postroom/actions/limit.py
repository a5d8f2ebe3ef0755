"""Limits of an account, held in total over all campaigns and processes: lots of tokens, and connections (DESIGN 4.8).

A sliding window is kept as 60 slices. A lot is good in the slice it was taken in and the one after; so the sum over
the last 62 slices bounds what can go out in any window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from postroom.mail.limit import SLICES, Limits


@dataclass(frozen=True, slots=True)
class Lot:
    """granted: tokens; 0 with `until`: when the window opens again, at the earliest. good_s: they die after that.

    number: for who hands out a lot in parts, of which lot they are.
    """

    granted: int
    until: datetime | None
    good_s: float = 0.0
    number: int = 0


@transaction.atomic
def lot_take(*, account_id: int, limits: Limits, wanted: int, share: int = 1) -> Lot:
    """Take up to `wanted` tokens of an account; a token is one RCPT tried.

    share: how many lanes want some now, here; one lane gets at most its part of what is left in the slice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7203003, %s)", [account_id])
        if limits.workspace_windows:
            cursor.execute("SELECT pg_advisory_xact_lock(7203005, %s)", [limits.workspace_id])
        cursor.execute("SELECT clock_timestamp(), extract(epoch FROM clock_timestamp())")
        now, seconds = cursor.fetchone()
        clock = float(seconds)
        counters = [_Counter("postroom_limitbucket", "account_id", account_id, *w) for w in limits.windows]
        counters += [
            _Counter("postroom_workspacebucket", "workspace_id", limits.workspace_id, *w)
            for w in limits.workspace_windows
        ]
        granted, until = wanted, now
        for counter in counters:
            left, opens = counter.left(cursor, now, clock)
            if left < granted:
                granted, until = max(0, left), max(until, opens)
        if all(limits.pause):
            left, opens = _until_pause(cursor, account_id, now, limits.pause[0])
            if left < granted:
                granted, until = left, max(until, opens)
        if share > 1 and granted:
            granted = max(1, granted // share)
        if granted:
            for counter in counters:
                counter.add(cursor, clock, granted)
            if all(limits.pause):
                _count_to_pause(cursor, account_id, granted, limits.pause)
    slice_s = min((counter.slice_s for counter in counters), default=1.0)
    return Lot(granted, None if granted else until, slice_s - clock % slice_s)


@dataclass(frozen=True, slots=True)
class _Counter:
    """One window of one account or workspace."""

    table: str
    column: str
    key: int
    window: int
    limit: int

    @property
    def slice_s(self) -> float:
        return self.window / SLICES

    def left(self, cursor: Any, now: datetime, clock: float) -> tuple[int, datetime]:
        """Tokens that can be had now, and when there are more."""
        here = int(clock // self.slice_s)
        cursor.execute(
            f"SELECT slice_at, taken FROM {self.table}"
            f" WHERE {self.column} = %s AND window_s = %s AND slice_at > %s ORDER BY slice_at",
            [self.key, self.window, here - SLICES - 2],
        )
        taken = cursor.fetchall()
        used_here = sum(n for at, n in taken if at == here)
        # At an even pace: the slice's own part, so that a limit does not go out in one burst.
        pace = max(1, -(-self.limit // SLICES)) - used_here
        left = min(self.limit - sum(n for _, n in taken), pace)
        return left, _opens(now, clock, here, self.slice_s, taken, self.limit)

    def add(self, cursor: Any, clock: float, granted: int) -> None:
        cursor.execute(
            f"""INSERT INTO {self.table} ({self.column}, window_s, slice_at, taken) VALUES (%s, %s, %s, %s)
                ON CONFLICT ({self.column}, window_s, slice_at)
                DO UPDATE SET taken = {self.table}.taken + excluded.taken""",
            [self.key, self.window, int(clock // self.slice_s), granted],
        )


def _until_pause(cursor: Any, account_id: int, now: datetime, every: int) -> tuple[int, datetime]:
    cursor.execute("SELECT sent, until FROM postroom_accountrest WHERE account_id = %s", [account_id])
    sent, until = cursor.fetchone() or (0, None)
    if until is not None and until > now:
        return 0, until
    return max(1, every - sent), now


def _count_to_pause(cursor: Any, account_id: int, granted: int, pause: tuple[int, int]) -> None:
    """The last message before the pause starts it."""
    every, seconds = pause
    cursor.execute(
        """INSERT INTO postroom_accountrest AS r (account_id, sent) VALUES (%s, %s)
           ON CONFLICT (account_id) DO UPDATE SET sent = r.sent + excluded.sent, until = NULL""",
        [account_id, granted],
    )
    cursor.execute(
        """UPDATE postroom_accountrest SET sent = 0, until = clock_timestamp() + make_interval(secs => %s)
            WHERE account_id = %s AND sent >= %s""",
        [seconds, account_id, every],
    )


def _opens(
    now: datetime,
    seconds: float,
    here: int,
    slice_s: float,
    taken: list[tuple[int, int]],
    limit: int,
) -> datetime:
    """When the next token can be had: the next slice, or the moment the oldest slice leaves the full window."""
    opens_at = (here + 1) * slice_s
    if limit - sum(n for _, n in taken) <= 0 and taken:
        opens_at = (taken[0][0] + SLICES + 2) * slice_s
    return now + timedelta(seconds=max(0.0, opens_at - seconds))


def lots_forget() -> None:
    """Drop slices that no window reaches any more."""
    with connection.cursor() as cursor:
        for table in ("postroom_limitbucket", "postroom_workspacebucket"):
            cursor.execute(
                f"DELETE FROM {table} WHERE slice_at < extract(epoch FROM now()) / (window_s / 60.0) - 130"
            )


@transaction.atomic
def connections_take(*, account_id: int, worker: str, most: int, wanted: int, lease: timedelta) -> int:
    """How many connections this worker may have open to the account's server now: its fair part of `most`.

    Never more in total than `most`: what others still hold is taken off, so a newcomer begins when they have shrunk.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7203004, %s)", [account_id])
        cursor.execute("DELETE FROM postroom_connectionlease WHERE lease_until < clock_timestamp()")
        if wanted == 0:
            cursor.execute(
                "DELETE FROM postroom_connectionlease WHERE account_id = %s AND worker = %s",
                [account_id, worker],
            )
            return 0
        cursor.execute(
            """INSERT INTO postroom_connectionlease (account_id, worker, wanted, held, lease_until)
               VALUES (%s, %s, %s, 0, clock_timestamp() + make_interval(secs => %s))
               ON CONFLICT (account_id, worker)
               DO UPDATE SET wanted = excluded.wanted, lease_until = excluded.lease_until""",
            [account_id, worker, wanted, lease.total_seconds()],
        )
        cursor.execute(
            "SELECT worker, held FROM postroom_connectionlease WHERE account_id = %s ORDER BY worker",
            [account_id],
        )
        rows = cursor.fetchall()
        rank = [name for name, _ in rows].index(worker)
        part = most // len(rows) + (1 if rank < most % len(rows) else 0)
        free = most - sum(held for name, held in rows if name != worker)
        held = int(max(0, min(part, free, wanted)))
        cursor.execute(
            "UPDATE postroom_connectionlease SET held = %s WHERE account_id = %s AND worker = %s",
            [held, account_id, worker],
        )
    return held
