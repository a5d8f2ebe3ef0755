"""A whole mailbox is read and changed (Dovecot): nothing lost, nothing doubled, nothing changed unasked."""

import imaplib
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest
from django.db import OperationalError
from django.utils import timezone
from imapclient import imap_utf7

from postroom.actions import mailbox_store
from postroom.actions.blob import blob_put
from postroom.actions.event import event_again
from postroom.actions.mailbox_change import change_ask, sent_copy_ask
from postroom.daemons.sync import looking, mailbox_folder
from postroom.daemons.sync.looking import Looking
from postroom.models.account import Account, Collector
from postroom.models.conversation import Conversation, MessageWords
from postroom.models.delivery import Delivery
from postroom.models.event import Event
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.models.user import User
from postroom.models.workspace import Instance, Workspace
from postroom.queries.blob import blob_read
from postroom.queries.content import addressing_of
from postroom.wire import imap
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


def test_a_start_date_leaves_old_mail_where_it_is(office, box, eyes):
    eyes.append("INBOX", "", imaplib.Time2Internaldate(time.time() - 40 * 86400), mail(1))
    eyes.append("INBOX", "", imaplib.Time2Internaldate(time.time() - 86400), mail(2))
    once(make(office, box, take_from=timezone.now() - timedelta(days=30)))
    assert [one.subject for one in Message.objects.all()] == ["number 2"]


def test_nothing_is_lost_or_doubled_whatever_the_mails_say_of_themselves(office, box, eyes):
    """The list of goal 20: an id used again, no sender, sent to oneself, the very same bytes twice, no sense at all."""
    office.dovecot.put(box, mail(1))
    office.dovecot.put(box, mail(1, body="Another text under the same id"))
    office.dovecot.put(box, b"From:\r\nSubject: nobody\r\n\r\nHello\r\n")
    office.dovecot.put(box, b"\x00\xff not a mail at all".replace(b"\x00", b""))
    own = mail(5, head=f"X-To: {box}\r\n").replace(b"anna@box.example", box.encode())
    office.dovecot.put(box, b"Received: from a by b; Mon, 16 Nov 2026 09:12:33 +0100\r\n" + own)
    folder_make(eyes, "Sent", own)
    for _ in range(2):
        office.dovecot.put(box, mail(6))
    words = "Zażółć gęślą jaźń, proszę o wycenę: łóżko i krzesło."
    odd = mail(7, head="Content-Type: text/plain; charset=x-klingon\r\n", body=words)
    office.dovecot.put(box, odd.replace(words.encode(), words.encode("cp1250")))
    tnef = "Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64\r\n"
    office.dovecot.put(box, mail(8, head=tnef, body="eJ8+IgAA"))
    collector = make(office, box)
    once(collector)
    subjects = sorted(one.subject for one in Message.objects.all())
    assert subjects == sorted(
        ["number 1", "number 1", "nobody", "", "number 5", "number 6", "number 7", "number 8"]
    )
    assert live().count() == 10
    assert live(message__subject="number 5").count() == 2
    assert live(message__subject="number 6").count() == 2
    assert Message.objects.get(subject="number 7").snippet == words
    assert Message.objects.get(subject="number 8").files[0]["name"] == "winmail.dat"
    assert Conversation.objects.filter(messages__subject="number 1").distinct().count() == 2
    once(collector)
    assert Message.objects.count() == 8
    folder_drop(eyes, "Sent")


def test_a_moved_mail_stays_the_same_and_one_that_was_removed_is_only_gone(office, box, eyes):
    for number in range(1, 4):
        office.dovecot.put(box, mail(number))
    folder_make(eyes, "Archive")
    collector = make(office, box)
    once(collector)
    eyes.select("INBOX")
    eyes.copy("1", "Archive")
    eyes.store("1,2", "+FLAGS", r"(\Deleted)")
    eyes.expunge()
    once(collector)
    assert Message.objects.count() == 3
    assert live(message__subject="number 1").get().folder.folder == "Archive"
    assert not live(message__subject="number 2").exists()
    assert live(message__subject="number 3").get().folder.folder == "INBOX"
    eyes.select("INBOX")
    eyes.store("1:*", "+FLAGS", r"(\Deleted)")
    eyes.expunge()
    once(collector)
    assert Message.objects.count() == 3
    assert live().count() == 1
    folder_drop(eyes, "Archive")


