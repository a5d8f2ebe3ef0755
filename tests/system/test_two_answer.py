"""Two people at one shared mailbox of a real Dovecot, each in a browser: both see who answers, every answer leaves
through a real Postfix once, and nothing is lost or doubled on any side."""

import email
import email.policy
from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.models.account import Collector
from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.testing.cast import make_account, make_cast
from postroom.testing.run import running, until
from postroom.testing.servers import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)

#: Everything here waits for other processes on a machine that may be busy.
PATIENCE = 60_000
ASKED = "Could you hold twelve of the 40 mm boards?"
QUICK = {
    "POSTROOM_POLL_SECONDS": "0.2",
    "POSTROOM_FOLDERS_SECONDS": "1",
    "POSTROOM_FILE_SECONDS": "0",
    "POSTROOM_LEASE_SECONDS": "4",
    "POSTROOM_LEASE_RENEW_SECONDS": "1",
}


def shared_mailbox(office, viewer, address):
    """The firm's own address: everybody reads it and answers from it."""
    made = make_account(
        viewer,
        address=address,
        smtp_host="localhost",
        port=office.ports["submission"],
        smtp_security="starttls",
        smtp_authenticate=True,
        smtp_login=address,
        smtp_password=PASSWORD,
        imap_host="localhost",
        imap_port=office.dovecot.imap,
        imap_security="starttls",
        imap_login=address,
        imap_password=PASSWORD,
        visibility="workspace",
        everyone=["use", "view"],
        is_mailbox=True,
    )
    Collector.objects.create(account=made, interval_s=60, take_from=timezone.now() - timedelta(days=1))
    return made


def question(sender, recipient):
    return (
        f"From: James Whitlock <{sender}>\r\nTo: {recipient}\r\nSubject: Oak boards\r\n"
        f"Message-ID: <q1@n.example>\r\nDate: {email.utils.format_datetime(timezone.now())}\r\n\r\n{ASKED}\r\n"
    ).encode()


def answers_in(office, address, folder="INBOX"):
    """(Message-ID, text) of the mails there that answer the question, each as often as it lies there."""
    parsed = [
        email.message_from_bytes(raw, policy=email.policy.default)
        for raw in office.dovecot.mails(address, folder)
    ]
    return [
        (one["Message-ID"], one.get_body().get_content())
        for one in parsed
        if one["In-Reply-To"] == "<q1@n.example>"
    ]


def begin(page, words):
    """Answer by key, in the rich editor."""
    page.keyboard.press("r")
    composer = page.locator("#pr-dock [data-compose]")
    composer.wait_for(timeout=PATIENCE)
    page.locator("#pr-dock [data-compose][data-ready=rich]").wait_for(timeout=PATIENCE)
    with page.expect_response("**/save/", timeout=PATIENCE):
        composer.locator(".pr-rich > p").first.click()
        page.keyboard.type(words)
    return composer


def asked_whether(page):
    """The words of the question that stands before sending."""
    question = page.locator("#ask-anyway")
    question.get_by_role("button", name="Not now").wait_for(timeout=PATIENCE)
    return question.inner_text()


