"""What must not wait, hang or spin: a cancel under a closed window, a rest ended by a person, bytes that are gone."""

import asyncio
from pathlib import Path

import pytest
from django.db import connection

from postroom.actions.account_state import account_rest, account_resume
from postroom.actions.campaign_run import campaign_cancel
from postroom.actions.message import notice_queue
from postroom.daemons.bridge import Bridge
from postroom.daemons.delivery.station import SENDER_REFUSALS, Station
from postroom.daemons.delivery.worker import DeliveryWorker
from postroom.mail.reply import Outcome, OutcomeKind, Reply, Stage
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery, Shard
from postroom.queries.blob import blob_path
from postroom.queries.sending import sending_account
from postroom.testing.cast import make_account, make_campaign, make_cast
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import quick_env, send, states
from tests.daemons.test_delivery_control import people

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cancel_does_not_wait_for_the_window_of_a_limit(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, per_day=60)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 5))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: desk.copies)
            campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
            until(lambda: not states(campaign)["queued"], wait_s=10)
    assert states(campaign)["skipped"] == 5 - len(desk.copies) > 0


def test_a_message_whose_bytes_are_gone_is_skipped_and_not_tried_for_ever(quick_env):
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port)
        lost = notice_queue(account=account, recipient="a@example.net", subject="One", text="One")
        Path(blob_path(lost.raw_id)).unlink()
        notice_queue(account=account, recipient="b@example.net", subject="Two", text="Two")
        with running("delivery", env=quick_env):
            until(lambda: desk.copies["b@example.net"])
            until(lambda: Delivery.objects.get(message=lost).state == "skipped", wait_s=5)
    assert not Shard.objects.filter(is_done=False).exists()


@pytest.fixture
def at_station():
    """Runs a coroutine function with a station of an account."""

    def run(account, function):
        async def inside():
            bridge = Bridge(threads=1)
            station = Station(bridge, "test", plain, lambda: 1, None)  # nothing is sent: no journal
            station.lanes = 1
            try:
                return await function(station)
            finally:
                await station.close()
                await bridge.call(close_connection)
                bridge.close()

        plain = sending_account(account.id)
        return asyncio.run(inside())

    return run


def close_connection():
    """In the thread it is called in."""
    connection.close()


def test_a_station_heeds_a_rest_that_another_process_began_and_a_person_ended(at_station):
    cast = make_cast()
    account = make_account(cast.alice, port=25)

    async def look(station):
        await station._bridge.call(account_rest, account_id=account.id, stage="mail", words="421 later")
        await station.refresh()
        resting = station.resting
        await station._bridge.call(account_resume, account_id=account.id)
        station._refreshed = 0.0
        await station.refresh()
        return resting, station.resting

    assert at_station(account, look) == (True, False)


def test_a_refused_sender_stops_the_campaign_each_time(at_station, settings):
    cast = make_cast()
    account = make_account(cast.alice, port=25)
    campaign = make_campaign(cast.alice, account, people(cast.alice, 2))
    send(campaign, cast.alice, settings)
    refused = Outcome(OutcomeKind.FAILED, Reply(550, "5.7.1 Sender refused"), Stage.MAIL)

    def state():
        return Campaign.objects.get(id=campaign.id).state

    def again():
        Campaign.objects.filter(id=campaign.id).update(state="running")

    async def learn(station):
        seen = []
        for _ in range(2):
            await station.learn([refused] * SENDER_REFUSALS)
            seen.append(await station._bridge.call(state))
            await station._bridge.call(again)
        return seen

    assert at_station(account, learn) == ["paused", "paused"]


def test_a_shard_claimed_while_the_process_is_told_to_stop_is_not_begun(settings):
    cast = make_cast()
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people(cast.alice, 2))
    send(campaign, cast.alice, settings)

    async def stopped_while_claiming():
        worker = DeliveryWorker()
        worker._bridge = Bridge(threads=1)
        call = worker._bridge.call

        async def then_stop(function, *args, **kwargs):
            found = await call(function, *args, **kwargs)
            worker.stop()
            return found

        worker._bridge.call = then_stop
        assert await worker._claim()
        (lane,) = worker._lanes
        task = worker._lanes[lane]
        stopping = lane.stopping
        await asyncio.wait([task], timeout=20)
        await call(close_connection)
        worker._bridge.close()
        worker._journal.close()
        return stopping

    assert asyncio.run(stopped_while_claiming())
    assert set(states(campaign)) == {"queued"}