def test_after_a_new_uidvalidity_nothing_is_doubled_and_nothing_new_is_missed(office, box, eyes):
    folder_make(eyes, "Kunden", mail(1), mail(2))
    collector = make(office, box)
    once(collector)
    before = set(Message.objects.values_list("id", flat=True))
    folder_drop(eyes, "Kunden")
    time.sleep(1.1)  # Dovecot's UIDVALIDITY is the second a folder is made in
    folder_make(eyes, "Kunden", mail(2), mail(3), mail(1))
    once(collector)
    assert Message.objects.count() == 3
    assert before < set(Message.objects.values_list("id", flat=True))
    assert live(folder__folder="Kunden").count() == 3
    assert len(set(live(folder__folder="Kunden").values_list("uidvalidity", flat=True))) == 1
    folder_drop(eyes, "Kunden")


def test_two_mailboxes_that_get_the_same_mail_both_have_it(office, eyes, box):
    other = office.spare_mailbox()
    for address in (box, other):
        office.dovecot.put(address, mail(1))
    first, second = make(office, box), make(office, other)
    begun = timezone.now()
    with syncing():
        assert wait_for(lambda: _all_read(first, begun) and _all_read(second, begun))
    assert sorted(one.account_id for one in Message.objects.all()) == sorted(
        [first.account_id, second.account_id]
    )
    assert Conversation.objects.count() == 2


def test_flags_go_both_ways(office, box, eyes):
    for number in range(1, 4):
        office.dovecot.put(box, mail(number))
    make(office, box)
    with syncing():
        assert wait_for(lambda: live().count() == 3)
        eyes.select("INBOX")
        eyes.store("1", "+FLAGS", r"(\Seen \Flagged $MDNSent)")
        assert wait_for(lambda: Message.objects.filter(subject="number 1", is_read=True).exists())
        one = live(message__subject="number 1").get()
        assert (one.is_flagged, one.is_receipt_sent, one.is_answered) == (True, True, False)
        assert Conversation.objects.get(messages__subject="number 1").unread_count == 0
        two = live(message__subject="number 2").get()
        for action in ("seen", "answered", "flagged", "receipt_sent"):
            assert change_ask(None, action, [two]) == 1
        change_ask(None, "unflagged", [one])
        assert wait_for(lambda: not MailboxChange.objects.filter(done_at=None).exists())
        eyes.noop()
        flags = eyes.fetch("1:2", "(FLAGS)")[1]
        assert b"Flagged" not in flags[0]
        for flag in (b"\\Seen", b"\\Answered", b"\\Flagged", b"$MDNSent"):
            assert flag in flags[1]
        eyes.store("2", "-FLAGS", r"(\Seen)")
        assert wait_for(lambda: not live(message__subject="number 2").get().is_seen)
        assert not Message.objects.get(subject="number 3").is_read
    assert not MailboxChange.objects.exclude(error="").exists()


def test_mails_are_moved_and_removed_only_when_somebody_says_so(office, box, eyes):
    for number in range(1, 4):
        office.dovecot.put(box, mail(number))
    folder_make(eyes, "Archive")
    collector = make(office, box)
    once(collector)
    archive = Collector.objects.get(account=collector.account, role="archive")
    change_ask(None, "flagged", live(message__subject="number 1"))
    change_ask(None, "move", live(message__subject="number 1"), folder=archive)
    change_ask(None, "delete", live(message__subject="number 2"))
    with syncing():
        assert wait_for(lambda: not MailboxChange.objects.filter(done_at=None).exists())
    eyes.select("INBOX")
    assert eyes.search(None, "ALL")[1][0].split() == [b"1"]
    eyes.select("Archive")
    assert b"Flagged" in eyes.fetch("1", "(FLAGS)")[1][0]
    assert live(message__subject="number 1").get().folder_id == archive.id
    once(collector)
    assert Message.objects.count() == 3
    assert live().count() == 2
    folder_drop(eyes, "Archive")


