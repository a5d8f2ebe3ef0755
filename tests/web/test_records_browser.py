"""Firms and records, the archive and webhooks in a browser: by clicking, on desktop, phone and in the dark."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from postroom.actions.blob import blob_put
from postroom.actions.contact import ContactValues, contact_add
from postroom.models.campaign import Campaign
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.record import Record
from postroom.models.webhook import Webhook, WebhookCall
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from tests.web.browser import poor_contrast

pytestmark = pytest.mark.django_db(transaction=True)
#: The machine may be busy.
PATIENCE = 60_000


@pytest.fixture
def cast():
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


def said_of(cast, account, record):
    """A message that went out about a record, and its answer."""
    raw = blob_put(
        b"From: sales@alderpike.example\r\nTo: orders@northgate.example\r\nSubject: Quote\r\n\r\nHi.\r\n"
    )
    common = {"workspace": cast.alice.workspace, "account": account, "record": record, "raw": raw}
    sent = Message.objects.create(
        **common,
        direction="out",
        purpose="single",
        subject="Quote 2291",
        from_address="sales@alderpike.example",
        to_address="James Whitlock <orders@northgate.example>",
        user=cast.alice.user,
        snippet="Dear James, the quote is attached.",
    )
    Delivery.objects.create(
        workspace=cast.alice.workspace,
        message=sent,
        address="orders@northgate.example",
        canonical="orders@northgate.example",
        state="accepted",
        arrival="delivered",
        code=250,
        words="2.0.0 queued as 4bX",
        state_at=timezone.now(),
    )
    Message.objects.create(
        **common,
        direction="in",
        purpose="reply",
        subject="Re: Quote 2291",
        from_name="James Whitlock",
        from_address="orders@northgate.example",
        at=timezone.now(),
    )
    return sent


def test_a_record_is_made_written_from_and_looked_at(browse, cast, shot):
    account = make_account(cast.alice, port=9)
    james = ContactValues(email="orders@northgate.example", name="James", surname="Whitlock")
    contact_add(viewer=cast.alice, values=james)
    page = browse(cast.alice.user)
    page.set_default_timeout(PATIENCE)
    page.goto("/records/")
    shot(page, "records-empty")
    page.get_by_role("link", name="Add record").first.click()
    page.get_by_label("Name", exact=True).fill("Northgate Joinery")
    page.get_by_label("Name of the field").first.fill("Customer no")
    page.get_by_label("Value").first.fill("4711")
    shot(page, "record-edit")
    page.get_by_role("button", name="Add record").click()
    expect(page.get_by_role("heading", name="Northgate Joinery")).to_be_visible()
    page.get_by_role("button", name="Add person").click()
    page.get_by_role("dialog").get_by_label("Person", exact=True).select_option(index=1)
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_text("proposed as recipient")).to_be_visible()
    record = Record.objects.get()
    Record.objects.create(
        workspace=cast.alice.workspace, kind="document", name="Quote 2291", number="Q-2291", parent=record
    )
    page.set_input_files(
        "input[name=files]", {"name": "plan.pdf", "mimeType": "application/pdf", "buffer": b"x"}
    )
    page.locator("form:has(input[name=files])").get_by_role("button", name="Add").click()
    expect(page.get_by_role("link", name="plan.pdf")).to_be_visible()
    said_of(cast, account, record)
    page.reload()
    shot(page, "record")
    for options in ({"phone": True}, {"dark": True}):
        other = browse(cast.alice.user, **options)
        other.set_default_timeout(PATIENCE)
        other.goto(f"/records/{record.id}/")
        shot(other, f"record-{next(iter(options))}")
        other.goto("/records/")
        shot(other, f"records-{next(iter(options))}")
    page.get_by_label("Send along:").check()
    page.locator("#write").get_by_role("button", name="Write").click()
    expect(page).to_have_url(re.compile(r"/messages/drafts/\d+/"))
    expect(page.get_by_text("plan.pdf").first).to_be_visible()
    expect(page.get_by_text("orders@northgate.example").first).to_be_attached()


def test_the_archive_and_webhooks_are_looked_at(browse, cast, shot):
    account = make_account(cast.alice, port=9)
    page = browse(cast.alice.user)
    page.set_default_timeout(PATIENCE)
    page.goto("/archive/")
    shot(page, "archive-empty")
    sent = said_of(cast, account, None)
    people = make_list(cast.alice, ["ann@example.net", "ben@example.net"])
    campaign = make_campaign(cast.alice, account, people)
    Campaign.objects.filter(id=campaign.id).update(
        started_at=timezone.now(),
        total=2,
        state="finished",
        sample=blob_put(
            b"From: sales@alderpike.example\r\nTo: ann@example.net\r\nSubject: Prices\r\n\r\nDear Ann.\r\n"
        ),
    )
    campaign.attachments.create(blob=blob_put(b"%PDF"), name="prices.pdf", content_type="application/pdf")
    for at, (address, state) in enumerate(
        (("ann@example.net", "accepted"), ("ben@example.net", "failed")), 1
    ):
        Delivery.objects.create(
            workspace=cast.alice.workspace,
            campaign=campaign,
            position=at,
            address=address,
            canonical=address,
            state=state,
            state_at=timezone.now(),
            words="2.0.0 queued as 4bX" if state == "accepted" else "5.1.1 no such user",
        )
    page.goto("/archive/")
    page.get_by_role("button", name="Filter").click()
    page.get_by_label("Sent by").select_option(label="Alice")
    shot(page, "archive-filter")
    page.locator("#archive-filter").get_by_role("button", name="Filter").click()
    expect(page.get_by_role("row")).to_have_count(3)
    page.get_by_role("searchbox").fill("ben@example.net")
    page.get_by_role("searchbox").press("Enter")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Autumn price list").click()
    expect(page.get_by_text("the very bytes that went out")).to_be_visible()
    shot(page, "archive-campaign")
    page.goto(f"/archive/messages/{sent.id}/")
    shot(page, "archive-message")
    hook = Webhook.objects.create(
        workspace=cast.alice.workspace,
        url="https://shop.example/postroom/hook",
        secret="whsec_x",
        failing_since=timezone.now(),
    )
    now = timezone.now()
    for number, (code, words, more) in enumerate(
        ((200, "OK", {"done_at": now}), (503, "Service Unavailable", {}), (0, "", {"tries": 0}))
    ):
        WebhookCall.objects.create(
            webhook=hook,
            event=("message.accepted", "message.bounced", "message.received")[number],
            body={"address": "ann@example.net"},
            code=code,
            words=words,
            next_at=now + timedelta(minutes=5),
            **{"tries": 2, **more},
        )
    for options in ({}, {"phone": True}, {"dark": True}):
        other = browse(cast.alice.user, **options)
        other.set_default_timeout(PATIENCE)
        mark = next(iter(options), "desktop")
        for name, path in (
            ("archive", "/archive/"),
            ("webhooks", "/settings/webhooks/"),
            ("webhook", f"/settings/webhooks/{hook.id}/"),
            ("webhook-edit", f"/settings/webhooks/{hook.id}/edit/"),
            ("profile", "/settings/profiles/new/"),
        ):
            other.goto(path)
            shot(other, f"{name}-{mark}")
