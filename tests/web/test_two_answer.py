"""Two people at one shared mailbox, each in a browser: both see who answers, and every answer goes out once."""

import pytest

from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.testing.cast import make_account
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.web.letters import letter, receive

pytestmark = pytest.mark.django_db(transaction=True)

#: Everything here waits for other processes on a machine that may be busy.
PATIENCE = 60_000
ASKED = "Could you hold twelve of the 40 mm boards?"


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


def test_two_browsers_answer_one_mailbox(browse, cast, child_env, tmp_path, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    env = {**child_env, "POSTROOM_POLL_SECONDS": "0.2"}
    with counting() as (desk, port), running("delivery", env=env, log=tmp_path / "delivery"):
        sales = make_account(
            cast.alice, port=port, visibility="workspace", everyone=["use", "view"], is_mailbox=True
        )
        asked = receive(sales, letter(f"{ASKED}\r\n", head="Message-ID: <q1@n.example>\r\n"))
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
        bob.get_by_text("Alice is reading too").wait_for(timeout=PATIENCE)
        alice.get_by_text("Bob is reading too").wait_for(timeout=PATIENCE)

        # both begin an answer, and each knows of the other
        hers = begin(alice, "Gladly, says Alice.")
        bob.locator("#pr-present").get_by_text("Alice is answering").wait_for(timeout=PATIENCE)
        his = begin(bob, "Gladly, says Bob.")
        alice.locator("#pr-present").get_by_text("Bob is answering").wait_for(timeout=PATIENCE)

        # she is told that he writes too, and sends all the same, pressing twice
        hers.locator(".pr-split [data-send]").first.click()
        assert "Bob is writing" in asked_whether(alice)
        assert not desk.copies
        alice.locator("#ask-anyway").get_by_role("button", name="Send anyway").dblclick()
        until(lambda: desk.copies["james@northgate.example"], wait_s=60)

        # he is held until he knows of hers
        his.locator(".pr-split [data-send]").first.click()
        assert "Alice answered meanwhile" in asked_whether(bob)
        assert desk.copies["james@northgate.example"] == 1
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
        until(lambda: desk.copies["james@northgate.example"] == 2, wait_s=60)
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
        until(lambda: not Delivery.objects.exclude(state="accepted").exists(), wait_s=60)
    talk = Conversation.objects.get()
    assert talk.messages.filter(direction="out").count() == 2
    assert Delivery.objects.count() == desk.copies["james@northgate.example"] == 2
    assert talk.messages.filter(direction="in").count() == 1
