"""Bad input: what a group must bear."""

import re
import socket
import time

import pytest
from django.conf import settings

from postroom.models.delivery import Delivery
from postroom.models.group import GroupMember, Posting
from postroom.testing.posting import mail
from postroom.testing.run import until

pytestmark = pytest.mark.django_db


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
    """Two autoresponders without headers face each other: a thousand mails a minute."""
    group = firm.group(*firm.people(1))
    codes = [firm.send(mail(to=str(group), number=n, subject=f"storm {n}"), group)[0][0] for n in range(70)]
    most = settings.POSTROOM_GROUP_PER_MINUTE
    assert codes == [250] * most + [451] * (70 - most)
    other = "boris@outside.example"
    assert firm.send(mail(other, str(group), subject="calm"), group, sender=other)[0][0] == 250
    firm.settled(wait_s=60)
    assert len(firm.members.got) == most + 1


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


def test_a_full_disk_asks_to_come_again_and_nothing_is_kept(firm):
    group = firm.group(*firm.people(1))
    objects = settings.POSTROOM_OBJECTS
    aside = objects.with_name("objects-aside")
    raw = mail(to=str(group), subject="no room")
    objects.rename(aside)
    try:
        objects.write_bytes(b"")
        assert firm.send(raw, group)[0][0] == 451
        assert not Posting.objects.filter(group=group).exists()
    finally:
        objects.unlink()
        aside.rename(objects)
    assert firm.send(raw, group)[0][0] == 250
    firm.settled()
    assert len(firm.members.got) == 1


def test_the_same_octets_twice_are_one_posting(firm):
    """A server that lost our answer comes again."""
    group = firm.group(*firm.people(2))
    raw = mail(to=str(group))
    assert [firm.send(raw, group)[0][0] for _ in range(3)] == [250] * 3
    firm.settled()
    assert len(firm.posted(group)) == 1
    assert len(firm.members.got) == 2


def test_many_members_and_one_that_is_the_group_itself(firm):
    people = [f"crowd{n}@far.example" for n in range(5000)]
    group = firm.group(*people)
    GroupMember.objects.create(group=group, address=group.address)
    firm.send(mail(to=str(group)), group)
    until(lambda: len(firm.members.got) >= 5000, wait_s=120)
    firm.settled(wait_s=60)
    assert firm.members.addresses == sorted(people)
    paths = {one.mail_from for one in firm.members.got}
    assert len(paths) == 5000
    assert all(re.match(r"b-[a-z2-7]{20}@", path) for path in paths)
    assert not Delivery.objects.filter(canonical=group.address).exists()
