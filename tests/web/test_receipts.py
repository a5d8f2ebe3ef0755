"""Receipts that senders ask us for (RC-13): a person sends one or passes over it, and it is asked once."""

import email
import email.policy

import pytest

from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.testing.cast import make_account
from postroom.testing.run import running, until
from tests.web.letters import letter, receive
from tests.web.sink import sink

PATH = "Return-Path: <james@northgate.example>\r\n"
ASKS = "Message-ID: <q1@n.example>\r\nDisposition-Notification-To: James <james@northgate.example>\r\n"
BANNER = "Asks for a read receipt:"


def mailbox(cast, port=0):
    return make_account(
        cast.alice, port=port, visibility="workspace", everyone=["use", "view"], is_mailbox=True
    )


def page_of(client, message):
    return client.get(f"/messages/c/{message.conversation_id}/").content.decode()


def answer(client, message, words):
    return client.post(f"/messages/m/{message.id}/receipt/", {"answer": words}, follow=True).content.decode()


@pytest.mark.req("RC-13")
@pytest.mark.django_db(transaction=True)
def test_a_receipt_that_a_person_sends_arrives_and_is_not_asked_for_again(as_user, cast, child_env, tmp_path):
    with sink("DSN", "8BITMIME") as (port, taken):
        account = mailbox(cast, port)
        account.collectors.create(folder="INBOX")
        message = receive(account, letter("Please confirm.", subject="Zamówienie", head=PATH + ASKS))
        placed = Placement.objects.create(
            folder=account.collectors.get(), uidvalidity=1, uid=1, message=message
        )
        client = as_user(cast.alice.user)
        page = page_of(client, message)
        assert BANNER in page
        assert "It would go to" not in page
        assert not Message.objects.filter(purpose="receipt").exists(), "looking sends nothing"
        assert "will be told" in answer(client, message, "send")
        answer(client, message, "send")  # a double click
        with running("delivery", env={**child_env, "POSTROOM_POLL_SECONDS": "0.2"}, log=tmp_path / "log"):
            until(lambda: taken, wait_s=60)
        (report,) = taken
    assert report.mail == "MAIL FROM:<>", "the null sender, and no report asked for"
    assert report.rcpt == ["RCPT TO:<james@northgate.example>"]
    read = email.message_from_bytes(report.raw, policy=email.policy.default)
    assert read.get_content_type() == "multipart/report"
    assert read.get_param("report-type") == "disposition-notification"
    assert read["to"] == "james@northgate.example"
    assert read["auto-submitted"] == "auto-replied"
    assert read["in-reply-to"] == "<q1@n.example>"
    words, fields = read.iter_parts()
    assert "Zamówienie" in words.get_content()
    assert fields.get_content_type() == "message/disposition-notification"
    told = fields.get_payload(0)
    assert told["disposition"] == "manual-action/MDN-sent-manually; displayed"
    assert told["original-message-id"] == "<q1@n.example>"
    assert told["final-recipient"] == "rfc822;sales@alderpike.example"
    page = page_of(client, message)
    assert BANNER not in page
    assert "Read receipt sent" in page
    change = MailboxChange.objects.get()
    assert (change.action, change.placement, change.user) == ("receipt_sent", placed, cast.alice.user)
    assert Message.objects.filter(purpose="receipt").count() == 1


@pytest.mark.req("RC-13")
@pytest.mark.django_db
def test_who_passes_over_it_is_not_asked_again_and_may_take_that_back(as_user, cast):
    message = receive(mailbox(cast), letter("x", head=PATH + ASKS))
    client = as_user(cast.alice.user)
    page = answer(client, message, "ignore")
    assert "will not be told" in page
    assert f'action="/messages/m/{message.id}/receipt/again/"' in page
    assert BANNER not in page_of(client, message)
    assert "decided already" in answer(client, message, "send")
    client.post(f"/messages/m/{message.id}/receipt/again/")
    assert BANNER in page_of(client, message)
    assert not Message.objects.filter(purpose="receipt").exists()


REFUSED = {
    "written by a program": PATH + ASKS + "Auto-Submitted: auto-generated (rejected)\r\n",
    "of a list": PATH + ASKS + "List-Id: <news.n.example>\r\n",
    "sent in bulk": PATH + ASKS + "Precedence: bulk\r\n",
    "from nobody": "Return-Path: <>\r\n" + ASKS,
    "to two people": PATH + "Disposition-Notification-To: a@n.example, b@n.example\r\n",
    "asked twice": PATH + ASKS + "Disposition-Notification-To: b@n.example\r\n",
}


@pytest.mark.req("RC-13")
@pytest.mark.django_db
@pytest.mark.parametrize("why", REFUSED)
def test_what_nobody_wrote_to_us_gets_no_receipt(as_user, cast, why):
    message = receive(mailbox(cast), letter("x", head=REFUSED[why]))
    client = as_user(cast.alice.user)
    page = page_of(client, message)
    assert BANNER not in page
    assert "which programs and lists are not given" in page
    assert "may not be sent" in answer(client, message, "send")
    assert not Message.objects.filter(purpose="receipt").exists()


@pytest.mark.req("RC-13")
@pytest.mark.django_db
def test_a_person_is_warned_when_it_would_go_elsewhere(as_user, cast):
    account = mailbox(cast)
    head = "Return-Path: <bounce@shop.example>\r\nAuto-Submitted: no\r\n" + ASKS
    message = receive(account, letter("x", head=head))
    page = page_of(as_user(cast.alice.user), message)
    assert "It would go to james@northgate.example; the mail came from bounce@shop.example." in page
    untold = receive(account, letter("y", head=ASKS.replace("q1", "q2"), subject="Other"))
    assert "nothing says where the mail came from" in page_of(as_user(cast.alice.user), untold)


@pytest.mark.req("RC-13")
@pytest.mark.django_db
def test_another_program_that_sent_one_is_enough(as_user, cast):
    account = mailbox(cast)
    folder = account.collectors.create(folder="INBOX")
    message = receive(account, letter("x", head=PATH + ASKS))
    Placement.objects.create(folder=folder, uidvalidity=1, uid=1, message=message, is_receipt_sent=True)
    client = as_user(cast.alice.user)
    assert BANNER not in page_of(client, message)
    assert "decided already" in answer(client, message, "send")


@pytest.mark.req("RC-13")
@pytest.mark.django_db
def test_a_second_copy_of_the_mail_brings_no_second_receipt(as_user, cast):
    account = mailbox(cast)
    first, second = (receive(account, letter("x", head=PATH + ASKS)) for _ in range(2))
    client = as_user(cast.alice.user)
    answer(client, first, "send")
    assert "decided already" in answer(client, second, "send")
    assert Message.objects.filter(purpose="receipt").count() == 1


@pytest.mark.django_db
def test_who_may_only_read_the_mailbox_sends_none(as_user, cast, bob):
    account = mailbox(cast)
    message = receive(account, letter("x", head=PATH + ASKS))
    account.everyone = ["view"]
    account.save()
    assert as_user(bob).post(f"/messages/m/{message.id}/receipt/", {"answer": "send"}).status_code == 403
    assert not Message.objects.filter(purpose="receipt").exists()
