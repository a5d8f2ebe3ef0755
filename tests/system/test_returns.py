"""Failures come back to the account's own address, answers of people to Reply-To; on real servers (SA-17)."""

import email.policy

import pytest

from postroom.models.account import Account, Collector
from postroom.models.delivery import Delivery
from postroom.models.event import EventReport
from postroom.queries.campaign_check import audience_of, before_it_goes
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.run import running, until
from postroom.testing.servers import ACCOUNT, member
from tests.system.test_circle import arrived, letter, sent_from

__all__ = ["sent_from"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("SA-17")]


def test_failures_land_on_the_from_mailbox_and_answers_on_reply_to(office, sent_from, tmp_path):
    reader, lost, replies = member(30), "nobody9@box.example", office.spare_mailbox()
    campaign, env = sent_from([reader, lost], reply_to_address=replies, reply_to_name="Office", plus_tag=True)
    with running("delivery", env=env), running("sync", env=env, log=tmp_path / "sync.log"):
        mail = arrived(office, campaign, reader)
        token = mail["X-Postroom-Id"]
        tagged = ACCOUNT.replace("@", f"+{token}@")
        assert mail["Return-Path"] == f"<{tagged}>"
        assert replies in mail["Reply-To"]
        answer = letter(reader, f"Re: {mail['Subject']}", In_Reply_To=mail["Message-ID"])
        del answer["To"]
        answer["To"] = mail["Reply-To"]
        office.submit(reader, replies, answer.as_bytes(policy=email.policy.SMTP))
        # a report in nobody's format, of which only the address it came to tells what it speaks of
        plain = letter("postmaster@odd.example", "Mail returned")
        del plain["To"]
        plain["To"] = tagged
        plain.set_content("Sorry, this mailbox is full. Try again later.")
        office.submit("", tagged, plain.as_bytes(policy=email.policy.SMTP), login=reader)
        until(lambda: Delivery.objects.filter(campaign=campaign, address=lost, arrival="bounced").exists())
        until(lambda: EventReport.objects.filter(delivery__address=reader, found_by="envelope").exists())
        answers = office.wait_for_mails(replies, bool)
    returned = b"".join(office.dovecot.mails(ACCOUNT))
    assert b"multipart/report" in returned
    assert b"Mail returned" in returned
    assert [b"Re: " in mail for mail in answers] == [True]
    assert b"multipart/report" not in answers[0]
    assert b"Re: " not in returned


def test_before_the_start_the_volume_and_the_reading_of_returned_mail_are_spoken_of():
    cast = make_cast()
    account = make_account(
        cast.alice,
        port=25,
        reply_to_address="office@alderpike.example",
        imap_host="imap.alderpike.example",
        capabilities={"dsn": True},
    )
    people = make_list(cast.alice, [f"person{number}@firm.example" for number in range(100)])
    campaign = make_campaign(cast.alice, account, people)

    def told():
        return {check.text: check for check in before_it_goes(campaign, audience_of(campaign))}

    checks = told()
    volume = checks[f"Up to 3 mails will come back to {account.address}."]
    assert "office@alderpike.example" in volume.more
    offer = checks["Returned mail of this account is not being read."]
    assert (offer.link, offer.link_text) == (f"/settings/accounts/{account.id}/", "Switch reading on")
    campaign.receipt_delivery = True
    campaign.save()
    Collector.objects.create(account=account)
    checks = told()
    assert f"Up to 100 mails will come back to {account.address}." in checks
    assert "Returned mail of this account is being read" in checks
    Account.objects.update(kind="platform", approval="approved")
    campaign.refresh_from_db()
    assert not any("will come back" in text for text in told())
