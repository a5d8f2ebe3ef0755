"""The common list of returned addresses, and reading every mailbox for them."""

import pytest
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.models.account import Account, Collector
from postroom.models.delivery import Delivery
from postroom.models.event import Event, EventReport
from postroom.models.profile import Profile, Right
from postroom.testing.cast import make_account, make_campaign, make_list

pytestmark = pytest.mark.django_db


@pytest.fixture
def bounce(cast):
    """A report that came to the mailbox of Alice's private account."""
    account = make_account(cast.alice, port=2525, imap_host="imap.example", imap_login="a")
    Account.objects.update(visibility="private")
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["gone@box.example"]))
    delivery = Delivery.objects.create(
        workspace=account.workspace,
        campaign=campaign,
        position=1,
        address="gone@box.example",
        canonical="gone@box.example",
    )
    collector = Collector.objects.create(account=account)
    event = Event.objects.create(
        workspace=account.workspace,
        account=account,
        collector=collector,
        folder="INBOX",
        raw=blob_put(b"raw"),
        source="imap",
        kind="failure",
        strength="signed",
    )
    return EventReport.objects.create(
        event=event,
        workspace=account.workspace,
        delivery=delivery,
        kind="failure",
        recipient="gone@box.example",
        status="5.1.1",
        code="550",
        bounce_class="address_gone",
        words="User unknown",
    )


@pytest.mark.req("AR-02")
def test_a_bounce_that_came_to_another_ones_account_is_seen_by_who_has_the_right(
    as_user, alice, bob, cast, bounce
):
    web = as_user(bob)
    assert web.get("/archive/returns/").status_code == 403
    Profile.objects.update(rights=[str(Right.LOG_VIEW)])
    page = web.get("/archive/returns/").content.decode()
    for word in (
        "gone@box.example",
        "Address does not exist",
        "550 5.1.1 User unknown",
        "Autumn price list",
        "sales@alderpike.example",
        "INBOX",
    ):
        assert word in page, word
    for query, there in (
        ({"q": "gone@"}, True),
        ({"q": "other@"}, False),
        ({"class": "address_gone"}, True),
        ({"class": "mailbox_state"}, False),
        ({"campaign": bounce.delivery.campaign_id}, True),
        ({"since": "2999-01-01T00:00"}, False),
        ({"account": bounce.event.account_id}, True),
    ):
        shown = web.get("/archive/returns/", query).content.decode()
        assert ("User unknown" in shown) is there, query
    assert web.get("/archive/returns/export/").status_code == 403
    Profile.objects.update(rights=[str(Right.LOG_VIEW), str(Right.CONTACTS_EXPORT)])
    file = b"".join(web.get("/archive/returns/export/").streaming_content).decode()
    assert "gone@box.example;Address does not exist;550 5.1.1;User unknown" in file
    assert "gone@" not in as_user(cast.charlie.user).get("/archive/returns/").content.decode()


@pytest.mark.req("AR-03")
def test_synchronising_twice_adds_nothing_and_names_the_mailbox_that_is_dead(as_user, alice, cast, bounce):
    dead = make_account(
        cast.alice,
        port=2525,
        name="Dead",
        address="dead@alderpike.example",
        imap_host="imap.example",
        imap_login="b",
    )
    Collector.objects.create(
        account=dead,
        error="The server does not answer at this port.",
        error_code="UNREACHABLE",
        error_since=timezone.now(),
        failures=2,
    )
    Collector.objects.filter(account=bounce.event.account).update(last_ok_at=timezone.now())
    web = as_user(alice)
    answer = web.post("/archive/returns/synchronise/", follow=True)
    assert "2 mailboxes are read now." in answer.content.decode()
    assert not Collector.objects.filter(asked_at=None).exists()
    Collector.objects.update(next_run_at=timezone.now())  # they were read
    boxes = web.get("/archive/returns/boxes/").content.decode()
    assert "Up to date" in boxes
    assert "The server does not answer at this port." in boxes
    assert web.post("/archive/returns/synchronise/").status_code == 429
    Collector.objects.update(asked_at=None)
    web.post("/archive/returns/synchronise/")
    assert EventReport.objects.count() == 1
    assert Event.objects.count() == 1
