"""What holds campaigns back: limits of an account and of the firm, pauses, and slots."""

import itertools
import time

import pytest

from postroom.actions.campaign import campaign_edit
from postroom.errors import Conflict
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.workspace import Instance
from postroom.queries.campaign import figures_of
from postroom.queries.slot import place_in_line
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import finished, quick_env, send

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)


def people(viewer, count, prefix):
    return make_list(viewer, [f"{prefix}{n}@example.net" for n in range(1, count + 1)], name=prefix)


def clocked(desk):
    """The moment of each accepted message."""
    times, was = [], desk.message

    def note(envelope, raw):
        times.append(time.monotonic())
        return was(envelope, raw)

    desk.message = note
    return times


def state(campaign):
    return Campaign.objects.get(id=campaign.id).state


@pytest.mark.req("PI-03")
def test_three_campaigns_share_the_limit_of_one_account_and_one_mailing_reaches_nobody_twice(
    quick_env, settings
):
    cast = make_cast()
    with counting() as (desk, port):
        times = clocked(desk)
        account = make_account(cast.alice, port=port, per_minute=120)
        shared = make_list(cast.alice, ["shared@example.net"], name="In all three")
        campaigns = []
        for prefix in "abc":
            campaign = make_campaign(cast.alice, account, people(cast.alice, 12, prefix), shared)
            if campaigns:
                campaign = campaign_edit(
                    viewer=cast.alice,
                    campaign_id=campaign.id,
                    version=campaign.version,
                    mailing_id=campaigns[0].id,
                )
            send(campaign, cast.alice, settings)
            campaigns.append(campaign)
        with running("delivery", env=quick_env), running("delivery", env=quick_env):
            for campaign in campaigns:
                until(finished(campaign), wait_s=90)
    assert len(times) == 37
    # 120 a minute are two a second: in any five seconds ten, and what the slices at both ends allow
    for begin in times:
        assert sum(begin <= at < begin + 5 for at in times) <= 14
    assert desk.copies["shared@example.net"] == 1
    rows = Delivery.objects.filter(canonical="shared@example.net").order_by("campaign")
    assert [(row.state, row.reason) for row in rows] == [
        ("accepted", ""),
        ("skipped", "duplicate_in_run"),
        ("skipped", "duplicate_in_run"),
    ]
    figures = figures_of(campaigns)
    assert sum(one.accepted for one in figures.values()) == 37
    assert sum(one.skipped for one in figures.values()) == 2
    assert all(one.queued == 0 for one in figures.values())


def test_without_one_mailing_both_campaigns_reach_the_shared_address(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port)
        shared = make_list(cast.alice, ["shared@example.net"], name="In both")
        campaigns = [make_campaign(cast.alice, account, shared) for _ in range(2)]
        for campaign in campaigns:
            send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            for campaign in campaigns:
                until(finished(campaign), wait_s=60)
    assert desk.copies["shared@example.net"] == 2


def test_the_limit_of_the_firm_holds_over_all_its_accounts(quick_env, settings):
    cast = make_cast()
    firm = cast.alice.workspace
    firm.per_minute = 120
    firm.save()
    with counting() as (desk, port):
        times = clocked(desk)
        campaigns = []
        for prefix in "ab":
            account = make_account(cast.alice, port=port, address=f"{prefix}@alderpike.example", name=prefix)
            campaigns.append(make_campaign(cast.alice, account, people(cast.alice, 12, prefix)))
            send(campaigns[-1], cast.alice, settings)
        with running("delivery", env=quick_env):
            for campaign in campaigns:
                until(finished(campaign), wait_s=90)
    assert len(times) == 24
    for begin in times:
        assert sum(begin <= at < begin + 5 for at in times) <= 14


def test_an_account_rests_after_every_so_many_messages(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        times = clocked(desk)
        account = make_account(cast.alice, port=port, pause_every=5, pause_s=2, connections=1)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 12, "p"))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert len(times) == 12
    gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert min(gaps[4], gaps[9]) >= 1.5


@pytest.mark.req("PI-01")
def test_the_fourth_campaign_waits_and_begins_by_itself(quick_env, settings, client):
    cast = make_cast()
    Instance.objects.filter(id=1).update(parallel_runs=3)
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        campaigns = []
        for prefix in "abcd":
            account = make_account(
                cast.alice, port=port, address=f"{prefix}@alderpike.example", name=prefix, per_minute=240
            )
            campaigns.append(make_campaign(cast.alice, account, people(cast.alice, 12, prefix)))
            send(campaigns[-1], cast.alice, settings)
        fourth = campaigns[3]
        assert [state(one) for one in campaigns] == ["running"] * 3 + ["waiting_for_slot"]
        assert place_in_line(Campaign.objects.get(id=fourth.id)) == 1
        page = client.get(f"/campaigns/{fourth.id}/").content.decode()
        assert "Waiting its turn" in page
        assert "next to begin" in page
        with running("delivery", env=quick_env):
            until(lambda: all(any(a[0] == p for a in desk.copies) for p in "abc"), wait_s=30)
            assert not any(address[0] == "d" for address in desk.copies)
            for campaign in campaigns:
                until(finished(campaign), wait_s=90)
    assert sum(desk.copies.values()) == 48


@pytest.mark.parametrize(("of_firm", "of_person"), [(1, 0), (0, 1)])
def test_firms_and_people_have_limits_of_their_own_and_hold_up_nobody_else(settings, of_firm, of_person):
    cast = make_cast()
    firm = cast.alice.workspace
    firm.parallel_runs, firm.parallel_runs_each = of_firm, of_person
    firm.save()
    campaigns = []
    for viewer in (cast.alice, cast.alice, cast.charlie):
        account = make_account(viewer, port=2525, name=f"n{len(campaigns)}")
        campaigns.append(make_campaign(viewer, account, people(viewer, 1, f"p{len(campaigns)}x")))
        send(campaigns[-1], viewer, settings)
    assert [state(one) for one in campaigns] == ["running", "waiting_for_slot", "running"]


def test_more_than_so_many_waiting_campaigns_are_refused(settings):
    settings.POSTROOM_WAITING_RUNS = 1
    cast = make_cast()
    Instance.objects.filter(id=1).update(parallel_runs=1)
    account = make_account(cast.alice, port=2525)
    for prefix in "ab":
        send(make_campaign(cast.alice, account, people(cast.alice, 1, prefix)), cast.alice, settings)
    with pytest.raises(Conflict) as caught:
        send(make_campaign(cast.alice, account, people(cast.alice, 1, "c")), cast.alice, settings)
    assert caught.value.code == "RUN_LIMIT"
