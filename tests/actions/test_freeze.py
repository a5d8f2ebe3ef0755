"""Fixing recipients: who is skipped at once, and figures that always add up."""

import pytest

from postroom.actions.account import account_delete
from postroom.actions.account_state import account_refused
from postroom.actions.campaign_run import campaign_cancel, campaign_resume, campaigns_finish, campaigns_sweep
from postroom.actions.campaign_start import campaign_freeze, campaign_start, campaign_unstart
from postroom.actions.message_lost import messages_drop
from postroom.actions.message_send import Letter, message_send
from postroom.actions.retry import retries_gather
from postroom.actions.shard import shard_claim, shard_load
from postroom.actions.slot import slots_fill
from postroom.actions.suppression import suppression_add
from postroom.models.account import Account
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import Contact, ListMember
from postroom.models.delivery import Delivery, Shard
from postroom.models.workspace import Instance
from postroom.queries.campaign import figures_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from tests.actions.test_shard import LEASE, claim, counts, lost_lease, result, step

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    return make_cast()


def start(cast, campaign):
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    campaign.refresh_from_db()
    return campaign


def one_mailing(cast, *campaigns):
    Campaign.objects.filter(id__in=[one.id for one in campaigns[1:]]).update(mailing=campaigns[0])


def details(people, *values):
    """The n-th contact of the list has this address for invoices."""
    members = ListMember.objects.filter(contact_list=people).order_by("contact_id")
    for member, value in zip(members, values, strict=False):
        Contact.objects.filter(id=member.contact_id).update(attributes={"invoice": value} if value else {})


def diverting(cast, **more):
    return make_account(
        cast.alice, port=25, override_to=True, override_to_address="invoice", name="Invoices", **more
    )


def states(campaign):
    rows = Delivery.objects.filter(campaign=campaign).order_by("position")
    return [f"{state} {reason}".strip() for state, reason in rows.values_list("state", "reason")]


def adds_up(campaign):
    campaign.refresh_from_db()
    figures = figures_of([campaign])[campaign.id]
    rows = Delivery.objects.filter(campaign=campaign)
    for state in ("accepted", "failed", "deferred", "uncertain", "skipped"):
        assert figures.counts.get(state, 0) == rows.filter(state=state).count(), state
    assert figures.queued == rows.filter(state="queued").count()


def test_who_is_twice_in_a_campaign_and_in_another_of_its_mailing_is_counted_once(cast):
    people = make_list(cast.alice, ["a@example.net", "b@example.net", "c@example.net"])
    details(people, "", "a@example.net")
    first = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    second = make_campaign(cast.alice, diverting(cast), people)
    one_mailing(cast, first, second)
    start(cast, first)
    start(cast, second)
    assert states(second) == ["skipped duplicate_in_run"] * 3
    adds_up(second)


def test_a_person_diverted_in_one_campaign_of_a_mailing_gets_no_copy_by_the_other(cast):
    people = make_list(cast.alice, ["a@example.net", "b@example.net"])
    details(people, "books@example.net")
    first = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    second = make_campaign(cast.alice, diverting(cast), people)
    third = make_campaign(cast.alice, make_account(cast.alice, port=25, name="Third"), people)
    one_mailing(cast, first, second, third)
    assert states(start(cast, second)) == ["queued", "queued"]
    assert states(start(cast, first)) == ["skipped duplicate_in_run"] * 2
    assert states(start(cast, third)) == ["skipped duplicate_in_run"] * 2


def test_a_campaign_of_which_nobody_is_left_finishes_without_a_connection(cast):
    people = make_list(cast.alice, [f"p{n}@example.net" for n in range(30)])
    account = make_account(cast.alice, port=25)
    first, second = (make_campaign(cast.alice, account, people) for _ in range(2))
    one_mailing(cast, first, second)
    start(cast, first)
    start(cast, second)
    assert not Shard.objects.filter(campaign=second, is_done=False).exists()
    campaigns_finish()
    second.refresh_from_db()
    first.refresh_from_db()
    assert (first.state, second.state) == (CampaignState.RUNNING, CampaignState.FINISHED)
    adds_up(second)


def test_figures_add_up_when_a_campaign_with_skipped_rows_is_cancelled_with_doubt_and_deferred_rows(
    cast, settings
):
    settings.POSTROOM_SHARD_SIZE = 5
    people = make_list(cast.alice, [f"p{n}@example.net" for n in range(12)])
    details(people, "", "p0@example.net", "", "p2@example.net", "", "p4@example.net")
    campaign = start(cast, make_campaign(cast.alice, diverting(cast), people))
    adds_up(campaign)
    held = claim()
    rows = shard_load(held, 0, 5)
    assert [row.index for row in rows] == [0, 2, 4]
    step(held, 1, [], 3)
    step(held, 2, [result(rows[0], "deferred", retry_at="2020-01-01T00:00:00Z")], 4)
    adds_up(campaign)
    retries_gather()
    lost_lease()
    campaign_cancel(viewer=cast.alice, campaign_id=campaign.id)
    campaigns_sweep()
    adds_up(campaign)
    assert counts(campaign)["queued"] == 0
    assert sorted(set(states(campaign))) == [
        "failed cancelled",
        "skipped cancelled",
        "skipped duplicate_in_run",
        "uncertain worker_lost",
    ]


