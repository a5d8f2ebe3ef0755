"""What an account is made of, through its API and page: senders, replies, kinds, deleting (SA-04 to SA-35, CM-24)."""

import email
import email.policy

import pytest
from django.utils import timezone

from postroom.actions.message import campaign_test_send
from postroom.models.account import Account, AccountStatus, Approval
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import AttributeKey
from postroom.models.message_type import MessageType
from postroom.models.profile import Profile
from postroom.queries.blob import blob_read
from postroom.testing.cast import make_account, make_campaign, make_list
from tests.web.test_accounts_api import GOOD, JSON, SECRET, change, make, wrong
from tests.web.test_accounts_page import fields

pytestmark = pytest.mark.django_db

MARKETING = {"kind": "platform", "name": "News", "address": "news@alder.example"}


@pytest.fixture
def api(as_user, alice):
    return as_user(alice)


def sent(cast, account):
    """The bytes of a campaign's test message through this account."""
    number = Campaign.objects.count()
    people = make_list(cast.alice, [f"ann{number}@box.example"], name=f"List {number}")
    campaign = make_campaign(cast.alice, account, people, subject="From {{ sender.name }}")
    message = campaign_test_send(viewer=cast.alice, campaign_id=campaign.id)
    return email.message_from_bytes(blob_read(message.raw_id), policy=email.policy.default)


@pytest.mark.req("SA-04")
def test_the_internal_name_of_an_account_never_leaves_the_house(cast):
    account = make_account(cast.alice, port=25, name="Zebra internal", display_name="")
    assert b"Zebra" not in bytes(sent(cast, account))


@pytest.mark.req("SA-04")
def test_a_marketing_account_has_its_name_alone_in_the_firm(api, as_user, bob):
    assert api.post("/api/v1/accounts", MARKETING, content_type=JSON).status_code == 201
    again = as_user(bob).post("/api/v1/accounts", {**MARKETING, "name": "NEWS"}, content_type=JSON)
    assert wrong(again, "name") == "NAME_TAKEN"


@pytest.mark.req("SA-03")
def test_a_marketing_account_has_no_server_of_its_own_and_begins_as_a_draft(api):
    made = api.post("/api/v1/accounts", MARKETING | {"smtp_host": "x.example"}, content_type=JSON).json()
    assert (made["kind"], made["status"], made["smtp_host"]) == ("platform", "draft", "")
    page = api.get("/settings/accounts/new/marketing/").content.decode()
    assert "smtp_host" not in page
    answer = api.post(
        "/settings/accounts/new/marketing/", {"name": "Shop news", "address": "s@alder.example"}
    )
    assert answer.status_code == 302
    assert Account.objects.get(name="Shop news").approval == Approval.DRAFT


@pytest.mark.req("SA-06", "CM-22")
@pytest.mark.parametrize("name", ['"ceo@bank.example" Boss', "ceo@bank.example", "A\r\nBcc: x@y.example"])
def test_a_name_that_would_deceive_is_refused(api, name):
    assert wrong(make(api, display_name=name), "display_name")
    values = {"reply_to_address": "a@b.example", "reply_to_name": name}
    assert wrong(make(api, **values), "reply_to_name")


@pytest.mark.req("SA-06")
def test_a_name_too_long_to_be_seen_is_taken_with_a_warning(api):
    made = make(api, display_name="ż" * 79).json()
    assert {"code": "LONG_NAME", "field": "display_name"} in made["warnings"]
    assert "longer than 78" in api.get(f"/settings/accounts/{made['id']}/").content.decode()
    assert make(api, name="Short", display_name="ż" * 78).json()["warnings"] == [
        {"code": "SAME_ADDRESS", "field": "address", "accounts": ["Sales"]}
    ]


@pytest.mark.req("SA-07")
def test_the_fields_of_an_override_are_kept_while_it_is_off(api, cast):
    for key in ("agent_mail", "agent_name"):
        AttributeKey.objects.create(workspace=cast.alice.workspace, key=key)
    posted = {
        "override_from": "on",
        "override_from_address": "agent_mail",
        "override_from_name": "agent_name",
    }
    api.post("/settings/accounts/new/", fields(**posted))
    account = Account.objects.get()
    page = f"/settings/accounts/{account.id}/"
    assert '<option value="agent_mail" selected>' in api.get(page).content.decode()
    api.post(page, fields(**posted) | {"override_from": ""})
    account.refresh_from_db()
    kept = (account.override_from, account.override_from_address, account.override_from_name)
    assert kept == (False, "agent_mail", "agent_name")
    api.post(page, fields(**posted))
    account.refresh_from_db()
    assert account.override_from is True
    assert wrong(change(api, account.id, override_to_address="nowhere"), "override_to_address")


