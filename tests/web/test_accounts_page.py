"""Settings > Mail accounts as a person uses it, with the sync daemon at work against scripted servers."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.collecting import collectors_claim, collectors_renew
from postroom.models.account import Account, Collector, Probe
from postroom.models.workspace import Workspace
from postroom.testing.certificates import trusted
from postroom.testing.peer import Peer
from tests.daemons.sync import syncing

pytestmark = pytest.mark.django_db

SMTP = [
    "S: 220 peer",
    "C: EHLO *",
    "S: 250-peer",
    "S: 250 STARTTLS",
    "C: STARTTLS",
    "S: 220 go",
    "tls",
    "C: EHLO *",
    "S: 250-peer",
    "S: 250-DSN",
    "S: 250 AUTH PLAIN",
    "C: AUTH PLAIN *",
]
SMTP_RIGHT = [*SMTP, "S: 235 in", "C: NOOP", "S: 250 ok"]
IMAP = ["tls", "S: * OK ready", "C: * CAPABILITY", "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN", "S: {tag} OK done"]
IMAP_WRONG = [*IMAP, "C: * LOGIN *", "S: {tag} NO [AUTHENTICATIONFAILED] wrong"]
IMAP_RIGHT = [
    *IMAP,
    "C: * LOGIN *",
    "S: {tag} OK in",
    "C: * CAPABILITY",
    "S: * CAPABILITY IMAP4rev1",
    "S: {tag} OK done",
    "C: * EXAMINE *",
    "S: * 7 EXISTS",
    "S: * OK [UIDVALIDITY 3] v",
    "S: * OK [UIDNEXT 12] n",
    "S: {tag} OK [READ-ONLY] done",
]


@pytest.fixture
def _trust(tmp_path, monkeypatch):
    path = tmp_path / "authority.pem"
    path.write_bytes(trusted().pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


def fields(**values):
    """What the browser sends for a new account, reading included but not collecting."""
    return {
        "name": "Sales",
        "address": "sales@alderpike.example",
        "smtp_host": "mail.alderpike.example",
        "smtp_port": "587",
        "smtp_security": "starttls",
        "smtp_authenticate": "on",
        "smtp_login": "sales",
        "smtp_password": "secret",
        "reads": "on",
        "imap_host": "mail.alderpike.example",
        "imap_port": "993",
        "imap_security": "tls",
        "same": "on",
        "collector_folder": "INBOX",
        "collector_interval": "5",
        "verify_certificate": "on",
        "connections": "4",
        **values,
    }


@pytest.mark.req("CM-16")
def test_an_account_is_added_listed_found_and_its_collector_set(as_user, alice):
    client = as_user(alice)
    assert b"Connect the firm" in client.get("/settings/accounts/").content
    answer = client.post("/settings/accounts/new/", fields(collector_on="on", for_notices="on"))
    account = Account.objects.get()
    assert answer["Location"] == f"/settings/accounts/{account.id}/"
    assert (account.imap_login, account.imap_password, account.owner) == ("sales", "secret", alice)
    collector = Collector.objects.get()
    assert (collector.is_on, collector.folder, collector.interval_s) == (True, "INBOX", 300)
    assert Workspace.objects.get(notice_account=account)
    page = client.get("/settings/accounts/?q=ALDERPIKE&port=993").content.decode()
    assert "sales@alderpike.example" in page
    assert "Untested" in page
    assert "No account fits" in client.get("/settings/accounts/?q=nobody").content.decode()


@pytest.mark.req("CM-18")
def test_a_mistake_is_shown_at_its_field_and_typed_text_stays(as_user, alice):
    answer = as_user(alice).post("/settings/accounts/new/", fields(address="bad@", display_name="Our shop"))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert re.search(r'id="id_address-error"', page)
    assert 'value="Our shop"' in page
    assert "secret" not in page
    assert not Account.objects.exists()


def test_a_stale_save_keeps_what_was_typed(as_user, alice):
    client = as_user(alice)
    client.post("/settings/accounts/new/", fields())
    account = Account.objects.get()
    client.post(f"/settings/accounts/{account.id}/", fields(version="1", name="First"))
    answer = client.post(f"/settings/accounts/{account.id}/", fields(version="1", name="Second"))
    assert answer.status_code == 409
    assert "Somebody else has changed" in answer.content.decode()
    assert 'value="Second"' in answer.content.decode()
    account.refresh_from_db()
    assert account.name == "First"


@pytest.mark.req("CM-20")
def test_an_untouched_port_follows_the_encryption_and_a_typed_one_stays(browse, alice):
    page = browse(alice)
    page.goto("/settings/accounts/new/")
    page.locator("[name=smtp_security][value=tls] + span").click()
    assert page.input_value("#id_smtp_port") == "465"
    page.locator("[name=imap_security][value=starttls] + span").click()
    assert page.input_value("#id_imap_port") == "143"
    page.fill("#id_smtp_port", "2465")
    page.locator("[name=smtp_security][value=starttls] + span").click()
    assert page.input_value("#id_smtp_port") == "2465"
    page.fill("#id_smtp_port", "465")
    assert page.locator("#id_smtp_port-odd").is_visible()
    page.fill("#id_smtp_port", "587")
    assert not page.locator("#id_smtp_port-odd").is_visible()


@pytest.mark.req("CM-25")
def test_switching_the_certificate_check_off_warns_at_once(browse, alice):
    page = browse(alice)
    page.goto("/settings/accounts/new/")
    warning = page.get_by_text("Only for a server of your own")
    assert not warning.is_visible()
    page.locator("#id_verify_certificate").uncheck()
    assert warning.is_visible()


@pytest.mark.req("CM-28", "CM-29", "CM-30")
@pytest.mark.usefixtures("_trust")
def test_a_check_is_shown_stage_by_stage_and_a_green_one_makes_the_account_work(browse, alice):
    with (
        Peer([*SMTP_RIGHT, "==", *SMTP_RIGHT]) as smtp,
        Peer(IMAP_WRONG) as wrong,
        Peer(IMAP_RIGHT) as right,
        syncing(),
    ):
        page = browse(alice)
        page.goto("/settings/accounts/new/")
        for name, value in (
            ("name", "Sales"),
            ("address", "sales@alderpike.example"),
            ("smtp_host", "localhost"),
            ("smtp_port", str(smtp.port)),
            ("smtp_login", "sales"),
            ("smtp_password", "secret"),
            ("imap_host", "localhost"),
            ("imap_port", str(wrong.port)),
        ):
            page.fill(f"#id_{name}", value)
        page.locator("#id_collector_on").uncheck()
        page.locator("#id_send_test").uncheck()
        page.locator("#id_same").uncheck()
        page.fill("#id_imap_login", "sales")
        page.fill("#id_imap_password", "old")
        page.click("#check-now")
        page.get_by_role("heading", name="Sending works, reading does not").wait_for(timeout=20_000)
        panel = page.locator("#probe")
        assert "Stopped at sign-in" in panel.inner_text()
        assert "AUTHENTICATIONFAILED" in panel.locator("code").inner_text()
        assert "delivery reports" in panel.inner_text()
        assert not Account.objects.exists(), "a check saves nothing"
        page.get_by_text("Use the same for both").click()
        page.fill("#id_imap_port", str(right.port))
        page.click("#check-now")
        page.get_by_role("heading", name="Everything works").wait_for(timeout=20_000)
        assert Probe.objects.exclude(form="").count() == 0, "no secret outlives its check"
        page.locator("#probe").get_by_role("button", name="Save").click()
        page.wait_for_url("**/settings/accounts/")
    account = Account.objects.get()
    assert account.status == "ok"
    assert (account.last_test["smtp"]["ok"], account.last_test["imap"]["ok"]) == (True, True)
    assert account.capabilities["dsn"] is True
    row = page.locator("tbody tr").inner_text()
    assert "Works" in row


@pytest.mark.req("CM-28")
def test_a_check_can_be_cancelled(browse, alice):
    page = browse(alice)
    page.goto("/settings/accounts/new/")
    for name in ("smtp_host", "imap_host"):
        page.fill(f"#id_{name}", "localhost")
    page.fill("#id_smtp_login", "sales")
    page.fill("#id_smtp_password", "secret")
    page.locator("#id_send_test").uncheck()
    page.click("#check-now")
    page.locator("#probe").get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="Cancelled").wait_for()
    probe = Probe.objects.get()
    assert (probe.state, probe.form) == ("cancelled", "")


def test_what_is_missing_for_a_check_is_named_with_a_way_to_its_field(as_user, alice):
    page = (
        as_user(alice).post("/settings/accounts/check/", fields(smtp_host="", imap_port="0")).content.decode()
    )
    assert 'href="#id_smtp_host"' in page
    assert not Probe.objects.exists()


@pytest.mark.parametrize(
    ("host", "words", "said"),
    [
        (
            "smtp.gmail.com",
            "534-5.7.9 Application-specific password required",
            "Google refuses the usual password",
        ),
        (
            "smtp.office365.com",
            "535 5.7.139 Authentication unsuccessful",
            "Microsoft refuses the usual password",
        ),
        ("mail.firm.example", "535 app password needed", "This server wants an app password"),
    ],
)
def test_app_passwords_are_named_where_the_usual_one_is_refused(as_user, alice, host, words, said):
    client = as_user(alice)
    client.post("/settings/accounts/new/", fields(smtp_host=host))
    side = {"side": "smtp", "ok": False, "code": "login_refused", "words": words, "hint": "app_password"}
    stages = [{"name": "login", "state": "failed", "detail": "", "ms": 3}]
    Account.objects.update(last_test={"at": "2026-11-21T10:00:00+00:00", "smtp": {**side, "stages": stages}})
    page = client.get(f"/settings/accounts/{Account.objects.get().id}/").content.decode()
    assert said in page
    assert words in page


@pytest.mark.req("CM-31")
def test_deleting_asks_first_and_says_what_happens(browse, as_user, alice):
    as_user(alice).post("/settings/accounts/new/", fields())
    page = browse(alice)
    page.goto(f"/settings/accounts/{Account.objects.get().id}/")
    page.click("[popovertarget=account-more]")
    page.get_by_role("button", name="Delete…").click()
    box = page.locator("#account-delete")
    assert "passwords are wiped" in box.inner_text()
    assert box.get_by_role("button", name="Keep it").evaluate("el => el === document.activeElement")
    box.get_by_role("button", name="Delete the account").click()
    page.wait_for_url("**/settings/accounts/")
    assert page.locator(".pr-toast").is_visible()
    assert Account.objects.get().deleted_at


@pytest.mark.req("CM-17")
def test_the_mailbox_of_a_switched_off_owner_is_not_read(cast, as_user, alice, bob):
    as_user(bob).post("/settings/accounts/new/", fields(collector_on="on"))
    bob.is_active = False
    bob.save()
    lease = timedelta(seconds=30)
    assert collectors_claim(holder="a", lease=lease, most=9) == []
    account = Account.objects.get()
    client = as_user(alice)
    assert "no longer an active user" in client.get(f"/settings/accounts/{account.id}/").content.decode()
    assert (
        client.post(
            f"/settings/accounts/{account.id}/", fields(owner=str(alice.id), collector_on="on")
        ).status_code
        == 302
    )
    [reading] = collectors_claim(holder="a", lease=lease, most=9)
    held = [reading.collector_id]
    assert list(collectors_renew(holder="a", lease=lease, ids=held)) == held
    alice.is_active = False
    alice.save()
    assert collectors_renew(holder="a", lease=lease, ids=held) == {}


def test_reading_is_switched_off_before_deleting_and_a_resting_account_is_woken(cast, as_user, alice):
    client = as_user(alice)
    client.post("/settings/accounts/new/", fields(collector_on="on"))
    account = Account.objects.get()
    assert client.post(f"/settings/accounts/{account.id}/delete/").status_code == 409
    client.post(f"/settings/accounts/{account.id}/reading-off/")
    Account.objects.update(paused_until=timezone.now() + timedelta(hours=1), status_reason="421 too fast")
    page = client.get(f"/settings/accounts/{account.id}/").content.decode()
    assert "421 too fast" in page
    client.post(f"/settings/accounts/{account.id}/resume/")
    account.refresh_from_db()
    assert account.paused_until is None
    assert client.post(f"/settings/accounts/{account.id}/delete/").status_code == 302
