"""The one screen of accounts of both kinds: search, filters, order, states (SA-29 to SA-33, CM-32 to CM-36)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from postroom.models.account import Account, Approval, LimitBucket
from postroom.models.profile import Profile, Right
from postroom.testing.cast import make_account

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts(cast):
    """Alice's: an own one, a marketing one, one for programs; Bob's own one."""
    made = {
        "Żółw sales": make_account(
            cast.alice,
            port=587,
            name="Żółw sales",
            address="sales@alder.example",
            smtp_host="mail.alder.example",
            imap_host="imap.alder.example",
            smtp_login="alder-sales",
            imap_login="alder-reader",
        ),
        "News": make_account(
            cast.alice,
            port=587,
            name="News",
            address="news@mail.alder.example",
            kind="platform",
            approval=Approval.APPROVED,
            smtp_host="",
        ),
        "Shop": make_account(
            cast.alice,
            port=9930,
            name="Shop",
            address="orders@alder.example",
            smtp_host="relay.shop.example",
            integration=True,
        ),
        "Bob's": make_account(
            cast.bob, port=465, name="Bob's", address="bob@pike.example", smtp_host="mail.pike.example"
        ),
    }
    for day, account in enumerate(made.values(), 1):
        Account.objects.filter(id=account.id).update(created_at=datetime(2026, 3, day, 23, 30, tzinfo=UTC))
    return made


def names(client, query=""):
    answer = client.get(f"/api/v1/accounts{query}")
    assert answer.status_code == 200, answer.content
    page = client.get(f"/settings/accounts/{query}").content.decode()
    found = [item["name"] for item in answer.json()["items"]]
    for item in answer.json()["items"]:
        assert item["address"] in page, "the page and the API find the same"
    return found


@pytest.mark.req("SA-02", "SA-29", "SA-03")
def test_both_kinds_stand_on_one_screen_with_both_buttons_as_far_as_one_may_see_them(
    as_user, alice, bob, charlie, accounts
):
    client = as_user(alice)
    assert names(client) == ["Bob's", "News", "Shop", "Żółw sales"]
    page = client.get("/settings/accounts/").content.decode()
    assert 'href="/settings/accounts/new/"' in page
    assert 'href="/settings/accounts/new/marketing/"' in page
    assert "recommended" in page
    assert names(as_user(bob)) == ["Bob's"]
    Account.objects.filter(name="News").update(visibility="workspace")
    assert names(as_user(bob)) == ["Bob's", "News"]
    assert names(as_user(charlie)) == []


@pytest.mark.req("SA-02")
def test_more_than_a_page_is_paged_in_the_address(as_user, cast, alice):
    for number in range(51):
        make_account(cast.alice, port=25, name=f"A {number:02}", address=f"a{number}@alder.example")
    client = as_user(alice)
    first, second = (client.get(f"/api/v1/accounts?at={at}").json() for at in ("", "2"))
    assert (len(first["items"]), len(second["items"]), first["total"], first["next"]) == (50, 1, 51, "2")
    assert "?page=2" in client.get("/settings/accounts/").content.decode()


@pytest.mark.req("SA-30")
def test_search_finds_part_of_a_name_or_an_address_without_accents_and_case(as_user, alice, accounts):
    client = as_user(alice)
    assert names(client, "?q=ZOLW") == ["Żółw sales"]
    assert names(client, "?q=PIKE.ex") == ["Bob's"]
    assert names(client, "?q=sales+alder.example") == ["Żółw sales"]
    assert names(client, "?q=mail.alder.example") == ["News"], "servers are not searched"


@pytest.mark.req("SA-31")
def test_the_kind_is_chosen_and_goes_with_the_search(as_user, alice, accounts):
    client = as_user(alice)
    assert names(client, "?kind=marketing") == ["News"]
    assert names(client, "?kind=own") == ["Bob's", "Shop", "Żółw sales"]
    assert names(client, "?kind=own&q=alder") == ["Shop", "Żółw sales"]
    assert client.get("/api/v1/accounts?kind=foreign").json()["field"] == "kind"


@pytest.mark.req("SA-32")
def test_the_list_is_ordered_by_name_address_or_creation_and_shows_dates_in_ones_own_zone(
    as_user, alice, accounts
):
    client = as_user(alice)
    assert names(client, "?sort=-name") == ["Żółw sales", "Shop", "News", "Bob's"]
    assert names(client, "?sort=address") == ["Bob's", "News", "Shop", "Żółw sales"]
    assert names(client, "?sort=-created") == ["Bob's", "Shop", "News", "Żółw sales"]
    assert "2 Mar 2026" in client.get("/settings/accounts/?q=zolw").content.decode(), (
        "half past midnight here"
    )
    alice.time_zone = "Europe/London"
    alice.save()
    page = as_user(alice).get("/settings/accounts/?q=zolw").content.decode()
    assert "1 Mar 2026" in page
    Account.objects.filter(name="News").update(visibility="workspace")
    assert "shared" in client.get("/settings/accounts/?q=news").content.decode()


@pytest.mark.req("CM-32")
def test_name_owner_and_address_narrow_the_list_together(as_user, alice, bob, accounts):
    client = as_user(alice)
    assert names(client, "?name=S") == ["Bob's", "News", "Shop", "Żółw sales"]
    assert names(client, "?name=zolw&address=alder") == ["Żółw sales"]
    assert names(client, f"?owner={bob.id}") == ["Bob's"]
    assert names(client, f"?owner={bob.id}&address=alder") == []


@pytest.mark.req("CM-33")
def test_imap_and_smtp_servers_are_two_filters(as_user, alice, accounts):
    client = as_user(alice)
    assert names(client, "?smtp=mail.") == ["Bob's", "Żółw sales"]
    assert names(client, "?imap=ALDER") == ["Żółw sales"]
    assert names(client, "?imap=mail.") == []


@pytest.mark.req("CM-34")
def test_either_login_is_found_but_never_a_password_and_only_where_one_manages(as_user, alice, bob, accounts):
    client = as_user(alice)
    assert names(client, "?login=sales") == ["Żółw sales"]
    assert names(client, "?login=READER") == ["Żółw sales"]
    Account.objects.filter(name="Żółw sales").update(visibility="workspace", everyone=["use"])
    assert names(as_user(bob)) == ["Bob's", "Żółw sales"]
    for query in ("?login=sales", "?smtp=alder", "?imap=alder", "?port=587"):
        assert names(client, query) == [], "what one is not told cannot be guessed either"
    office = Profile.objects.get(workspace=accounts["News"].workspace)
    office.rights = [*office.rights, str(Right.ACCOUNTS_MANAGE)]
    office.save()
    assert names(client, "?login=sales") == ["Żółw sales"]


@pytest.mark.req("CM-35")
def test_a_port_is_exact_on_either_side_or_the_one_named(as_user, alice, accounts):
    client = as_user(alice)
    assert names(client, "?port=993") == ["Żółw sales"], "9930 is another port"
    assert names(client, "?port=587") == ["Żółw sales"]
    assert names(client, "?port=smtp:465") == ["Bob's"]
    assert names(client, "?port=imap:587") == []
    for wrong in ("abc", "smtp:", "pop3:110", "9 93"):
        answer = client.get("/api/v1/accounts", {"port": wrong})
        assert (answer.status_code, answer.json()["field"]) == (422, "port")
        assert client.get("/settings/accounts/", {"port": wrong}).status_code == 422


@pytest.mark.req("CM-36")
def test_integration_is_yes_no_or_any(as_user, alice, accounts):
    client = as_user(alice)
    assert names(client, "?integration=yes") == ["Shop"]
    assert names(client, "?integration=no") == ["Bob's", "News", "Żółw sales"]
    assert len(names(client, "?integration=")) == 4
    assert client.get("/api/v1/accounts?integration=perhaps").status_code == 422


def test_filters_stand_in_the_address_and_a_chip_takes_one_away(as_user, alice, accounts):
    page = as_user(alice).get("/settings/accounts/?port=587&smtp=alder").content.decode()
    assert "Port: 587" in page
    assert 'href="?smtp=alder"' in page
    assert 'href="?port=587"' in page


@pytest.mark.req("SA-33")
@pytest.mark.parametrize(
    ("values", "status", "words"),
    [
        ({"status": "untested"}, "untested", "Untested"),
        ({"status": "ok"}, "ok", "Works"),
        (
            {"status": "failing", "status_reason": "535 wrong", "status_since": timezone.now()},
            "failing",
            "535 wrong",
        ),
        (
            {"paused_until": timezone.now() + timedelta(hours=1), "status_reason": "421 too fast"},
            "paused",
            "421 too fast",
        ),
        ({"kind": "platform", "approval": "draft"}, "draft", "Draft"),
        ({"kind": "platform", "approval": "pending"}, "pending", "Waiting for approval"),
        ({"kind": "platform", "approval": "approved"}, "approved", "Approved"),
        ({"kind": "platform", "approval": "rejected", "approval_reason": "no shop"}, "rejected", "no shop"),
        ({"kind": "platform", "approval": "suspended", "approval_reason": "spam"}, "suspended", "spam"),
    ],
)
def test_the_status_is_one_word_with_its_cause(as_user, cast, alice, values, status, words):
    make_account(cast.alice, port=25, **values)
    client = as_user(alice)
    [item] = client.get("/api/v1/accounts").json()["items"]
    assert item["status"] == status
    assert item["status_reason"] == values.get("status_reason", values.get("approval_reason", ""))
    assert words in client.get("/settings/accounts/").content.decode()


@pytest.mark.req("SA-33")
def test_an_account_that_has_sent_all_it_may_says_when_it_goes_on(as_user, cast, alice):
    account = make_account(cast.alice, port=25, per_hour=100)
    here = int(timezone.now().timestamp() // 60)
    LimitBucket.objects.create(account=account, window_s=3600, slice_at=here - 10, taken=60)
    client = as_user(alice)
    assert client.get("/api/v1/accounts").json()["items"][0]["status"] == "ok"
    LimitBucket.objects.create(account=account, window_s=3600, slice_at=here, taken=40)
    [item] = client.get("/api/v1/accounts").json()["items"]
    assert item["status"] == "paused"
    until = datetime.fromisoformat(item["status_until"])
    assert timedelta(minutes=45) < until - timezone.now() < timedelta(minutes=56)
    assert "Paused by limit" in client.get("/settings/accounts/").content.decode()
