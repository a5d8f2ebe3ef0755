"""The switch that makes an account a mailbox to be read and answered here: start date, folders, the filed copy."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from postroom.models.account import Account, Collector
from tests.web.test_accounts_api import api, change, make, wrong
from tests.web.test_accounts_page import fields

__all__ = ["api"]
pytestmark = pytest.mark.django_db


def folder(account_id, name, **more):
    return Collector.objects.create(account_id=account_id, folder=name, title=name, **more)


def test_an_account_is_a_mailbox_only_when_somebody_says_so_and_from_the_day_they_choose(api):
    made = make(api).json()
    assert (made["is_mailbox"], made["keep_sent"]) == (False, True)
    assert not Collector.objects.exists()
    assert change(api, made["id"], is_mailbox=True, mailbox_from="2026-01-31").json()["is_mailbox"]
    one = Collector.objects.get()
    assert (one.is_on, one.folder, one.take_from) == (True, "INBOX", datetime(2026, 1, 31, tzinfo=UTC))
    Collector.objects.update(uidvalidity=7, last_uid=70)
    change(api, made["id"], name="Other")
    assert Collector.objects.get().last_uid == 70, "what was read is not read again for nothing"
    change(api, made["id"], mailbox_from="2025-01-31")
    one = Collector.objects.get()
    assert (one.take_from.year, one.uidvalidity, one.last_uid) == (2025, 0, 0)


def test_without_a_day_the_mail_of_a_month_is_brought_in(api):
    made = make(api, is_mailbox=True).json()
    since = timezone.now() - Collector.objects.get(account_id=made["id"]).take_from
    assert timedelta(days=29) < since < timedelta(days=31)


@pytest.mark.parametrize("day", ["1800-01-01", "2999-01-01"])
def test_a_day_that_no_mail_is_of_is_refused(api, day):
    assert wrong(make(api, is_mailbox=True, mailbox_from=day), "mailbox_from")


def test_without_a_reading_side_there_is_no_mailbox(api):
    made = make(api, is_mailbox=True, imap_host="", imap_login="", imap_password="").json()
    assert not made["is_mailbox"]


def test_folders_are_chosen_by_the_api(api):
    made = make(api, is_mailbox=True).json()
    clients = folder(made["id"], "Klienci")
    path = f"/api/v1/accounts/{made['id']}/folders"
    folder(made["id"], "Archiwum")
    assert [one["name"] for one in api.get(path).json()["items"]] == ["INBOX", "Archiwum", "Klienci"]
    answer = api.put(f"{path}/{clients.id}", {"is_wanted": False}, content_type="application/json")
    assert (answer.status_code, answer.json()["is_wanted"]) == (200, False)
    inbox = Collector.objects.get(folder="INBOX")
    refused = api.put(f"{path}/{inbox.id}", {"is_wanted": False}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "INBOX")
    missing = api.put(f"{path}/987654", {"is_wanted": True}, content_type="application/json")
    assert missing.status_code == 404


def test_another_server_is_another_mailbox(api):
    made = make(api, is_mailbox=True).json()
    folder(made["id"], "Klienci")
    Collector.objects.update(uidvalidity=7, last_uid=70)
    change(api, made["id"], imap_host="new.alderpike.example", imap_password="other")
    one = Collector.objects.get()
    assert (one.folder, one.uidvalidity, one.last_uid) == ("INBOX", 0, 0)


def test_the_page_switches_it_on_and_chooses_folders(as_user, alice):
    client = as_user(alice)
    client.post("/settings/accounts/new/", fields(is_mailbox="on", mailbox_from="2026-02-01", keep_sent="on"))
    account = Account.objects.get()
    assert (account.is_mailbox, account.keep_sent) == (True, True)
    assert Collector.objects.get().is_on
    clients, archive = folder(account.id, "Klienci"), folder(account.id, "Archiwum", is_wanted=False)
    page = client.get(f"/settings/accounts/{account.id}/").content.decode()
    assert "Klienci" in page
    assert 'value="2026-02-01"' in page
    sent = fields(is_mailbox="on", mailbox_from="2026-02-01", folders="1", folder=str(archive.id))
    client.post(f"/settings/accounts/{account.id}/", sent | {"version": str(account.version)})
    wanted = dict(Collector.objects.values_list("folder", "is_wanted"))
    assert wanted == {"INBOX": True, "Klienci": False, "Archiwum": True}
    assert not Account.objects.get().keep_sent
    assert clients.account_id == account.id
