"""While a campaign goes out: suppressing, pausing, cancelling, limits, troubles of the account."""

import time
from collections import Counter

import pytest

from postroom.actions.campaign_run import campaign_cancel, campaign_pause, campaign_resume, uncertain_decide
from postroom.actions.suppression import suppression_add
from postroom.models.account import Account
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import QUICK, finished, quick_env, send, states

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)


def people(viewer, count, name="Customers", prefix="p"):
    return make_list(viewer, [f"{prefix}{n}@example.net" for n in range(1, count + 1)], name=name)


@pytest.mark.req("SX-01")
def test_a_suppression_stops_what_has_not_left_within_a_second(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, per_minute=600)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 120))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: sum(desk.copies.values()) >= 20)
            suppression_add(
                workspace_id=cast.bob.workspace.id,
                entry_form="address",
                value="p110@example.net",
                source="manual",
                by=cast.bob.user,
            )
            until(finished(campaign), wait_s=60)
    row = Delivery.objects.get(campaign=campaign, address="p110@example.net")
    assert (row.state, row.reason) == ("skipped", "suppressed_shared")
    assert desk.copies["p110@example.net"] == 0
    assert len(desk.copies) == 119

    with counting() as (desk, port):
        slow = make_account(cast.alice, port=port, per_minute=60, name="Slow")
        campaign = make_campaign(cast.alice, slow, people(cast.alice, 4, "Few", "q"))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: desk.copies)
            suppression_add(
                workspace_id=cast.alice.workspace.id,
                entry_form="address",
                value="q3@example.net",
                source="manual",
            )
            until(finished(campaign), wait_s=30)
    assert desk.copies["q3@example.net"] == 0
    assert len(desk.copies) == 3


def test_a_pause_holds_everything_back_and_going_on_sends_the_rest_once(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, per_minute=1200)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 200))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: sum(desk.copies.values()) >= 40)
            campaign_pause(viewer=cast.alice, campaign_id=campaign.id)
            time.sleep(1)
            held = sum(desk.copies.values())
            time.sleep(1.5)
            assert sum(desk.copies.values()) == held < 200
            campaign_resume(viewer=cast.alice, campaign_id=campaign.id)
            until(finished(campaign), wait_s=60)
    assert states(campaign) == {"accepted": 200}
    assert set(desk.copies.values()) == {1}


def test_a_cancelled_campaign_says_who_got_nothing(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, per_minute=1200)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 300))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: sum(desk.copies.values()) >= 20)
            campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
            until(lambda: not Delivery.objects.filter(campaign=campaign, state="queued").exists())
            time.sleep(1)
    counts = states(campaign)
    assert counts["accepted"] == sum(desk.copies.values())
    assert counts["accepted"] + counts["skipped"] == 300
    assert Delivery.objects.filter(campaign=campaign, state="skipped", reason="cancelled").exists()
    figures = figures_of([Campaign.objects.get(id=campaign.id)])[campaign.id]
    assert (figures.accepted, figures.skipped, figures.queued) == (counts["accepted"], counts["skipped"], 0)


@pytest.mark.req("PI-02")
def test_campaigns_of_different_accounts_go_out_side_by_side_each_under_its_own_name(quick_env, settings):
    cast = make_cast()
    senders: dict[str, Counter] = {}
    with counting() as (desk, port):
        order = []
        was = desk.message

        def note(envelope, raw):
            sender = next(line for line in raw.split(b"\r\n") if line.lower().startswith(b"from:"))
            for recipient in envelope.recipients:
                prefix = recipient.address[0]
                senders.setdefault(prefix, Counter())[sender] += 1
                order.append(prefix)
            return was(envelope, raw)

        desk.message = note
        campaigns = []
        for prefix in "abc":
            account = make_account(
                cast.alice,
                port=port,
                address=f"{prefix}@alderpike.example",
                name=prefix,
                per_minute=1200,
                pause_every=30,  # each rests in the middle
                pause_s=2,
            )
            campaign = make_campaign(cast.alice, account, people(cast.alice, 60, prefix, prefix))
            send(campaign, cast.alice, settings)
            campaigns.append(campaign)
        with running("delivery", env=quick_env):
            for campaign in campaigns:
                until(finished(campaign), wait_s=60)
    assert {prefix: len(found) for prefix, found in senders.items()} == {"a": 1, "b": 1, "c": 1}
    for prefix, found in senders.items():
        assert f"<{prefix}@alderpike.example>".encode() in next(iter(found))
    firsts, lasts = {p: order.index(p) for p in "abc"}, {p: len(order) - order[::-1].index(p) for p in "abc"}
    assert max(firsts.values()) < min(lasts.values()), "they interleave"


def test_the_limit_of_an_account_holds_over_all_its_campaigns_and_processes(quick_env, settings):
    cast = make_cast()
    times = []
    with counting() as (desk, port):
        was = desk.message

        def note(envelope, raw):
            times.append(time.monotonic())
            return was(envelope, raw)

        desk.message = note
        account = make_account(cast.alice, port=port, per_minute=120)
        campaigns = []
        for prefix in "abc":
            campaign = make_campaign(cast.alice, account, people(cast.alice, 12, prefix, prefix))
            send(campaign, cast.alice, settings)
            campaigns.append(campaign)
        with running("delivery", env=quick_env), running("delivery", env=quick_env):
            for campaign in campaigns:
                until(finished(campaign), wait_s=60)
    assert len(times) == 36
    # two a second: within any five seconds at most ten, and what the slices at both ends allow
    for begin in times:
        assert sum(begin <= at < begin + 5 for at in times) <= 14


def test_a_dead_server_makes_the_account_rest_and_nobody_is_lost(quick_env, settings):
    cast = make_cast()
    with counting() as (_, port):
        pass  # the port is free again, nobody answers
    account = make_account(cast.alice, port=port)
    campaign = make_campaign(cast.alice, account, people(cast.alice, 30))
    send(campaign, cast.alice, settings)
    with running("delivery", env=quick_env):
        until(lambda: Account.objects.get(id=account.id).troubles >= 2)
        assert states(campaign) == {"queued": 30}
        assert Campaign.objects.get(id=campaign.id).throttled
        with counting(port=port) as (desk, _):
            until(finished(campaign), wait_s=60)
    assert states(campaign) == {"accepted": 30}
    assert set(desk.copies.values()) == {1}
    assert Account.objects.get(id=account.id).troubles == 0


def test_doubt_is_never_sent_again_by_itself_but_when_a_person_says_so(quick_env, settings):
    cast = make_cast()
    with counting(Manners(drop=1.0)) as (desk, port):
        account = make_account(cast.alice, port=port, connections=2)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 3))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
        assert states(campaign) == {"uncertain": 3}
        first = Delivery.objects.filter(campaign=campaign).order_by("id").first()
        assert set(desk.copies.values()) == {1}
        before = desk.last
        desk.manners = Manners()
        assert (
            uncertain_decide(
                viewer=cast.alice, campaign_id=campaign.id, delivery_ids=[first.id], send_again=True
            )
            == 1
        )
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    first.refresh_from_db()
    assert first.state == "accepted"
    assert first.tries[-1]["decided"] == "send again"
    assert desk.copies[first.address] == 2
    assert states(campaign) == {"accepted": 1, "uncertain": 2}
    ids = {
        line for raw in (before, desk.last) for line in raw.split(b"\r\n") if line.startswith(b"Message-ID")
    }
    assert len(ids) <= 2


assert QUICK
