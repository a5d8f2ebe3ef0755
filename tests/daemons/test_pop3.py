"""Accounts of old read by POP3 (CM-03), and after their change to IMAP (CM-04), with Dovecot and with rude servers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions import event, pop_mail
from postroom.actions.account import account_save
from postroom.actions.account_legacy import accounts_import_legacy
from postroom.actions.collecting import collectors_claim
from postroom.actions.notify import COLLECT, notify
from postroom.daemons.sync.collect_pop3 import PopRun
from postroom.errors import Conflict
from postroom.models.account import Account, Collector, PopMail
from postroom.models.event import Event, LogLine
from postroom.models.message import Message
from postroom.models.workspace import Instance
from postroom.testing.cast import make_account, make_cast
from postroom.testing.peer import Peer
from postroom.testing.servers import PASSWORD
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - timedelta(days=3650)


@pytest.fixture(autouse=True)
def quick(settings, trust):
    settings.POSTROOM_POLL_SECONDS = 0.2
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})


@pytest.fixture
def box(office):
    return office.spare_mailbox()


@pytest.fixture
def alice():
    return make_cast().alice


def legacy(alice, port, address, *, take_from=LONG_AGO, **more):
    account = make_account(
        alice,
        port=25,
        address=address,
        protocol="pop3",
        **{
            **{"imap_host": "localhost", "imap_port": port, "imap_security": "starttls"},
            **{"imap_login": address, "imap_password": PASSWORD, **more},
        },
    )
    return Collector.objects.create(account=account, take_from=take_from)


def mail(number, *, date="", body="Hello", message_id=True):
    return (
        f"From: Anna <anna@box.example>\r\nTo: news@office.example\r\nSubject: number {number}\r\n"
        + (f"Message-ID: <n{number}@box.example>\r\n" if message_id else "")
        + (f"Date: {date}\r\n" if date else "")
        + f"\r\n{body}\r\n"
    ).encode()


def read(collector):
    """The collector once it was read (again)."""
    before = collector.last_ok_at

    def done():
        collector.refresh_from_db()
        return collector.last_ok_at != before

    assert wait_for(done), f"never read: {collector.error_code} {collector.error}"
    return collector


def again(collector):
    notify(COLLECT, collector.id)
    return read(collector)


def subjects():
    return list(Event.objects.order_by("id").values_list("subject", flat=True))


@pytest.mark.req("CM-03")
def test_a_legacy_account_fetches_each_mail_once_and_leaves_it_on_the_server(office, box, alice):
    office.dovecot.put(box, mail(1))
    office.dovecot.put(box, mail(2, body="x" * 30_000))
    collector = legacy(alice, office.dovecot.pop3, box)
    with syncing():
        assert read(collector).last_new == 2
        assert again(collector).last_new == 0
        office.dovecot.put(box, mail(3))
        assert again(collector).last_new == 1
        assert collector.next_run_at - collector.last_ok_at == timedelta(minutes=15)
    assert subjects() == ["number 1", "number 2", "number 3"]
    assert Message.objects.filter(direction="in").count() == 3
    assert len(office.dovecot.mails(box)) == 3
    assert list(PopMail.objects.order_by("number").values_list("message_id", flat=True)) == [
        f"n{number}@box.example" for number in (1, 2, 3)
    ]
    collector.refresh_from_db()
    assert (collector.error, collector.holder) == ("", "")


@pytest.mark.req("CM-02", "CM-03")
def test_an_account_that_was_brought_in_by_command_still_fetches(office, box, alice):
    office.dovecot.put(box, mail(1))
    (row,) = accounts_import_legacy(
        viewer=alice,
        raw=(
            "name,address,pop3_host,pop3_port,login,password,smtp_host,smtp_port\n"
            f"Old,{box},localhost,{office.dovecot.pop3},{box},{PASSWORD},localhost,{office.ports['submission']}\n"
        ).encode(),
    )
    assert row.account_id, row
    with syncing():
        assert read(Collector.objects.get(account_id=row.account_id)).last_new == 1
    assert subjects() == ["number 1"]
    assert len(office.dovecot.mails(box)) == 1


@pytest.mark.req("CM-03")
def test_only_an_account_that_says_so_removes_mails_and_only_those_that_are_safe(office, box, alice):
    old = "Sat, 01 Jan 2000 10:00:00 +0000"
    office.dovecot.put(box, mail(1, date=old))
    office.dovecot.put(box, mail(2))
    collector = legacy(alice, office.dovecot.pop3, box, take_from=timezone.now(), pop3_leave=False)
    with syncing():
        assert read(collector).last_new == 1
        office.dovecot.put(box, mail(3))
        assert again(collector).last_new == 1
    # what was passed over is nowhere but on the server
    assert office.dovecot.mails(box) == [mail(1, date=old)]
    assert subjects() == ["number 2", "number 3"]


def test_the_first_reading_passes_over_what_came_long_before(office, box, alice):
    for number, date in enumerate(("Sat, 01 Jan 2000 10:00:00 +0000", "Mon, 01 Jan 2024 10:00:00 +0000", "")):
        office.dovecot.put(box, mail(number, date=date))
    collector = legacy(alice, office.dovecot.pop3, box, take_from=timezone.now())
    with syncing():
        assert read(collector).last_new == 1
        assert again(collector).last_new == 0
    assert subjects() == ["number 2"]
    assert PopMail.objects.filter(taken_at=None).count() == 2


@pytest.mark.req("CM-03")
def test_after_an_end_between_two_batches_nothing_is_taken_twice(office, box, alice, monkeypatch):
    for number in range(4):
        office.dovecot.put(box, mail(number))
    collector = legacy(alice, office.dovecot.pop3, box, pop3_leave=False)
    monkeypatch.setattr("postroom.daemons.sync.collect_pop3.BATCH_MESSAGES", 2)
    rows = event.event_store_imap
    calls = []

    def dies(**given):
        calls.append(given)
        ids = rows(**given)
        if len(calls) == 2:
            raise SystemExit("killed before the commit")
        return ids

    monkeypatch.setattr(pop_mail, "event_store_imap", dies)
    (reading,) = collectors_claim(holder="one", lease=timedelta(seconds=0), most=5)
    with pytest.raises(SystemExit):
        PopRun(reading).collect()
    assert PopMail.objects.count() == Event.objects.count() == 2
    monkeypatch.setattr(pop_mail, "event_store_imap", rows)
    with syncing():
        read(collector)
    assert sorted(subjects()) == [f"number {number}" for number in range(4)]
    assert PopMail.objects.count() == 4
    assert office.dovecot.mails(box) == []


@pytest.mark.req("CM-04")
def test_after_the_change_to_imap_old_mails_are_not_taken_again_and_there_is_no_way_back(office, box, alice):
    office.dovecot.put(box, mail(1))
    office.dovecot.put(box, mail(2, message_id=False))
    collector = legacy(alice, office.dovecot.pop3, box)
    with syncing():
        assert read(collector).last_new == 2
        account_id = collector.account_id
        account_save(viewer=alice, account_id=account_id, values={"protocol": "imap"})
        account_save(viewer=alice, account_id=account_id, values={"imap_port": office.dovecot.imap})
        Collector.objects.update(take_from=LONG_AGO)
        office.dovecot.put(box, mail(3))
        collector.refresh_from_db()
        again(collector)
        assert wait_for(lambda: Event.objects.count() > 2)
        again(collector)
    assert subjects() == ["number 1", "number 2", "number 3"]
    assert Message.objects.filter(direction="in").count() == 3
    with pytest.raises(Conflict) as refused:
        account_save(viewer=alice, account_id=account_id, values={"protocol": "pop3"})
    assert refused.value.code == "POP3_LOCKED"
    assert Account.objects.get().protocol == "imap"


IN = ["S: +OK", "C: USER *", "S: +OK", "C: PASS *", "S: +OK", "C: CAPA", "S: -ERR"]
TWO = [
    "C: UIDL",
    "S: +OK",
    "S: 1 aaa",
    "S: 2 bbb",
    "S: .",
    "C: LIST",
    "S: +OK",
    "S: .",
    "C: TOP 2 0",
    "S: -ERR",
]
TWO_AGAIN = TWO[:8]
SECOND = ["C: RETR 2", "S: +OK", "S: Subject: two", "S: ", "S: hi", "S: .", "C: QUIT", "S: +OK"]


def rude(alice, peer):
    return legacy(alice, peer.port, "anna@office.example", imap_host="127.0.0.1", imap_security="none")


def pass_over(collector, retries, code):
    """One reading of a collector that failed so often."""
    Collector.objects.update(failures=retries, error_code=code, next_run_at=None, holder="", lease_until=None)
    (reading,) = collectors_claim(holder="one", lease=timedelta(seconds=30), most=5)
    PopRun(reading).collect()
    collector.refresh_from_db()


def test_a_mail_that_the_server_refuses_is_passed_over_and_told(alice):
    top = ["C: TOP 1 0", "S: -ERR"]
    with Peer([*IN, *TWO, *top, "C: RETR 1", "S: -ERR no", *SECOND]) as peer:
        collector = rude(alice, peer)
        pass_over(collector, 0, "")
    assert (collector.error_code, subjects()) == ("", ["two"])
    assert "cannot be read" in LogLine.objects.get(level="error").words


def test_a_mail_over_which_the_server_breaks_does_not_keep_the_others(alice):
    top = ["C: TOP 1 0", "S: -ERR"]
    script = [*IN, *TWO, *top, "C: RETR 1", "S: +OK", "close", "==", *IN, *TWO_AGAIN, *SECOND]
    with Peer(script) as peer:
        collector = rude(alice, peer)
        pass_over(collector, 6, "CLOSED")
        assert (collector.error_code, subjects()) == ("CLOSED", [])
        pass_over(collector, 7, "CLOSED")
    assert (collector.error_code, subjects()) == ("", ["two"])


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([*IN, "C: UIDL", "S: -ERR unknown", "C: QUIT", "S: +OK"], "NO_UIDL"),
        ([*IN[:4], "S: -ERR bad password", "gone"], "LOGIN_REFUSED"),
        (["S: rubbish", "gone"], "NOT_POP3"),
    ],
)
def test_what_is_wrong_is_written_on_the_collector_and_tried_again_later(alice, script, code):
    with Peer(script) as peer:
        collector = rude(alice, peer)
        pass_over(collector, 0, "")
    assert collector.error_code == code
    assert PASSWORD not in collector.error
    assert collector.next_run_at > timezone.now() + timedelta(seconds=30)
