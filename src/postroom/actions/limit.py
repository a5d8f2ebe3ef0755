"""Limits of an account, held in total over all campaigns and processes: lots of tokens, and connections (DESIGN 4.8).

A sliding window is kept as 60 slices. A lot is good in the slice it was taken in and the one after; so the sum over
the last 62 slices bounds what can go out in any window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

SLICES = 60


@dataclass(frozen=True, slots=True)
class Lot:
    """granted: tokens; 0 with `until`: when the window opens again, at the earliest. good_s: they die after that."""

    granted: int
    until: datetime | None
    good_s: float = 0.0


def windows_of(per_minute: int, per_hour: int, per_day: int) -> list[tuple[int, int]]:
    """(seconds, tokens) of each limit that is set."""
    return [(s, n) for s, n in ((60, per_minute), (3600, per_hour), (86400, per_day)) if n]


@transaction.atomic
def lot_take(*, account_id: int, windows: list[tuple[int, int]], wanted: int, share: int = 1) -> Lot:
    """Take up to `wanted` tokens of an account; a token is one RCPT tried.

    share: how many lanes want some now, here; one lane gets at most its part of what is left in the slice.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7203003, %s)", [account_id])
        cursor.execute("SELECT clock_timestamp(), extract(epoch FROM clock_timestamp())")
        now, seconds = cursor.fetchone()
        granted, until = wanted, now
        for window, limit in windows:
            slice_s = window / SLICES
            here = int(float(seconds) // slice_s)
            cursor.execute(
                "SELECT slice_at, taken FROM postroom_limitbucket"
                " WHERE account_id = %s AND window_s = %s AND slice_at > %s ORDER BY slice_at",
                [account_id, window, here - SLICES - 2],
            )
            taken = cursor.fetchall()
            used_here = sum(n for at, n in taken if at == here)
            # At an even pace: the slice's own part, so that a limit does not go out in one burst.
            pace = max(1, -(-limit // SLICES)) - used_here
            left = min(limit - sum(n for _, n in taken), pace)
            if left < granted:
                granted = max(0, left)
                until = max(until, _opens(now, float(seconds), here, slice_s, taken, limit, pace))
        if share > 1 and granted:
            granted = max(1, granted // share)
        for window, _ in windows if granted else ():
            cursor.execute(
                """INSERT INTO postroom_limitbucket (account_id, window_s, slice_at, taken) VALUES (%s, %s, %s, %s)
                   ON CONFLICT (account_id, window_s, slice_at)
                   DO UPDATE SET taken = postroom_limitbucket.taken + excluded.taken""",
                [account_id, window, int(float(seconds) // (window / SLICES)), granted],
            )
    slice_s = min((window / SLICES for window, _ in windows), default=1.0)
    return Lot(granted, None if granted else until, slice_s - float(seconds) % slice_s)


def _opens(
    now: datetime,
    seconds: float,
    here: int,
    slice_s: float,
    taken: list[tuple[int, int]],
    limit: int,
    pace: int,
) -> datetime:
    """When the next token can be had: the next slice, or the moment the oldest slice leaves the full window."""
    opens_at = (here + 1) * slice_s
    if limit - sum(n for _, n in taken) <= 0 and taken:
        opens_at = (taken[0][0] + SLICES + 2) * slice_s
    return now + timedelta(seconds=max(0.0, opens_at - seconds))


def lots_forget() -> None:
    """Drop slices that no window reaches any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM postroom_limitbucket"
            " WHERE slice_at < extract(epoch FROM now()) / (window_s / 60.0) - 130"
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