def test_two_browsers_answer_one_mailbox(office, trust, browse, child_env, tmp_path, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    cast = make_cast()
    firm, customer = office.spare_mailbox(), office.spare_mailbox()
    shared_mailbox(office, cast.alice, firm)
    env = {**child_env, **QUICK, "SSL_CERT_FILE": str(tmp_path / "authority.pem")}
    with (
        running("delivery", env=env, log=tmp_path / "delivery"),
        running("sync", env=env, log=tmp_path / "sync"),
    ):
        office.submit(customer, firm, question(customer, firm))
        until(lambda: Conversation.objects.exists(), wait_s=60)
        asked = Message.objects.get(message_id__contains="q1@n.example")
        alice, bob = browse(cast.alice.user), browse(cast.bob.user)
        for page in (alice, bob):
            page.set_default_timeout(PATIENCE)
            page.goto("/messages/")
            page.keyboard.press("j")
            page.keyboard.press("Enter")
            page.get_by_text(ASKED).last.wait_for(timeout=PATIENCE)
            page.locator("#pr-dock").get_by_role("button", name="Answer", exact=True).wait_for(
                timeout=PATIENCE
            )
        bob.get_by_text("Alice is reading too").first.wait_for(timeout=PATIENCE)
        alice.get_by_text("Bob is reading too").first.wait_for(timeout=PATIENCE)

        # both begin an answer, and each knows of the other
        hers = begin(alice, "Gladly, says Alice.")
        bob.locator("#pr-present").get_by_text("Alice is answering").wait_for(timeout=PATIENCE)
        his = begin(bob, "Gladly, says Bob.")
        alice.locator("#pr-present").get_by_text("Bob is answering").wait_for(timeout=PATIENCE)

        # she is told that he writes too, and sends all the same, pressing twice
        hers.locator(".pr-split [data-send]").first.click()
        assert "Bob is writing" in asked_whether(alice)
        assert not Delivery.objects.exists()
        alice.locator("#ask-anyway").get_by_role("button", name="Send anyway").dblclick()
        until(lambda: len(answers_in(office, customer)) == 1, wait_s=60, step_s=0.3)

        # he is held until he knows of hers
        his.locator(".pr-split [data-send]").first.click()
        assert "Alice answered meanwhile" in asked_whether(bob)
        assert Delivery.objects.count() == 1
        bob.locator("#ask-anyway").get_by_role("button", name="Not now").click()

        # nothing he typed is lost, not even with the browser gone; and he sees her answer without asking for it
        bob.locator("#pr-flow").get_by_text("Gladly, says Alice.").wait_for(timeout=PATIENCE)
        assert "Gladly, says Bob." in Draft.objects.get(user=cast.bob.user).html
        bob.reload()
        again = bob.locator("#pr-dock [data-compose]")
        again.wait_for(timeout=PATIENCE)
        assert "Gladly, says Bob." in again.locator("#id_html").input_value()

        # he sends it all the same, once
        again.locator(".pr-split [data-send]").first.click()
        assert "Alice answered meanwhile" in asked_whether(bob)
        bob.locator("#ask-anyway").get_by_role("button", name="Send anyway").dblclick()
        until(lambda: len(answers_in(office, customer)) == 2, wait_s=60, step_s=0.3)
        for page in (alice, bob):
            page.locator("#pr-flow").get_by_text("Gladly, says Bob.").wait_for(timeout=PATIENCE)
            page.locator("#pr-flow").get_by_text("Gladly, says Alice.").wait_for(timeout=PATIENCE)

        # one closes it, the other finds it on its shelf
        alice.keyboard.press("Escape")
        alice.goto(f"/messages/c/{asked.conversation_id}/")
        alice.keyboard.press("e")
        alice.get_by_text("Done.").wait_for(timeout=PATIENCE)
        bob.goto("/messages/?at=done")
        bob.locator(".pr-conv").wait_for(timeout=PATIENCE)

        # both copies are filed, and read back from there as what they are
        sent = Message.objects.filter(direction="out")
        filed = Placement.objects.filter(message__in=sent, gone_at=None)
        until(lambda: filed.values("message").distinct().count() == 2, wait_s=60)
        until(lambda: not MailboxChange.objects.filter(done_at=None).exists(), wait_s=60)
        until(lambda: not Delivery.objects.exclude(state="accepted").exists(), wait_s=60)

    talk = Conversation.objects.get()
    assert [(one.direction, one.conversation_id) for one in Message.objects.order_by("at", "id")] == [
        ("in", talk.id),
        ("out", talk.id),
        ("out", talk.id),
    ]
    assert Delivery.objects.count() == 2
    arrived = sorted(answers_in(office, customer), key=lambda one: "Bob" in one[1])
    assert [("Alice" in words, "Bob" in words) for _, words in arrived] == [(True, False), (False, True)]
    # in the firm's folder for sent mail lie the same two, once each, and the question is where it was
    assert sorted(answers_in(office, firm, "Sent")) == sorted(arrived)
    tokens = sent.order_by("id").values_list("message_id", flat=True)
    assert [token in number for (number, _), token in zip(arrived, tokens, strict=True)] == [True, True]
    assert sum(b"q1@n.example" in raw.split(b"\r\n\r\n")[0] for raw in office.dovecot.mails(firm)) == 1
