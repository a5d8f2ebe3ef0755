"""Settings > Approvals, the firm's mail server, and what the start of a campaign says of both."""

import json

import pytest

from postroom.actions.domain import domain_add, domain_word
from postroom.actions.domain_key import key_use
from postroom.models.account import Account, AccountKind, AccountStatus, Approval, Probe
from postroom.models.domain import Domain
from postroom.models.message import Message
from postroom.models.profile import Profile
from postroom.models.user import User
from postroom.models.workspace import AuditLine, Instance
from postroom.queries.blob import blob_read
from postroom.queries.campaign_check import audience_of, before_it_goes
from postroom.testing.cast import make_account, make_campaign, make_list
from postroom.testing.counting import counting
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db


def platform(cast, **more):
    values = {"kind": AccountKind.PLATFORM, "approval": Approval.DRAFT, "smtp_host": "", "name": "Marketing"}
    return make_account(cast.alice, port=1, **{**values, **more})


def let_bob_approve(cast):
    Profile.objects.filter(workspace=cast.bob.workspace).update(rights=["accounts.approve", "accounts.add"])


@pytest.mark.req("SA-13")
def test_an_account_is_handed_in_rejected_handed_in_again_approved_and_asked_about_when_it_changes(
    as_user, alice, bob, cast
):
    let_bob_approve(cast)
    account = platform(cast)
    at = f"/settings/approvals/{account.id}"

    def now():
        return Account.objects.get(id=account.id)

    assert "Nothing waits for you" in as_user(bob).get("/settings/approvals/").content.decode()
    client = as_user(alice)
    assert "Hand in" in client.get(f"/settings/accounts/{account.id}/").content.decode()
    assert client.post(f"{at}/approve/", {}).status_code == 403  # her own
    client.post(f"{at}/submit/")
    assert (now().approval, now().submitted_by) == ("pending", alice)
    assert b"Somebody else approves" in client.post(f"{at}/approve/", {}).content
    client = as_user(bob)
    page = client.get("/settings/approvals/").content.decode()
    for words in ("Marketing", "sales@alderpike.example", "Alder &amp; Pike", "Not proved", "Approvals"):
        assert words in page, words
    assert client.post(f"{at}/reject/", {"reason": " \r\n"}).status_code == 422
    client.post(f"{at}/reject/", {"reason": "Who is\r\n\0 Sales?"})
    assert (now().approval, now().approval_reason, now().approval_by) == ("rejected", "Who is Sales?", bob)
    client = as_user(alice)
    assert "Who is Sales?" in client.get(f"/settings/accounts/{account.id}/").content.decode()
    client.post(f"{at}/submit/")
    client = as_user(bob)
    assert client.post(f"{at}/approve/", {"version": "1"}).status_code == 409
    client.post(f"{at}/approve/", {"version": str(now().version)})
    assert now().approval == "approved"
    verbs = AuditLine.objects.filter(noun="account").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["handed in", "rejected", "handed in", "approved"]
    changed = as_user(alice).post(
        f"/settings/accounts/{account.id}/",
        {
            "name": "Marketing",
            "address": "offers@alderpike.example",
            "connections": "4",
            "version": now().version,
        },
    )
    assert changed.status_code == 302, changed.content.decode()
    assert (now().address, now().approval) == ("offers@alderpike.example", "pending")


@pytest.mark.req("SA-13")
def test_who_is_alone_approves_themselves_and_small_firms_need_nobody(as_user, alice, cast):
    account = platform(cast)
    client = as_user(alice)
    client.post(f"/settings/approvals/{account.id}/submit/")
    User.objects.exclude(id=alice.id).update(is_active=False)
    client.post(f"/settings/approvals/{account.id}/approve/")
    account.refresh_from_db()
    assert account.approval == "approved"
    cast.alice.workspace.approve_below = 2
    cast.alice.workspace.save()
    make_list(cast.alice, ["a@example.net", "b@example.net"])
    second = platform(cast, name="Second")
    client.post(f"/settings/approvals/{second.id}/submit/")
    second.refresh_from_db()
    assert (second.approval, second.approval_by) == ("approved", None)
    make_list(cast.alice, ["c@example.net"], name="More")
    third = platform(cast, name="Third")
    client.post(f"/settings/approvals/{third.id}/submit/")
    third.refresh_from_db()
    assert third.approval == "pending"


