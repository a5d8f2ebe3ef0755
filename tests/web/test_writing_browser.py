"""Writing a message in a browser: typed, pasted, sent, taken back, answered."""

import re

import pytest

from postroom.actions.blob import blob_put
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.testing.cast import make_account
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)


def test_five_pasted_one_mended_a_file_sent_and_taken_back(browse, cast, tmp_path):
    make_account(cast.alice, port=9)
    page = browse(cast.alice.user)
    page.goto("/messages/")
    page.keyboard.press("n")
    page.wait_for_url("**/drafts/*/")
    page.get_by_role("button", name="Bcc").click()
    page.keyboard.type("boss@x.example")
    pasted = "Ann <ann@x.example>, ben@x.example; carl@x.example\ndora@x.example, evil@@x.example"
    with page.expect_response("**/save/"):
        page.fill("#id_to", pasted)
    page.locator("#pr-people-to .is-bad").wait_for()
    assert page.locator("#pr-people-to .pr-tag").count() == 5
    page.fill("#id_subject", "Prices")
    page.focus("#id_html")
    page.keyboard.type("Good day,\n\nhere they are.")
    page.keyboard.press("Control+Enter")
    page.get_by_text("No. 5, “evil@@x.example”").wait_for()
    assert page.locator("#row-bcc").is_visible()
    page.fill("#id_to", pasted.replace("@@", "@"))
    prices = tmp_path / "prices.txt"
    prices.write_text("1")
    page.set_input_files("#attach-files", prices)
    page.locator(".pr-lrow .pr-tag", has_text="prices.txt").wait_for()
    assert page.input_value("#id_to") == pasted.replace("@@", "@"), (
        "what was typed was saved before the file went"
    )
    page.locator(".pr-acts").get_by_role("button", name="Send").click()
    page.wait_for_url("**/sent/*/")
    assert page.locator("#pr-recipients tbody tr").count() == 6
    page.get_by_role("button", name=re.compile("Undo")).click()
    page.wait_for_url("**/drafts/*/")
    assert "here they are." in page.input_value("#id_html")
    assert set(Delivery.objects.values_list("state", flat=True)) == {"skipped"}
    draft = Draft.objects.get()
    assert (draft.message, draft.bcc, draft.files.count()) == (None, "boss@x.example", 1)


@pytest.mark.parametrize("look", [{"phone": True}, {"dark": True}], ids=["phone", "dark"])
def test_a_message_is_answered_by_a_key_and_enter_in_the_subject_sends_nothing(browse, cast, look):
    account = make_account(cast.alice, port=9)
    raw = b"From: ann@x.example\r\nSubject: Prices?\r\nMessage-ID: <1@x>\r\n\r\nHow much?\r\n"
    came = Message.objects.create(
        workspace=cast.alice.workspace,
        account=account,
        direction="in",
        raw=blob_put(raw),
        subject="Prices?",
        from_address="ann@x.example",
    )
    page = browse(cast.alice.user, **look)
    page.goto(f"/messages/{came.id}/")
    page.keyboard.press("r")
    page.wait_for_url("**/drafts/*/")
    assert page.input_value("#id_to") == "ann@x.example"
    page.focus("#id_subject")
    page.keyboard.press("End")
    page.keyboard.type(" ours")
    page.keyboard.press("Enter")
    page.get_by_text("Saved.", exact=True).wait_for()
    assert page.input_value("#id_subject") == "Re: Prices? ours"
    assert not Message.objects.filter(direction="out").exists()
    for name in ("Sender", "Template", "Type"):
        page.get_by_role("button", name=name, exact=True).click()
    assert poor_contrast(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.focus("#id_html")
    page.keyboard.press("Control+Home")
    page.keyboard.type("Ten.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/sent/*/")
    assert Message.objects.get(direction="out").subject == "Re: Prices? ours"
    assert poor_contrast(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
