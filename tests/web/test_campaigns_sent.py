"""What the pages promise is what a mail server is given: receipts, the preview's bytes, the test to oneself."""

import email
import re
from email.utils import parseaddr

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from postroom.actions.campaign_start import campaign_freeze
from postroom.models.account import Collector
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact
from postroom.models.delivery import Delivery, Shard
from postroom.queries.content import addressing_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from postroom.testing.run import running, until
from tests.web.sink import sink

pytestmark = pytest.mark.django_db(transaction=True)

DSN = ("PIPELINING", "8BITMIME", "DSN", "ENHANCEDSTATUSCODES")
PLAIN = ("PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
#: Fields of a message that carry the recipient's token, or the moment it was made.
OWN = re.compile(rb"^(Date|Message-ID|X-Postroom-Id|List-Unsubscribe|Disposition-Notification-To):", re.I)


@pytest.fixture
def cast(transactional_db):
    return make_cast()


@pytest.fixture
def page(as_user, alice, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    return as_user(alice)


@pytest.fixture
def delivering(child_env, tmp_path):
    """The delivery daemon at work until all the campaigns given are finished."""

    def work(*campaigns, also=lambda: True):
        ids = [campaign.id for campaign in campaigns]
        env = {**child_env, "POSTROOM_POLL_SECONDS": "0.1"}

        def done():
            return also() and Campaign.objects.filter(id__in=ids, state="finished").count() == len(ids)

        with running("delivery", env=env, log=tmp_path / "log"):
            try:
                until(done, wait_s=60)
            except AssertionError as error:
                rows = [*Campaign.objects.values_list("id", "state"), *Shard.objects.values()]
                rows += Delivery.objects.values_list("campaign_id", "state", "attempts", "words", "retry_at")
                raise AssertionError(f"{error}: {rows}") from None

    return work


def start(page, campaign):
    assert page.post(f"/campaigns/{campaign.id}/start/").status_code == 302
    campaign_freeze(campaign_id=campaign.id)


def parameters(line):
    """What stands behind the address of MAIL FROM or RCPT TO, but for what is no matter of DSN."""
    return [word for word in line.partition(">")[2].split() if not word.startswith(("BODY=", "SIZE="))]


@pytest.mark.req("RC-01")
@pytest.mark.req("RC-02")
@pytest.mark.req("RC-03")
def test_the_two_boxes_decide_what_is_asked_of_the_server_and_of_the_reader(page, cast, delivering):
    with sink(*DSN) as (port, taken), sink(*PLAIN) as (plain_port, plain_taken):
        account = make_account(cast.alice, port=port)
        plain = make_account(cast.alice, port=plain_port, address="plain@alderpike.example")
        for one in (account, plain):
            Collector.objects.create(account=one, folder="INBOX", is_on=True)
        sent = {}
        for delivery, read in [(False, False), (False, True), (True, False), (True, True)]:
            people = make_list(cast.alice, [f"d{delivery:d}r{read:d}+x@example.net"])
            campaign = make_campaign(cast.alice, account, people)
            boxes = {
                name: "on" for name, on in (("receipt_delivery", delivery), ("receipt_read", read)) if on
            }
            values = {"version": 1, "name": campaign.name, "subject": "x", "html": "y", "lists": people.id}
            assert page.post(f"/campaigns/{campaign.id}/save/", {**values, **boxes}).status_code == 302
            start(page, campaign)
            sent[delivery, read] = campaign
        without = make_campaign(
            cast.alice, plain, make_list(cast.alice, ["p@example.net"]), receipt_delivery=True
        )
        start(page, without)
        delivering(*sent.values(), without)
    assert (len(taken), len(plain_taken)) == (4, 1)
    assert parameters(plain_taken[0].mail) + parameters(plain_taken[0].rcpt[0]) == []
    for (delivery, read), campaign in sent.items():
        row = Delivery.objects.get(campaign=campaign)
        (mail,) = [one for one in taken if row.address in one.rcpt[0]]
        assert len(mail.rcpt) == 1
        token = addressing_of(campaign.account).token(row.id)
        assert len(token) <= 100
        assert sorted(parameters(mail.mail)) == [f"ENVID={token}", "RET=HDRS"]
        asked = [f"ORCPT=rfc822;{row.address.replace('+', '+2B')}", "NOTIFY=SUCCESS,FAILURE,DELAY"]
        assert sorted(parameters(mail.rcpt[0])) == (sorted(asked) if delivery else [])
        message = email.message_from_bytes(mail.raw)
        sender = re.search(r"<(.*?)>", mail.mail)[1]
        asking = message.get_all("Disposition-Notification-To", [])
        assert [parseaddr(value)[1] for value in asking] == ([sender] if read else [])
        assert "Return-Receipt-To" not in message
        assert "X-Confirm-Reading-To" not in message
        shown = page.get(f"/api/v1/campaigns/{campaign.id}").json()
        assert (shown["receipt_delivery"], shown["receipt_read"]) == (delivery, read)


def without_own(raw):
    """The bytes without the fields that differ by token, identity or moment."""
    head, _, rest = raw.partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head)
    return b"\r\n".join(one for one in fields if not OWN.match(one)) + b"\r\n\r\n" + rest


@pytest.mark.req("CM-48")
def test_the_preview_is_made_of_the_bytes_that_are_sent(page, cast, delivering):
    with sink(*DSN) as (port, taken):
        people = make_list(cast.alice, ["ann@example.net", "zoe@example.net"], company="Мебели Рила")
        account = make_account(
            cast.alice, port=port, display_name="Zażółć & Pike", reply_to_address="answers@alderpike.example"
        )
        campaign = make_campaign(
            cast.alice,
            account,
            people,
            subject="Цени за {{ company }}",
            html="Dear {{ name }} {{ surname }},\n\nzażółć gęślą jaźń at {{ company }}.\n\n" + "long " * 400,
        )
        file = SimpleUploadedFile("zażółć.pdf", b"%PDF-1.4 \x00\xff" * 500, "application/pdf")
        page.post(f"/campaigns/{campaign.id}/attach/", {"files": file})
        zoe = Contact.objects.get(email="zoe@example.net")
        preview = page.get(f"/campaigns/{campaign.id}/source/?contact={zoe.id}").content
        shown = page.get(f"/campaigns/{campaign.id}/aside/?contact={zoe.id}").content.decode()
        frame = page.get(f"/campaigns/{campaign.id}/body/?contact={zoe.id}")
        start(page, campaign)
        delivering(campaign)
    (sent,) = [one.raw for one in taken if "zoe@" in one.rcpt[0]]
    assert without_own(preview) == without_own(sent)
    for words in ("Zażółć &amp; Pike", "answers@alderpike.example", "zoe@example.net", "Цени за Мебели Рила"):
        assert words in shown
    assert "zażółć.pdf" in shown
    assert 'sandbox=""' in shown
    assert "zażółć gęślą jaźń at Мебели Рила." in frame.content.decode()
    assert "sandbox" in frame["Content-Security-Policy"]


def test_a_test_goes_to_the_address_of_the_sign_in_with_what_is_typed(page, cast, delivering):
    with sink(*DSN) as (port, taken):
        people = make_list(cast.alice, ["ann@example.net"])
        campaign = make_campaign(cast.alice, make_account(cast.alice, port=port), people)
        typed = {
            "version": 1,
            "name": "x",
            "subject": "Typed now, {{ name }}",
            "html": "new",
            "lists": people.id,
        }
        answer = page.post(f"/campaigns/{campaign.id}/test/", typed, follow=True)
        assert "A test is on its way to alice@example.org." in answer.content.decode()
        delivering(also=lambda: taken)
    assert re.search(r"<(.*?)>", taken[0].rcpt[0])[1] == "alice@example.org"
    assert email.message_from_bytes(taken[0].raw)["Subject"] == "Typed now, Person"
    assert Campaign.objects.get(id=campaign.id).state == "draft"