def test_without_move_and_after_a_kill_a_mail_is_still_moved_once(office, box, eyes, monkeypatch):
    office.dovecot.put(box, mail(1))
    folder_make(eyes, "Archive")
    collector = make(office, box, use_idle=False)
    once(collector)
    archive = Collector.objects.get(account=collector.account, role="archive")
    change_ask(None, "move", live(), folder=archive)
    # as if the daemon had copied the mail and was killed before it removed the first one
    eyes.select("INBOX")
    eyes.copy("1", "Archive")
    MailboxChange.objects.update(tries=1)
    opened = imap.open_mailbox
    monkeypatch.setattr(
        "postroom.daemons.sync.mailbox.imap.open_mailbox",
        lambda server: replace(one := opened(server), capabilities=one.capabilities - {"MOVE"}),
    )
    with syncing():
        assert wait_for(lambda: not MailboxChange.objects.filter(done_at=None).exists())
    eyes.select("INBOX")
    assert eyes.search(None, "ALL")[1][0] == b""
    assert len(office.dovecot.mails(box, "Archive")) == 1
    folder_drop(eyes, "Archive")


@pytest.mark.parametrize("filed_by", ["us", "server", "us, then killed"])
def test_a_copy_of_what_was_sent_is_filed_once(office, box, eyes, filed_by):
    collector = make(office, box)
    message = _sent(collector.account)
    raw = blob_read(message.raw_id)
    if filed_by != "us":
        folder_make(eyes, "Sent", (b"X-Server: filed\r\n" if filed_by == "server" else b"") + raw)
    if filed_by == "us, then killed":
        MailboxChange.objects.update(tries=1)
    with syncing():
        assert wait_for(lambda: not MailboxChange.objects.filter(done_at=None).exists())
    once(collector)
    assert len(office.dovecot.mails(box, "Sent")) == 1
    assert Message.objects.count() == 1
    assert live(message=message).count() == 1
    eyes.select("Sent", readonly=True)
    if filed_by == "us":
        assert b"Seen" in eyes.fetch("1", "(FLAGS)")[1][0]
    folder_drop(eyes, "Sent")


def test_what_no_server_accepted_is_not_filed(office, box, eyes):
    collector = make(office, box, account={"is_mailbox": False})
    message = _sent(collector.account)
    Delivery.objects.filter(message=message).update(state="failed")
    with syncing():
        assert wait_for(lambda: not MailboxChange.objects.filter(done_at=None).exists())
    assert b'"Sent"' not in b" ".join(eyes.list()[1])


def _sent(account):
    """A mail that went out from here and was accepted."""
    message = Message.objects.create(
        workspace=account.workspace, account=account, direction="out", purpose="single", subject="Offer"
    )
    delivery = Delivery.objects.create(
        workspace=account.workspace,
        message=message,
        address="jan@box.example",
        canonical="jan@box.example",
        queued_at=timezone.now(),
        state="accepted",
    )
    message.message_id = addressing_of(account).token(delivery.id)
    head = f"From: {account.address}\r\nTo: jan@box.example\r\nSubject: Offer\r\n"
    message.raw = blob_put(f"{head}Message-ID: <{message.message_id}@office.example>\r\n\r\nHi\r\n".encode())
    message.save()
    sent_copy_ask(message)
    return message


def test_reports_and_answers_of_programs_open_no_conversation(office, box, eyes):
    collector = make(office, box)
    message = _sent(collector.account)
    about = f"Original-Message-ID: <{message.message_id}@office.example>\r\n"
    office.dovecot.put(
        box,
        (
            "From: jan@box.example\r\nSubject: Read: Offer\r\nMessage-ID: <r@box.example>\r\nContent-Type:"
            ' multipart/report; report-type=disposition-notification; boundary="b"\r\n\r\n--b\r\n\r\nRead.\r\n--b\r\n'
            "Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; jan@box.example\r\n"
            f"{about}Disposition: manual-action/MDN-sent-manually; displayed\r\n\r\n--b--\r\n"
        ).encode(),
    )
    office.dovecot.put(box, mail(2, head="Auto-Submitted: auto-replied\r\n"))
    answer = f"In-Reply-To: <{message.message_id}@office.example>\r\n"
    office.dovecot.put(box, mail(3, head=answer).replace(b"Anna <anna@", b"Jan <jan@"))
    once(collector)
    assert Delivery.objects.get().reading == "displayed"
    assert Delivery.objects.get().replied_at is not None
    assert Message.objects.get(subject="number 3").purpose == "reply"
    assert Message.objects.get(subject="number 2").conversation_id is None
    assert not Message.objects.filter(subject="Read: Offer").exists()
    assert Conversation.objects.count() == 1


