"""The list and the form of accounts by mouse, wide and on a phone."""

import pytest

from postroom.models.account import Account
from postroom.models.contact import AttributeKey
from postroom.testing.cast import make_account
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.req("CM-32", "CM-35", "SA-32")
def test_filters_are_set_in_a_dialog_stand_in_the_address_and_are_taken_away_by_their_chip(
    browse, cast, alice
):
    make_account(cast.alice, port=587, name="Sales")
    make_account(cast.alice, port=465, name="News", address="news@alder.example")
    page = browse(alice)
    page.goto("/settings/accounts/?q=e")
    page.get_by_role("button", name="Owner, server, login, port").click()
    page.fill("#f-port", "smtp:465")
    page.get_by_role("button", name="Filter", exact=True).click()
    page.wait_for_url("**port=smtp%3A465**")
    assert "q=e" in page.url
    assert page.locator("tbody tr").count() == 1
    page.get_by_role("link", name="Take the filter Port away").click()
    page.locator("tbody tr").nth(1).wait_for()
    page.get_by_role("columnheader", name="Account").get_by_role("link").click()
    page.wait_for_url("**sort=-name**")
    assert page.locator("tbody th a").first.inner_text().startswith("Sales")


@pytest.mark.req("SA-07", "SA-11", "SA-12", "SA-25")
def test_what_a_switch_reveals_keeps_what_was_chosen(browse, cast, alice):
    AttributeKey.objects.create(workspace=cast.alice.workspace, key="agent_mail")
    page = browse(alice)
    page.goto("/settings/accounts/new/marketing/")
    page.fill("#id_name", "News")
    page.fill("#id_address", "news@alder.example")
    assert not page.locator("#id_override_from_address").is_visible()
    page.locator("#id_override_from").check()
    page.select_option("#id_override_from_address", "agent_mail")
    page.locator("#id_override_from").uncheck()
    assert not page.locator("#id_override_from_address").is_visible()
    page.click("#save-top")
    page.get_by_text("Hand in for approval").wait_for()
    account = Account.objects.get()
    assert (account.override_from, account.override_from_address) == (False, "agent_mail")
    page.locator("#id_override_from").check()
    assert page.input_value("#id_override_from_address") == "agent_mail"
    page.goto("/settings/accounts/new/")
    assert not page.locator("#id_proxy_host").is_visible()
    page.locator("[name=proxy_kind][value=http] + span").click()
    assert page.locator("#id_proxy_host").is_visible()


@pytest.mark.parametrize("look", [{"phone": True}, {"dark": True}, {"phone": True, "dark": True}])
def test_the_list_and_the_form_can_be_read(browse, cast, alice, look):
    account = make_account(cast.alice, port=587, integration=True, visibility="workspace")
    make_account(cast.alice, port=587, name="News", kind="platform", approval="pending")
    page = browse(alice, **look)
    for address in ("/settings/accounts/?port=587", f"/settings/accounts/{account.id}/"):
        page.goto(address)
        assert poor_contrast(page) == [], address
        wide = "document.documentElement.scrollWidth > innerWidth"
        assert not page.evaluate(wide), f"{address} is wider than the screen"
