"""Deciding by mouse who may see and use a thing."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from postroom.actions.message_type import type_add
from postroom.actions.template import TemplateValues, template_add, template_edit
from postroom.models.profile import Profile, Share
from postroom.testing.cast import make_cast, make_list
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cast(transactional_db):
    return make_cast()


@pytest.fixture
def shot():
    """shot(page, name): a picture in the folder that SHOTS names; and the page holds to WCAG and its width."""

    def look(page, name):
        assert poor_contrast(page) == [], name
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide}"
        if os.environ.get("SHOTS"):
            Path(os.environ["SHOTS"]).mkdir(exist_ok=True)
            page.screenshot(path=Path(os.environ["SHOTS"]) / f"{name}.png", full_page=True)

    return look


def test_a_list_is_shared_by_clicking(browse, cast, shot):
    base = make_list(cast.alice, ["ann@firm.example"])
    office = Profile.objects.get(workspace=cast.alice.workspace)
    page = browse(cast.alice.user)
    page.goto("/contacts/lists/")
    shot(page, "lists")
    page.get_by_role("link", name="Everybody").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Who may see and use it")).to_be_visible()
    expect(dialog.get_by_text("Everybody in the firm")).to_be_visible()
    dialog.get_by_text("Chosen ones").click()
    expect(dialog.get_by_text("Everybody in the firm")).to_be_hidden()
    dialog.get_by_role("group", name="Office").get_by_label("Send to it").check()
    dialog.get_by_label("One more person").select_option(label="Bob")
    dialog.get_by_role("button", name="Add").click()
    row = dialog.get_by_role("group", name="Bob")
    row.get_by_label("Take it out as a file").check()
    shot(page, "sharing")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Shared with 1 profile, 1 person")).to_be_visible()
    given = {(one.profile_id, one.user_id): one.may for one in Share.objects.filter(noun_id=base.id)}
    assert given == {
        (office.id, None): ["use"],
        (None, cast.bob.user.id): ["export", "use", "view"],
    }
    phone = browse(cast.alice.user, phone=True, dark=True)
    phone.goto("/contacts/lists/")
    shot(phone, "lists-phone")
    phone.get_by_role("link", name="Shared with").click()
    expect(phone.get_by_role("group", name="Office")).to_be_visible()
    shot(phone, "sharing-phone")


def test_the_pages_of_types_templates_and_settings_hold_to_their_shape(browse, cast, shot):
    for name in ("Offer", "Invoice", "Reminder of payment"):
        kind = type_add(viewer=cast.alice, name=name)
    letter = template_add(
        viewer=cast.alice,
        values=TemplateValues(
            "Offer", "An offer for {{ name }}", "<p>Dear {{ name }},</p>\n<p>the first</p>"
        ),
    )
    template_edit(
        viewer=cast.alice,
        template_id=letter.id,
        version=1,
        values=TemplateValues("Offer", "Our offer", "<p>Dear {{ name }},</p>\n<p>the second</p>"),
    )
    for label, options in {"": {}, "-phone": {"phone": True}, "-dark": {"dark": True}}.items():
        page = browse(cast.alice.user, **options)
        for name, path in (
            ("types", "/settings/types/"),
            ("type", f"/settings/types/{kind.id}/"),
            ("templates", "/templates/"),
            ("template", f"/templates/{letter.id}/"),
            ("history", f"/templates/{letter.id}/history/"),
            ("settings", "/settings/"),
            ("status", "/settings/status/"),
        ):
            page.goto(path)
            shot(page, f"{name}{label}")
    page = browse(cast.bob.user)
    page.goto(f"/templates/{letter.id}/")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()
    shot(page, "template-read")
