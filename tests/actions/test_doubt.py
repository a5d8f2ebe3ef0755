"""Doubt is bounded and settled, whichever comes first: the report, the answer, the cancelling or the person."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from postroom.actions.campaign_run import campaign_cancel, campaigns_finish, campaigns_sweep, uncertain_decide
from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.event import event_store_smtp, events_process
from postroom.actions.record import Result, shard_step
from postroom.actions.retry import retries_gather
from postroom.actions.shard import Row, shard_claim, shard_load
from postroom.daemons.delivery.outcome import Rules
from postroom.errors import Conflict
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.models.delivery import Delivery, Shard
from postroom.queries.campaign import figures_of
from postroom.queries.content import addressing_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture
def cast():
    return make_cast(bounce_host="bounces.alderpike.example")


@pytest.fixture
def campaign(cast, settings):
    settings.POSTROOM_SHARD_SIZE = 10
    people = make_list(cast.alice, [f"p{n}@example.net" for n in range(4)])
    made = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    campaign_start(viewer=cast.alice, campaign_id=made.id, undo_s=0)
    campaign_freeze(campaign_id=made.id)
    made.refresh_from_db()
    return made


def claim(worker="one"):
    return shard_claim(worker=worker, lease=LEASE, busy=[])


def lost_lease():
    Shard.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def step(held, number, results, mark, **more):
    return shard_step(held, worker="one", step=number, results=results, mark=mark, **more)


def result(row, state, **more):
    return Result(row.id, row.state, state, timezone.now(), **more)


def told(campaign, row_id, action):
    """A signed report comes in and is read."""
    token = addressing_of(campaign.account).token(row_id)
    status = "5.2.2" if action == "failed" else "2.0.0"
    raw = (
        "From: MAILER-DAEMON@mx.example.net\r\nSubject: Report\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\n.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; x@example.net\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; 552 {status} Mailbox full\r\n\r\n--b--\r\n"
    ).encode()
    to = f"b-{token}@bounces.alderpike.example"
    events_process([event_store_smtp(envelope_from="", envelope_to=to, raw=raw, source="smtp")])


def states(campaign):
    rows = Delivery.objects.filter(campaign=campaign).order_by("position")
    return list(rows.values_list("state", flat=True))


def assert_sums(campaign):
    """Counters and rows say the same."""
    counts = figures_of([campaign])[campaign.id].counts
    found = states(campaign)
    for state in ("accepted", "failed", "deferred", "uncertain", "skipped"):
        assert counts[state] == found.count(state), state


def test_a_report_that_came_before_the_worker_was_found_dead_settles_its_doubt(campaign):
    held = claim()
    rows = shard_load(held, 0, 3)
    step(held, 1, [], 3)
    told(campaign, rows[0].id, "delivered")
    told(campaign, rows[1].id, "failed")
    lost_lease()
    claim("two")
    assert states(campaign) == ["accepted", "failed", "uncertain", "queued"]
    assert_sums(campaign)


def test_a_report_that_came_before_the_doubt_was_recorded_settles_it(campaign):
    held = claim()
    rows = shard_load(held, 0, 2)
    step(held, 1, [], 2)
    told(campaign, rows[0].id, "relayed")
    step(held, 2, [result(row, "uncertain") for row in rows], 2)
    assert states(campaign) == ["accepted", "uncertain", "queued", "queued"]
    assert_sums(campaign)


def test_what_a_report_proved_is_not_sent_again_by_the_policy(campaign):
    campaign.on_doubt = "resend"
    campaign.save()
    held = claim()
    rows = shard_load(held, 0, 4)
    step(held, 1, [], 4)
    told(campaign, rows[0].id, "delivered")
    told(campaign, rows[2].id, "delivered")
    again = [result(row, "deferred", retry_at=timezone.now(), doubt=True) for row in rows[:2]]
    step(held, 2, again, 4)
    lost_lease()
    claim("two")
    assert states(campaign) == ["accepted", "deferred", "accepted", "deferred"]
    assert retries_gather() == 2
    assert_sums(campaign)


def test_proof_that_comes_before_the_next_try_makes_it_needless(campaign, cast):
    campaign.on_doubt = "resend"
    campaign.save()
    held = claim()
    rows = shard_load(held, 0, 4)
    step(held, 1, [], 4)
    step(held, 2, [result(rows[3], "uncertain")], 4)
    uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=[rows[3].id], send_again=True)
    lost_lease()
    claim("two")
    assert states(campaign) == ["deferred"] * 4
    told(campaign, rows[0].id, "delivered")
    told(campaign, rows[1].id, "failed")
    told(campaign, rows[3].id, "relayed")
    assert not step(held, 3, [result(rows[2], "accepted", code=250, words="ok")], 4).held
    assert states(campaign) == ["accepted", "deferred", "accepted", "accepted"]
    assert_sums(campaign)
    assert retries_gather() == 1
    told(campaign, rows[1].id, "delivered")  # too late: it lies in a shard already
    assert states(campaign)[1] == "deferred"
    assert_sums(campaign)


def test_cancelling_minds_a_report_that_came_first(campaign, cast):
    held = claim()
    rows = shard_load(held, 0, 2)
    step(held, 1, [], 2)
    told(campaign, rows[0].id, "delivered")
    campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
    lost_lease()
    campaigns_sweep()
    assert states(campaign) == ["accepted", "uncertain", "skipped", "skipped"]
    assert_sums(campaign)


def test_a_worker_that_wakes_up_after_a_cancel_only_settles_doubt(campaign, cast):
    held = claim()
    rows = shard_load(held, 0, 2)
    step(held, 1, [], 2)
    campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
    lost_lease()
    campaigns_sweep()
    assert states(campaign) == ["uncertain", "uncertain", "skipped", "skipped"]
    late = [result(rows[0], "accepted"), result(rows[1], "deferred", retry_at=timezone.now())]
    assert not step(held, 2, late, 2).held
    assert states(campaign) == ["accepted", "uncertain", "skipped", "skipped"]
    assert_sums(campaign)


def test_the_reason_of_a_bounce_that_was_quicker_than_the_answer_stays(campaign):
    held = claim()
    row = shard_load(held, 0, 1)[0]
    step(held, 1, [], 1)
    told(campaign, row.id, "failed")
    step(held, 2, [result(row, "accepted", code=250, words="ok")], 1)
    kept = Delivery.objects.get(id=row.id)
    assert (kept.state, kept.arrival, kept.bounce_class) == ("accepted", "bounced", "mailbox_state")
    assert kept.reason


def test_doubt_that_comes_each_time_is_not_sent_for_ever(campaign):
    rules = Rules(schedule=[60], give_up_after=timedelta(hours=72), resend_doubt=True)
    lost = Outcome(OutcomeKind.UNCERTAIN, Reply(0, "The server closed the connection."), Stage.BODY)
    now = timezone.now()

    def kind(attempts):
        row = Row(0, 1, "a@example.net", "a@example.net", "", {}, "queued", attempts, now, None, "")
        return rules.result(row, lost, now).state

    assert [kind(n) for n in range(5)] == ["deferred", "deferred", "uncertain", "uncertain", "uncertain"]

    campaign.on_doubt = "resend"
    campaign.save()
    Delivery.objects.filter(campaign=campaign, position=1).update(attempts=5)
    held = claim()
    step(held, 1, [], 2)
    lost_lease()
    claim("two")
    assert states(campaign) == ["uncertain", "deferred", "queued", "queued"]
    assert_sums(campaign)


def test_doubt_of_a_cancelled_campaign_is_not_sent_again(campaign, cast):
    held = claim()
    row = shard_load(held, 0, 1)[0]
    step(held, 1, [], 1)
    step(held, 2, [result(row, "uncertain")], 1, release=True)
    campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
    campaigns_sweep()
    with pytest.raises(Conflict):
        uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=None, send_again=True)
    campaigns_sweep()
    assert states(campaign)[0] == "uncertain"
    assert (
        uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=None, send_again=False) == 1
    )
    assert_sums(campaign)


@pytest.mark.django_db(transaction=True)
def test_a_campaign_is_not_finished_while_a_person_decides_to_send_again(campaign, cast):
    import threading

    from django.db import transaction

    held = claim()
    rows = shard_load(held, 0, 4)
    step(held, 1, [], 4)
    step(
        held, 2, [result(rows[0], "uncertain"), *[result(row, "accepted") for row in rows[1:]]], 4, close=True
    )

    def finish():
        campaigns_finish()
        connection.close()

    with transaction.atomic():
        uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=None, send_again=True)
        other = threading.Thread(target=finish)
        other.start()
        other.join(1)
    other.join(10)
    assert not other.is_alive()
    campaign.refresh_from_db()
    assert campaign.state == "running"
    assert retries_gather() == 1