def test_approving_needs_the_right_and_the_right_workspace(as_user, bob, charlie, cast):
    account = platform(cast, approval=Approval.PENDING, visibility="workspace")
    for user, status in ((bob, 403), (charlie, 404)):
        client = as_user(user)
        for verb in ("approve", "reject", "suspend"):
            assert (
                client.post(f"/settings/approvals/{account.id}/{verb}/", {"reason": "x"}).status_code
                == status
            )
            answer = client.post(
                f"/api/v1/accounts/{account.id}/{verb}", json.dumps({"reason": "x"}), "application/json"
            )
            assert answer.status_code == status, verb
        assert client.post(f"/api/v1/accounts/{account.id}/submit").status_code == status
    assert as_user(bob).get("/settings/approvals/").status_code == 403
    assert as_user(bob).get("/api/v1/approvals").status_code == 403
    assert as_user(charlie).get("/api/v1/approvals").json() == []
    account.refresh_from_db()
    assert account.approval == "pending"


def test_the_api_approves_rejects_and_suspends(as_user, alice, bob, cast):
    let_bob_approve(cast)
    account = platform(cast)

    def call(user, verb, **body):
        answer = as_user(user).post(
            f"/api/v1/accounts/{account.id}/{verb}", json.dumps(body), "application/json"
        )
        return answer.status_code, answer.json()

    assert call(alice, "submit")[1]["approval"] == "pending"
    assert call(alice, "approve")[1]["code"] == "OWN_ACCOUNT"
    assert call(bob, "approve", version=99)[1]["code"] == "STALE_VERSION"
    assert call(bob, "suspend", reason="x")[1]["code"] == "NOT_APPROVED"
    assert call(bob, "reject", reason="")[0] == 422
    seen = as_user(bob).get("/api/v1/approvals").json()
    assert [(one["account_id"], one["approval"], one["domain"]) for one in seen] == [
        (account.id, "pending", "")
    ]
    assert call(bob, "approve", version=seen[0]["version"])[1]["approval"] == "approved"
    assert call(bob, "reject", reason="late")[1]["code"] == "NOT_PENDING"
    assert call(bob, "suspend", reason="Complaints")[1]["reason"] == "Complaints"
    assert call(alice, "submit")[1]["code"] == "ACCOUNT_SUSPENDED"
    own = make_account(cast.alice, port=1, name="Own")
    answer = as_user(alice).post(f"/api/v1/accounts/{own.id}/submit")
    assert (answer.status_code, answer.json()["code"]) == (409, "NOT_PLATFORM")


@pytest.mark.req("SA-03")
def test_the_start_says_what_is_amiss_with_the_sender(as_user, alice, cast):
    account = platform(cast)
    campaign = make_campaign(cast.alice, account, make_list(cast.alice, ["anna@example.net"]))

    def said(kind):
        campaign.refresh_from_db()
        checks = before_it_goes(campaign, audience_of(campaign))
        return " ".join(f"{one.text} {one.more}" for one in checks if one.kind == kind)

    assert "it is not approved" in said("bad")
    Account.objects.filter(id=account.id).update(approval="approved")
    assert "alderpike.example is not proved" in said("bad")
    start = as_user(alice).post(f"/api/v1/campaigns/{campaign.id}/start", "{}", "application/json")
    assert (start.status_code, start.json()["code"]) == (409, "DOMAIN_UNVERIFIED")
    domain = domain_add(viewer=cast.alice, name="alderpike.example")
    domain_word(viewer=cast.alice, domain_id=domain.id)
    assert "mail server is not set up yet" in said("bad")
    Instance.objects.filter(id=1).update(relay_host="127.0.0.1")
    assert said("bad") == ""
    assert "SPF, DKIM, DMARC" in said("wait")
    assert "goes nowhere" in said("wait")
    page = as_user(alice).get(f"/campaigns/{campaign.id}/").content.decode()
    assert "Not in order for alderpike.example" in page
    key_use(viewer=cast.alice, domain_id=domain.id, key_id=domain.keys.get().id)
    ok = {"state": "ok", "code": "", "found": [], "values": {}}
    Domain.objects.filter(id=domain.id).update(checks={"spf": ok, "dmarc": ok})
    assert "SPF, DKIM and DMARC of alderpike.example are in order" in said("ok")