def test_a_folder_with_a_hostile_name_is_read_like_any(office, box, eyes):
    wanted = ["007", "Zażółć gęślą", "a & b", "%d*x", "x..y", "Kosz\u202etxt", "NIL", "a' b", "{5}"]
    names = []
    for name in wanted:
        if eyes.create(_quoted(name))[0] == "OK":
            assert eyes.append(_quoted(name), "", "", mail(name.encode().hex()))[0] == "OK"
            names.append(name)
    assert len(names) > 6, "the server has names of its own taste, but takes most"
    eyes.literal = b'back\\slash "q"'
    assert eyes._simple_command("CREATE")[0] == "OK"
    collector = make(office, box)
    once(collector)
    assert {one.subject for one in Message.objects.all()} == {
        f"number {name.encode().hex()}" for name in names
    }
    titles = set(Collector.objects.values_list("title", flat=True))
    assert {"Zażółć gęślą", "007", 'back\\slash "q"'} <= titles
    assert not Collector.objects.exclude(error="").exists()
    folder_drop(eyes, *(_quoted(name)[1:-1] for name in [*names, 'back\\slash "q"']))


def _quoted(name):
    raw = imap_utf7.encode(name).decode().replace("\\", "\\\\").replace('"', '\\"')
    return f'"{raw}"'


def test_a_mail_that_cannot_be_worked_on_keeps_none_of_the_others_and_can_be_tried_again(
    office, box, eyes, monkeypatch
):
    for number in range(1, 4):
        office.dovecot.put(box, mail(number))
    collector = make(office, box)
    join = mailbox_store.conversations_join

    def poisoned(messages, texts):
        if any(one.subject == "number 2" for one in messages):
            raise ValueError("poison")
        return join(messages, texts)

    with monkeypatch.context() as patched:
        patched.setattr(mailbox_store, "conversations_join", poisoned)
        once(collector)
    assert {one.subject for one in Message.objects.all()} == {"number 1", "number 3"}
    event = Event.objects.get()
    assert "poison" in event.error
    assert blob_read(event.raw_id) == mail(2)
    event_again(event_id=event.id)
    assert Message.objects.get(subject="number 2").conversation is not None
    once(collector)
    assert Message.objects.count() == 3
    assert live().count() == 3


def test_a_large_mailbox_comes_in_whole_though_the_process_that_takes_mails_apart_dies(
    office, box, eyes, monkeypatch
):
    for number in range(40):
        eyes.append("INBOX", "", "", mail(number))
    made = []
    monkeypatch.setattr(mailbox_folder, "MANY", 30)
    monkeypatch.setattr(mailbox_folder, "BATCH", 5)
    monkeypatch.setattr(mailbox_folder, "Looking", lambda: made.append(Dying(after=3)) or made[0])
    once(make(office, box))
    assert made[0].asked == 8
    assert sorted(one.subject for one in Message.objects.all()) == sorted(f"number {n}" for n in range(40))
    assert live().count() == 40
    assert MessageWords.objects.filter(vector="hello").count() == 40


def test_nobody_waits_for_the_process_that_takes_mails_apart_to_begin(office, box, eyes, monkeypatch):
    for number in range(40):
        eyes.append("INBOX", "", "", mail(number))
    monkeypatch.setattr(mailbox_folder, "MANY", 30)
    monkeypatch.setattr(mailbox_folder, "BATCH", 5)
    monkeypatch.setattr(looking, "_CHILD", "import time; time.sleep(60)")
    began = time.monotonic()
    once(make(office, box))
    assert time.monotonic() - began < 50
    assert sorted(one.subject for one in Message.objects.all()) == sorted(f"number {n}" for n in range(40))


