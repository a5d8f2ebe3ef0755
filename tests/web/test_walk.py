"""The whole way in a browser: from the first visit to a finished campaign that says who got it."""

import re
from contextlib import ExitStack

import pytest

from postroom.actions.setup import setup_code
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running

pytestmark = pytest.mark.django_db(transaction=True)

FILE = (
    "First name;Surname;E-mail;Company\n"
    "Ann;Archer;ann@example.net;Archer Ltd\n"
    "Ben;Baker;ben@example.net;Baker & Sons\n"
    "Gil;Gone;gone@example.net;\n"
)
#: Everything here waits for other processes on a machine that may be busy.
PATIENCE = 40_000


@pytest.fixture
def office(child_env, tmp_path):
    """The processes behind the pages, and a mail server that refuses gone@..."""
    env = {**child_env, "POSTROOM_POLL_SECONDS": "0.2"}
    with counting(Manners(refuse=r"^gone")) as (desk, port), ExitStack() as processes:
        for name in ("worker", "sync", "delivery"):
            processes.enter_context(running(name, env=env, log=tmp_path / name))
        yield desk, port


def set_up(page):
    page.goto(f"/setup/?code={setup_code()}")
    page.fill("#id_name", "Hannah Reed")
    page.fill("#id_email", "hannah@alderpike.example")
    page.fill("#id_password", "a short sentence")
    page.locator('[data-go="2"]').first.click()
    page.fill("#id_workspace_name", "Alder & Pike")
    page.locator('input[name="private"][value="yes"]').check()
    page.get_by_role("button", name="Go on").last.click()
    page.get_by_role("heading", name="Now a mail account").wait_for()


def add_account(page, port):
    page.get_by_role("button", name="Add a mail account").click()
    page.fill("#id_name", "Sales")
    page.fill("#id_address", "sales@alderpike.example")
    page.fill("#id_display_name", "Alder & Pike")
    page.fill("#id_smtp_host", "127.0.0.1")
    page.locator('input[name="smtp_security"][value="none"]').check(force=True)
    page.fill("#id_smtp_port", str(port))
    page.locator("#id_smtp_authenticate").uncheck()
    page.locator("#id_reads").uncheck()
    page.click("#check-now")
    page.locator("#probe").get_by_role("button", name="Save").click(timeout=PATIENCE)
    page.wait_for_url("**/settings/accounts/")


def bring_people(page, file):
    page.goto("/contacts/imports/new/")
    page.set_input_files("#file", file)
    page.get_by_role("button", name="Look at the file").click()
    page.fill("input[name=new_list]", "Customers")
    page.get_by_role("button", name="Check all rows").click()
    page.get_by_role("button", name="Import 3 people").click(timeout=PATIENCE)
    page.get_by_role("link", name="See the people").wait_for(timeout=PATIENCE)


def write(page):
    page.goto("/campaigns/new/")
    page.fill("#id_name", "Autumn price list")
    page.get_by_role("button", name="Write the message").click()
    page.locator(".pr-pick", has_text="Customers").locator("input").check()
    page.fill("#id_subject", "Prices for ")
    page.locator("#id_subject").press("End")
    page.get_by_role("button", name="Insert field").click()
    page.get_by_placeholder("Find a field").fill("first name and")
    page.keyboard.press("Enter")
    assert page.input_value("#id_subject") == "Prices for {{ full_name }}"
    page.fill("#id_html", "Dear {{ name }},\n\nhere are our prices.")


def test_from_the_first_visit_to_the_page_that_says_who_got_it(browse, office, tmp_path, settings):
    settings.POSTROOM_START_UNDO_SECONDS = 1
    desk, port = office
    file = tmp_path / "customers.csv"
    file.write_text(FILE)
    page = browse()
    set_up(page)
    add_account(page, port)
    account = Account.objects.get()
    assert (account.status, account.last_test["smtp"]["ok"]) == ("ok", True), "the check really passed"
    bring_people(page, file)

    write(page)
    page.locator("#pr-aside").get_by_text("Prices for Ann Archer").wait_for(timeout=PATIENCE)
    frame = page.frame_locator("iframe.pr-frame")
    frame.get_by_text("here are our prices.").wait_for(timeout=PATIENCE)
    page.get_by_label("Preview as").select_option(label="Ben Baker")
    frame.get_by_text("Dear Ben,").wait_for(timeout=PATIENCE)

    page.get_by_role("button", name="Start for 3 people…").click()
    page.get_by_role("button", name="Send to 3 people").click()
    page.locator(".pr-head").get_by_text("Finished").wait_for(timeout=PATIENCE)
    page.reload()
    assert re.search(r"2\s+Accepted", page.locator(".pr-counters").inner_text())
    assert re.search(r"1\s+Failed", page.locator(".pr-counters").inner_text())
    rows = {row.split("\n")[0]: row for row in page.locator(".pr-people tbody tr").all_inner_texts()}
    assert "Accepted" in rows["Ann Archer"]
    assert "550 5.1.1 User unknown" in rows["Gil Gone"]

    page.get_by_role("link", name="Gil Gone").click()
    panel = page.locator("#pr-panel")
    panel.get_by_text("Their server refused it for good.").wait_for()
    assert "550 5.1.1 User unknown" in panel.inner_text()
    check = "hannah@alderpike.example"  # the test message of Check settings
    assert dict(desk.copies) == {"ann@example.net": 1, "ben@example.net": 1, check: 1}
    assert b"Dear Ann" in desk.last or b"Dear Ben" in desk.last
    assert Delivery.objects.filter(state="accepted").count() == 2
