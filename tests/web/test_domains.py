"""Settings > Domains as a person uses it, and the same through the API."""

import json

import pytest

from postroom.models.account import AccountKind
from postroom.models.domain import DkimKey, Domain, DomainCheck, LocalAddress
from postroom.models.profile import Profile
from postroom.models.workspace import AuditLine, Workspace
from postroom.testing.cast import make_account
from postroom.testing.dns import name_server
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db


def add(client, name="firm.example"):
    answer = client.post("/settings/domains/new/", {"name": name})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return Domain.objects.latest("id")


def page(client, domain):
    return client.get(f"/settings/domains/{domain.id}/").content.decode()


def test_a_domain_is_added_and_its_page_says_what_to_publish(as_user, alice):
    client = as_user(alice)
    assert "Add the firm&#x27;s domain" in client.get("/settings/domains/").content.decode().replace(
        "'", "&#x27;"
    )
    domain = add(client, " Firm.Example. ")
    text = page(client, domain)
    key = domain.keys.get()
    for words in (
        "_postroom.firm.example",
        domain.token,
        "v=spf1 mx ~all",
        f"{key.selector}._domainkey.firm.example",
        key.public_key[:40],
        "_dmarc.firm.example",
        "v=DMARC1; p=none",
        "Not proved yet",
        'data-act="copy"',
    ):
        assert words in text, words
    assert "PRIVATE KEY" not in text
    assert "firm.example" in client.get("/settings/domains/").content.decode()
    assert AuditLine.objects.filter(verb="added", noun="domain", noun_id=domain.id).exists()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "Write the domain"),
        ("firm example", "This is no domain"),
        ("sales@firm.example", "Write the domain alone"),
        ("https://firm.example", "Write the domain alone"),
        ("192.168.1.1", "IP address"),
        ("[2001:db8::1]", "IP address"),
        ("localhost", "no dot"),
        ("firm..example", "This is no domain"),
        ("-firm.example", "This is no domain"),
        ("firm.example\r\nBcc: x", "This is no domain"),
        (".".join(["a" * 50] * 6) + ".example", "too long"),
        ("a" * 64 + ".example", "too long"),
        ("\u202efirm.example", "This is no domain"),
        ("фирма..пл", "This is no domain"),
    ],
)
def test_what_is_no_domain_is_said_and_stays_as_typed(as_user, alice, name, words):
    answer = as_user(alice).post("/settings/domains/new/", {"name": name})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Domain.objects.exists()


def test_a_domain_in_other_letters_is_kept_in_a_labels_and_shown_as_written(as_user, alice):
    client = as_user(alice)
    domain = add(client, "Żółw.Example")
    assert domain.name == "xn--w-uga1v8h.example"
    text = page(client, domain)
    assert "żółw.example" in text
    assert domain.name in text
    again = client.post("/settings/domains/new/", {"name": "xn--w-uga1v8h.example"})
    assert again.status_code == 409
    longest = ".".join(["a" * 61] * 4) + ".pike"
    assert add(client, longest).name == longest


def test_other_people_and_other_firms_see_nothing_of_it(as_user, alice, bob, charlie):
    domain = add(as_user(alice), "hers.example")
    paths = [
        f"/settings/domains/{domain.id}/{tail}"
        for tail in (
            "check/",
            "word/",
            "delete/",
            "keys/",
            f"keys/{domain.keys.get().id}/use/",
            "bounce-host/",
        )
    ]
    for user, status in ((bob, 403), (charlie, 404)):
        client = as_user(user)
        assert client.get(f"/settings/domains/{domain.id}/").status_code == status
        assert client.get(f"/settings/domains/{domain.id}/checks/").status_code == status
        assert {client.post(path, {"bounce_host": "x.firm.example"}).status_code for path in paths} == {
            status
        }
    assert as_user(bob).get("/settings/domains/").status_code == 403
    assert "hers.example" not in as_user(charlie).get("/settings/domains/").content.decode()
    Profile.objects.filter(name="Office", workspace=domain.workspace).update(rights=["domains.manage"])
    client = as_user(bob)
    assert client.get(f"/settings/domains/{domain.id}/").status_code == 200
    assert client.post(f"/settings/domains/{domain.id}/word/").status_code == 403
    domain.refresh_from_db()
    assert domain.proved_at is None


