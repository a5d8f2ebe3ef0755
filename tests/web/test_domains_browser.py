"""A domain from its name to signed mail, as a person sees it happen in the browser."""

import re

import pytest
from playwright.sync_api import expect

from postroom.models.domain import Domain
from postroom.testing.dns import name_server
from tests.daemons.sync import syncing

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_domain_is_added_its_records_copied_and_seen_without_a_reload(browse, cast, alice, settings):
    page = browse(alice)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with name_server() as zone:
        settings.POSTROOM_DNS = [zone.address]
        page.goto("/settings/domains/")
        page.get_by_role("button", name="Add a domain").first.click()
        page.get_by_label("Domain", exact=True).fill("no domain")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_text("This is no domain")).to_be_visible()
        page.get_by_label("Domain", exact=True).fill("firm.example")
        page.get_by_role("button", name="Add", exact=True).click()
        expect(page.get_by_role("heading", name="firm.example")).to_be_visible()
        domain = Domain.objects.get()
        page.get_by_label("Copy the value of _postroom.firm.example").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        assert page.evaluate("navigator.clipboard.readText()") == domain.token
        with syncing():
            page.get_by_role("button", name="Check now").click()
            expect(page.locator("#card-proof")).to_contain_text("There is no such record yet", timeout=15000)
            key = page.get_by_label(re.compile("Copy the value of pr.*_domainkey.firm.example"))
            key.click()
            zone.txt(
                f"{domain.keys.get().selector}._domainkey.firm.example",
                page.evaluate("navigator.clipboard.readText()"),
            )
            zone.txt("_postroom.firm.example", domain.token)
            page.get_by_role("button", name="Check now").click()
            expect(page.locator("#card-proof")).to_contain_text("The record is there", timeout=15000)
            expect(page.locator("#card-dkim")).to_contain_text("Signs", timeout=15000)
    page.reload()
    expect(page.get_by_text("Proved by DNS")).to_be_visible()
