"""The marks and epochs that keep every copy single, seen from the database."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from postroom.actions.campaign_run import campaigns_sweep
from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.record import Result, shard_step
from postroom.actions.retry import retries_gather
from postroom.actions.shard import leases_renew, shard_claim, shard_load
from postroom.models.delivery import Delivery, Shard
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture
def campaign(settings):
    settings.POSTROOM_SHARD_SIZE = 10
    cast = make_cast()
    people = make_list(cast.alice, [f"p{n}@example.net" for n in range(10)])
    made = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    campaign_start(viewer=cast.alice, campaign_id=made.id, undo_s=0)
    campaign_freeze(campaign_id=made.id)
    made.refresh_from_db()
    return made


def claim(worker="one"):
    return shard_claim(worker=worker, lease=LEASE, busy=[])


def lost_lease():
    Shard.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def result(row, state="accepted", **more):
    return Result(row.id, row.state, state, timezone.now(), code=250, words="ok", **more)


def step(held, number, results, mark, worker="one", **more):
    return shard_step(held, worker=worker, step=number, results=results, mark=mark, **more)


def counts(campaign):
    figures = figures_of([campaign])[campaign.id]
    return {name: n for name, n in figures.counts.items() if n} | {"queued": figures.queued}


def test_a_shard_is_held_by_one_worker(campaign):
    assert claim() is not None
    assert claim("two") is None


def test_one_claim_takes_one_shard_however_it_is_planned(campaign):
    first = Shard.objects.get()
    with (
        connection.cursor() as cursor
    ):  # the planner takes the table for one of a single row, as after a start
        cursor.execute("ANALYZE postroom_shard")
        for way in ("hashjoin", "mergejoin", "material", "indexscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for _ in range(20):
        first.pk = None
        first.save()
    for taken in range(1, 4):
        assert claim(f"worker {taken}") is not None
        assert Shard.objects.exclude(worker="").count() == taken, (
            "one that nobody works on would wait for its lease"
        )


def test_a_lost_lease_leaves_doubt_only_below_the_mark(campaign):
    held = claim()
    rows = shard_load(held, 0, 4)
    assert step(held, 1, [], 4).go
    assert step(held, 2, [result(rows[0])], 6).go
    lost_lease()
    again = claim("two")
    assert (again.epoch, again.mark) == (2, 6)
    states = list(
        Delivery.objects.filter(campaign=campaign).order_by("position").values_list("state", flat=True)
    )
    assert states == ["accepted"] + ["uncertain"] * 5 + ["queued"] * 4
    assert counts(campaign) == {"accepted": 1, "uncertain": 5, "queued": 4}
    assert [row.index for row in shard_load(again, again.mark, again.size)] == [6, 7, 8, 9]


def test_a_worker_that_wakes_up_late_can_only_settle_doubt(campaign):
    held = claim()
    rows = shard_load(held, 0, 3)
    step(held, 1, [], 3)
    lost_lease()
    claim("two")
    late = step(held, 2, [result(rows[0]), result(rows[1], "deferred", retry_at=timezone.now())], 10)
    assert (late.held, late.go, late.settled) == (False, False, 1)
    states = list(
        Delivery.objects.filter(campaign=campaign).order_by("position").values_list("state", flat=True)
    )
    assert states == ["accepted", "uncertain", "uncertain"] + ["queued"] * 7
    assert Shard.objects.get().mark == 3
    assert counts(campaign) == {"accepted": 1, "uncertain": 2, "queued": 7}


def test_a_commit_whose_answer_was_lost_is_not_done_twice(campaign):
    held = claim()
    rows = shard_load(held, 0, 2)
    step(held, 1, [], 2)
    for _ in range(2):
        assert step(held, 2, [result(row) for row in rows], 4).held
    assert counts(campaign) == {"accepted": 2, "queued": 8}
    assert Delivery.objects.get(id=rows[0].id).attempts == 1


def test_what_was_never_started_waits_in_a_retry_shard_and_not_in_its_old_one(campaign):
    held = claim()
    rows = shard_load(held, 0, 10)
    step(held, 1, [], 10)
    back = [
        Result(row.id, row.state, "back", timezone.now(), retry_at=timezone.now(), counted=False)
        for row in rows[:3]
    ]
    step(held, 2, [result(row) for row in rows[3:]] + back, 10, close=True)
    assert counts(campaign) == {"accepted": 7, "queued": 3}
    assert retries_gather() == 3
    retry = claim()
    assert retry.delivery_ids == [row.id for row in rows[:3]]
    again = shard_load(retry, 0, 10)
    assert [(row.id, row.attempts) for row in again] == [(row.id, 0) for row in rows[:3]]
    step(retry, 1, [], 2)
    lost_lease()
    claim("two")
    states = dict(Delivery.objects.filter(id__in=retry.delivery_ids).values_list("id", "state"))
    assert [states[i] for i in retry.delivery_ids] == ["uncertain", "uncertain", "queued"]
    assert counts(campaign) == {"accepted": 7, "uncertain": 2, "queued": 1}


def test_a_paused_campaign_moves_no_mark_and_gives_no_shard(campaign):
    held = claim()
    campaign.state = "paused"
    campaign.save()
    assert not step(held, 1, [], 5).go
    assert Shard.objects.get().mark == 0
    step(held, 2, [], 0, release=True)
    assert claim("two") is None


def test_only_what_has_a_lane_is_kept_alive(campaign):
    claim()
    Shard.objects.update(lease_until=timezone.now() + timedelta(seconds=1))
    leases_renew(worker="one", lease=LEASE, shard_ids=[])
    assert Shard.objects.get().lease_until < timezone.now() + timedelta(seconds=5)
    leases_renew(worker="one", lease=LEASE, shard_ids=[Shard.objects.get().id])
    assert Shard.objects.get().lease_until > timezone.now() + timedelta(seconds=20)


def test_a_try_that_is_deferred_keeps_the_words_of_each_answer(campaign):
    held = claim()
    row = shard_load(held, 0, 1)[0]
    step(held, 1, [], 1)
    first = Result(
        row.id, "queued", "deferred", timezone.now(), code=451, words="4.7.1 later", retry_at=timezone.now()
    )
    step(held, 2, [first], 1, release=True)
    retries_gather()
    Shard.objects.filter(delivery_ids=None).update(is_done=True)
    retry = claim()
    again = shard_load(retry, 0, 1)[0]
    step(retry, 1, [], 1)
    step(retry, 2, [result(again)], 1, close=True)
    done = Delivery.objects.get(id=row.id)
    assert (done.state, done.attempts, done.code) == ("accepted", 2, 250)
    assert [(t["code"], t["words"]) for t in done.tries] == [(451, "4.7.1 later")]
    assert counts(campaign)["accepted"] == 1
    assert "deferred" not in counts(campaign)


def test_doubt_is_tried_again_where_the_campaign_says_so(campaign):
    campaign.on_doubt = "resend"
    campaign.save()
    held = claim()
    step(held, 1, [], 4)
    lost_lease()
    claim("two")
    assert counts(campaign) == {"deferred": 4, "queued": 6}
    assert retries_gather() == 4


def test_cancelling_leaves_doubt_where_a_worker_died_and_the_states_add_up(campaign):
    held = claim()
    rows = shard_load(held, 0, 2)
    step(held, 1, [], 2)
    late = Result(
        rows[0].id, "queued", "deferred", timezone.now(), code=451, words="later", retry_at=timezone.now()
    )
    step(held, 2, [late, result(rows[1])], 2, release=True)
    retries_gather()
    Shard.objects.filter(delivery_ids=None).update(ready_at=timezone.now() + timedelta(hours=1))
    retry = claim()
    assert retry.delivery_ids == [rows[0].id]
    step(retry, 1, [], 1)
    lost_lease()
    campaign.state = "cancelled"
    campaign.save()
    campaigns_sweep()
    assert counts(campaign) == {"accepted": 1, "uncertain": 1, "skipped": 8, "queued": 0}
