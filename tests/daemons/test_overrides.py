"""One mailing, another sender or another addressee for each contact, through the real delivery process."""

import email
import email.policy

import pytest
from django.utils import timezone

from postroom.actions.suppression import suppression_add
from postroom.actions.unsubscribe import unsubscribe
from postroom.models.campaign import Campaign
from postroom.models.contact import AttributeKey, Contact
from postroom.models.delivery import Delivery
from postroom.models.domain import Domain
from postroom.queries.content import addressing_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import finished, quick_env, send

__all__ = ["quick_env"]

pytestmark = pytest.mark.django_db(transaction=True)


def kept(desk):
    """Messages by recipient, as the server got them: (envelope sender, message)."""
    found, was = {}, desk.message

    def note(envelope, raw):
        for recipient in envelope.recipients:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            found[recipient.address] = (envelope.mail_from, message)
        return was(envelope, raw)

    desk.message = note
    return found


def office(*details, **account_values):
    """An account that overrides, a proved domain, and a person a detail: p1@, p2@, ... with these attributes."""
    cast = make_cast()
    Domain.objects.create(
        workspace=cast.alice.workspace, name="alderpike.example", proved_at=timezone.now(), proved_by="word"
    )
    for key in ("agent", "agent_email", "invoice_email"):
        AttributeKey.objects.create(workspace=cast.alice.workspace, key=key, label=key)
    people = make_list(cast.alice, [f"p{n}@example.net" for n in range(1, len(details) + 1)])
    for number, attributes in enumerate(details, 1):
        Contact.objects.filter(email=f"p{number}@example.net").update(attributes=attributes)
    return cast, people


@pytest.mark.req("SA-08")
def test_each_contact_sees_its_own_sender_and_an_evil_one_falls_back(quick_env, settings, client):
    cast, people = office(
        {"agent_email": "ann@alderpike.example", "agent": "Ann Nowak"},
        {"agent": "Zażółć Gęśl"},
        {},
        {"agent_email": "ann@alderpike.example\r\nBcc: evil@example.net", "agent": "x\r\nX-Evil: 1"},
        {"agent_email": "ann@elsewhere.example", "agent": "Ann"},
    )
    with counting() as (desk, port):
        mails = kept(desk)
        account = make_account(
            cast.alice,
            port=port,
            override_from=True,
            override_from_address="agent_email",
            override_from_name="agent",
        )
        campaign = make_campaign(cast.alice, account, people)
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert {to: str(mail["From"]) for to, (_, mail) in mails.items()} == {
        "p1@example.net": "Ann Nowak <ann@alderpike.example>",
        "p2@example.net": "Zażółć Gęśl <sales@alderpike.example>",
        "p3@example.net": "Alder & Pike <sales@alderpike.example>",
        "p4@example.net": "Alder & Pike <sales@alderpike.example>",
        "p5@example.net": "Ann <sales@alderpike.example>",
    }
    assert not any(mail["X-Evil"] or mail["Bcc"] for _, mail in mails.values())
    # the envelope and what comes back stay the account's
    assert {sender.rpartition("@")[2] for sender, _ in mails.values()} == {"alderpike.example"}
    assert {sender for sender, _ in mails.values()} == {"sales@alderpike.example"}
    assert Campaign.objects.get(id=campaign.id).from_fallback == 2
    client.force_login(cast.alice.user)
    assert "2 people see the usual sender" in client.get(f"/campaigns/{campaign.id}/").content.decode()


def test_the_sender_of_the_campaign_stands_between_the_detail_and_the_account(quick_env, settings):
    cast, people = office({"agent_email": "ann@alderpike.example"}, {})
    with counting() as (desk, port):
        mails = kept(desk)
        account = make_account(cast.alice, port=port, override_from=True, override_from_address="agent_email")
        campaign = make_campaign(
            cast.alice, account, people, sender_address="team@alderpike.example", sender_name="The team"
        )
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert str(mails["p1@example.net"][1]["From"]) == "The team <ann@alderpike.example>"
    assert str(mails["p2@example.net"][1]["From"]) == "The team <team@alderpike.example>"


@pytest.mark.req("SA-07")
def test_hidden_details_are_kept_and_do_nothing_while_the_switch_is_off(quick_env, settings):
    cast, people = office({"agent_email": "ann@alderpike.example", "agent": "Ann"})
    with counting() as (desk, port):
        mails = kept(desk)
        account = make_account(
            cast.alice, port=port, override_from_address="agent_email", override_from_name="agent"
        )
        campaign = make_campaign(cast.alice, account, people)
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert str(mails["p1@example.net"][1]["From"]) == "Alder & Pike <sales@alderpike.example>"
    account.refresh_from_db()
    assert account.override_from_address == "agent_email"


@pytest.mark.req("SA-11")
@pytest.mark.req("SA-12")
def test_the_addressee_is_taken_from_a_detail_and_both_addresses_can_be_suppressed(quick_env, settings):
    cast, people = office(
        {"invoice_email": "books@firm.example"},
        {"invoice_email": "stopped@firm.example"},
        {"invoice_email": "third@firm.example"},
        {"invoice_email": ""},
        {"invoice_email": "no address"},
        {"invoice_email": "BOOKS@firm.example"},
    )
    firm = cast.alice.workspace
    for stopped in ("stopped@firm.example", "p3@example.net"):
        suppression_add(workspace_id=firm.id, entry_form="address", value=stopped, source="manual")
    with counting() as (desk, port):
        mails = kept(desk)
        account = make_account(cast.alice, port=port, override_to=True, override_to_address="invoice_email")
        campaign = make_campaign(cast.alice, account, people)
        send(campaign, cast.alice, settings)
        with running("delivery", env=quick_env):
            until(finished(campaign), wait_s=60)
    assert set(mails) == {"books@firm.example", "p4@example.net", "p5@example.net"}
    assert mails["books@firm.example"][1]["To"].addresses[0].addr_spec == "books@firm.example"
    rows = Delivery.objects.filter(campaign=campaign).order_by("position")
    assert [(row.state, row.reason) for row in rows] == [
        ("accepted", ""),
        ("skipped", "suppressed_shared"),
        ("skipped", "suppressed_shared"),
        ("accepted", ""),
        ("accepted", ""),
        ("skipped", "duplicate_in_run"),
    ]
    assert Campaign.objects.get(id=campaign.id).to_fallback == 2
    # the link takes off the contact, whichever address the mail went to
    unsubscribe(addressing_of(account)._link(rows[0].id).rpartition("/")[2])
    again = make_campaign(cast.alice, make_account(cast.alice, port=1, name="Plain"), people)
    from postroom.queries.campaign_check import audience_of

    assert audience_of(again).will_get == 4
