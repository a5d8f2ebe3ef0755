"""When a delivery is tried again, and when it is given up. RFC 5321 section 4.5.4.1."""

from collections.abc import Sequence
from datetime import datetime, timedelta

#: A wait is stretched by up to this part of itself, so that deferred recipients do not come back all at once.
SPREAD = 0.2


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

    attempts:  tries so far, at least 1; schedule: seconds to wait after the first, second, ... try, the last one
               again and again; jitter: 0.0 to 1.0, drawn by the caller.
    queued_at: aware UTC; when the delivery entered the queue.

    Returns an aware UTC time after `now`, or None when that would be later than `give_up_after` from `queued_at`.
    Raises ValueError when `attempts` is 0 or the schedule is empty.
    """
    if attempts < 1 or not schedule:
        raise ValueError("at least one try and one wait are needed")
    wait = schedule[min(attempts, len(schedule)) - 1]
    at = now + timedelta(seconds=wait * (1 + SPREAD * jitter))
    return at if at - queued_at <= give_up_after else None
