"""The sync daemon reads real mailboxes (Dovecot), and nothing in them changes."""

import imaplib
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from postroom.actions.account import account_save
from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.event import Event
from postroom.models.message import Message
from postroom.models.user import User
from postroom.models.workspace import Instance, Workspace
from postroom.testing.cast import make_cast
from postroom.testing.run import end, kill, running, start
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - timedelta(days=3650)


@pytest.fixture(autouse=True)
def quick(settings, trust):
    settings.POSTROOM_LEASE_SECONDS = 2
    settings.POSTROOM_LEASE_RENEW_SECONDS = 0.5
    settings.POSTROOM_POLL_SECONDS = 0.2
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})


@pytest.fixture
def box(office):
    """A mailbox of its own for this test."""
    return office.spare_mailbox()


def make(office, address, *, account=None, **more):
    workspace = Workspace.objects.get_or_create(name="Office")[0]
    account = Account.objects.create(
        workspace=workspace,
        owner=User.objects.get_or_create(email="owner@office.example")[0],
        name=address,
        address=address,
        smtp_host="localhost",
        **{
            "imap_host": "localhost",
            "imap_port": office.dovecot.imap,
            "imap_security": "starttls",
            "imap_login": address,
            "imap_password": "correct horse",
            **(account or {}),
        },
    )
    return Collector.objects.create(account=account, **{"take_from": LONG_AGO, "use_idle": False, **more})


def sync_env(child_env, tmp_path):
    """For `postroom sync` as a process of its own."""
    return {
        **child_env,
        "POSTROOM_LEASE_SECONDS": "2",
        "POSTROOM_LEASE_RENEW_SECONDS": "0.5",
        "POSTROOM_POLL_SECONDS": "0.2",
        "SSL_CERT_FILE": str(tmp_path / "authority.pem"),
    }


def mail(number, body="Hello"):
    return (
        f"From: Anna <anna@box.example>\r\nTo: news@office.example\r\nSubject: number {number}\r\n"
        f"Message-ID: <n{number}@box.example>\r\n\r\n{body}\r\n"
    ).encode()


def bounce(number):
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: news@office.example\r\nSubject: Undelivered Mail\r\n"
        f"Message-ID: <b{number}@mx.example>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nNobody there.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; gone{number}@box.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 User unknown\r\n\r\n--b--\r\n"
    ).encode()


def read(collector):
    """The collector once it was read (again)."""
    before = collector.last_ok_at

    def done():
        collector.refresh_from_db()
        return collector.last_ok_at != before

    assert wait_for(done), f"never read: {collector.error_code} {collector.error}"
    return collector


def failed(collector):
    def done():
        collector.refresh_from_db()
        return collector.error_code

    assert wait_for(done)
    return collector


def ask(collector):
    notify(COLLECT, collector.id)


def flags(office, address):
    session = office.dovecot.open(address)
    try:
        return session.uid("SEARCH", "SEEN")[1][0].split(), session.uid("SEARCH", "ALL")[1][0].split()
    finally:
        session.logout()


@pytest.mark.req("BC-03")
def test_twenty_mails_with_five_bounces_are_taken_once_and_stay_where_they_are(office, box):
    for number in range(20):
        office.dovecot.put(box, bounce(number) if number % 4 == 0 else mail(number))
    collector = make(office, box)
    with syncing():
        read(collector)
        assert collector.last_new == 20
        assert collector.next_run_at - collector.last_ok_at == timedelta(minutes=15)
        assert Event.objects.filter(kind="failure").count() == 5
        assert Event.objects.count() == 20
        assert not Event.objects.filter(kind="").exists()
        ask(collector)
        read(collector)
    assert collector.last_new == 0
    assert Event.objects.count() == 20
    seen, there = flags(office, box)
    assert len(there) == 20
    assert seen == []
    collector.refresh_from_db()
    assert collector.holder == ""


def test_what_is_no_report_is_kept_as_a_message(office, box):
    office.dovecot.put(box, mail(1))
    collector = make(office, box)
    with syncing():
        read(collector)
    assert Message.objects.filter(direction="in", subject="number 1").count() == 1


def test_nothing_is_taken_at_the_first_reading_when_all_is_old(office, box):
    collector = make(office, box, take_from=timezone.now() + timedelta(days=8))
    office.dovecot.put(box, mail(1))
    office.dovecot.put(box, mail(2))
    with syncing():
        read(collector)
        assert (Event.objects.count(), collector.last_uid) == (0, 2)
        office.dovecot.put(box, mail(3))
        ask(collector)
        read(collector)
    assert list(Event.objects.values_list("subject", flat=True)) == ["number 3"]


