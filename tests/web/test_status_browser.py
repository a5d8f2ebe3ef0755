"""The status page in a real browser: the two arrows with the keyboard, and that it renews itself."""

import os
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from postroom.actions import collecting
from postroom.actions.figures import pace_add
from postroom.actions.log import Note, log_note
from postroom.models.account import Collector
from postroom.models.delivery import Delivery, SendingMinute, Shard
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.web.browser import browse, chromium, poor_contrast

__all__ = ["browse", "chromium"]

pytestmark = pytest.mark.django_db(transaction=True)
NAMES = ("Sales", "Accounts", "Showroom", "Shop system")


def shot(page, name):
    folder = os.environ.get("SHOTS")
    if folder:
        page.wait_for_timeout(150)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.fixture
def office(cast):
    """The four accounts of the picture: one read, one at its limit, one refused, one slow."""
    made = []
    for number, name in enumerate(NAMES):
        account = make_account(
            cast.alice,
            port=2525,
            name=name,
            address=f"{name.split()[0].lower()}@alderpike.example",
            imap_host="imap.example",
            imap_login=str(number),
            per_minute=40,
        )
        made.append(Collector.objects.create(account=account))
    readings = {
        one.collector_id: one
        for one in collecting.collectors_claim(holder="s", lease=timedelta(hours=1), most=9)
    }
    sales, accounts, showroom, shop = made
    collecting.collector_done(reading=readings[sales.id], new=3)
    collecting.collector_done(reading=readings[accounts.id], new=0)
    for _ in range(3):
        collecting.collector_failed(
            reading=readings[showroom.id],
            code="LOGIN_REFUSED",
            words="The server refused the user name or the password.",
            refused=True,
        )
    collecting.collector_failed(
        reading=readings[shop.id], code="TIMEOUT", words="imap.example did not answer in time."
    )
    collecting.collector_begun(collector_id=sales.id)
    collecting.collector_progress(collector_id=sales.id, taken=14, to_take=52)
    _sent(cast, sales.account)
    log_note(
        Note(
            sales.account.workspace_id,
            sales.account_id,
            "out",
            "connection",
            "Connected to smtp.example:587, TLSv1.3.",
            duration_ms=38,
        )
    )
    return made


def _sent(cast, account):
    campaign = make_campaign(
        cast.alice, account, make_list(cast.alice, ["lars@holm-interior.example"]), state="running"
    )
    now = timezone.now()
    shard = Shard.objects.create(
        workspace=account.workspace,
        account=account,
        campaign=campaign,
        first=1,
        size=1400,
        mark=88,
        ready_at=now,
    )
    states = [
        ("accepted", 250, "2.0.0 Ok: queued as 4fKz0w1RtB"),
        ("deferred", 452, "4.2.2 mailbox full"),
        ("failed", 550, "5.1.1 User unknown"),
        ("uncertain", 0, ""),
    ]
    for number in range(8):
        state, code, words = states[0] if number % 2 == 0 else states[1 + number // 2 % 3]
        Delivery.objects.create(
            workspace=account.workspace,
            campaign=campaign,
            position=number + 1,
            address=f"owen.{number}@priceandson.example",
            canonical=f"owen.{number}@priceandson.example",
            state=state,
            trouble=None if state == "accepted" else state,
            state_at=now - timedelta(seconds=number),
            code=code,
            words=words,
            retry_at=now + timedelta(minutes=6) if state == "deferred" else None,
        )
    pace_add(
        campaign_id=campaign.id,
        account_id=account.id,
        shard_id=shard.id,
        worker="w",
        decided={"accepted": 4, "deferred": 2},
    )
    minute = now.replace(second=0, microsecond=0)
    SendingMinute.objects.bulk_create(
        SendingMinute(
            account=account,
            worker="x",
            minute_at=minute - timedelta(minutes=n),
            accepted=max(0, 90 - n // 3 + n % 7),
            deferred=8 if 20 < n < 32 else 0,
        )
        for n in range(1, 340)
    )


@pytest.mark.req("CM-55")
def test_the_arrows_are_reached_with_the_keyboard_and_the_page_renews_itself(browse, cast, office):
    page = browse(cast.alice.user)
    page.goto("/settings/status/")
    expect(page.get_by_text("Reading, 14 of 52")).to_be_visible()
    expect(page.get_by_text("Showroom is not being read.")).to_be_visible()
    assert poor_contrast(page) == []
    arrows = page.get_by_role("button", name="Start reading Showroom")
    arrows.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Reading begins")).to_be_visible()
    expect(page.get_by_role("switch", name="Read Showroom")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_text("Showroom is not being read.")).to_have_count(0)
    page.get_by_role("switch", name="Read Accounts").click()
    expect(page.get_by_role("switch", name="Read Accounts")).to_have_attribute("aria-checked", "false")
    collecting.collector_progress(collector_id=office[0].id, taken=40, to_take=52)
    expect(page.get_by_text("Reading, 40 of 52")).to_be_visible()  # by itself
    page.get_by_role("searchbox", name="Find in the log").fill("owen.1@priceandson.example")
    page.keyboard.press("Enter")
    page.wait_for_url("**/settings/status/log/?q=owen.1*")
    expect(page.get_by_text("452 4.2.2 mailbox full")).to_be_visible()
    assert poor_contrast(page) == []


def test_the_pages_fit_a_desk_a_phone_and_the_dark(browse, cast, office):
    for label, options in {"": {}, "-phone": {"phone": True}, "-dark": {"dark": True}}.items():
        page = browse(cast.alice.user, **options)
        for name, path in (
            ("status", "/settings/status/"),
            ("log", "/settings/status/log/"),
            ("import", "/settings/status/log/import/"),
            ("hub", "/settings/"),
            ("help", "/help/status/"),
            ("help-contents", "/help/"),
        ):
            page.goto(path)
            shot(page, f"{name}{label}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, label)
