"""A whole mailbox is read and changed (Dovecot): nothing lost, nothing doubled, nothing changed unasked."""

import imaplib
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.mailbox_change import change_ask
from postroom.models.account import Account, Collector
from postroom.models.conversation import Conversation
from postroom.models.event import Event
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.models.user import User
from postroom.models.workspace import Instance, Workspace
from postroom.queries.blob import blob_read
from tests.daemons.sync import syncing, wait_for

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timezone.now() - timedelta(days=3650)


@pytest.fixture(autouse=True)
def quick(settings, trust):
    settings.POSTROOM_LEASE_SECONDS = 2
    settings.POSTROOM_LEASE_RENEW_SECONDS = 0.5
    settings.POSTROOM_POLL_SECONDS = 0.1
    settings.POSTROOM_FOLDERS_SECONDS = 0.3
    settings.POSTROOM_FILE_SECONDS = 0
    settings.POSTROOM_COLLECT_RETRY_SCHEDULE = (0.3,)
    Instance.objects.update_or_create(id=1, defaults={"allow_private_hosts": True})


@pytest.fixture
def box(office):
    """A mailbox of its own for this test."""
    address = office.spare_mailbox()
    office.dovecot.empty(address)
    return address


def make(office, address, *, account=None, **more):
    workspace = Workspace.objects.get_or_create(name="Office")[0]
    made = Account.objects.create(
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
            "is_mailbox": True,
            **(account or {}),
        },
    )
    return Collector.objects.create(account=made, **{"take_from": LONG_AGO, **more})


def mail(number, *, body="Hello", head=""):
    return (
        f"From: Anna <anna@box.example>\r\nTo: us@office.example\r\nSubject: number {number}\r\n"
        f"Message-ID: <n{number}@box.example>\r\n{head}\r\n{body}\r\n"
    ).encode()


def once(collector, timeout=20.0):
    """The daemon at work until all folders were read to their ends after this call."""
    begun = timezone.now()
    with syncing():
        assert wait_for(lambda: _all_read(collector, begun), timeout), _state(collector)


def _all_read(collector, begun):
    rows = Collector.objects.filter(account=collector.account, is_on=True, gone_at=None)
    return all(row.last_ok_at and row.last_ok_at > begun and row.title for row in rows)


def _state(collector):
    return list(Collector.objects.filter(account=collector.account).values("folder", "error", "last_ok_at"))


def live(**which):
    return Placement.objects.filter(gone_at=None, **which)


@pytest.fixture
def eyes(office, box):
    """A session of our own in the mailbox."""
    session = office.dovecot.open(box)
    yield session
    try:
        session.logout()
    except (OSError, imaplib.IMAP4.error):
        session.shutdown()


def folder_make(session, name, *mails):
    session.create(f'"{name}"')
    for raw in mails:
        assert session.append(f'"{name}"', "", "", raw)[0] == "OK"


def folder_drop(session, *names):
    session.select("INBOX")
    for name in names:
        session.delete(f'"{name}"')


def test_all_folders_are_read_and_nothing_in_them_changes(office, box, eyes):
    office.dovecot.put(box, mail(1))
    folder_make(eyes, "Klienci", mail(2))
    folder_make(eyes, "Sent", mail(3, head="In-Reply-To: <n1@box.example>\r\n"))
    collector = make(office, box)
    once(collector)
    found = {one.subject: one for one in Message.objects.all()}
    assert set(found) == {"number 1", "number 2", "number 3"}
    assert [one.direction for one in found.values()].count("out") == 1
    assert found["number 3"].direction == "out"
    assert blob_read(found["number 2"].raw_id) == mail(2)
    roles = dict(Collector.objects.values_list("folder", "role"))
    assert roles["INBOX"] == "inbox"
    assert roles["Sent"] == "sent"
    assert not Event.objects.exists()
    assert Conversation.objects.filter(messages=found["number 1"]).exists()
    eyes.select("INBOX", readonly=True)
    assert b"Seen" not in eyes.fetch("1", "(FLAGS)")[1][0]
    once(collector)
    assert Message.objects.count() == 3
    assert Placement.objects.count() == 3
    folder_drop(eyes, "Klienci", "Sent")