RELAY = {
    "relay_host": "relay.firm.example",
    "relay_port": "587",
    "relay_security": "starttls",
    "relay_login": "postroom",
    "relay_password": "s3cret words",
    "relay_verify_certificate": "on",
}


def test_the_firms_server_is_set_by_who_runs_the_installation_only(as_user, alice, bob, charlie, cast):
    for user in (bob, charlie):
        client = as_user(user)
        assert client.get("/settings/relay/").status_code == 403
        assert client.post("/settings/relay/", RELAY).status_code == 403
        assert client.post("/settings/relay/check/", RELAY).status_code == 403
    client = as_user(alice)
    account = platform(cast, status=AccountStatus.FAILING, status_reason="refused")
    assert client.post("/settings/relay/", RELAY).status_code == 302
    relay = Instance.objects.get(id=1)
    assert (relay.relay_host, relay.relay_port, relay.relay_password) == (
        "relay.firm.example",
        587,
        "s3cret words",
    )
    account.refresh_from_db()
    assert account.status == "ok"
    page = client.get("/settings/relay/").content.decode()
    assert "s3cret" not in page
    client.post("/settings/relay/", {**RELAY, "relay_password": ""})
    assert Instance.objects.get(id=1).relay_password == "s3cret words"
    moved = client.post("/settings/relay/", {**RELAY, "relay_password": "", "relay_host": "evil.example"})
    assert moved.status_code == 422
    assert "type the password again" in moved.content.decode()
    for wrong in ({"relay_host": "no host"}, {"relay_port": "0"}, {"relay_security": "maybe"}):
        assert client.post("/settings/relay/", {**RELAY, **wrong}).status_code == 422, wrong
    assert "s3cret" not in json.dumps(list(AuditLine.objects.values_list("details", flat=True)))
    client.post("/settings/relay/", {**RELAY, "relay_host": ""})
    assert Instance.objects.get(id=1).relay_host == ""


@pytest.mark.django_db(transaction=True)
def test_check_settings_tries_the_firms_server_step_by_step(as_user, alice):
    client = as_user(alice)
    Instance.objects.filter(id=1).update(allow_private_hosts=False)
    with counting() as (_desk, port), syncing():
        values = {"relay_host": "127.0.0.1", "relay_port": str(port), "relay_security": "none"}
        block = client.post("/settings/relay/check/", values).content.decode()
        assert 'id="probe"' in block
        assert wait_for(lambda: Probe.objects.filter(state="done").exists(), 20)
    probe = Probe.objects.get()
    assert probe.result["smtp"]["ok"] is True, probe.result
    assert probe.form == ""
    assert "Everything works" in client.get(f"/settings/accounts/probes/{probe.id}/").content.decode()
    missing = client.post("/settings/relay/check/", {**values, "relay_host": ""}).content.decode()
    assert "The server is missing" in missing


@pytest.mark.parametrize(
    ("verb", "start", "said"),
    [
        ("approve", "pending", "Campaigns can be sent from it now."),
        ("reject", "pending", "Whose is it?"),
        ("suspend", "approved", "Whose is it?"),
    ],
)
def test_the_owner_is_told_what_the_operator_decided(as_user, alice, bob, cast, verb, start, said):
    let_bob_approve(cast)
    account = platform(cast, approval=start)
    notices = make_account(cast.alice, port=1, name="Notices")
    type(cast.alice.workspace).objects.filter(id=cast.alice.workspace.id).update(notice_account=notices)
    as_user(bob).post(f"/settings/approvals/{account.id}/{verb}/", {"reason": "Whose is it?"})
    mail = Message.objects.get(purpose="system")
    assert mail.to_address == alice.email
    assert account.name in mail.subject
    assert said in blob_read(mail.raw_id).decode()