@pytest.mark.req("SA-09", "SA-10", "SA-16", "SA-18")
def test_a_reply_address_is_a_header_only_where_it_is_another_one(api, cast):
    account = make_account(cast.alice, port=25)
    assert sent(cast, account)["Reply-To"] is None
    assert wrong(change(api, account.id, reply_to_name="Office"), "reply_to_address")
    assert wrong(change(api, account.id, reply_to_address="bad@"), "reply_to_address") == "BAD_ADDRESS"
    assert change(api, account.id, reply_to_address="SALES@alderpike.example").status_code == 200
    account.refresh_from_db()
    assert sent(cast, account)["Reply-To"] is None
    change(api, account.id, reply_to_address="office@alder.example", reply_to_name="Büro")
    account.refresh_from_db()
    assert sent(cast, account)["Reply-To"] == "Büro <office@alder.example>"


@pytest.mark.req("SA-14", "SA-19", "SA-20")
def test_an_own_account_appears_as_own_and_never_tells_its_password(api):
    made = make(api)
    assert made.json()["kind"] == "own"
    assert (made.json()["has_password"], made.json()["smtp_has_password"]) == (True, True)
    assert SECRET not in made.content.decode()
    assert [item["id"] for item in api.get("/api/v1/accounts?kind=own").json()["items"]] == [
        made.json()["id"]
    ]


@pytest.mark.req("SA-22")
@pytest.mark.parametrize(
    ("ticks", "security", "port"),
    [
        ({"use_tls": True}, "starttls", 587),
        ({"use_ssl": True}, "tls", 465),
        ({"use_tls": False, "use_ssl": True}, "tls", 465),
    ],
)
def test_tls_and_ssl_are_one_choice(api, ticks, security, port):
    values = {name: value for name, value in GOOD.items() if name != "smtp_security"}
    made = api.post("/api/v1/accounts", values | ticks, content_type=JSON).json()
    assert (made["smtp_security"], made["smtp_port"]) == (security, port)


@pytest.mark.req("SA-22")
def test_tls_and_ssl_exclude_each_other(api):
    assert wrong(make(api, use_tls=True, use_ssl=True), "use_tls") == "TLS_SSL_EXCLUSIVE"
    assert wrong(make(api, smtp_security="tls", use_tls=True), "use_tls") == "TLS_SSL_EXCLUSIVE"
    page = api.get("/settings/accounts/new/").content.decode()
    assert page.count('name="smtp_security"') == 3


@pytest.mark.req("SA-23")
def test_with_authentication_user_and_password_are_needed_without_it_neither(api):
    assert wrong(make(api, smtp_login=""), "smtp_login")
    assert wrong(make(api, smtp_password=""), "smtp_password")
    made = make(api, smtp_authenticate=False, smtp_login="", smtp_password="")
    assert made.status_code == 201
    assert make(api, name="With").json()["smtp_authenticate"] is True


@pytest.mark.req("SA-28")
def test_an_untested_account_is_saved_and_chosen_but_starts_nothing(api, cast):
    made = make(api).json()
    assert made["status"] == "untested"
    campaign = make_campaign(cast.alice, None, make_list(cast.alice, ["ann@box.example"]))
    values = {"version": campaign.version, "account": made["id"]}
    answer = api.put(f"/api/v1/campaigns/{campaign.id}", values, content_type=JSON)
    assert answer.status_code == 200, answer.content
    start = api.post(f"/api/v1/campaigns/{campaign.id}/start", {}, content_type=JSON)
    assert (start.status_code, start.json()["code"]) == (409, "ACCOUNT_UNTESTED")


@pytest.mark.req("SA-34")
def test_a_changed_name_leaves_the_password(api):
    api.post("/settings/accounts/new/", fields())
    account = Account.objects.get()
    api.post(f"/settings/accounts/{account.id}/", fields(name="Renamed", smtp_password=""))
    account.refresh_from_db()
    assert (account.name, account.smtp_password, account.imap_password) == ("Renamed", "secret", "secret")