def test_the_administrators_word_proves_signs_and_is_on_record(as_user, alice):
    client = as_user(alice)
    domain = add(client)
    key = domain.keys.get()
    assert client.post(f"/settings/domains/{domain.id}/keys/{key.id}/use/").status_code == 409
    client.post(f"/settings/domains/{domain.id}/word/")
    client.post(f"/settings/domains/{domain.id}/keys/{key.id}/use/")
    domain.refresh_from_db()
    assert (domain.proved_by, domain.keys.get().state) == ("word", "active")
    assert list(AuditLine.objects.filter(user=alice).values_list("verb", flat=True)) == [
        "added",
        "vouched for",
        "vouched for the key",
    ]
    client.post(f"/settings/domains/{domain.id}/keys/")
    waiting = DkimKey.objects.get(state="next")
    client.post(f"/settings/domains/{domain.id}/keys/{waiting.id}/use/")
    key.refresh_from_db()
    assert (key.state, key.private_key) == ("retired", "")
    assert "may still be on its way" in page(client, domain)
    client.post(f"/settings/domains/{domain.id}/keys/")
    waiting = DkimKey.objects.get(state="next")
    client.post(f"/settings/domains/{domain.id}/keys/{waiting.id}/drop/")
    assert not DkimKey.objects.filter(state="next").exists()


def test_the_bounce_host_lies_below_a_proved_domain(as_user, alice):
    client = as_user(alice)
    domain = add(client)
    path = f"/settings/domains/{domain.id}/bounce-host/"
    assert client.post(path, {"bounce_host": "returns.firm.example"}).status_code == 409
    client.post(f"/settings/domains/{domain.id}/word/")
    for wrong in ("firm.example", "returns.other.example", "returns firm", "notfirm.example"):
        assert client.post(path, {"bounce_host": wrong}).status_code == 422, wrong
    assert client.post(path, {"bounce_host": "Returns.firm.example"}).status_code == 302
    assert Workspace.objects.get(id=domain.workspace_id).bounce_host == "returns.firm.example"
    assert "MX of returns.firm.example" in page(client, domain)
    refused = client.post(f"/settings/domains/{domain.id}/delete/")
    assert refused.status_code == 409
    assert "Returned mail goes to returns.firm.example" in refused.content.decode()
    client.post(path, {"bounce_host": ""})
    assert client.post(f"/settings/domains/{domain.id}/delete/").status_code == 302
    assert not Domain.objects.exists()


def test_a_domain_that_accounts_send_from_stays(as_user, alice, cast):
    client = as_user(alice)
    domain = add(client, "alderpike.example")
    make_account(cast.alice, port=1, kind=AccountKind.PLATFORM, name="Marketing")
    refused = client.post(f"/settings/domains/{domain.id}/delete/")
    assert refused.status_code == 409
    assert "Marketing" in refused.content.decode()


def test_local_addresses_are_listed_added_and_taken_off(as_user, alice, cast):
    client = as_user(alice)
    domain = add(client, "alderpike.example")
    account = make_account(cast.alice, port=1)
    path = f"/settings/domains/{domain.id}/addresses/"
    client.post(
        path, {"addresses": "Office\nбюро@alderpike.example\n\noffice@ALDERPIKE.example", "owner": ""}
    )
    client.post(path, {"addresses": "info", "owner": f"account-{account.id}"})
    assert sorted(LocalAddress.objects.values_list("address", "kind")) == [
        ("info@alderpike.example", "alias"),
        ("office@alderpike.example", "imported"),
        ("бюро@alderpike.example", "imported"),
    ]
    text = page(client, domain)
    for words in (
        "another name of Sales",
        "account Sales",
        "sales@alderpike.example",
        "бюро@alderpike.example",
    ):
        assert words in text, words
    for wrong, words in (
        ("x@other.example", "x@other.example is not in alderpike.example"),
        ("two words", "two words"),
        ("a@b@c", "a@b@c"),
        ("", "at least one"),
    ):
        answer = client.post(path, {"addresses": wrong, "owner": ""})
        assert answer.status_code == 422, wrong
        assert words in answer.content.decode(), wrong
    answer = client.post(path, {"addresses": "y", "owner": "account-999999"})
    assert answer.status_code == 422
    gone = LocalAddress.objects.get(address="info@alderpike.example")
    client.post(f"{path}{gone.id}/delete/")
    assert not LocalAddress.objects.filter(id=gone.id).exists()


