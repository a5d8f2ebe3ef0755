"""The same campaign through the firm's own server and through an own account; who may and who may not yet."""

from dataclasses import replace
from email import message_from_bytes, policy

import dkim
import pytest

from postroom.actions.account import account_save
from postroom.actions.account_approval import account_approve, account_submit, account_suspend
from postroom.actions.campaign_run import campaign_resume
from postroom.actions.campaign_start import campaign_freeze, campaign_start
from postroom.actions.domain import domain_add, domain_word
from postroom.actions.domain_key import key_use
from postroom.actions.message import campaign_test_send
from postroom.actions.sysmail import notice_account_for
from postroom.daemons.worker.tasks import freeze_campaign
from postroom.errors import Conflict
from postroom.mail.dns_records import dkim_record
from postroom.models.account import Account, AccountKind, Approval
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.domain import DkimKey
from postroom.models.workspace import Instance
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.receiving import KeepingDesk, receiving
from postroom.testing.run import running, until

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {"POSTROOM_POLL_SECONDS": "0.1", "POSTROOM_LEASE_SECONDS": "2", "POSTROOM_LEASE_RENEW_SECONDS": "0.5"}


@pytest.fixture
def cast(db):
    return make_cast(bounce_host="returns.alderpike.example")


def relay(port):
    Instance.objects.filter(id=1).update(
        relay_host="127.0.0.1", relay_port=port, relay_security="none", url="https://post.alderpike.example"
    )


def proved(cast):
    """alderpike.example, proved and signing."""
    domain = domain_add(viewer=cast.alice, name="alderpike.example")
    domain_word(viewer=cast.alice, domain_id=domain.id)
    key_use(viewer=cast.alice, domain_id=domain.id, key_id=domain.keys.get().id)
    return domain


def platform(cast, **more):
    values = {
        "kind": AccountKind.PLATFORM,
        "approval": Approval.APPROVED,
        "smtp_host": "",
        "name": "Marketing",
    }
    return make_account(cast.alice, port=1, **{**values, **more})


def approver(cast):
    """Bob with the right to approve."""
    return replace(cast.bob, rights=cast.bob.rights | {"accounts.approve"})


def send(cast, campaign):
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    campaign_freeze(campaign_id=campaign.id)


def verified(raw):
    key = DkimKey.objects.get(state="active")

    def txt(name, timeout=5):
        assert name == f"{key.selector}._domainkey.alderpike.example.".encode()
        return dkim_record(key.public_key).encode()

    return dkim.verify(raw, dnsfunc=txt)


@pytest.mark.req("SA-01", "SA-05")
def test_the_same_campaign_has_the_same_body_both_ways_and_ours_is_signed(cast, child_env, tmp_path):
    ours, theirs = KeepingDesk(), KeepingDesk()
    with receiving(ours) as relay_port, receiving(theirs) as port:
        relay(relay_port)
        proved(cast)
        people = make_list(cast.alice, ["anna@example.net", "борис@example.net", "jan@example.net"])
        first = make_campaign(cast.alice, platform(cast, display_name="Żółw & Pike"), people)
        second = make_campaign(cast.alice, make_account(cast.alice, port=port), people)
        for campaign in (first, second):
            Campaign.objects.filter(id=campaign.id).update(
                html="<p>Drogi {{ name }} {{ surname }},</p><p>ceny  są tu.</p>\n.\n", unsubscribe_header=True
            )
        with running("delivery", env={**child_env, **QUICK}, log=tmp_path / "log"):
            send(cast, Campaign.objects.get(id=first.id))
            send(cast, Campaign.objects.get(id=second.id))
            until(lambda: len(ours.taken) == 3 and len(theirs.taken) >= 2)
            until(lambda: not Campaign.objects.filter(state="running").exists())
    own = {recipients[0]: raw for _, recipients, raw in theirs.taken}
    for mail_from, (recipient,), raw in ours.taken:
        assert mail_from.endswith("@returns.alderpike.example")
        assert raw.startswith(b"DKIM-Signature: ")
        assert verified(raw), recipient
        assert not verified(raw.replace(b"Drogi", b"Drodzy")), recipient
        assert b"DKIM-Signature" not in own[recipient]
        assert raw.partition(b"\r\n\r\n")[2] == own[recipient].partition(b"\r\n\r\n")[2]
        seen = message_from_bytes(raw, policy=policy.default)
        assert str(seen["From"]) == "Żółw & Pike <sales@alderpike.example>"
        assert seen["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert seen["Reply-To"] is None
        assert "Marketing" not in raw.decode("utf-8", "replace")


@pytest.mark.req("SA-03", "SA-13")
def test_what_is_not_approved_or_not_proved_cannot_start(cast):
    relay(25)
    account = platform(cast, approval=Approval.DRAFT)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["anna@example.net"]))

    def refusal(act):
        with pytest.raises(Conflict) as refused:
            act()
        return refused.value.code

    def start():
        campaign_start(viewer=cast.alice, campaign_id=campaign.id)

    assert refusal(start) == "ACCOUNT_NOT_APPROVED"
    assert (
        refusal(lambda: campaign_test_send(viewer=cast.alice, campaign_id=campaign.id))
        == "ACCOUNT_NOT_APPROVED"
    )
    assert account_submit(viewer=cast.alice, account_id=account.id).approval == "pending"
    assert refusal(start) == "ACCOUNT_NOT_APPROVED"
    account_approve(viewer=approver(cast), account_id=account.id)
    assert refusal(start) == "DOMAIN_UNVERIFIED"
    domain = domain_add(viewer=cast.alice, name="alderpike.example")
    assert refusal(start) == "DOMAIN_UNVERIFIED"
    domain_word(viewer=cast.alice, domain_id=domain.id)
    Instance.objects.filter(id=1).update(relay_host="")
    assert refusal(start) == "NO_RELAY"
    relay(25)
    start()
    assert Campaign.objects.get(id=campaign.id).state == "freezing"


