"""Who may read which mailbox: leases on the database's clock, one reader a mailbox, longer waits after failures."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone

from postroom.actions import collecting
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.event import LogLine
from postroom.models.user import User
from postroom.models.workspace import Workspace

pytestmark = pytest.mark.django_db

LEASE = timedelta(seconds=30)


@pytest.fixture
def workspace():
    return Workspace.objects.create(name="Office")


def make(workspace, name="news", host="imap.example", login="", folder="INBOX", **more):
    account = Account.objects.create(
        workspace=workspace,
        owner=User.objects.get_or_create(email="owner@office.example")[0],
        name=name,
        address=f"{name}@office.example",
        smtp_host="smtp.example",
        imap_host=host,
        imap_login=login or name,
        imap_password="secret",
    )
    return Collector.objects.create(account=account, folder=folder, **more)


def claim(holder="one", most=10, ids=()):
    return collecting.collectors_claim(holder=holder, lease=LEASE, most=most, ids=ids)


def test_a_new_collector_is_due_at_once(workspace):
    collector = make(workspace)
    (reading,) = claim()
    assert reading.collector_id == collector.id
    assert (reading.host, reading.login, reading.password) == ("imap.example", "news", "secret")
    assert "secret" not in repr(reading)


def test_what_one_holds_no_other_gets(workspace):
    make(workspace)
    assert claim("one")
    assert not claim("two")


def test_a_lease_that_ran_out_is_taken_over(workspace):
    collector = make(workspace)
    claim("one")
    Collector.objects.update(lease_until=Now() - timedelta(seconds=1))
    assert [one.collector_id for one in claim("two")] == [collector.id]
    assert collecting.collectors_renew(holder="one", lease=LEASE, ids=[collector.id]) == {}


@pytest.mark.req("BC-07")
def test_two_collectors_of_one_mailbox_are_read_by_the_older_only(workspace):
    first = make(workspace, login="shared@office.example")
    make(workspace, name="copy", host="IMAP.example", login="shared@office.example")
    other = make(workspace, name="else", login="shared@office.example", folder="Reports")
    assert {one.collector_id for one in claim()} == {first.id, other.id}


def test_the_younger_reads_on_when_the_older_is_switched_off(workspace):
    first = make(workspace, login="shared@office.example")
    second = make(workspace, name="copy", login="shared@office.example")
    Collector.objects.filter(id=first.id).update(is_on=False)
    assert [one.collector_id for one in claim()] == [second.id]


def test_collectors_that_are_off_deleted_or_without_a_host_are_left_alone(workspace):
    make(workspace, "off", is_on=False)
    make(workspace, "nowhere", host="")
    gone = make(workspace, "gone")
    Account.objects.filter(id=gone.account_id).update(deleted_at=timezone.now())
    assert claim() == []


def test_a_collector_waits_for_its_time_unless_asked_for(workspace):
    collector = make(workspace, next_run_at=timezone.now() + timedelta(minutes=5))
    assert claim() == []
    assert [one.collector_id for one in claim(ids={collector.id})] == [collector.id]


def test_no_more_are_claimed_than_there_is_room_for(workspace):
    make(workspace, "n0")
    with connection.cursor() as cursor:  # however it is planned: as if there were a single one
        cursor.execute("ANALYZE postroom_collector")
        for way in ("hashjoin", "mergejoin", "material", "indexscan", "bitmapscan"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for number in range(1, 5):
        make(workspace, f"n{number}")
    assert len(claim(most=2)) == 2
    assert claim(most=0) == []
    assert Collector.objects.exclude(holder="").count() == 2


def test_a_renewal_tells_of_changed_settings_and_of_switching_off(workspace):
    collector = make(workspace)
    claim()
    renew = {"holder": "one", "lease": LEASE, "ids": [collector.id]}
    assert collecting.collectors_renew(**renew) == {collector.id: 1}
    Account.objects.update(version=2)
    assert collecting.collectors_renew(**renew) == {collector.id: 2}
    Collector.objects.update(is_on=False)
    assert collecting.collectors_renew(**renew) == {}


def test_each_failure_waits_longer_and_success_clears_it(workspace, settings):
    settings.POSTROOM_COLLECT_RETRY_SCHEDULE = (60, 300, 900, 3600)
    collector = make(workspace)
    (reading,) = claim()
    waits = [
        collecting.collector_failed(reading=reading, code="UNREACHABLE", words="No answer.").total_seconds()
        for _ in range(5)
    ]
    assert waits == [60, 300, 900, 3600, 3600]
    collector.refresh_from_db()
    assert (collector.error_code, collector.error, collector.failures) == ("UNREACHABLE", "No answer.", 5)
    since = collector.error_since
    assert since is not None
    assert LogLine.objects.count() == 1  # told once, not at each try
    collecting.collector_done(reading=reading, new=3)
    collector.refresh_from_db()
    assert (collector.error_code, collector.error_since, collector.failures) == ("", None, 0)
    assert collector.last_new == 3
    assert collector.next_run_at - collector.last_ok_at == timedelta(seconds=900)


def test_a_refused_login_makes_the_account_fail_until_it_is_let_in(workspace):
    collector = make(workspace)
    Account.objects.update(smtp_same_as_imap=True)
    (reading,) = claim()
    collecting.collector_failed(reading=reading, code="LOGIN_REFUSED", words="Wrong password.", refused=True)
    account = Account.objects.get(id=collector.account_id)
    assert (account.status, account.status_reason) == (AccountStatus.FAILING, "IMAP: Wrong password.")
    collecting.collector_done(reading=reading, new=0)
    account.refresh_from_db()
    assert (account.status, account.status_reason) == (AccountStatus.OK, "")


def test_an_account_that_sends_with_another_password_goes_on_sending(workspace):
    collector = make(workspace)
    Account.objects.update(smtp_login="news", smtp_password="another", status=AccountStatus.OK)
    (reading,) = claim()
    collecting.collector_failed(reading=reading, code="LOGIN_REFUSED", words="Wrong password.", refused=True)
    assert Account.objects.get(id=collector.account_id).status == AccountStatus.OK


def test_reading_mail_does_not_heal_an_account_that_fails_at_sending(workspace):
    collector = make(workspace)
    (reading,) = claim()
    Account.objects.update(status=AccountStatus.FAILING, status_reason="535 Authentication failed")
    collecting.collector_done(reading=reading, new=0)
    assert Account.objects.get(id=collector.account_id).status == AccountStatus.FAILING


def test_a_password_that_cannot_be_decrypted_keeps_no_other_mailbox(workspace):
    bad, good = make(workspace), make(workspace, "good")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_account SET imap_password = 'garbage' WHERE id = %s", [bad.account_id]
        )
    assert [one.collector_id for one in claim()] == [good.id]
    row = Collector.objects.defer("account").get(id=bad.id)
    assert (row.error_code, row.holder) == ("SECRET", "")
    assert "key file" in row.error
    assert row.next_run_at > timezone.now()
