"""When a deferred delivery is tried again. RFC 5321 section 4.5.4.1."""

from collections.abc import Sequence
from datetime import datetime, timedelta

#: How much of a wait the jitter may add, so that what failed together does not come back together.
JITTER_SHARE = 0.25


def next_try(
    attempts: int,
    queued_at: datetime,
    now: datetime,
    *,
    schedule: Sequence[float],
    give_up_after: timedelta,
    jitter: float = 0.0,
) -> datetime | None:
    """When to try a deferred delivery again.

    attempts:      tries so far, at least 1.
    queued_at:     aware UTC; when the delivery entered the queue.
    schedule:      seconds to wait after the first, second ... try; the last one stays.
    give_up_after: age at which a delivery is given up; the last try is made at that age, not later.
    jitter:        0.0 to 1.0, drawn by the caller; adds up to a quarter of the wait.

    Returns an aware UTC time after `now`, or None when the delivery is too old and must be given up.
    Raises ValueError when `attempts` is 0, the schedule is empty or a wait is not positive.
    """
    if attempts < 1:
        raise ValueError("a delivery is deferred after its first try at the earliest")
    if not schedule:
        raise ValueError("a schedule needs at least one wait")
    seconds = schedule[min(attempts, len(schedule)) - 1]
    if seconds <= 0:
        raise ValueError("a wait is longer than nothing")
    last = queued_at + give_up_after
    if now >= last:
        return None
    return min(now + timedelta(seconds=seconds * (1 + JITTER_SHARE * min(max(jitter, 0.0), 1.0))), last)
