"""A day of an office in three browsers: the owner, and two people she invites, one of them working in Polish."""

import os
import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from postroom.actions.domain import domain_add, domain_word
from postroom.actions.domain_key import key_use
from postroom.actions.relay import relay_save
from postroom.models.account import Account, AccountKind, Approval
from postroom.models.campaign import Campaign
from postroom.models.contact import ContactList
from postroom.models.delivery import Delivery
from postroom.models.template import Template
from postroom.models.user import User
from postroom.testing.cast import make_cast, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running, until

pytestmark = pytest.mark.django_db(transaction=True)

#: Everything here waits for other processes on a machine that may be busy.
PATIENCE = 60_000


@pytest.fixture
def shot():
    """shot(page, name): a picture in the folder that SHOTS names; and no page scrolls sideways."""

    def look(page, name):
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, f"{name} scrolls sideways by {wide}"
        if os.environ.get("SHOTS"):
            Path(os.environ["SHOTS"]).mkdir(exist_ok=True)
            page.screenshot(path=Path(os.environ["SHOTS"]) / f"day-{name}.png", full_page=True)

    return look


@pytest.fixture
def office(child_env, tmp_path):
    """The processes behind the pages, the server of the own account and the firm's relay."""
    env = {**child_env, "POSTROOM_POLL_SECONDS": "0.2"}
    with counting() as own, counting(Manners()) as relay, ExitStack() as processes:
        for name in ("worker", "sync", "delivery"):
            processes.enter_context(running(name, env=env, log=tmp_path / name))
        yield own, relay


def invited(owner, browse, email, name, shot):
    """The owner asks somebody in and hands the link over; the page of the person who took it."""
    owner.goto("/settings/people/")
    owner.get_by_role("button", name="Invite").first.click()
    owner.get_by_role("dialog").get_by_label("E-mail").fill(email)
    owner.get_by_role("dialog").get_by_role("button", name="Invite").click()
    link = owner.locator("#invite-link").inner_text()
    shot(owner, f"invited-{name}")
    page = browse()
    page.goto(re.sub(r"^https?://[^/]+", "", link))
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("a dog in the snow")
    shot(page, f"join-{name}")
    page.get_by_role("button", name="Join").click()
    page.wait_for_url(lambda url: "/invited/" not in url)
    again = browse()
    assert again.goto(re.sub(r"^https?://[^/]+", "", link)).status in (404, 409, 410), "a link works once"
    return page


def share_with_everybody(page, address, name):
    page.goto(address)
    page.get_by_role("row", name=name).get_by_role("link", name="Private").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Everybody", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    page.get_by_role("row", name=name).get_by_text("Everybody").wait_for()


