"""POP3 accounts of old on the pages: a badge and a filter in the list, what their form says, the one way to IMAP."""

import pytest

from postroom.models.account import Account, Collector
from postroom.testing.cast import make_account, make_cast

pytestmark = pytest.mark.django_db

READING = {"imap_host": "pop.firm.example", "imap_port": 995, "imap_login": "old", "imap_password": "secret"}


@pytest.fixture
def cast():
    return make_cast()


@pytest.fixture
def alice(as_user, cast):
    return as_user(cast.alice.user)


@pytest.fixture
def old(cast):
    account = make_account(cast.alice, port=25, name="Old office", protocol="pop3", **READING)
    Collector.objects.create(account=account)
    make_account(cast.alice, port=25, name="Newsletter", imap_host="imap.firm.example")
    return account


@pytest.mark.req("CM-03")
def test_the_list_marks_legacy_accounts_and_can_show_them_alone(alice, old):
    page = alice.get("/settings/accounts/").content.decode()
    assert "?legacy=yes" in page
    assert '<span class="pr-mini">POP3</span>' in page
    page = alice.get("/settings/accounts/?legacy=yes").content.decode()
    assert "Old office" in page
    assert "Newsletter" not in page
    answer = alice.get("/api/v1/accounts?legacy=yes").json()
    assert [row["name"] for row in answer["items"]] == ["Old office"]
    assert alice.get("/settings/accounts/?legacy=perhaps").status_code == 422


@pytest.mark.req("CM-03")
def test_its_page_suggests_imap_and_speaks_of_a_pop3_server(alice, old):
    page = alice.get(f"/settings/accounts/{old.id}/").content.decode()
    assert "still reads by POP3" in page
    assert "POP3 server" in page
    assert "Remove mails from the server" in page
    other = Account.objects.get(name="Newsletter")
    page = alice.get(f"/settings/accounts/{other.id}/").content.decode()
    assert "POP3" not in page


@pytest.mark.req("CM-03")
def test_everything_but_the_protocol_is_changed_and_mails_are_removed_only_when_asked(alice, old):
    url = f"/api/v1/accounts/{old.id}"
    assert alice.get(url).json()["pop3_leave"] is True
    assert alice.put(url, {"name": "Older"}, "application/json").status_code == 200
    old.refresh_from_db()
    assert (old.name, old.pop3_leave, old.protocol) == ("Older", True, "pop3")
    assert alice.put(url, {"pop3_leave": False}, "application/json").status_code == 200
    old.refresh_from_db()
    assert (old.pop3_leave, old.protocol) == (False, "pop3")


@pytest.mark.req("CM-04")
def test_the_dialog_changes_to_imap_and_then_pop3_is_locked(alice, old):
    page = alice.get(f"/settings/accounts/{old.id}/").content.decode()
    assert "There is no way back to POP3" in page
    assert alice.post(f"/settings/accounts/{old.id}/to-imap/").status_code == 302
    old.refresh_from_db()
    assert (old.imap_port, old.pop3_locked) == (993, True)
    back = alice.put(f"/api/v1/accounts/{old.id}", {"protocol": "pop3"}, "application/json")
    assert (back.status_code, back.json()["code"]) == (409, "POP3_LOCKED")
    assert "POP3" not in alice.get(f"/settings/accounts/{old.id}/").content.decode()