def test_the_first_reading_takes_the_mail_of_the_last_days_and_no_older_one(office, box):
    session = office.dovecot.open(box)
    for number, days in enumerate((900, 8, 6)):
        then = imaplib.Time2Internaldate(time.time() - days * 86400)
        session.append("INBOX", "", then, mail(number))
    session.logout()
    office.dovecot.put(box, mail(3))
    collector = make(office, box, take_from=timezone.now())
    with syncing():
        read(collector)
    assert list(Event.objects.order_by("uid").values_list("subject", flat=True)) == ["number 2", "number 3"]


def test_a_new_uidvalidity_reads_everything_again_and_doubles_nothing(office, box):
    for number in range(3):
        office.dovecot.put(box, mail(number))
    collector = make(office, box)
    with syncing():
        read(collector)
        old = collector.uidvalidity
        Collector.objects.filter(id=collector.id).update(uidvalidity=old - 1)
        Event.objects.update(uidvalidity=old - 1)
        office.dovecot.put(box, mail(9))
        ask(collector)
        read(collector)
    assert (collector.uidvalidity, collector.last_uid, collector.last_new) == (old, 4, 1)
    assert Event.objects.count() == 4


def test_a_mail_that_comes_while_idling_is_taken_within_seconds(office, box):
    collector = make(office, box, use_idle=True)
    with syncing():
        read(collector)
        office.dovecot.put(box, mail(1))
        assert wait_for(lambda: Event.objects.filter(subject="number 1").exists(), timeout=10)
        office.dovecot.put(box, mail(2))
        assert wait_for(lambda: Event.objects.filter(subject="number 2").exists(), timeout=10)
        collector.refresh_from_db()
        assert collector.holder
    collector.refresh_from_db()
    assert collector.holder == ""


@pytest.mark.req("BC-08")
def test_a_wrong_password_of_one_mailbox_does_not_keep_the_other_two(office, box):
    office.dovecot.put(box, mail(1))
    bad = make(
        office,
        box,
        account={"imap_password": "wrong", "imap_login": "boss@office.example", "smtp_same_as_imap": True},
    )
    good = make(office, box)
    other = make(office, office.spare_mailbox())
    with syncing():
        read(good)
        read(other)
        failed(bad)
        assert bad.error_code == "LOGIN_REFUSED"
        assert "wrong" not in bad.error
        bad.account.refresh_from_db()
        assert bad.account.status == AccountStatus.FAILING
        assert bad.next_run_at > timezone.now() + timedelta(seconds=30)
        # the right password, as its form saves it
        Account.objects.filter(id=bad.account_id).update(imap_password="correct horse")
        ask(bad)
        read(bad)
    bad.account.refresh_from_db()
    assert (bad.error_code, bad.account.status) == ("", AccountStatus.OK)
    assert Event.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"imap_host": "no-such-host.invalid"}, "NAME_NOT_FOUND"),
        ({"imap_port": 1}, "UNREACHABLE"),
        ({"imap_security": "tls"}, "TLS_WRONG_MODE"),
        ({"folder": "Nowhere"}, "FOLDER_MISSING"),
    ],
)
def test_what_is_wrong_is_written_on_the_collector(office, box, change, code):
    folder = change.pop("folder", "INBOX")
    collector = make(office, box, account=change, folder=folder)
    with syncing():
        failed(collector)
    assert collector.error_code == code
    assert collector.error
    assert collector.error_since is not None


@pytest.mark.req("BC-07")
def test_another_daemon_takes_over_what_a_dead_one_held(office, box):
    office.dovecot.put(box, mail(1))
    collector = make(office, box)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_collector SET holder = 'dead', lease_until = now() + interval '2 seconds'"
        )
    with syncing(), syncing():
        read(collector)
        ask(collector)
        read(collector)
    assert Event.objects.count() == 1


def test_a_mail_that_cannot_be_read_does_not_stop_the_others(office, box):
    office.dovecot.put(box, b"\xff\xfe\x00broken \x80\r\n" * 50)
    office.dovecot.put(box, b"\r\n")
    office.dovecot.put(box, mail(3))
    collector = make(office, box)
    with syncing():
        read(collector)
    assert collector.last_new == 3
    assert Event.objects.filter(subject="number 3").exists()


