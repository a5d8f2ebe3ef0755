"""Bad input: what a group must bear."""

import itertools
import os
import re
import resource
import smtplib
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from postroom.models.delivery import Delivery
from postroom.models.group import GroupMember, Posting
from postroom.testing.posting import answers, mail, post
from postroom.testing.rooted import free_ports
from postroom.testing.run import running, until

pytestmark = pytest.mark.django_db

FEW = 10


def test_octets_beyond_ascii_in_the_header_reach_members_as_they_are(firm):
    group = firm.group(*firm.people(1), set_reply_to=False)
    for charset in ("utf-8", "cp1250"):
        subject = "Zażółć gęślą jaźń".encode(charset)
        raw = mail(to=str(group), subject="SUBJECT").replace(b"SUBJECT", subject)
        assert firm.send(raw, group, mail_options=["BODY=8BITMIME"])[0][0] == 250
        firm.settled()
        assert firm.members.got[-1].raw.endswith(raw)
    assert [one.state for one in firm.posted(group)] == ["sent", "sent"]


@pytest.mark.parametrize(
    "raw",
    [
        b"\r\n",
        b"no header at all\r\n",
        b"From: a@b.example\r\nSubject: only a header\r\n",
        b"\x00\xff\xfe" * 1000 + b"\r\n",
        b"From: " + b"x" * 100_000 + b"\r\n\r\n.\r\n..\r\n",
        b"From: <@>, ,;:\r\nTo: (((\r\nMessage-ID: <<>>\r\nReferences: <\r\n\r\nbare\nfeeds\rin\r\n",
        b"a: b\r\n" * 5000 + b"\r\ntext\r\n",
    ],
)
def test_odd_mail_goes_on_or_is_refused_and_nothing_breaks(firm, raw):
    group = firm.group(*firm.people(1))
    assert firm.send(raw, group)[0][0] == 250
    firm.settled()
    assert firm.posted(group)[0].state == "sent"
    copy = firm.members.got[0].raw
    assert copy.count(b"\n") == copy.count(b"\r\n") == copy.count(b"\r")
    assert b"\r\n\r\n" in copy


def test_sixty_megabytes_are_taken_and_what_members_servers_do_not_take_is_told(firm):
    group = firm.group(*firm.people(2))
    for megabytes in (40, 60):  # the server of the members takes fifty
        raw = mail(to=str(group), number=megabytes, body=("x" * 998 + "\r\n") * 1000 * megabytes)
        assert firm.send(raw, group)[0][0] == 250
        firm.settled(wait_s=120)
    big = [one for one in firm.members.got if len(one.raw) > 40_000_000]
    assert len(big) == 2
    rows = Delivery.objects.filter(message__posting=firm.posted(group)[1])
    assert {(one.state, one.words[:5]) for one in rows} == {("failed", "5.3.4")}
    assert len(firm.members.to("anna@outside.example")) == 2
    firm.members.got.clear()
    group.size_max = 1000
    group.save()
    code, words = firm.send(mail(to=str(group), number=2, body="x" * 900 + "\r\n"), group)[0]
    assert (code, words[:5]) == (552, "5.3.4")


def test_a_forged_member_is_refused_where_a_trusted_server_looked(firm):
    one, two = firm.people(2)
    group = firm.group(one, two, who_may_post="members")
    forged = "Authentication-Results: mx.alderpike.example; dkim=none; spf=fail smtp.mailfrom=evil.example"
    proved = "Authentication-Results: mx.alderpike.example; dkim=pass header.d=far.example"
    code, words = firm.send(mail(one, str(group), forged), group, sender="x@evil.example")[0]
    assert (code, words[:5]) == (550, "5.7.1")
    assert firm.send(mail(one, str(group), proved, number=2), group, sender=one)[0][0] == 250
    firm.settled()
    assert firm.members.addresses == [two]
    assert [one.reason for one in firm.posted(group)] == ["not_proved", ""]