def test_a_start_taken_back_leaves_nothing_of_it(cast):
    people = make_list(cast.alice, ["a@example.net", "b@example.net"])
    details(people, "no address", "a@example.net")
    campaign = start(cast, make_campaign(cast.alice, diverting(cast), people))
    assert campaign.to_fallback
    campaign_unstart(viewer=cast.alice, campaign_id=campaign.id)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.to_fallback, campaign.total) == (CampaignState.DRAFT, 0, 0)
    campaign.account = make_account(cast.alice, port=25, name="Plain")
    campaign.save()
    start(cast, campaign)
    assert (campaign.to_fallback, states(campaign)) == (0, ["queued", "queued"])
    adds_up(campaign)


def test_a_campaign_without_anybody_goes_on_after_a_pause(cast):
    campaign = make_campaign(
        cast.alice, make_account(cast.alice, port=25), make_list(cast.alice, ["a@example.net"])
    )
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    ListMember.objects.all().delete()  # between the start and the freeze
    campaign_freeze(campaign_id=campaign.id)
    Campaign.objects.filter(id=campaign.id).update(state="paused")
    campaign_resume(viewer=cast.alice, campaign_id=campaign.id)
    campaigns_finish()
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.FINISHED


def test_a_campaign_in_line_whose_account_is_refused_pauses_and_keeps_no_slot(cast):
    Instance.objects.update(parallel_runs=1)
    people = make_list(cast.alice, ["a@example.net"])
    one, two = make_account(cast.alice, port=25), make_account(cast.alice, port=25, name="Two")
    first = start(cast, make_campaign(cast.alice, one, people))
    second = start(cast, make_campaign(cast.alice, two, people))
    assert (first.state, second.state) == (CampaignState.RUNNING, CampaignState.WAITING_FOR_SLOT)
    account_refused(account_id=two.id, words="535 no")
    Campaign.objects.filter(id=first.id).update(state="finished")
    assert slots_fill() == 0
    second.refresh_from_db()
    assert (second.state, second.reason) == (CampaignState.PAUSED, "account_failing")


def test_a_campaign_frozen_while_its_account_is_refused_waits_for_a_person(cast):
    account = make_account(cast.alice, port=25)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["a@example.net"]))
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    account_refused(account_id=account.id, words="535 no")
    campaign_freeze(campaign_id=campaign.id)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.reason, campaign.total) == (CampaignState.PAUSED, "account_failing", 1)
    Account.objects.update(status="ok")
    campaign_resume(viewer=cast.alice, campaign_id=campaign.id)
    assert claim() is not None


def message(cast, *to):
    letter = Letter(to=", ".join(to), subject="Hi", text="Hello", undo_s=0)
    return message_send(viewer=cast.alice, letter=letter)


def message_states():
    return sorted(Delivery.objects.filter(campaign=None).values_list("state", flat=True))


def test_nothing_leaves_through_a_suspended_account_and_it_goes_on_when_it_may_again(cast):
    account = make_account(cast.alice, port=25)
    message(cast, "a@example.net")
    message(cast, "b@example.net")
    Delivery.objects.filter(address="b@example.net").update(retry_at="2090-01-01T00:00:00Z")
    retries_gather()
    Account.objects.filter(id=account.id).update(approval="suspended")
    Delivery.objects.filter(address="b@example.net").update(retry_at="2020-01-01T00:00:00Z")
    assert claim() is None
    assert retries_gather() == 0
    Account.objects.filter(id=account.id).update(approval="approved")
    assert retries_gather() == 1
    assert claim() is not None


def test_messages_of_a_deleted_account_do_not_wait_for_ever(cast):
    account = make_account(cast.alice, port=25)
    message(cast, "a@example.net", "b@example.net", "c@example.net")
    retries_gather()
    held = claim()
    rows = shard_load(held, 0, 3)
    step(held, 1, [], 2)
    step(held, 2, [result(rows[0])], 2)
    message(cast, "later@example.net")
    account_delete(viewer=cast.alice, account_id=account.id)
    messages_drop()
    assert message_states() == ["accepted", "queued", "queued", "skipped"]  # a process holds the others
    lost_lease()
    messages_drop()
    assert message_states() == ["accepted", "skipped", "skipped", "uncertain"]
    assert not step(held, 3, [result(rows[1])], 3).held
    assert message_states() == ["accepted", "accepted", "skipped", "skipped"]


def test_an_own_entry_made_while_a_message_waits_stops_it(cast):
    make_account(cast.alice, port=25)
    message(cast, "a@example.net", "b@example.net")
    suppression_add(
        workspace_id=cast.alice.workspace.id,
        entry_form="address",
        value="a@example.net",
        source="manual",
        owner=cast.alice.user,
    )
    retries_gather()
    held = shard_claim(worker="one", lease=LEASE, busy=[])
    assert [row.suppressed for row in shard_load(held, 0, 2)] == ["suppressed_personal", ""]


@pytest.mark.parametrize("same_rule", [False, True])
def test_senders_of_single_recipients_go_on_only_through_an_account_of_the_same_rule(cast, same_rule):
    rule = {"override_from": True, "override_from_address": "agent"}
    people = make_list(cast.alice, ["p1@example.net", "p2@example.net"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=25, **rule), people)
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)
    rows = Delivery.objects.filter(campaign=campaign)
    fields = {**rows.first().fields, "~from": "ann@alderpike.example", "~from_name": "Ann"}
    rows.update(fields=fields)
    rows.filter(position=1).update(state="accepted")
    Campaign.objects.update(state="needs_account")
    other = make_account(cast.alice, port=25, name="Other", **(rule if same_rule else {}))
    campaign_resume(viewer=cast.alice, campaign_id=campaign.id, account_id=other.id)
    sent, waits = (row.fields for row in rows.order_by("position"))
    assert sent == fields
    assert ("~from" in waits, "~from_name" in waits) == (same_rule, same_rule)
    assert set(Shard.objects.values_list("account", flat=True)) == {other.id}
