"""Writing a message in a browser: over any page, docked, on a phone; nothing typed is lost."""

import os
import re
from pathlib import Path

import pytest

from postroom.actions.blob import blob_put
from postroom.models.contact import Contact
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft, Signature
from postroom.models.message import Message
from postroom.models.profile import Profile, ProfileMember
from postroom.models.template import Template, TemplateDefault
from postroom.testing.cast import make_account
from tests.web.browser import _session, poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)

#: Where pictures of the pages go, to be looked at; nowhere unless asked for.
SHOTS = os.environ.get("SHOTS", "")


def shot(page, name):
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"composer-{name}.png")


def ready(page):
    """The rich editor is there; its text field."""
    page.locator("[data-compose][data-ready=rich]").wait_for()
    return page.locator(".pr-rich")


def paste(page, text):
    page.evaluate(
        """(text) => {
          const data = new DataTransfer(); data.setData('text/plain', text);
          const event = new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true});
          document.activeElement.dispatchEvent(event);
        }""",
        text,
    )


def saved(page):
    page.locator("[data-saved]", has_text="Saved at").wait_for()


@pytest.mark.req("CM-37/38")
def test_written_over_any_page_five_pasted_one_mended_a_file_sent_and_taken_back(browse, cast, tmp_path):
    make_account(cast.alice, port=9)
    page = browse(cast.alice.user)
    page.goto("/settings/")
    page.keyboard.press("c")
    text = ready(page)
    page.get_by_role("button", name="Bcc").click()
    page.keyboard.type("boss@x.example ,")
    page.locator("#id_to_new").focus()
    paste(page, "Ann <ann@x.example>, ben@x.example; carl@x.example\ndora@x.example, evil@@x.example")
    assert page.locator("#row-to .pr-chipone").count() == 5
    assert page.locator("#row-to .pr-chipone.is-bad").count() == 1
    page.fill("#id_subject", "Prices")
    text.click()
    page.keyboard.type("Good day, here they ")
    page.keyboard.press("Control+b")
    page.keyboard.type("are")
    saved(page)
    shot(page, "over")
    page.keyboard.press("Control+Enter")
    page.get_by_text("No. 5, “evil@@x.example”").wait_for()
    page.locator("#row-to .pr-chipone.is-bad .pr-chipname").click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("evil@x.example")
    page.keyboard.press("Enter")
    prices = tmp_path / "zażółć.txt"
    prices.write_text("1")
    page.set_input_files("#attach-files", prices)
    page.locator(".pr-filelist", has_text="zażółć.txt").wait_for()
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_text("It leaves in a moment.").wait_for()
    assert page.url.endswith("/settings/"), "one stays where one was"
    assert Message.objects.get(direction="out").bcc_address == "boss@x.example"
    page.get_by_role("button", name=re.compile("Undo")).first.click()
    page.wait_for_url("**/drafts/*/")
    assert "<strong>are</strong>" in page.locator("#id_html").input_value()
    assert set(Delivery.objects.values_list("state", flat=True)) == {"skipped"}
    draft = Draft.objects.get()
    assert (draft.message, draft.files.get().name) == (None, "zażółć.txt")
    ready(page)
    shot(page, "page")