def test_a_storm_is_put_off_and_others_are_not(firm):
    """A thousand mails a minute of one author."""
    group = firm.group(*firm.people(1))
    count = 1000 if os.environ.get("SOAK") else 70
    codes = [
        firm.send(mail(to=str(group), number=n, subject=f"storm {n}"), group)[0][0] for n in range(count)
    ]
    most = settings.POSTROOM_GROUP_PER_MINUTE
    assert codes == [250] * most + [451] * (count - most)
    other = "boris@outside.example"
    assert firm.send(mail(other, str(group), subject="calm"), group, sender=other)[0][0] == 250
    firm.settled(wait_s=60)
    assert len(firm.members.got) == most + 1


def test_two_members_whose_programs_answer_each_other_come_to_an_end(firm, another):
    """Their vacation notes say nothing of being automatic, and go to where Reply-To points: to the group."""
    _, port, _ = another
    one, two = firm.people(2)
    group = firm.group(one, two)
    numbers, codes = itertools.count(), []

    def note(author: str) -> int:
        number = next(numbers)
        raw = mail(author, str(group), subject=f"I am away ({number})", body="Back on Monday.\r\n")
        codes.append(post(port, raw, str(group), sender=author)[0][0])
        return codes[-1]

    firm.send(mail(to=str(group)), group)
    answered = 0
    ended = time.monotonic() + 60
    while 451 not in codes:
        assert time.monotonic() < ended
        for copy in firm.members.got[answered:]:
            answered += 1
            note(copy.to)
        time.sleep(0.01)
    firm.settled(wait_s=60)
    assert FEW < codes.count(250) <= 2 * FEW
    assert len(firm.members.got) == codes.count(250) + 2
    # a person who writes meanwhile is heard
    other = "boris@outside.example"
    assert post(port, mail(other, str(group), subject="calm"), str(group), sender=other)[0][0] == 250


def test_a_connection_cut_before_the_final_dot_leaves_nothing(firm):
    group = firm.group(*firm.people(1))
    before = Posting.objects.count()
    with socket.create_connection(("127.0.0.1", firm.post.smtp), 10) as link:
        link.recv(500)
        link.sendall(f"EHLO me\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<{group}>\r\nDATA\r\n".encode())
        said = b""
        while b"354" not in said:
            said += link.recv(2000)
        link.sendall(mail(to=str(group)))
    time.sleep(0.5)
    assert Posting.objects.count() == before
    assert firm.members.got == []


@pytest.fixture(scope="module")
def another(working):
    """An ingress of our own that soon finds too much what one author sends: its process and its two ports."""
    smtp, lmtp = free_ports(2)
    at = {"POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{smtp}", "POSTROOM_INGRESS_LMTP": f"127.0.0.1:{lmtp}"}
    at["POSTROOM_GROUP_PER_MINUTE"] = str(FEW)
    with running("ingress", env={**working.env, **at}) as process:
        until(lambda: answers(smtp), wait_s=60)
        yield process, smtp, lmtp


@pytest.mark.parametrize(("size", "code"), [(300_000, 451), (3_000_000, 452)], ids=["store", "spool"])
def test_a_full_disk_asks_to_come_again_and_nothing_is_kept(firm, another, size, code):
    """It may write no file beyond 200 kB: a real error in the middle of a write, to the store or to the spool."""
    process, smtp, lmtp = another
    group = firm.group(*firm.people(1))
    raw = mail(to=str(group), subject=f"no room {size}", body=("x" * 98 + "\r\n") * (size // 100))
    stored = files()
    _, most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (200_000, most))
    assert post(smtp, raw, str(group))[0][0] == code
    assert post(lmtp, raw, str(group), lmtp=True)[0][0] == code
    assert not Posting.objects.filter(group=group).exists()
    assert files() == stored
    assert post(smtp, mail(to=str(group), subject=f"small {size}"), str(group))[0][0] == 250
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (most, most))
    assert post(smtp, raw, str(group))[0][0] == 250
    firm.settled()
    assert sorted(len(one.raw) > size for one in firm.members.got) == [False, True]


