"""A fault of our own: work that breaks every lane is given up in plain words, and nobody waits for ever."""

import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from postroom.actions.campaign_run import campaign_resume
from postroom.actions.message import notice_queue
from postroom.models.account import Account
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery, Shard
from postroom.models.workspace import AuditLine
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import end, running, until
from tests.daemons.test_delivery import finished, quick_env, send, states

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)

#: A delivery process with a fault in its courier, or in printing for one person.
BROKEN = """
import sys
from postroom.cli import boot
boot.ready("delivery")
from postroom.daemons.delivery import main, press, station

class Courier(station.SmtpCourier):
    async def run_batch(self, *args, **more):
        raise ZeroDivisionError("a fault")

class Press(press.CampaignPress):
    def parcel(self, row):
        if row.address.startswith("poison"):
            raise ZeroDivisionError("a fault")
        return super().parcel(row)

if sys.argv[1] == "courier":
    station.SmtpCourier = Courier
else:
    press.CampaignPress = Press
sys.exit(main.run())
"""


@contextmanager
def broken(where, env, log):
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", BROKEN, where], env=env, stderr=output)
    try:
        yield
    finally:
        assert end(process) in (0, -signal.SIGTERM)


def paused(campaign):
    return lambda: Campaign.objects.get(id=campaign.id).state == "paused"


def test_a_campaign_whose_sending_breaks_again_and_again_is_paused_and_says_why(
    quick_env, settings, tmp_path
):
    cast = make_cast()
    with counting() as (desk, port):
        people = make_list(cast.alice, [f"p{n}@example.net" for n in range(250)])
        campaign = make_campaign(cast.alice, make_account(cast.alice, port=port), people)
        send(campaign, cast.alice, settings)
        with broken("courier", quick_env, tmp_path / "log"):
            until(paused(campaign), wait_s=60)
        reason = Campaign.objects.get(id=campaign.id).reason
        assert "fault of its own (ZeroDivisionError), met 3 times" in reason
        line = AuditLine.objects.get(noun="campaign", noun_id=campaign.id, verb="paused")
        assert line.details == {"fault": "ZeroDivisionError"}
        assert "ZeroDivisionError: a fault" in (tmp_path / "log").read_text()
        assert not desk.copies

        campaign_resume(viewer=cast.alice, campaign_id=campaign.id)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    doubtful = states(campaign)["uncertain"]  # marked and perhaps handed over, as far as anybody can tell
    assert states(campaign)["accepted"] == 250 - doubtful == len(desk.copies) > 0
    assert set(desk.copies.values()) == {1}


def test_one_person_who_breaks_the_printing_stops_the_campaign_after_everybody_else_of_other_shards(
    quick_env, settings, tmp_path
):
    cast = make_cast()
    with counting() as (desk, port):
        addresses = [f"p{n}@example.net" for n in range(300)]
        addresses[150] = "poison@example.net"
        campaign = make_campaign(
            cast.alice, make_account(cast.alice, port=port), make_list(cast.alice, addresses)
        )
        send(campaign, cast.alice, settings)
        with broken("press", quick_env, tmp_path / "log"):
            until(paused(campaign), wait_s=60)
    assert "met 3 times" in Campaign.objects.get(id=campaign.id).reason
    found = states(campaign)
    assert found["accepted"] == len(desk.copies) >= 200
    assert found["accepted"] + found["queued"] + found["uncertain"] == 300
    assert Delivery.objects.get(campaign=campaign, address="poison@example.net").state == "queued"


def test_a_single_message_that_breaks_its_sending_does_not_wait_for_ever(quick_env, tmp_path):
    cast = make_cast()
    with counting() as (desk, port):
        message = notice_queue(
            account=make_account(cast.alice, port=port), recipient="a@example.net", subject="One", text="One"
        )
        env = {**quick_env, "POSTROOM_FAULT_TRIES": "1"}
        with broken("courier", env, tmp_path / "log"):
            until(lambda: Shard.objects.exists() and not Shard.objects.filter(is_done=False).exists())
    delivery = Delivery.objects.get(message=message)
    assert (delivery.state, delivery.reason) == ("uncertain", "fault")
    assert "fault of its own" in delivery.words
    assert not desk.copies


@pytest.mark.parametrize("value", [{"smtp_host": "localhost"}, {"messages_per_connection": 7}])
def test_saving_an_account_cuts_nothing_that_is_on_the_wire(quick_env, settings, value):
    """The server takes longer over the message than a changed account was once given to end."""
    cast = make_cast()
    with counting(Manners(delay_s=11.5)) as (desk, port):
        account = make_account(cast.alice, port=port, connections=1)
        campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["a@example.net"]))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: desk.copies)
            Account.objects.filter(id=account.id).update(**value)
            until(finished(campaign), wait_s=30)
    assert states(campaign) == {"accepted": 1}
    assert desk.copies == {"a@example.net": 1}