@pytest.mark.req("SA-13")
def test_a_suspended_account_pauses_its_campaigns_until_it_is_approved_again(cast):
    relay(25)
    proved(cast)
    account = platform(cast)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["anna@example.net"]))
    send(cast, campaign)
    account_suspend(viewer=approver(cast), account_id=account.id, reason="Complaints")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.reason) == ("paused", "account_suspended")
    with pytest.raises(Conflict) as refused:
        campaign_resume(viewer=cast.alice, campaign_id=campaign.id)
    assert refused.value.code == "ACCOUNT_NOT_APPROVED"
    with pytest.raises(Conflict) as refused:
        account_submit(viewer=cast.alice, account_id=account.id)
    assert refused.value.code == "ACCOUNT_SUSPENDED"
    account_approve(viewer=approver(cast), account_id=account.id)
    assert campaign_resume(viewer=cast.alice, campaign_id=campaign.id).state == "running"


def test_the_firms_own_relay_may_stand_inside_the_network(cast, child_env, tmp_path):
    desk = KeepingDesk()
    with receiving(desk) as port:
        relay(port)
        Instance.objects.filter(id=1).update(allow_private_hosts=False)
        proved(cast)
        campaign = make_campaign(cast.alice, platform(cast), make_list(cast.alice, ["anna@example.net"]))
        with running("delivery", env={**child_env, **QUICK}, log=tmp_path / "log"):
            campaign_test_send(viewer=cast.alice, campaign_id=campaign.id)
            until(lambda: desk.taken)
    assert verified(desk.taken[0][2])


@pytest.mark.req("SA-13")
def test_another_sender_pauses_what_goes_out_and_asks_again(cast):
    relay(25)
    proved(cast)
    account = platform(cast)
    running_one = make_campaign(cast.alice, account, make_list(cast.alice, ["anna@example.net"]))
    send(cast, running_one)
    values = {"name": account.name, "address": "offers@alderpike.example"}
    account_save(viewer=cast.alice, values=values, account_id=account.id, version=account.version)
    running_one.refresh_from_db()
    assert (running_one.state, running_one.reason) == ("paused", "account_pending")
    account_approve(viewer=approver(cast), account_id=account.id)
    assert campaign_resume(viewer=cast.alice, campaign_id=running_one.id).state == "running"


def test_an_account_suspended_while_people_are_fixed_sends_nothing(cast):
    relay(25)
    proved(cast)
    account = platform(cast)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["anna@example.net"]))
    campaign_start(viewer=cast.alice, campaign_id=campaign.id, undo_s=0)
    account_suspend(viewer=approver(cast), account_id=account.id, reason="Complaints")
    freeze_campaign(None, campaign_id=campaign.id)
    campaign.refresh_from_db()
    assert campaign.state == "draft"
    assert "not approved" in campaign.reason
    assert not Delivery.objects.filter(campaign=campaign).exists()


def test_a_notice_does_not_leave_through_an_account_that_may_not_send(cast):
    account = platform(cast, approval=Approval.PENDING)
    cast.alice.workspace.notice_account = account
    cast.alice.workspace.save()
    assert notice_account_for(cast.alice.user.email) is None
    Account.objects.filter(id=account.id).update(approval=Approval.APPROVED)
    assert notice_account_for(cast.alice.user.email) == account