def files():
    return {path for path in settings.POSTROOM_OBJECTS.rglob("*") if path.is_file()}


@contextmanager
def database_away():
    """As when it is restarted: every connection of the daemons is cut at once, and no new one is let in."""
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    allow = "ALTER DATABASE {} ALLOW_CONNECTIONS {}".format
    with psycopg.connect(settings.POSTROOM_DATABASE_URL, autocommit=True) as link:
        link.execute(allow(connection.ops.quote_name(name), "false"))
        try:
            cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s"
            link.execute(cut, [name, own])
            yield
        finally:
            link.execute(allow(connection.ops.quote_name(name), "true"))


def test_while_the_database_is_away_nothing_is_taken_in_the_dialogue(firm):
    group = firm.group(*firm.people(2))
    with smtplib.SMTP("127.0.0.1", firm.post.smtp, timeout=30) as client:
        client.ehlo()
        client.mail("anna@outside.example")
        assert client.rcpt(str(group))[0] == 250
        with database_away():
            assert client.rcpt(str(group))[0] == 451
            assert client.data(mail(to=str(group)))[0] == 451
            client.mail("anna@outside.example")
            assert client.rcpt(str(group))[0] == 451
        assert not Posting.objects.filter(group=group).exists()
        client.rset()

        def is_taken() -> bool:
            return firm.send(mail(to=str(group)), group)[0][0] == 250

        until(is_taken)
    firm.settled()
    assert len(firm.posted(group)) == 1
    assert len(firm.members.got) == 2


def test_a_database_that_restarts_in_mid_posting_loses_and_doubles_nothing(firm):
    people = firm.people(300)
    group = firm.group(*people)
    writers = [f"writer{n}@outside.example" for n in range(8)]
    taken: list[str] = []

    def hand_over(writer: str) -> None:
        """As a mail server does: the same octets until they are taken."""
        raw = mail(writer, str(group), subject=writer, body="text " * 2000 + "\r\n")
        while writer not in taken:
            try:
                if firm.send(raw, group, sender=writer)[0][0] == 250:
                    taken.append(writer)
            except (OSError, smtplib.SMTPException):
                pass
            time.sleep(0.05)

    threads = [threading.Thread(target=hand_over, args=(writer,)) for writer in writers]
    for number, thread in enumerate(threads):
        thread.start()
        time.sleep(0.1)
        if number % 2:
            with database_away():
                time.sleep(0.2)
    for thread in threads:
        thread.join(60)
    assert sorted(taken) == writers
    firm.settled(wait_s=90)
    copies = Counter((one.to, one.header("Subject")) for one in firm.members.got)
    assert copies == Counter((person, writer) for person in people for writer in writers)
    assert len(firm.posted(group)) == len(writers)
    states = Counter(Delivery.objects.filter(message__posting__group=group).values_list("state", flat=True))
    assert states["accepted"] + states["uncertain"] == len(people) * len(writers)


def test_the_same_octets_twice_are_one_posting(firm):
    """A server that lost our answer comes again."""
    group = firm.group(*firm.people(2))
    raw = mail(to=str(group))
    assert [firm.send(raw, group)[0][0] for _ in range(3)] == [250] * 3
    firm.settled()
    assert len(firm.posted(group)) == 1
    assert len(firm.members.got) == 2


def test_many_members_and_one_that_is_the_group_itself(firm):
    count = 100_000 if os.environ.get("SOAK") else 5000
    people = [f"crowd{n}@far.example" for n in range(count)]
    group = firm.group(*people)
    GroupMember.objects.create(group=group, address=group.address)
    firm.send(mail(to=str(group)), group)
    until(lambda: len(firm.members.got) >= count, wait_s=400)
    firm.settled(wait_s=60)
    assert firm.members.addresses == sorted(people)
    paths = {one.mail_from for one in firm.members.got}
    assert len(paths) == count
    assert all(re.match(r"b-[a-z2-7]{20}@", path) for path in paths)
    assert not Delivery.objects.filter(canonical=group.address).exists()
