"""The inbox as people see it: on a desk, in the dark, on a phone; by keys alone. SHOTS=folder keeps the pictures."""

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from postroom.actions.conversation import conversation_assign, presence_touch
from postroom.models.conversation import Conversation, Note
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.record import Record
from postroom.models.user import User
from postroom.testing.cast import make_account
from tests.web.browser import poor_contrast
from tests.web.letters import letter, receive

pytestmark = pytest.mark.django_db(transaction=True)

#: The machine may be busy.
PATIENCE = 40_000
NEWSLETTER = """<html><body><table width="100%"><tr>
<td bgcolor="#2345b5"><h1 style="color:#fff">Autumn timber</h1></td></tr>
<tr><td><p>New larch from <b>Suwałki</b>.</p><img src="http://127.0.0.1:9/larch.png" alt="larch"></td></tr></table>
<blockquote>What you asked last week</blockquote></body></html>"""


def shot(page, name):
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0, f"{name} scrolls sideways by {wide}"
    if os.environ.get("SHOTS"):
        Path(os.environ["SHOTS"]).mkdir(exist_ok=True)
        page.screenshot(path=Path(os.environ["SHOTS"]) / f"inbox-{name}.png")


def answered(account, user, text, *, minutes_ago, **states):
    """An answer of ours in the first conversation, with what became of it."""
    raw = letter(
        text,
        sender=f"{user} <{account.address}>",
        subject="Oak boards for the showroom",
        head="References: <q1@n.example>\r\nIn-Reply-To: <q1@n.example>\r\n",
        kind="text/plain; charset=utf-8",
    )
    sent = receive(
        account, raw, minutes_ago=minutes_ago, direction="out", purpose="single", user=user, is_read=True
    )
    Message.objects.filter(id=sent.id).update(to_address="James Whitlock <james@northgate.example>")
    Delivery.objects.create(
        workspace=account.workspace,
        message=sent,
        address="james@northgate.example",
        canonical="james@northgate.example",
        queued_at=timezone.now(),
        state="accepted",
        state_at=timezone.now(),
        **states,
    )
    return sent


