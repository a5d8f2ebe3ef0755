"""Suppressed addresses and exclusion sets in a real browser, wide, on a phone and in the dark."""

import os
from pathlib import Path

import pytest

from postroom.actions.exclusion import exclusion_make
from postroom.actions.suppression import suppression_add, suppression_enter
from postroom.models.suppression import Suppression
from postroom.models.workspace import Workspace
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shot():
    """shot(page, name): keeps a picture in the folder that SHOTS names."""
    folder = os.environ.get("SHOTS", "")

    def take(page, name):
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take


@pytest.fixture
def office(cast):
    """Entries of every kind, sets of every kind, and a draft."""
    firm = cast.alice.workspace.id
    for entry, why in (
        ("@competitor.example", "Competitor"),
        ("jobs@", "No job adverts"),
        ("@*.school.example", ""),
    ):
        suppression_enter(viewer=cast.bob, entry=entry, why=why)
    for value, source in (("gone@brighthomes.example", "bounce"), ("left@dom-i-dvor.example", "unsubscribe")):
        suppression_add(workspace_id=firm, entry_form="address", value=value, source=source, why="")
    for entry in ("aunt@family.example", "@mylandlord.example"):
        suppression_enter(viewer=cast.alice, entry=entry, why="I know them", personal=True)
    people = make_list(cast.alice, [f"person{n}@{'partner' if n % 4 else 'fair'}.example" for n in range(40)])
    cast.campaign = make_campaign(cast.alice, make_account(cast.alice, port=25), people)
    exclusion_make(
        viewer=cast.alice, name="Trade fair 2026", text="# met there\nfair.example\nx@y.example\nodd line"
    )
    cast.web_set = exclusion_make(
        viewer=cast.bob, name="Partners", source="url", place="https://intranet.firm.example/partners.txt"
    )
    return cast


@pytest.mark.parametrize("look", ["wide", "phone", "dark"])
def test_suppressed_and_exclusions_by_clicking(browse, office, shot, look):
    page = browse(office.alice.user, phone=look == "phone", dark=look == "dark")

    def seen(name):
        shot(page, f"{name}-{look}")
        assert poor_contrast(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name

    page.goto("/contacts/suppressed/")
    seen("suppressed")
    page.get_by_role("link", name="Only mine").click()
    page.get_by_text("aunt@family.example").wait_for()
    seen("suppressed-mine")
    page.get_by_label("Choose mylandlord.example").check()
    page.get_by_role("button", name="Make them shared…").click()
    page.get_by_role("heading", name="Make entries shared").wait_for()
    seen("suppressed-promote")
    page.get_by_role("button", name="Share 1 entry").click()
    page.get_by_text("1 entry holds for everybody now.").wait_for()
    assert Suppression.objects.get(value="mylandlord.example").owner is None
    page.locator(".pr-acts").get_by_role("button", name="More").click()
    page.get_by_role("button", name="Shared or own lists…").click()
    page.get_by_text("Own lists are hidden").wait_for()
    seen("suppressed-policy")
    page.get_by_label("Own lists are hidden").check()
    page.get_by_role("button", name="Save").click()
    page.get_by_text("No entry is lost").wait_for()
    assert Workspace.objects.get(id=office.alice.workspace.id).suppression_policy == "shared"

    page.goto("/contacts/exclusions/")
    seen("exclusions")
    page.goto("/contacts/exclusions/new/")
    seen("exclusion-new")
    page.goto("/contacts/exclusions/")
    page.get_by_role("link", name="Trade fair 2026").click()
    page.get_by_text("odd line").wait_for()
    seen("exclusion")
    page.goto(f"/campaigns/{office.campaign.id}/")
    page.get_by_text("No exclusion set applied.").wait_for()
    seen("campaign-none")
    page.get_by_role("link", name="Apply exclusion…").click()
    page.get_by_label("Trade fair 2026").check()
    page.get_by_role("button", name="Look whom they mean").click()
    page.get_by_role("heading", name="10 people would be left out").wait_for()
    seen("exclusion-look")
    page.get_by_role("button", name="Leave 10 people out").click()
    page.get_by_text("10 people are left out.").wait_for()
    page.get_by_text("“Trade fair 2026”").wait_for()
    assert page.get_by_text("30 people.").count() == 1
    seen("campaign-applied")
    page.get_by_role("button", name="Take the last step back").click()
    page.get_by_text("No exclusion set applied.").wait_for()
    page.goto(f"/contacts/exclusions/campaign/{office.campaign.id}/?set={office.web_set.id}")
    page.get_by_text("Reading").first.wait_for()
    seen("exclusion-reading")