@pytest.mark.req("SA-35")
def test_an_account_in_use_is_not_deleted_and_a_deleted_one_stays_named_in_the_archive(api, cast):
    account = Account.objects.get(id=make(api, proxy_password="pp", collector_on=False).json()["id"])
    people = make_list(cast.alice, ["ann@box.example"])
    campaign = make_campaign(cast.alice, account, people, state=CampaignState.PAUSED)
    answer = api.delete(f"/api/v1/accounts/{account.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "IN_USE")
    assert answer.json()["details"]["campaigns"] == [{"id": campaign.id, "name": campaign.name}]
    campaign.state = CampaignState.FINISHED
    campaign.save()
    assert api.post(f"/settings/accounts/{account.id}/delete/").status_code == 302
    account.refresh_from_db()
    assert (account.smtp_password, account.imap_password, account.proxy_password) == ("", "", "")
    assert account.address in api.get(f"/campaigns/{campaign.id}/").content.decode()


@pytest.mark.req("CM-24")
def test_default_types_are_ones_the_viewer_may_choose_and_a_deleted_one_is_flagged(api, cast):
    offer = MessageType.objects.create(workspace=cast.alice.workspace, name="Offer", visibility="workspace")
    foreign = MessageType.objects.create(workspace=cast.charlie.workspace, name="X", visibility="workspace")
    made = make(api, type_in=offer.id, type_out=offer.id).json()
    assert (made["type_in"], made["type_out"]) == (offer.id, offer.id)
    assert wrong(change(api, made["id"], type_in=foreign.id), "type_in")
    offer.deleted_at = timezone.now()
    offer.save()
    found = api.get(f"/api/v1/accounts/{made['id']}").json()
    assert (found["type_in"], found["type_out"]) == (None, None)
    assert {"code": "TYPE_GONE", "field": "type_in", "name": "Offer"} in found["warnings"]
    assert "“Offer” was deleted" in api.get(f"/settings/accounts/{made['id']}/").content.decode()


@pytest.mark.req("CM-02", "CM-04")
def test_a_legacy_pop3_account_becomes_imap_once_and_for_good(api, cast):
    account = make_account(cast.alice, port=25, protocol="pop3", imap_host="")
    page = api.get(f"/settings/accounts/{account.id}/").content.decode()
    assert "Change to IMAP" in page
    assert "There is no way back" in page
    assert api.post(f"/settings/accounts/{account.id}/to-imap/").status_code == 302
    account.refresh_from_db()
    assert (account.protocol, account.pop3_locked) == ("imap", True)
    back = change(api, account.id, protocol="pop3")
    assert wrong(back, "protocol", 409) == "POP3_LOCKED"
    other = make(api, name="Other").json()
    assert wrong(change(api, other["id"], protocol="pop3"), "protocol") == "POP3_CLOSED"
    assert wrong(make(api, name="New", protocol="pop3"), "protocol") == "POP3_CLOSED"


def test_a_proxy_is_checked_when_one_is_chosen(api):
    assert wrong(make(api, proxy_kind="socks5"), "proxy_host")
    assert wrong(make(api, proxy_kind="ftp"), "proxy_kind")
    values = {"proxy_kind": "http", "proxy_host": "proxy.alder.example", "proxy_port": 3128}
    made = make(api, **values, proxy_password="proxy secret").json()
    assert (made["proxy_host"], made["proxy_has_password"]) == ("proxy.alder.example", True)
    assert "proxy secret" not in str(made)
    Account.objects.update(status=AccountStatus.OK)
    assert change(api, made["id"], proxy_port=1080).json()["status"] == "untested"


def test_who_may_not_add_accounts_is_told_so(as_user, cast, bob):
    Profile.objects.filter(workspace=cast.bob.workspace).update(rights=[])
    client = as_user(bob)
    assert make(client).status_code == 403
    assert client.get("/settings/accounts/new/").status_code == 403
    assert client.post("/api/v1/accounts/probe", GOOD, content_type=JSON).status_code == 403
    assert "new/marketing" not in client.get("/settings/accounts/").content.decode()


@pytest.mark.req("GW-02")
def test_a_stale_save_shows_both_texts_and_who_was_first(api, as_user, alice):
    api.post("/settings/accounts/new/", fields())
    account = Account.objects.get()
    change(api, account.id, version=1, name="First")
    answer = change(api, account.id, version=1, name="Second", smtp_password="x")
    details = answer.json()["details"]
    assert (details["theirs"], details["yours"]) == ({"name": "First"}, {"name": "Second"})
    assert (details["by"], details["version"]) == (str(alice), 2)
    page = api.post(f"/settings/accounts/{account.id}/", fields(version="1", name="Third"))
    assert page.status_code == 409
    assert "First" in page.content.decode()
    assert api.post(f"/settings/accounts/{account.id}/", fields(version="2", name="Third")).status_code == 302


def test_limits_of_any_span_and_pauses_are_kept_and_come_in_pairs(cast, client):
    """Providers count in 2 or 12 hours too; and some want a rest after so many messages."""
    client.force_login(cast.alice.user)
    account = make_account(cast.alice, port=2525)
    place = f"/api/v1/accounts/{account.id}"
    values = {"per_span": 300, "span_minutes": 120, "pause_every": 50, "pause_s": 30}
    assert client.put(place, values, content_type="application/json").status_code == 200
    account.refresh_from_db()
    assert {name: getattr(account, name) for name in values} == values
    page = client.get(f"/settings/accounts/{account.id}/").content.decode()
    assert 'name="span_minutes" value="120"' in page
    half = client.put(place, {"span_minutes": 0}, content_type="application/json")
    assert (half.status_code, half.json()["field"]) == (422, "span_minutes")