class Dying(Looking):
    """Its process is killed after so many batches."""

    def __init__(self, after):
        super().__init__()
        self.asked, self._after = 0, after

    def put(self, mails):
        self.asked += 1
        assert self.asked > 1 or self.is_there.wait(30)
        if self.asked == self._after + 1:
            assert self._child.poll() is None
            self._child.kill()
        return super().put(mails)


def test_no_mail_is_passed_over_when_one_batch_of_many_cannot_be_stored(office, box, eyes, monkeypatch):
    for number in range(40):
        eyes.append("INBOX", "", "", mail(number))
    calls = count(1)

    def store(**asked):
        if next(calls) == 3:
            raise OperationalError("the database is away")
        return mailbox_store.mails_store(**asked)

    monkeypatch.setattr(mailbox_folder, "BATCH", 5)
    monkeypatch.setattr(mailbox_folder, "mails_store", store)
    once(make(office, box))
    assert sorted(one.subject for one in Message.objects.all()) == sorted(f"number {n}" for n in range(40))
    assert live().count() == 40


def test_a_server_that_drops_connections_loses_and_doubles_nothing(office, box, eyes):
    for number in range(40):
        eyes.append("INBOX", "", "", mail(number, body="x" * 5000))
    with dropping(office.dovecot.imap) as port:
        collector = make(office, box, account={"imap_port": port, "imap_security": "none"})
        with syncing():
            assert wait_for(lambda: live().count() == 40, 40), _state(collector)
    assert Message.objects.count() == 40
    assert sorted(one.subject for one in Message.objects.all()) == sorted(f"number {n}" for n in range(40))


@contextmanager
def dropping(port):
    """A way to the server on which nine connections of ten break after some tens of kilobytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pass_on(source, to, most):
        try:
            while (data := source.recv(4096)) and most > 0:
                to.sendall(data)
                most -= len(data)
        except OSError:
            pass
        for one in (source, to):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def serve():
        for number in count(1):
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            most = 10**9 if number % 10 == 0 else 30_000
            threading.Thread(target=pass_on, args=(near, far, 10**9), daemon=True).start()
            threading.Thread(target=pass_on, args=(far, near, most), daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def test_a_mail_of_fifty_megabytes_and_one_from_the_day_after_tomorrow_come_in(office, box, eyes):
    large = mail(1, head="Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n")
    large += b"QUJD" * 18 + b"\r\n"
    large += (b"QUJD" * 18 + b"\r\n") * (48_000_000 // 74)
    eyes.append("INBOX", "", imaplib.Time2Internaldate(time.time() + 2 * 86400), large)
    eyes.append("INBOX", "", imaplib.Time2Internaldate(time.time() + 2 * 86400), mail(2))
    once(make(office, box), timeout=60)
    one = Message.objects.get(subject="number 1")
    assert one.size_bytes == len(large)
    assert one.files[0]["size_bytes"] > 30_000_000
    assert Message.objects.get(subject="number 2").at <= timezone.now()
    office.dovecot.empty(box)


def test_an_account_that_is_only_read_is_never_changed_and_only_its_inbox_is_looked_at(office, box, eyes):
    office.dovecot.put(box, mail(1))
    folder_make(eyes, "Archive", mail(2))
    collector = make(office, box, account={"is_mailbox": False}, use_idle=False)
    with syncing():
        assert wait_for(lambda: Message.objects.exists())
    assert [one.subject for one in Message.objects.all()] == ["number 1"]
    assert Message.objects.get().conversation is not None
    assert change_ask(None, "seen", live()) == 0
    collector.account.is_mailbox = True
    collector.account.save()
    Collector.objects.filter(id=collector.id).update(uidvalidity=0, last_uid=0, use_idle=True)
    once(collector)
    assert sorted(one.subject for one in Message.objects.all()) == ["number 1", "number 2"]
    assert live().count() == 2
    folder_drop(eyes, "Archive")
