"""Mail accounts through the API: rows CM-16 to CM-31."""

import pytest
from django.db import connection
from django.test import Client

from postroom.models.account import Account
from postroom.models.user import User
from postroom.models.workspace import Instance, Workspace
from postroom.testing.cast import make_campaign

pytestmark = pytest.mark.django_db

SECRET = "Tr0ub4dor & 3"
GOOD = {
    "name": "Sales",
    "address": "sales@alderpike.example",
    "smtp_host": "mail.alderpike.example",
    "smtp_security": "starttls",
    "smtp_login": "sales@alderpike.example",
    "smtp_password": SECRET,
    "imap_host": "mail.alderpike.example",
    "imap_security": "tls",
    "imap_login": "sales@alderpike.example",
    "imap_password": SECRET,
}
JSON = "application/json"


@pytest.fixture
def api(as_user, alice):
    return as_user(alice)


def make(client, **values):
    return client.post("/api/v1/accounts", {**GOOD, **values}, content_type=JSON)


def change(client, account_id, **values):
    return client.put(f"/api/v1/accounts/{account_id}", values, content_type=JSON)


def wrong(answer, field, status=422):
    assert answer.status_code == status, answer.content
    body = answer.json()
    assert body["field"] == field
    assert body["message"]
    return body["code"]


def test_a_stranger_gets_401_with_a_code(client, db):
    answer = client.get("/api/v1/accounts")
    assert answer.status_code == 401
    assert answer.json()["code"] == "NOT_SIGNED_IN"


def test_writing_needs_the_csrf_token(alice):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert make(client).status_code == 403
    assert not Account.objects.exists()


@pytest.mark.req("CM-16")
def test_a_name_is_unique_for_its_owner_but_not_for_others(api, alice, bob):
    assert make(api).status_code == 201
    assert wrong(make(api, name="sALES"), "name") == "NAME_TAKEN"
    assert make(api, owner=bob.id).status_code == 201
    assert [item["name"] for item in api.get("/api/v1/accounts").json()["items"]] == ["Sales", "Sales"]


@pytest.mark.req("CM-17")
def test_the_owner_is_an_active_user_of_the_workspace_and_changed_by_managers_only(
    api, as_user, alice, bob, charlie
):
    assert wrong(make(api, owner=charlie.id), "owner")
    bobs = make(api, owner=bob.id).json()
    answer = change(as_user(bob), bobs["id"], owner=alice.id)
    assert answer.status_code == 403
    bob.is_active = False
    bob.save()
    page = as_user(alice).get("/settings/accounts/").content.decode()
    assert "choose an owner" in page
    assert Account.objects.filter(id=bobs["id"], deleted_at=None).exists()
    assert wrong(change(api, make(api).json()["id"], owner=bob.id), "owner")


@pytest.mark.req("CM-18")
@pytest.mark.parametrize(
    "address", ["bad@", "", "two@a.example, three@b.example", "a@b.example\r\nBcc: x@y.example"]
)
def test_what_is_no_address_is_refused(api, address):
    assert wrong(make(api, address=address), "address") == "BAD_ADDRESS"


@pytest.mark.req("CM-18")
def test_addresses_in_other_scripts_are_taken(api):
    assert make(api, address="поща@пример.бг").json()["address"] == "поща@xn--e1afmkfd.xn--90ae"


@pytest.mark.req("CM-18")
def test_the_same_address_twice_is_allowed_but_warned(api):
    make(api)
    second = make(api, name="Sales 2").json()
    assert {"code": "SAME_ADDRESS", "field": "address", "accounts": ["Sales"]} in second["warnings"]


@pytest.mark.req("CM-19")
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "10.1.2.3",
        "[::1]",
        "::ffff:192.168.1.1",
        "169.254.169.254",
        "mail.localhost",
    ],
)
def test_private_hosts_are_refused_unless_allowed(api, host):
    Instance.objects.update(allow_private_hosts=False)
    assert wrong(make(api, smtp_host=host), "smtp_host") == "PRIVATE_HOST"
    assert wrong(make(api, imap_host=host), "imap_host") == "PRIVATE_HOST"
    probe = api.post("/api/v1/accounts/probe", {**GOOD, "smtp_host": host}, content_type=JSON)
    assert wrong(probe, "smtp_host") == "PRIVATE_HOST"
    Instance.objects.update(allow_private_hosts=True)
    assert make(api, smtp_host=host, imap_host=host).status_code == 201


@pytest.mark.req("CM-19")
@pytest.mark.parametrize(
    "host", ["", "two words", "a..b", "-a.example", "user@host", "http://a.example/", "2130706433"]
)
def test_what_is_no_host_is_refused(api, host):
    assert wrong(make(api, smtp_host=host), "smtp_host") == "BAD_VALUE"