def test_an_office_day(browse, office, shot, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    (own, own_port), (relay, relay_port) = office
    cast = make_cast(bounce_host="returns.alderpike.example")
    viewer = cast.alice
    relay_save(
        viewer=viewer,
        values={
            "relay_host": "127.0.0.1",
            "relay_port": relay_port,
            "relay_security": "none",
            "relay_login": "",
            "relay_password": "",
            "relay_verify_certificate": True,
        },
    )
    domain = domain_add(viewer=viewer, name="alderpike.example")
    domain_word(viewer=viewer, domain_id=domain.id)
    key_use(viewer=viewer, domain_id=domain.id, key_id=domain.keys.get().id)
    people = [f"p{number}@example.net" for number in range(1, 41)]
    customers = make_list(viewer, people, name="Customers")
    ContactList.objects.filter(id=customers.id).update(visibility="private")
    Template.objects.create(
        workspace=viewer.workspace,
        name="Autumn prices",
        subject="Prices for {{ surname }}",
        html="Dear {{ name }}, here are our prices.",
        created_by=viewer.user,
        visibility="private",
    )

    # the owner invites two people, and shares a list and a template with them
    alice = browse(viewer.user)
    ben = invited(alice, browse, "ben@alderpike.example", "Ben Baker", shot)
    cora = invited(alice, browse, "cora@alderpike.example", "Cora Clark", shot)
    ben.goto("/contacts/lists/")
    assert "Customers" not in ben.locator("main").inner_text()
    share_with_everybody(alice, "/contacts/lists/", "Customers")
    share_with_everybody(alice, "/templates/", "Autumn prices")
    ben.goto("/contacts/lists/")
    ben.get_by_role("link", name="Customers").wait_for()
    shot(ben, "lists-of-ben")

    # Ben's own account fails its check, and is mended
    ben_user = User.objects.get(email="ben@alderpike.example")
    ben.goto("/settings/accounts/new/")
    form = ben.locator("#account")
    form.locator("#id_name").fill("Ben's mail")
    form.locator("#id_address").fill("ben@alderpike.example")
    form.locator("#id_display_name").fill("Ben Baker")
    form.locator("#id_smtp_host").fill("127.0.0.1")
    form.locator('input[name="smtp_security"][value="starttls"]').check(force=True)
    form.locator("#id_smtp_port").fill(str(own_port))
    form.locator("#id_smtp_authenticate").uncheck()
    form.locator("#id_reads").uncheck()
    ben.click("#check-now")
    ben.locator("#probe").get_by_text("does not offer STARTTLS").first.wait_for(timeout=PATIENCE)
    shot(ben, "check-failed")
    form.locator('input[name="smtp_security"][value="none"]').check(force=True)
    form.locator("#id_smtp_port").fill(str(own_port))
    ben.click("#check-now")
    ben.locator("#probe").get_by_role("button", name="Save").click(timeout=PATIENCE)
    ben.wait_for_url("**/settings/accounts/")
    shot(ben, "account-mended")
    account = Account.objects.get(owner=ben_user)
    assert account.status == "ok"
    Account.objects.filter(id=account.id).update(per_minute=240)

    # his campaign runs, to the shared list by the shared template; Cora suppresses somebody meanwhile
    ben.goto("/campaigns/new/")
    ben.fill("#id_name", "Autumn price list")
    ben.get_by_label("Start from").select_option(label="Autumn prices")
    ben.get_by_role("button", name="Write the message").click()
    ben.locator(".pr-pick", has_text="Customers").locator("input").check()
    ben.get_by_role("button", name="Start for 40 people…").click(timeout=PATIENCE)
    shot(ben, "start")
    ben.get_by_role("button", name="Send to 40 people").click()
    until(lambda: own.copies, wait_s=60)
    cora.goto("/contacts/suppressed/")
    cora.fill("#entry", "p40@example.net")
    cora.locator("#entry").press("Enter")
    cora.get_by_role("row", name="p40@example.net").wait_for()
    shot(cora, "suppressed")
    ben.locator(".pr-head").get_by_text("Finished").wait_for(timeout=PATIENCE)
    campaign = Campaign.objects.get(name="Autumn price list")
    row = Delivery.objects.get(campaign=campaign, canonical="p40@example.net")
    assert (row.state, row.reason) == ("skipped", "suppressed_shared")
    assert own.copies["p40@example.net"] == 0
    assert sum(own.copies[address] for address in people) == 39
    # the rows follow by themselves, the last change too
    ben.get_by_role("row", name="p40@example.net").get_by_text("Skipped").wait_for(timeout=PATIENCE)
    shot(ben, "finished")

    # Cora works in Polish; her marketing account waits for the owner's word
    User.objects.filter(email="cora@alderpike.example").update(language="pl")
    cora.goto("/settings/accounts/new/marketing/")
    cora.locator("#account #id_name").fill("Oferty")
    cora.locator("#account #id_address").fill("oferty@alderpike.example")
    cora.locator("#account #id_display_name").fill("Alder & Pike")
    shot(cora, "marketing-pl")
    cora.locator("#save-top").click()
    until(lambda: Account.objects.filter(kind=AccountKind.PLATFORM).exists(), wait_s=30)
    made = Account.objects.get(kind=AccountKind.PLATFORM)
    cora.goto(f"/settings/accounts/{made.id}/")
    if made.approval == Approval.DRAFT:
        cora.locator("main").get_by_role(
            "button", name=re.compile("Przekaż|Zgłoś|Hand in|Wyślij")
        ).first.click()
        until(lambda: Account.objects.get(id=made.id).approval == Approval.PENDING, wait_s=30)
    cora.goto(f"/settings/accounts/{made.id}/")
    shot(cora, "pending-pl")
    alice.goto("/settings/approvals/")
    shot(alice, "approvals")
    alice.get_by_role("row", name="Oferty").get_by_role("button", name="Approve").click()
    until(lambda: Account.objects.get(id=made.id).approval == Approval.APPROVED, wait_s=30)
    for name, address in (
        ("accounts-pl", "/settings/accounts/"),
        ("campaign-pl", f"/campaigns/{campaign.id}/"),
        ("lists-pl", "/contacts/lists/"),
        ("suppressed-pl", "/contacts/suppressed/"),
        ("settings-pl", "/settings/"),
    ):
        cora.goto(address)
        shot(cora, name)
    assert cora.locator("html").get_attribute("lang") == "pl"

    # and it sends, signed by the firm
    second = ContactList.objects.get(name="Customers")
    cora_viewer_campaign = Campaign.objects.create(
        workspace=viewer.workspace,
        name="Oferta",
        account=made,
        subject="Oferta",
        html="Dzień dobry {{ name }}",
        created_by=User.objects.get(email="cora@alderpike.example"),
    )
    cora_viewer_campaign.lists.set([second])
    cora.goto(f"/campaigns/{cora_viewer_campaign.id}/")
    cora.locator('[data-dialog="start"]').first.click()
    shot(cora, "start-pl")
    cora.locator("#pr-startdialog dialog[open] button[type=submit], #start button[type=submit]").last.click()
    until(lambda: Campaign.objects.get(id=cora_viewer_campaign.id).state == "finished", wait_s=90)
    assert sum(relay.copies.values()) == 39
    assert b"DKIM-Signature: " in relay.last
