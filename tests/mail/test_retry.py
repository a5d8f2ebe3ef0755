"""When a deferred delivery is tried again."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.retry import next_try

QUEUED = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SCHEDULE = (60, 300, 900)
DAYS = timedelta(days=3)


def after(attempts: int, age: timedelta = timedelta(), jitter: float = 0.0) -> timedelta | None:
    now = QUEUED + age
    found = next_try(attempts, QUEUED, now, schedule=SCHEDULE, give_up_after=DAYS, jitter=jitter)
    return None if found is None else found - now


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 60), (2, 300), (3, 900), (4, 900), (99, 900)])
def test_each_wait_is_longer_until_the_last_one_stays(attempts, seconds):
    assert after(attempts) == timedelta(seconds=seconds)


def test_the_last_try_is_at_the_age_of_giving_up_and_then_no_more():
    assert after(9, DAYS - timedelta(seconds=5)) == timedelta(seconds=5)
    assert after(9, DAYS) is None
    assert after(1, DAYS * 2) is None


def test_jitter_adds_up_to_a_quarter():
    assert after(1, jitter=1.0) == timedelta(seconds=75)
    assert after(1, jitter=7.0) == timedelta(seconds=75)
    assert after(1, jitter=-1.0) == timedelta(seconds=60)


@given(st.integers(1, 1000), st.timedeltas(timedelta(), DAYS * 2), st.floats(0, 1))
def test_the_next_try_is_after_now_and_not_after_the_end(attempts, age, jitter):
    wait = after(attempts, age, jitter)
    if age >= DAYS:
        assert wait is None
    else:
        assert wait is not None
        assert timedelta() < wait <= DAYS - age


@pytest.mark.parametrize(("attempts", "schedule"), [(0, SCHEDULE), (1, ()), (1, (0,))])
def test_nonsense_is_refused(attempts, schedule):
    with pytest.raises(ValueError, match=r"first try|at least one|longer"):
        next_try(attempts, QUEUED, QUEUED, schedule=schedule, give_up_after=DAYS)