@pytest.fixture
def talk(cast):
    """The conversation of the picture, and a few others around it."""
    User.objects.filter(id=cast.alice.user.id).update(name="Hannah Reed")
    User.objects.filter(id=cast.bob.user.id).update(name="Tom Okafor")
    hannah, tom = User.objects.get(id=cast.alice.user.id), User.objects.get(id=cast.bob.user.id)
    sales = make_account(
        cast.alice, port=9, visibility="workspace", everyone=["use", "view"], is_mailbox=True
    )
    make_account(cast.alice, port=9, name="Invoices", address="invoices@alderpike.example", is_mailbox=True)
    for name, subject, text, minutes in (
        ("Claire Dubois", "Opening hours", "Perfect, see you on the 28th then. Claire", 7000),
        (
            "Lars Holm",
            "Samples",
            "Two samples of the smoked oak would be great, thank you for the quick answer",
            1700,
        ),
        (
            "Elena Petrova",
            "Invoice 20417, VAT number",
            "Our VAT number has changed, please send the invoice",
            31,
        ),
    ):
        address = name.split()[0].lower()
        receive(
            sales,
            letter(f"{text}\r\n", sender=f"{name} <{address}@x.example>", subject=subject),
            minutes_ago=minutes,
            is_read=name != "Elena Petrova",
        )
    receive(
        sales,
        letter(
            NEWSLETTER,
            sender="Timber News <news@t.example>",
            subject="Autumn timber",
            kind="text/html; charset=utf-8",
        ),
        minutes_ago=50,
    )
    one = "Oak boards for the showroom"
    ids = "References: <q1@n.example>\r\nIn-Reply-To: <q1@n.example>\r\n"
    first = receive(
        sales,
        letter("Do you have oak boards, 40 mm?\r\n", subject=one, head="Message-ID: <q1@n.example>\r\n"),
        minutes_ago=4000,
        is_read=True,
    )
    for number in range(3):
        receive(
            sales,
            letter(f"One more thing, {number}\r\n", subject=one, head=ids),
            minutes_ago=3000,
            is_read=True,
        )
    answered(
        sales,
        hannah,
        "Dear James, quote 2291 is attached: twelve boards, oak, 40 mm, delivered to Leeds. It is good until the end of"
        " the month.\r\n",
        minutes_ago=1100,
        arrival="delivered",
        arrival_at=timezone.now() - timedelta(minutes=1100),
        reading="displayed",
        reading_at=timezone.now() - timedelta(minutes=1080),
    )
    head = (
        "Return-Path: <james@northgate.example>\r\nAuthentication-Results: mx.alderpike.example; dkim=pass"
        f" header.d=northgate.example\r\nDisposition-Notification-To: james@northgate.example\r\n{ids}"
    )
    receive(
        sales,
        letter(
            "Hello Hannah, the price is fine. Could you hold twelve of the 40 mm boards until Friday? I will send"
            " the order as soon as my customer has signed.\r\n\r\nJames\r\n\r\n"
            "On Mon, 16 Nov 2026, Hannah Reed wrote:\r\n> Dear James\r\n",
            subject=one,
            head=head,
        ),
        minutes_ago=2,
    )
    found = first.conversation
    note = Note.objects.create(
        conversation=found,
        user=tom,
        text="We have 14 of them in Norwich. I can put twelve aside until Monday.",
    )
    Note.objects.filter(id=note.id).update(created_at=timezone.now() - timedelta(minutes=80))
    conversation_assign(viewer=cast.alice, conversation_id=found.id, user_id=hannah.id)
    record = Record.objects.create(workspace=sales.workspace, kind="document", name="Quote 2291")
    kind = MessageType.objects.create(workspace=sales.workspace, created_by=hannah, name="Orders")
    Conversation.objects.filter(id=found.id).update(record=record, type=kind)
    presence_touch(viewer=cast.bob, conversation_id=found.id)
    return Conversation.objects.get(id=found.id)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_the_inbox_and_a_conversation_are_read_in_every_light(browse, cast, talk, look):
    page = browse(cast.alice.user, phone=look == "phone", dark=look == "dark")
    page.set_default_timeout(PATIENCE)
    page.goto("/messages/")
    page.get_by_text("Elena Petrova").wait_for()
    assert page.locator(".pr-thread").is_visible() == (look != "phone")
    assert poor_contrast(page) == []
    shot(page, f"{look}-list")
    page.locator(".pr-conv", has_text="Oak boards").click()
    page.wait_for_url(f"**/messages/c/{talk.id}/**")
    page.locator("#pr-dock").get_by_role("button", name="Answer", exact=True).wait_for()
    assert page.locator(".pr-box-list").is_visible() == (look != "phone")
    for words in (
        "Sender proven",
        "Asks for a read receipt:",
        "stays in the house",
        "Delivered",
        "earlier message",
    ):
        page.locator("#pr-flow").get_by_text(words).first.wait_for()
    presence_touch(viewer=cast.bob, conversation_id=talk.id)
    page.wait_for_timeout(500)
    assert poor_contrast(page) == []
    shot(page, f"{look}-conversation")
    page.locator("#pr-dock").get_by_role("button", name="Answer", exact=True).click()
    page.locator("#pr-dock [data-compose]").wait_for()
    page.wait_for_timeout(1500)
    shot(page, f"{look}-answer")
    page.goto("/messages/?q=timber")
    page.locator(".pr-conv", has_text="Autumn timber").click()
    page.frame_locator(".pr-mailframe").get_by_text("Suwałki").wait_for()
    page.wait_for_timeout(300)
    shot(page, f"{look}-newsletter")


def test_the_inbox_is_worked_by_keys(browse, cast, talk):
    page = browse(cast.alice.user)
    page.set_default_timeout(PATIENCE)
    page.goto("/messages/")
    page.keyboard.press("/")
    page.keyboard.type("boards")
    page.keyboard.press("Enter")
    page.wait_for_url("**?q=boards")
    page.locator("main").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/messages/c/{talk.id}/?q=boards")
    page.locator(".pr-fold").click()
    page.get_by_text("One more thing, 0", exact=True).wait_for()
    page.get_by_text("Quoted text").first.click()
    page.locator(".pr-quoted").get_by_text("Hannah Reed wrote:").first.wait_for()
    with page.expect_response("**/here/"):
        page.wait_for_timeout(100)
    page.keyboard.press("r")
    page.locator("#pr-dock [data-compose]").wait_for()
    page.goto(f"/messages/c/{talk.id}/")
    page.locator("main").focus()
    page.keyboard.press("e")
    page.get_by_text("Done.").wait_for()
    talk.refresh_from_db()
    assert talk.state == "done"
    page.keyboard.press("z")
    page.wait_for_url(f"**/messages/c/{talk.id}/**")
    talk.refresh_from_db()
    assert talk.state == "open"


def test_on_a_phone_who_begins_to_answer_sees_what_is_answered(browse, cast, talk):
    page = browse(cast.alice.user, phone=True)
    page.set_default_timeout(PATIENCE)
    page.goto(f"/messages/c/{talk.id}/")
    page.locator("#pr-dock").get_by_role("button", name="Answer", exact=True).click()
    page.locator("#pr-dock [data-compose][data-ready=rich]").wait_for()
    page.wait_for_timeout(300)
    mail = page.locator("#pr-flow > .pr-msg").last.bounding_box()
    foot = page.locator(".pr-threadfoot").bounding_box()
    assert 0 < mail["y"] + mail["height"] <= foot["y"] + 1 or 0 <= mail["y"] < foot["y"]