def test_the_api_does_what_the_pages_do(as_user, alice, bob, charlie):
    client = as_user(alice)

    def call(method, path, body=None):
        return client.generic(method, f"/api/v1/domains{path}", json.dumps(body or {}), "application/json")

    made = call("POST", "", {"name": "firm.example"})
    assert made.status_code == 201
    domain = made.json()
    assert (domain["proved"], domain["keys"][0]["state"]) == (False, "next")
    assert {one["purpose"] for one in domain["records"]} == {"proof", "spf", "dkim", "dmarc"}
    assert "private" not in made.content.decode().lower()
    assert call("POST", "", {"name": "firm.example"}).json()["code"] == "DOMAIN_EXISTS"
    assert call("POST", "", {"name": "no domain"}).status_code == 422
    at = f"/{domain['id']}"
    assert call("POST", f"{at}/check").json()["checking"] is True
    assert DomainCheck.objects.filter(state="waiting").count() == 1
    assert (
        call("PUT", f"{at}/bounce-host", {"bounce_host": "r.firm.example"}).json()["code"]
        == "DOMAIN_UNVERIFIED"
    )
    assert call("POST", f"{at}/word").json()["proved_by"] == "word"
    key = domain["keys"][0]["id"]
    assert call("POST", f"{at}/keys").json()["code"] == "KEY_WAITS"
    assert call("POST", f"{at}/keys/{key}/use").json()["keys"][0]["state"] == "active"
    assert call("POST", f"{at}/keys/{key}/use").json()["code"] == "KEY_IN_USE"
    assert call("DELETE", f"{at}/keys/{key}").status_code == 409
    assert (
        call("PUT", f"{at}/bounce-host", {"bounce_host": "r.firm.example"}).json()["bounce_host"]
        == "r.firm.example"
    )
    assert call("DELETE", at).json()["code"] == "DOMAIN_IN_USE"
    assert call("POST", f"{at}/addresses", {"addresses": ["a", "b@firm.example"]}).json() == {
        "added": 2,
        "here": 0,
    }
    rows = call("GET", f"{at}/addresses").json()
    assert [row["address"] for row in rows] == ["a@firm.example", "b@firm.example"]
    assert call("DELETE", f"{at}/addresses/{rows[0]['id']}").status_code == 204
    for user, status in ((charlie, 404), (bob, 403)):
        client = as_user(user)
        assert call("GET", at).status_code == status
        assert call("DELETE", at).status_code == status
    assert call("GET", "").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_check_now_shows_what_dns_says_within_seconds(as_user, alice, settings):
    client = as_user(alice)
    with name_server() as zone:
        settings.POSTROOM_DNS = [zone.address]
        domain = add(client)
        zone.txt("_postroom.firm.example", domain.token)
        zone.txt("firm.example", "v=spf1 include:nowhere.example ~all")
        zone.records["_dmarc.firm.example", "*"] = "silent"
        block = client.post(
            f"/settings/domains/{domain.id}/check/", headers={"HX-Request": "true"}
        ).content.decode()
        assert "Asking DNS" in block
        assert "data-poll" in block
        with syncing():
            path = f"/settings/domains/{domain.id}/checks/"
            assert wait_for(lambda: "data-poll" not in client.get(path).content.decode(), 20)
        block = client.get(path).content.decode()
    for words in (
        "In order",
        "It includes “nowhere.example”, which has no SPF record.",
        "v=spf1 include:nowhere.example ~all",
        "DNS did not answer",
        "Nothing takes mail for it",
        "The key is not published yet.",
    ):
        assert words in block, words
    assert "Proved by DNS" in page(client, domain)
