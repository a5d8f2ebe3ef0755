"""A campaign goes out: every recipient has a row with the server's own words."""

from collections import Counter

import pytest

from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery, Shard
from postroom.models.suppression import Suppression
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running, until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {
    "POSTROOM_LEASE_SECONDS": "2",
    "POSTROOM_LEASE_RENEW_SECONDS": "0.5",
    "POSTROOM_POLL_SECONDS": "0.1",
    "POSTROOM_RETRY_SCHEDULE": "0.2,0.2,0.2",
    "POSTROOM_TROUBLE_SCHEDULE": "0.2,0.5",
    "POSTROOM_SHARD_SIZE": "100",
}


@pytest.fixture
def quick_env(child_env, tmp_path):
    return {**child_env, **QUICK}


def send(campaign, viewer, settings, **more):
    settings.POSTROOM_SHARD_SIZE = 100
    campaign_start(viewer=viewer, campaign_id=campaign.id, undo_s=0, **more)
    campaign_freeze(campaign_id=campaign.id)


def finished(campaign):
    return lambda: Campaign.objects.get(id=campaign.id).state == "finished"


def states(campaign):
    return Counter(Delivery.objects.filter(campaign=campaign).values_list("state", flat=True))


def test_everybody_gets_one_copy_and_every_row_says_so(quick_env, settings, tmp_path):
    cast = make_cast()
    with counting(Manners(refuse=r"^gone", once=r"^later")) as (desk, port):
        people = make_list(
            cast.alice,
            [f"ok{n}@example.net" for n in range(250)]
            + [f"gone{n}@example.net" for n in range(5)]
            + [f"later{n}@example.net" for n in range(5)],
        )
        campaign = make_campaign(cast.alice, make_account(cast.alice, port=port), people)
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env, log=tmp_path / "log"):
            until(finished(campaign))
    assert states(campaign) == {"accepted": 255, "failed": 5}
    assert len(desk.copies) == 255
    assert set(desk.copies.values()) == {1}
    gone = Delivery.objects.get(campaign=campaign, address="gone0@example.net")
    assert (gone.code, gone.words, gone.bounce_class) == (550, "5.1.1 User unknown", "address_gone")
    later = Delivery.objects.get(campaign=campaign, address="later0@example.net")
    assert later.attempts == 2
    assert later.tries[0]["code"] == 451
    assert "Greylisted" in later.tries[0]["words"]
    figures = figures_of([Campaign.objects.get(id=campaign.id)])[campaign.id]
    assert (figures.accepted, figures.failed, figures.deferred, figures.queued) == (255, 5, 0, 0)
    assert Suppression.objects.filter(source="bounce").count() == 5
    assert not Shard.objects.filter(is_done=False).exists()
