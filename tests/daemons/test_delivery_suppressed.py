"""Who was suppressed gets nothing, also while the campaign is on its way: rows SX-01 and SX-04."""

from datetime import timedelta

import pytest
from django.test import Client

from postroom.actions.shard import shard_claim, shard_load
from postroom.actions.suppression import suppression_add, suppression_enter
from postroom.actions.suppression_policy import suppression_policy_save
from postroom.models.delivery import Delivery
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import finished, quick_env, send, states

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)


def people(viewer, count, prefix="p"):
    return make_list(viewer, [f"{prefix}{n}@example.net" for n in range(1, count + 1)], name=prefix)


def suppress(user, entry):
    """As a colleague does it: over the API, with a session of their own."""
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.post("/api/v1/suppressions", {"entry": entry, "why": "asked"}, "application/json")
    assert answer.status_code == 201


@pytest.mark.req("SX-01")
def test_a_colleague_stops_recipient_900_of_1000_after_100_were_sent(quick_env, settings):
    """Ten times as fast as the row says: 100 a second; the second in which it must hold is not scaled."""
    cast = make_cast()
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, per_minute=6000)
        campaign = make_campaign(cast.alice, account, people(cast.alice, 1000))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: sum(desk.copies.values()) >= 100, wait_s=60)
            assert sum(desk.copies.values()) < 700
            suppress(cast.bob.user, "P900@example.net")
            until(finished(campaign), wait_s=90)
    row = Delivery.objects.get(campaign=campaign, address="p900@example.net")
    assert (row.position, row.state, row.reason, row.attempts) == (900, "skipped", "suppressed_shared", 0)
    assert desk.copies["p900@example.net"] == 0
    assert len(desk.copies) == 999
    assert set(desk.copies.values()) == {1}
    assert states(campaign) == {"accepted": 999, "skipped": 1}


@pytest.mark.req("SX-01")
def test_at_one_a_second_the_third_is_stopped_after_the_first_was_sent(quick_env, settings):
    cast = make_cast()
    with counting() as (desk, port):
        slow = make_account(cast.alice, port=port, per_minute=60)
        campaign = make_campaign(cast.alice, slow, people(cast.alice, 5))
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(lambda: desk.copies, wait_s=60)
            suppress(cast.bob.user, "p3@example.net")
            until(finished(campaign), wait_s=60)
    assert desk.copies["p3@example.net"] == 0
    assert states(campaign) == {"accepted": 4, "skipped": 1}


@pytest.mark.req("SX-04")
def test_an_own_entry_stops_mail_of_its_person_and_nobody_elses(quick_env, settings):
    cast = make_cast()
    suppression_enter(viewer=cast.alice, entry="p1@example.net", personal=True)
    suppression_enter(viewer=cast.alice, entry="@*.example.net", personal=True)
    suppression_enter(viewer=cast.alice, entry="@elsewhere.example", personal=True)
    sent = {}
    with counting() as (desk, port):
        account = make_account(cast.alice, port=port, visibility="workspace", everyone=["use"])
        everybody = people(cast.alice, 3)
        for viewer in (cast.alice, cast.bob):
            campaign = make_campaign(viewer, account, everybody)
            send(campaign, viewer, settings)
            sent[viewer.user.name] = campaign
        suppression_policy_save(viewer=cast.alice, policy="both")
        with running("delivery", env=quick_env):
            for campaign in sent.values():
                until(finished(campaign), wait_s=60)
        reasons = Delivery.objects.filter(campaign=sent["Alice"], state="skipped")
        assert list(reasons.values_list("address", "reason")) == [("p1@example.net", "suppressed_personal")]
        assert states(sent["Bob"]) == {"accepted": 3}
        assert desk.copies["p1@example.net"] == 1

        suppression_policy_save(viewer=cast.alice, policy="shared")  # her own entries sleep
        campaign = make_campaign(cast.alice, account, everybody)
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert states(campaign) == {"accepted": 3}


def test_the_reason_follows_the_skip_order_where_several_entries_cover_one_address(settings):
    cast = make_cast()
    account = make_account(cast.alice, port=25)
    campaign = make_campaign(cast.alice, account, people(cast.alice, 1))

    send(campaign, cast.alice, settings)
    firm = {"workspace_id": cast.alice.workspace.id, "entry_form": "address", "value": "p1@example.net"}
    claim = shard_claim(worker="x", lease=timedelta(seconds=30), busy=[])
    told = []
    for more in (
        {"source": "bounce"},
        {"source": "unsubscribe"},
        {"source": "manual", "owner": cast.alice.user},
        {"source": "complaint"},
    ):
        suppression_add(**firm, **more)
        (row,) = shard_load(claim, 0, 10)
        told.append(row.suppressed)
    assert told == ["hard_bounced", "unsubscribed", "suppressed_personal", "suppressed_shared"]