@pytest.mark.req("CM-19")
def test_an_unknown_name_is_no_matter_of_saving(api):
    assert make(api, smtp_host="no-such-host.invalid").status_code == 201


@pytest.mark.req("CM-20")
@pytest.mark.parametrize("port", [0, 65536, -1])
def test_a_port_is_from_1_to_65535(api, port):
    assert wrong(make(api, smtp_port=port), "smtp_port")
    assert wrong(make(api, imap_port=port), "imap_port")


@pytest.mark.req("CM-20")
@pytest.mark.parametrize(
    ("smtp", "imap", "ports"), [("starttls", "tls", (587, 993)), ("tls", "starttls", (465, 143))]
)
def test_ports_follow_the_encryption_where_none_is_given(api, smtp, imap, ports):
    made = make(api, smtp_security=smtp, imap_security=imap).json()
    assert (made["smtp_port"], made["imap_port"]) == ports


@pytest.mark.req("CM-20")
def test_an_odd_pair_of_port_and_encryption_is_taken_with_a_warning(api):
    made = make(api, smtp_port=465, smtp_security="starttls").json()
    assert {"code": "ODD_PORT", "field": "smtp_port"} in made["warnings"]
    assert make(api, name="Usual").json()["warnings"] == [
        {"code": "SAME_ADDRESS", "field": "address", "accounts": ["Sales"]}
    ]


@pytest.mark.req("CM-21")
def test_a_password_without_encryption_needs_the_word_of_the_workspace(api):
    assert wrong(make(api, smtp_security="none"), "smtp_security") == "CLEAR_TEXT_LOGIN"
    assert wrong(make(api, imap_security="none"), "imap_security") == "CLEAR_TEXT_LOGIN"
    assert wrong(make(api, smtp_security="ssl"), "smtp_security")
    assert make(api, name="No login", smtp_security="none", smtp_authenticate=False).status_code == 201
    Workspace.objects.update(allow_clear_text_login=True)
    assert make(api, smtp_security="none", imap_security="none").status_code == 201


@pytest.mark.req("CM-22")
def test_a_mailbox_name_in_cyrillic_survives_and_line_breaks_and_other_addresses_do_not(api):
    made = make(api, display_name="Продажби – Алдер").json()
    assert api.get(f"/api/v1/accounts/{made['id']}").json()["display_name"] == "Продажби – Алдер"
    assert wrong(change(api, made["id"], display_name="Sales\r\nBcc: x@y.example"), "display_name")
    assert wrong(change(api, made["id"], display_name="boss@bank.example"), "display_name")
    assert change(api, made["id"], display_name="Sales (sales@alderpike.example)").status_code == 200


@pytest.mark.req("CM-23")
def test_secrets_go_in_and_never_come_out(api):
    made = make(api)
    assert SECRET not in made.content.decode()
    for address in (f"/api/v1/accounts/{made.json()['id']}", "/api/v1/accounts"):
        answer = api.get(address)
        assert SECRET not in answer.content.decode()
        assert '"smtp_password"' not in answer.content.decode()
    body = api.get(f"/api/v1/accounts/{made.json()['id']}").json()
    assert (body["has_password"], body["smtp_has_password"], body["imap_has_password"]) == (True, True, True)
    page = api.get(f"/settings/accounts/{made.json()['id']}/").content.decode()
    assert SECRET not in page
    assert "Stored, not shown" in page
    with connection.cursor() as cursor:
        cursor.execute("SELECT smtp_password, imap_password FROM postroom_account")
        assert all(SECRET not in value and value for value in cursor.fetchone())


@pytest.mark.req("CM-23")
def test_a_blank_password_leaves_the_stored_one_and_sides_are_separate(api):
    made = make(api, imap_login="other", imap_password="another one").json()
    change(api, made["id"], smtp_password="", imap_password="", name="Renamed")
    account = Account.objects.get(id=made["id"])
    assert (account.smtp_password, account.imap_password) == (SECRET, "another one")
    change(api, made["id"], smtp_same_as_imap=True)
    account.refresh_from_db()
    assert (account.smtp_login, account.smtp_password) == ("other", "another one")


@pytest.mark.req("CM-23")
def test_a_stored_password_does_not_follow_a_stranger_to_another_server(api, alice, bob):
    made = make(api, owner=bob.id).json()
    Account.objects.filter(id=made["id"]).update(secrets_by=bob)  # he typed it
    answer = change(api, made["id"], smtp_host="evil.example")
    assert wrong(answer, "smtp_password")
    for way in (
        {"owner": alice.id, "smtp_host": "evil.example"},
        {"verify_certificate": False},
        {"proxy_kind": "socks5", "proxy_host": "evil.example"},
    ):
        assert change(api, made["id"], **way).status_code == 422, way
    probe = {"account_id": made["id"], "smtp_host": "evil.example"}
    assert wrong(api.post("/api/v1/accounts/probe", probe, content_type=JSON), "smtp_password")
    assert change(api, made["id"], smtp_host="new.example", smtp_password="fresh").status_code == 200