def test_more_mails_than_a_batch_are_all_taken(office, box):
    session = office.dovecot.open(box)
    for number in range(230):
        session.append("INBOX", "", "", mail(number))
    session.logout()
    collector = make(office, box)
    with syncing():
        read(collector)
    assert (collector.last_new, collector.last_uid) == (230, 230)
    assert Event.objects.exclude(kind="").count() == 230


def test_the_daemon_goes_on_whenever_the_database_throws_everyone_out(office, box):
    collector = make(office, box, use_idle=True)
    with syncing():
        read(collector)
        for number in range(4):
            office.dovecot.put(box, mail(number))
            time.sleep(0.25 * number)  # at other moments of its round each time
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            here = Event.objects.filter(subject=f"number {number}").exclude(kind="")
            assert wait_for(here.exists), number
    assert Event.objects.count() == 4


def test_a_collector_switched_off_is_let_go_and_one_changed_is_read_anew(office, box):
    collector = make(office, box, use_idle=True)
    with syncing():
        read(collector)
        Account.objects.update(version=2)
        read(collector)
        Collector.objects.update(is_on=False)
        assert wait_for(lambda: not Collector.objects.get(id=collector.id).holder)
        office.dovecot.put(box, mail(1))
        assert not wait_for(lambda: Event.objects.exists(), timeout=1.5)


def test_sigterm_ends_the_process_soon_and_lets_the_mailbox_go(office, box, child_env, tmp_path):
    collector = make(office, box, use_idle=True)
    process = start("sync", env=sync_env(child_env, tmp_path))
    try:
        read(collector)
        assert collector.holder
        began = time.monotonic()
        assert end(process, wait_s=15) == 0
        assert time.monotonic() - began < 8
    finally:
        end(process)
    collector.refresh_from_db()
    assert collector.holder == ""


@pytest.mark.req("BC-07")
def test_after_a_kill_another_process_reads_on_and_takes_nothing_twice(office, box, child_env, tmp_path):
    collector = make(office, box, use_idle=True)
    env = sync_env(child_env, tmp_path)
    first = start("sync", env=env)
    try:
        read(collector)
        office.dovecot.put(box, mail(1))
        assert wait_for(lambda: Event.objects.exists())
        kill(first)
        office.dovecot.put(box, mail(2))
        with running("sync", env=env):
            assert wait_for(lambda: Event.objects.count() == 2)
            read(collector)
    finally:
        end(first)
    assert sorted(Event.objects.values_list("subject", flat=True)) == ["number 1", "number 2"]


@pytest.mark.req("BC-07")
def test_a_second_reader_of_a_mailbox_is_refused_and_the_first_is_named():
    cast = make_cast()
    values = {
        **{"address": "news@office.example", "smtp_host": "mail.office.example", "smtp_login": "news"},
        **{"imap_host": "mail.office.example", "imap_login": "news", "imap_password": "secret"},
        **{"smtp_password": "secret", "collector_on": True},
    }
    first = account_save(viewer=cast.alice, values=values | {"name": "First"})
    with pytest.raises(Conflict, match="First") as refused:
        account_save(
            viewer=cast.alice, values=values | {"name": "Second", "imap_host": "MAIL.office.example"}
        )
    assert (refused.value.code, refused.value.details) == ("COLLECTOR_EXISTS", {"account": first.id})
    with pytest.raises(Conflict) as refused:
        account_save(viewer=cast.charlie, values=values | {"name": "Second"})
    assert refused.value.details == {}
    assert "First" not in str(refused.value)
    account_save(viewer=cast.alice, values=values | {"name": "Second", "collector_on": False})


def test_another_login_means_another_mailbox_read_from_its_beginning():
    cast = make_cast()
    values = {
        **{"name": "News", "address": "news@office.example", "smtp_host": "mail.office.example"},
        **{"smtp_login": "news", "smtp_password": "secret", "imap_host": "mail.office.example"},
        **{"imap_login": "news", "imap_password": "secret", "collector_on": True},
    }
    account = account_save(viewer=cast.alice, values=values)
    Collector.objects.update(uidvalidity=7, last_uid=900)
    account_save(viewer=cast.alice, account_id=account.id, values={"imap_password": "other"})
    assert Collector.objects.get().last_uid == 900
    account_save(viewer=cast.alice, account_id=account.id, values={"imap_login": "newsletter"})
    assert (Collector.objects.get().uidvalidity, Collector.objects.get().last_uid) == (0, 0)