@pytest.mark.parametrize("look", [{"phone": True}, {"dark": True}], ids=["phone", "dark"])
def test_a_message_is_answered_and_enter_in_the_subject_sends_nothing(browse, cast, look):
    account = make_account(cast.alice, port=9)
    Signature.objects.create(workspace=cast.alice.workspace, user=cast.alice.user, html="Alice Adler\nSales")
    raw = (
        b"From: ann@x.example\r\nSubject: Prices?\r\nMessage-ID: <1@x>\r\nContent-Type: text/html\r\n\r\n"
        b"<table style='position:fixed'><tr><td>How <b>much</b>?</td></tr></table>\r\n"
    )
    came = Message.objects.create(
        workspace=cast.alice.workspace,
        account=account,
        direction="in",
        raw=blob_put(raw),
        subject="Prices?",
        from_address="ann@x.example",
    )
    page = browse(cast.alice.user, **look)
    page.goto(f"/messages/write/?message={came.id}")
    ready(page)
    page.focus("#id_subject")
    page.keyboard.press("End")
    page.keyboard.type(" ours")
    page.keyboard.press("Enter")
    saved(page)
    assert not Message.objects.filter(direction="out").exists()
    for name in ("Sender", "Template", "Type"):
        page.locator(f"button[title={name}]").click()
    assert poor_contrast(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shot(page, "phone" if "phone" in look else "dark")
    page.locator(".pr-rich > p").first.click()
    page.keyboard.type("Ten.")
    page.keyboard.press("Control+Enter")
    page.wait_for_url("**/sent/*/")
    sent = Message.objects.get(direction="out")
    assert sent.subject == "Re: Prices? ours"
    from postroom.queries.blob import blob_read

    body = blob_read(sent.raw_id).decode()
    html = body[body.index("text/html") :]
    assert html.index("Ten.") < html.index("Alice Adler") < html.index("<td>How <b>much</b>?</td>")


@pytest.mark.req("CM-45")
def test_a_template_takes_the_place_of_the_default_one_and_undo_brings_it_back(browse, cast):
    make_account(cast.alice, port=9)
    space = cast.alice.workspace
    Signature.objects.create(workspace=space, user=cast.alice.user, html="Alice Adler")
    profile = Profile.objects.create(workspace=space, name="Sales")
    ProfileMember.objects.create(profile=profile, user=cast.alice.user)
    usual = Template.objects.create(workspace=space, name="Usual", html="<p>Good day</p>")
    Template.objects.create(
        workspace=space, name="Offer", subject="Our offer", html="<p>Here is our offer.</p>"
    )
    TemplateDefault.objects.create(profile=profile, template=usual)
    page = browse(cast.alice.user)
    page.goto("/messages/write/")
    text = ready(page)
    assert text.inner_text().split() == ["Good", "day", "Alice", "Adler"]
    page.locator(".pr-rich > p").first.click()
    page.keyboard.type("Typed below.")
    page.locator("button[title=Template]").click()
    page.select_option("#id_template", label="Offer")
    assert "Here is our offer." not in text.inner_text(), "choosing alone changes nothing"
    page.get_by_role("button", name="Insert", exact=True).click()
    page.locator(".pr-rich", has_text="Here is our offer.").wait_for()
    words = " ".join(text.inner_text().split())
    assert words == "Here is our offer. Typed below. Alice Adler"
    assert page.input_value("#id_subject") == "Our offer"
    text.focus()
    page.keyboard.press("Control+z")
    page.locator(".pr-rich", has_text="Good day").wait_for()
    assert " ".join(text.inner_text().split()) == "Good day Typed below. Alice Adler"
    saved(page)
    with page.expect_response("**/save/"):
        page.locator(".pr-marked[data-kind=default] p").click()
        page.keyboard.type("Very ")
    page.get_by_role("button", name="Insert", exact=True).click()
    page.get_by_text("You changed the template that is in the message").wait_for()
    shot(page, "template")
    page.get_by_role("button", name="Keep both").click()
    page.locator(".pr-rich", has_text="Here is our offer.").wait_for()
    assert "Very" in text.inner_text()


def test_a_session_that_ends_while_typing_takes_nothing(browse, cast, live_server):
    make_account(cast.alice, port=9)
    page = browse(cast.alice.user)
    page.goto("/messages/write/")
    ready(page)
    draft = page.url
    page.fill("#id_subject", "Half")
    saved(page)
    page.context.clear_cookies()
    page.locator(".pr-rich").click()
    page.keyboard.type("written when nobody was signed in")
    page.locator("[data-saved]", has_text="You are signed out").wait_for()
    assert "written when" not in Draft.objects.get().html
    page.context.add_cookies([_session(cast.alice.user, live_server.url)])
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/settings/")
    page.evaluate(
        "Object.keys(localStorage).forEach((key) => { const kept = JSON.parse(localStorage[key]);"
        " kept.at -= 60000; localStorage[key] = JSON.stringify(kept); })"
    )
    page.reload()
    page.locator("main a", has_text="Half").click()
    with page.expect_response("**/save/"):
        page.wait_for_url(draft)
        page.get_by_text("What you typed here and was not saved is back.").wait_for()
    assert "written when nobody was signed in" in Draft.objects.get().html


@pytest.mark.req("CM-47")
def test_a_large_file_goes_on_where_it_stopped_also_after_a_reload(browse, cast, tmp_path):
    make_account(cast.alice, port=9)
    page = browse(cast.alice.user)
    page.goto("/messages/write/")
    ready(page)
    big = tmp_path / "big.bin"
    big.write_bytes(os.urandom(3_300_000))
    offsets, again = [], []

    def piece(route):
        offsets.append(int(route.request.url.partition("offset=")[2]))
        if not again and len(offsets) >= 3:
            return route.abort()
        return route.continue_()

    page.route("**/uploads/*/?offset=*", piece)
    page.set_input_files("#attach-files", big)
    page.get_by_text("big.bin stopped at 60 of 100").wait_for()
    page.reload()
    page.get_by_text("choose the file again to go on").wait_for()
    ready(page)
    tried = len(offsets)
    again.append(True)
    page.set_input_files("#attach-files", big)
    page.locator(".pr-filelist .pr-tag:not(.is-half)", has_text="big.bin").wait_for()
    assert offsets[tried:]
    assert 0 not in offsets[tried:], "what had come was not sent again"
    draft = Draft.objects.get()
    assert draft.files.get().blob.size_bytes == 3_300_000
    from postroom.queries.blob import blob_read

    assert blob_read(draft.files.get().blob_id) == big.read_bytes()
    with page.expect_response("**/uploads/") as told:
        huge = tmp_path / "huge.bin"
        huge.write_bytes(bytes(20_000_000))
        page.set_input_files("#attach-files", huge)
    assert told.value.status == 422
    page.get_by_text("huge.bin was not added").wait_for()


@pytest.mark.req("CM-44")
@pytest.mark.req("CM-48")
def test_files_dropped_on_a_template_and_the_preview_as_another_person(browse, cast, tmp_path):
    make_account(cast.alice, port=9)
    for name, company in (("Ann", "Oak & Co"), ("Ben", "")):
        address = f"{name.lower()}@x.example"
        Contact.objects.create(
            workspace=cast.alice.workspace, email=address, canonical=address, name=name, company=company
        )
    offer = Template.objects.create(
        workspace=cast.alice.workspace,
        name="Offer",
        html="<p>Dear {{ name }} of {{ company }}</p>",
        created_by=cast.alice.user,
    )
    page = browse(cast.alice.user)
    page.goto(f"/templates/{offer.id}/")
    page.get_by_label("Subject").fill("Not saved yet")
    for name in ("terms.txt", "prices.txt"):
        (tmp_path / name).write_text(name)
    page.locator("#template-attach input[type=file]").set_input_files([tmp_path / "terms.txt"])
    page.locator("#template-files").get_by_text("terms.txt").wait_for()
    page.evaluate(
        """() => {
          const data = new DataTransfer(); data.items.add(new File(['x'], 'prices.txt', {type: 'text/plain'}));
          const at = document.querySelector('#template-files h2');
          for (const kind of ['dragover', 'drop'])
            at.dispatchEvent(new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
        }"""
    )
    page.locator("#template-files").get_by_text("prices.txt").wait_for()
    page.get_by_role("button", name="Take terms.txt off").click()
    page.locator("[data-toast]", has_text="terms.txt no longer comes along").wait_for()
    assert page.get_by_label("Subject").input_value() == "Not saved yet", "files lead nowhere else"
    assert [one.name for one in offer.files.all()] == ["prices.txt"]
    # a button works from the moment it is seen: pressed as it comes, it leads nowhere else either
    page.evaluate(
        """() => new MutationObserver((_, watch) => {
          const button = document.querySelector('[aria-label="Take more.txt off"]');
          if (button) { watch.disconnect(); button.click(); }
        }).observe(document.body, {childList: true, subtree: true})"""
    )
    (tmp_path / "more.txt").write_text("more")
    page.locator("#template-attach input[type=file]").set_input_files([tmp_path / "more.txt"])
    page.locator("[data-toast]", has_text="more.txt no longer comes along").wait_for()
    assert page.get_by_label("Subject").input_value() == "Not saved yet"

    # put into a letter before anybody was chosen, its fields stand open
    page.goto("/messages/drafts/")
    page.keyboard.press("c")
    ready(page)
    page.locator("[data-reveal=row-template]").click()
    page.get_by_role("button", name="Insert").click()
    page.locator("#pr-over [data-files]").get_by_text("prices.txt").wait_for()
    page.locator("#id_to_new").fill("ann@x.example, ben@x.example,")
    page.locator("#id_to_new").blur()
    saved(page)
    page.locator("[data-preview]").click()
    aside = page.locator("#preview-now")
    letter = page.frame_locator("#preview-now iframe")
    letter.get_by_text("Dear Ann of Oak & Co").wait_for()
    aside.locator("[data-preview-as]").select_option("ben@x.example")
    letter.get_by_text("Dear Ben of {{ company }}").wait_for()
    aside.get_by_text("For ben@x.example these fields have no value").wait_for()
    aside.locator("[data-preview-as]").select_option("ann@x.example")
    letter.get_by_text("Dear Ann of Oak & Co").wait_for()
    aside.get_by_role("button", name="Write them as for ann@x.example").click()
    page.locator(".pr-rich").get_by_text("Dear Ann of Oak & Co").wait_for()
    assert page.locator("[data-unfilled] .pr-note").count() == 0
    assert "Dear Ann of Oak &amp; Co" in Draft.objects.get().html