@pytest.mark.req("CM-25")
def test_an_unchecked_certificate_is_allowed_and_shown(api):
    made = make(api, verify_certificate=False).json()
    assert {"code": "CERTIFICATE_UNCHECKED", "field": "verify_certificate"} in made["warnings"]
    assert (
        "certificate of this server is not checked"
        in api.get(f"/settings/accounts/{made['id']}/").content.decode()
    )
    assert make(api, name="Usual").json()["verify_certificate"] is True


@pytest.mark.req("CM-31")
def test_a_changed_server_or_login_makes_the_account_untested_and_a_changed_name_does_not(api):
    made = make(api).json()
    Account.objects.update(status="ok")
    assert change(api, made["id"], name="Other name", per_minute=40).json()["status"] == "ok"
    for values in (
        {"smtp_host": "b.example"},
        {"imap_login": "x"},
        {"smtp_port": 25},
        {"smtp_password": "new"},
    ):
        Account.objects.update(status="ok")
        assert change(api, made["id"], **values).json()["status"] == "untested", values


@pytest.mark.req("CM-31")
def test_an_account_in_use_stays_and_else_its_secrets_are_wiped(api, cast):
    made = make(api, collector_on=False).json()
    account = Account.objects.get(id=made["id"])
    campaign = make_campaign(cast.alice, account)
    campaign.state = "scheduled"
    campaign.save()
    answer = api.delete(f"/api/v1/accounts/{account.id}")
    assert answer.status_code == 409
    assert answer.json()["code"] == "IN_USE"
    assert answer.json()["details"] == {
        "campaigns": [{"id": campaign.id, "name": campaign.name}],
        "collectors": [],
    }
    campaign.state = "finished"
    campaign.save()
    assert api.delete(f"/api/v1/accounts/{account.id}").status_code == 204
    account.refresh_from_db()
    assert (account.smtp_password, account.imap_password) == ("", "")
    assert api.get(f"/api/v1/accounts/{account.id}").status_code == 404
    assert api.get("/api/v1/accounts").json()["items"] == []


@pytest.mark.req("CM-31")
def test_an_account_whose_mailbox_is_read_is_not_deleted(api):
    made = make(api, collector_on=True).json()
    assert api.delete(f"/api/v1/accounts/{made['id']}").json()["code"] == "IN_USE"
    change(api, made["id"], collector_on=False)
    assert api.delete(f"/api/v1/accounts/{made['id']}").status_code == 204


@pytest.mark.req("CM-02")
def test_new_pop3_accounts_are_closed(api):
    assert wrong(make(api, protocol="pop3"), "protocol") == "POP3_CLOSED"


@pytest.mark.req("GW-02")
def test_a_stale_save_is_refused_and_loses_nothing(api):
    made = make(api).json()
    assert change(api, made["id"], version=made["version"], name="First").status_code == 200
    answer = change(api, made["id"], version=made["version"], name="Second")
    assert answer.status_code == 409
    assert answer.json()["code"] == "STALE_VERSION"
    assert Account.objects.get().name == "First"


def test_nobody_sees_the_accounts_of_others(as_user, alice, bob, charlie):
    account = make(as_user(alice)).json()["id"]
    for user in (bob, charlie):
        client = as_user(user)
        assert client.get("/api/v1/accounts").json()["items"] == []
        assert "Sales" not in client.get("/settings/accounts/").content.decode()
        for method, address in (
            ("get", f"/api/v1/accounts/{account}"),
            ("delete", f"/api/v1/accounts/{account}"),
            ("get", f"/settings/accounts/{account}/"),
            ("post", f"/settings/accounts/{account}/"),
            ("post", f"/settings/accounts/{account}/delete/"),
            ("post", f"/settings/accounts/{account}/resume/"),
            ("post", f"/settings/accounts/{account}/collect/"),
            ("post", f"/settings/accounts/check/{account}/"),
        ):
            assert getattr(client, method)(address).status_code == 404, (method, address)
        assert change(client, account, name="Mine").status_code == 404
        probe = {"account_id": account}
        assert client.post("/api/v1/accounts/probe", probe, content_type=JSON).status_code == 404


def test_a_check_is_seen_only_by_who_asked(as_user, alice, charlie):
    probe = as_user(alice).post("/api/v1/accounts/probe", GOOD, content_type=JSON)
    assert probe.status_code == 202
    assert SECRET not in probe.content.decode()
    number = probe.json()["id"]
    assert as_user(charlie).get(f"/api/v1/probes/{number}").status_code == 404
    assert as_user(charlie).get(f"/settings/accounts/probes/{number}/").status_code == 404
    assert User.objects.count() == 3
