"""Refused logins switch the reading off, and the switch is heard: with a real Dovecot."""

import time

import pytest
from django.db import connection

from postroom.actions.account_reading import collector_switch
from postroom.models.account import Account, Collector
from postroom.models.event import LogLine
from postroom.models.message import Message
from postroom.models.workspace import Instance
from postroom.queries.status import reading_of
from postroom.testing.cast import make_account, make_cast
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

WRONG = "wr0ng-s3cret-horse"


@pytest.fixture(autouse=True)
def quick(settings, trust):
    settings.POSTROOM_LEASE_SECONDS = 2
    settings.POSTROOM_LEASE_RENEW_SECONDS = 0.5
    settings.POSTROOM_POLL_SECONDS = 0.1
    settings.POSTROOM_COLLECT_RETRY_SCHEDULE = (0.2, 0.3, 0.4, 0.5)
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})


@pytest.fixture
def people():
    return make_cast()


def make(office, viewer, password="correct horse", **more):
    address = office.spare_mailbox()
    account = make_account(
        viewer,
        port=2525,
        name=address,
        address=address,
        imap_host="localhost",
        imap_port=office.dovecot.imap,
        imap_security="starttls",
        imap_login=address,
        imap_password=password,
    )
    return Collector.objects.create(account=account, **{"use_idle": False, **more})


def logins(office, collector):
    """Connections that tried to sign in as this account, by the server's own log."""
    words = office.dovecot.words()
    return sum(
        1 for line in words.splitlines() if "imap-login" in line and f"<{collector.account.address}>" in line
    )


def state_of(collector):
    return reading_of(
        Account.objects.prefetch_related("collectors__switched_by").get(id=collector.account_id)
    )


@pytest.mark.req("CM-54")
def test_a_wrong_password_is_tried_three_times_then_reading_is_off_and_its_owner_told(office, people, caplog):
    notices = make_account(people.alice, port=2525, address="office@alderpike.example", name="Office")
    people.alice.workspace.notice_account = notices
    people.alice.workspace.save()
    bad = make(office, people.alice, WRONG)
    good = make(office, people.alice, interval_s=60)
    with syncing():
        assert wait_for(lambda: not Collector.objects.get(id=bad.id).is_on)
        assert wait_for(lambda: Collector.objects.get(id=good.id).last_ok_at)
        tried = logins(office, bad)
        time.sleep(1.0)  # twice the longest wait
        assert logins(office, bad) == tried == 3
    reading = state_of(bad)
    assert (reading.state, reading.is_on, reading.code) == ("auth_failed", False, "LOGIN_REFUSED")
    assert reading.told == str(people.alice.user)
    assert state_of(good).state == "ok", "other accounts are unaffected"
    (notice,) = Message.objects.filter(purpose="system")
    assert notice.to_address == people.alice.user.email
    refused = LogLine.objects.filter(account=bad.account, stage="login", level="error")
    assert refused.count() == 3
    assert LogLine.objects.filter(account=good.account, stage="connection", words__contains="TLS").exists()
    assert holding(WRONG) == []
    assert WRONG not in caplog.text


def holding(secret):
    """Tables with a row in which this stands in the clear."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = []
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}" AS r WHERE r::text LIKE %s', [f"%{secret}%"])
            if cursor.fetchone()[0]:
                found.append(table)
    return found


@pytest.mark.req("CM-53", "CM-51")
def test_a_mailbox_switched_off_is_not_connected_to_in_the_next_interval(office, people):
    off, on = make(office, people.alice, interval_s=1), make(office, people.alice, interval_s=1)
    with syncing():
        for one in (off, on):
            assert wait_for(lambda one=one: Collector.objects.get(id=one.id).last_ok_at)
        switch(people.alice, off, on=False)
        assert wait_for(lambda: not Collector.objects.get(id=off.id).holder)
        before, others = logins(office, off), logins(office, on)
        assert wait_for(lambda: logins(office, on) >= others + 2), "the other one goes on"
        assert logins(office, off) == before
        row = Collector.objects.get(id=off.id)
        assert (row.is_on, row.switched_by, row.last_ok_at is not None) == (False, people.alice.user, True)
        switch(people.alice, off, on=True)
        assert wait_for(lambda: logins(office, off) > before)
    assert holding("correct horse") == []


def switch(viewer, collector, *, on):
    """A person cannot choose an interval of a second; a test can."""
    mine = Collector.objects.filter(id=collector.id)
    mine.update(interval_s=60)
    collector_switch(viewer=viewer, account_id=collector.account_id, on=on)
    mine.update(interval_s=1)


def test_a_mailbox_that_waits_for_mail_is_let_go_at_once(office, people):
    collector = make(office, people.alice, use_idle=True, interval_s=3600)
    with syncing():
        assert wait_for(lambda: Collector.objects.get(id=collector.id).last_ok_at)
        collector_switch(viewer=people.alice, account_id=collector.account_id, on=False)
        assert wait_for(lambda: not Collector.objects.get(id=collector.id).holder, timeout=5)
