"""A group from its name to its end, as a person sees it happen in the browser; in English and in Bulgarian."""

import os
import re

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from playwright.sync_api import expect

from postroom.models.domain import Domain
from postroom.models.group import Group
from postroom.testing.cast import make_account
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)
#: A folder for pictures to look at.
SHOTS = os.environ.get("SHOTS", "")


def shot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.fixture
def domain(cast):
    make_account(cast.alice, port=1, kind="platform", approval="approved")
    return Domain.objects.create(
        workspace=cast.alice.workspace,
        name="alderpike.example",
        token="t",
        proved_at=timezone.now(),
        proved_by="word",
    )


@pytest.mark.req("EG-05", "EG-06", "EG-15", "EG-17", "EG-18", "EG-19", "EG-20", "EG-21", "EG-22")
@pytest.mark.parametrize("language", ["en", "bg"])
def test_a_group_is_added_filled_changed_put_right_and_deleted(browse, alice, domain, language):
    alice.language = language
    alice.save()
    page, other = browse(alice), browse(alice)
    with translation.override(language):
        other.goto("/groups/")
        page.goto("/groups/")
        page.get_by_role("link", name=_("Add group")).first.click()
        page.get_by_label(_("Name"), exact=True).fill("office")
        expect(page.get_by_text("office@alderpike.example")).to_be_visible()
        shot(page, f"group-new-{language}")
        page.get_by_label(_("What people see"), exact=True).fill("Sales team")
        page.get_by_role("button", name=_("Add"), exact=True).click()
        expect(page.get_by_role("heading", name="Sales team")).to_be_visible()
        # the list that is open elsewhere shows it by itself
        expect(other.get_by_role("link", name=re.compile("office@alderpike.example")).first).to_be_visible(
            timeout=20_000
        )
        page.get_by_role("button", name=_("Add members")).first.click()
        page.get_by_label(_("Addresses of any provider")).fill(
            "anna\nJan Kowalski <jan@gmail.example>\njan@gmail.example\n"
        )
        page.get_by_role("button", name=_("Add"), exact=True).click()
        expect(page.get_by_text("jan@gmail.example").first).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(3)
        shot(page, f"group-members-{language}")
        page.get_by_label(_("Remove %(address)s") % {"address": "anna@alderpike.example"}).click()
        expect(page.get_by_role("row")).to_have_count(2)
        page.keyboard.press("z")
        expect(page.get_by_role("row")).to_have_count(3)
        page.get_by_role("link", name=re.compile(_("Settings"))).last.click()
        happens = page.locator("#group-happens")
        expect(happens).to_contain_text(_("It is refused."))
        assert page.get_by_role("switch").count() == 11
        recommended = page.get_by_text(_("recommended: off"))
        expect(recommended.nth(1)).to_be_hidden()
        page.get_by_label(_("One delivery report for the group")).check()
        expect(recommended.nth(1)).to_be_visible()
        expect(happens).to_contain_text(_("One comes from the group."))
        page.get_by_label(_("Members only")).check()
        expect(happens).to_contain_text(_("The mail is refused: they may not write to it."))
        shot(page, f"group-settings-{language}")
        page.get_by_role("button", name=_("Save"), exact=True).click()
        expect(page.get_by_label(_("One delivery report for the group"))).to_be_checked()
        page.get_by_role("button", name=_("Restore recommended")).click()
        expect(page.get_by_label(_("One delivery report for the group"))).not_to_be_checked()
        expect(page.get_by_label(_("Members only"))).to_be_checked()
        page.get_by_role("button", name=_("Delete group…")).click()
        dialog = page.locator("#group-delete")
        expect(dialog).to_contain_text("office@alderpike.example")
        expect(dialog.get_by_role("heading")).to_contain_text("2")
        shot(page, f"group-delete-{language}")
        dialog.get_by_role("textbox").fill("office@alderpike.example")
        dialog.get_by_role("button", name=_("Delete group"), exact=True).click()
        expect(page.get_by_role("heading", name=_("One address for many people"))).to_be_visible()
    assert Group.objects.get().deleted_at is not None


@pytest.mark.req("EG-14")
def test_a_signal_pops_up_on_a_colleagues_open_page(browse, cast, alice, bob, domain):
    from postroom.actions.group import group_make
    from postroom.actions.group_member import member_add

    group = group_make(viewer=cast.alice, domain_id=domain.id, name="office")
    member_add(viewer=cast.alice, group_id=group.id, address=bob.email)
    theirs = browse(bob)
    theirs.goto("/contacts/")
    page = browse(alice)
    page.goto(f"/groups/{group.id}/")
    page.get_by_role("button", name="Send a signal…").click()
    page.get_by_role("textbox", name="Message").fill("Lunch is here")
    page.get_by_role("button", name="Send signal").click()
    expect(page.get_by_text("The signal goes to 1 person.")).to_be_visible()
    expect(theirs.get_by_text("Lunch is here")).to_be_visible(timeout=20_000)
    shot(theirs, "group-signal")
    theirs.get_by_label("Put away").click()
    expect(theirs.get_by_text("Lunch is here")).to_have_count(0)


@pytest.mark.parametrize(("name", "how"), [("dark", {"dark": True}), ("phone", {"phone": True})])
def test_the_pages_fit_a_phone_and_the_dark(browse, cast, alice, domain, name, how):
    from postroom.actions.group import group_make
    from postroom.actions.group_member import members_add

    group = group_make(
        viewer=cast.alice, domain_id=domain.id, name="sales-team", real_name="Sales team", final_delivery=True
    )
    group_make(viewer=cast.alice, domain_id=domain.id, name="support", email_disabled=True)
    members_add(viewer=cast.alice, group_id=group.id, text="anna\nsupport\nJan <jan@gmail.example>")
    page = browse(alice, **how)
    for path, title in (
        ("", "list"),
        ("new/", "new"),
        (f"{group.id}/", "members"),
        (f"{group.id}/settings/", "settings"),
        (f"{group.id}/postings/", "postings"),
        ("signals/places/", "places"),
    ):
        assert page.goto(f"/groups/{path}").ok
        shot(page, f"group-{title}-{name}")
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{path} scrolls sideways"
        assert poor_contrast(page) == []
