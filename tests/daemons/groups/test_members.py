"""Who gets a copy of what is sent to a group, and what the copy looks like."""

import re
import smtplib

import dkim
import pytest

from postroom.mail.dns_records import dkim_record
from postroom.models.domain import DkimKey, LocalAddress
from postroom.models.event import LogLine
from postroom.models.group import GroupMember
from postroom.testing.posting import mail
from tests.daemons.groups.firm import HOST

pytestmark = pytest.mark.django_db


def replies(found) -> list[int]:
    return [code for code, _ in found]


@pytest.mark.req("EG-03")
def test_each_member_gets_one_copy_with_its_own_return_path_and_a_loop_is_dropped(firm):
    people = firm.people(5)
    group = firm.group(*people, set_reply_to=False)
    raw = mail(to=str(group))
    assert replies(firm.send(raw, group)) == [250]
    firm.post.wait(5)
    firm.settled()
    assert firm.members.addresses == sorted(people)
    paths = {one.mail_from for one in firm.members.got}
    assert len(paths) == 5
    assert all(re.fullmatch(rf"b-[a-z2-7]{{20}}@{HOST}", path) for path in paths)
    for one in firm.members.got:
        assert one.raw.endswith(raw)
        assert not any(person in one.head.decode() for person in people)
        assert one.header("List-Id") == f"<{str(group).replace('@', '.')}>"
        assert one.header("List-Post") == f"<mailto:{group}>"
        assert one.header("Received").startswith("from ")
    looping = firm.members.got[0].raw
    assert replies(firm.send(looping, group)) == [250]
    firm.settled()
    assert [(one.state, one.reason) for one in firm.posted(group)] == [("sent", ""), ("dropped", "loop")]
    assert LogLine.objects.filter(stage="posting", words__contains="loop").exists()
    assert len(firm.members.got) == 5


@pytest.mark.req("EG-07")
def test_reply_to_is_the_groups_when_wanted_and_nothing_of_the_author_is_touched_when_not(firm):
    on, off = (
        firm.group(*firm.people(1), real_name="Sales & Co"),
        firm.group(*firm.people(1), set_reply_to=False),
    )
    own = "Reply-To: Anna <private@outside.example>"
    odd = "X-Odd:   two  blanks\r\n\tand a tab "
    insider = f"{GroupMember.objects.get(group=on).address}"
    for group in (on, off):
        raw = mail(insider, str(group), own, odd)
        firm.send(raw, group, sender=insider)
    # a member's own mail: nobody else is in the group, so its options are tried with the author kept
    for group in (on, off):
        group.remove_author = False
        group.save()
        GroupMember.objects.get_or_create(group=group, address=insider)
        firm.members.got.clear()
        raw = mail(insider, str(group), own, odd, number=2)
        firm.send(raw, group, sender=insider)
        firm.settled()
        copy = firm.members.to(insider)[0]
        if group is off:
            assert copy.raw.endswith(raw)
            assert copy.header("Reply-To") == "Anna <private@outside.example>"
            front = copy.raw[: -len(raw)].decode()
            names = {line.split(":")[0] for line in front.split("\r\n") if line and line[0] not in " \t"}
            assert names <= {
                *("Received", "X-Postroom-Loop", "X-Postroom-Id"),
                *("List-Id", "List-Post", "List-Archive", "List-Unsubscribe"),
            }
        else:
            assert copy.header("Reply-To") == f"Sales & Co <{on}>"
            assert copy.header("X-Original-Reply-To") == "Anna <private@outside.example>"
            assert copy.raw.count(b"\nReply-To:") == 1
            left = raw.replace(own.encode() + b"\r\n", b"")
            assert copy.raw.endswith(left)


@pytest.mark.req("EG-04")
def test_an_outsider_stays_in_reply_to_through_the_whole_thread(firm):
    one, two, three = firm.people(3)
    group = firm.group(one, two, three)
    firm.send(mail("Anna <anna@outside.example>", str(group)), group)
    firm.post.wait(3)
    both = f"{group}, Anna <anna@outside.example>"
    first = firm.members.to(one)[0]
    assert first.header("Reply-To") == both
    answered = first.header("Message-ID")
    firm.members.got.clear()
    firm.send(
        mail(one, str(group), f"In-Reply-To: {answered}", f"References: {answered}", subject="Re: Prices"),
        group,
        sender=one,
    )
    firm.post.wait(2)
    second = firm.members.to(two)[0]
    assert second.header("Reply-To") == both
    firm.members.got.clear()
    again = f"References: {answered} {second.header('Message-ID')}"
    firm.send(mail(two, str(group), again, subject="Re: Re: Prices"), group, sender=two)
    firm.post.wait(2)
    assert firm.members.to(three)[0].header("Reply-To") == both
    group.include_external_author = False
    group.save()
    firm.members.got.clear()
    firm.send(mail(to=str(group), subject="Another"), group)
    firm.post.wait(3)
    assert firm.members.got[0].header("Reply-To") == str(group)


@pytest.mark.req("EG-08")
def test_a_member_of_two_subgroups_gets_one_copy_with_expand_and_two_without(firm):
    x, y = firm.people(2)
    b, c = firm.group(x, y), firm.group(x)
    a = firm.group(b, c)
    firm.send(mail(to=str(a)), a)
    firm.settled()
    assert firm.members.addresses == sorted([x, y])
    firm.members.got.clear()
    a.expand = False
    a.save()
    firm.send(mail(to=str(a), number=2), a)
    firm.settled()
    assert firm.members.addresses == sorted([x, x, y])
    assert {one.header("List-Id") for one in firm.members.to(x)} == {
        f"<{str(group).replace('@', '.')}>" for group in (b, c)
    }


@pytest.mark.req("EG-08")
def test_a_subgroup_without_expand_sends_its_own_and_a_disabled_one_nothing_and_circles_end(firm):
    x, y, z, own = firm.people(4)
    deaf = firm.group(z, email_disabled=True)
    kept = firm.group(x, y, expand=False)
    a = firm.group(x, own, kept, deaf)
    GroupMember.objects.create(group=kept, address=a.address, subgroup=a)
    firm.send(mail(to=str(a)), a)
    firm.settled()
    assert firm.members.addresses == sorted([x, x, y, own])
    assert [one.state for one in firm.posted(kept)] == ["sent"]
    assert [one.state for one in firm.posted(a)] == ["sent"]
    inner = firm.group(x)
    outer = firm.group(y, inner)
    GroupMember.objects.create(group=inner, address=outer.address, subgroup=outer)
    firm.members.got.clear()
    firm.send(mail(to=str(outer)), outer)
    firm.settled()
    assert firm.members.addresses == sorted([x, y])


@pytest.mark.req("EG-09")
def test_an_author_gets_no_copy_of_his_own_mail_under_any_of_his_addresses(firm):
    one, two = firm.people(2)
    group = firm.group(one, two, "alice@example.org")
    firm.send(mail(one.upper(), str(group)), group, sender="other@outside.example")
    firm.settled()
    assert firm.members.addresses == sorted(["alice@example.org", two])
    LocalAddress.objects.create(
        workspace=firm.cast.alice.workspace,
        domain=group.domain,
        address="ally@alderpike.example",
        kind="alias",
        user=firm.cast.alice.user,
    )
    firm.members.got.clear()
    firm.send(mail("ally@alderpike.example", str(group)), group, sender="ally@alderpike.example")
    firm.settled()
    assert firm.members.addresses == sorted([one, two])
    assert GroupMember.objects.filter(group=group).count() == 3


@pytest.mark.req("EG-10")
def test_a_disabled_group_is_refused_at_rcpt_and_others_of_the_transaction_are_not(firm):
    deaf, group = firm.group(*firm.people(1), email_disabled=True), firm.group(*firm.people(1))
    found = firm.send(mail(to=str(group)), deaf, group)
    assert found[0] == (550, "5.2.1 group not accepting mail")
    assert found[1][0] == 250
    firm.settled()
    assert len(firm.members.got) == 1
    assert GroupMember.objects.filter(group=deaf).count() == 1


@pytest.mark.req("EG-12")
def test_machine_mail_is_refused_after_data_and_nobody_is_told(firm):
    group = firm.group(*firm.people(2))
    raw = mail("news@shop.example", str(group), "Precedence: bulk")
    code, words = firm.send(raw, group)[0]
    assert (code, words[:6]) == (550, "5.7.1 ")
    assert firm.send(mail(to=str(group), number=3), group, sender="")[0][0] == 550
    own = f"b-{'a' * 20}@{HOST}"
    assert firm.send(mail(to=str(group), subject="forged token, a person"), group, sender=own)[0][0] == 250
    firm.settled()
    assert len(firm.members.got) == 2
    assert [(one.state, one.reason) for one in firm.posted(group)][:2] == [("refused", "automatic")] * 2
    assert firm.posted(group)[0].raw is None
    returned = firm.members.got[0].mail_from
    assert firm.send(mail(to=str(group), subject="returned"), group, sender=returned)[0][0] == 550


@pytest.mark.req("EG-13")
def test_who_stands_in_to_or_cc_gets_no_second_copy(firm):
    one, two, three = firm.people(3)
    sub = firm.group(three)
    group = firm.group(one, two, sub)
    firm.send(mail("anna@outside.example", str(group), f'Cc: "One, A." <{one.upper()}>, {sub}'), group, sub)
    firm.settled()
    # to One the author's own server delivers; the sub-group has the mail by its own address
    assert firm.members.addresses == sorted([two, three])
    firm.members.got.clear()
    group.verify_to_cc = True
    group.save()
    firm.send(mail("anna@outside.example", str(group), f"Cc: {one}, {sub}", number=2), group)
    firm.settled()
    assert one in firm.members.addresses  # a Cc that was not in this transaction does not take a copy away
    firm.members.got.clear()
    group.remove_to_and_cc = False
    group.save()
    firm.send(mail("anna@outside.example", str(group), f"Cc: {one}", number=3), group)
    firm.settled()
    assert firm.members.addresses == sorted([one, two, three])


@pytest.mark.req("EG-16")
def test_from_is_rewritten_only_where_the_authors_domain_would_have_members_refuse_it(firm):
    group = firm.group(*firm.people(1), real_name="Sales")
    key = DkimKey.objects.create(
        domain=group.domain, selector="p1", private_key=PRIVATE, public_key=PUBLIC, state="active"
    )
    records = {b"p1._domainkey.alderpike.example.": dkim_record(PUBLIC).encode()}
    for name, policy in (("strict.example", "reject"), ("lax.example", "none")):
        firm.names.txt(f"_dmarc.{name}", f"v=DMARC1; p={policy}")
        raw = signed(mail(f"Anna Nowak <anna@{name}>", str(group)), name)
        records[f"s1._domainkey.{name}.".encode()] = dkim_record(PUBLIC).encode()
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: records.get(name))
        firm.send(raw, group, sender=f"anna@{name}")
        firm.settled()
    strict, lax = firm.members.got
    assert strict.header("From") == f'"Anna Nowak via Sales" <{group}>' or (
        strict.header("From") == f"Anna Nowak via Sales <{group}>"
    )
    assert strict.header("Reply-To") == f"Sales <{group}>, Anna Nowak <anna@strict.example>"
    assert strict.header("X-Original-From") == "Anna Nowak <anna@strict.example>"
    assert (
        strict.header("DKIM-Signature")
        .replace(" ", "")
        .startswith("v=1;a=rsa-sha256;c=relaxed/relaxed;d=alder")
    )
    assert dkim.verify(strict.raw, dnsfunc=lambda name, timeout=5: records.get(name))
    assert lax.header("From") == "Anna Nowak <anna@lax.example>"
    for copy in (strict, lax):
        assert dkim.arc_verify(copy.raw, dnsfunc=lambda name, timeout=5: records.get(name))[0] == b"pass"
    # what a group has sealed comes to another one: the chain goes on
    firm.names.txt("p1._domainkey.alderpike.example", dkim_record(PUBLIC))
    other = firm.group(*firm.people(1))
    firm.members.got.clear()
    firm.send(lax.raw.replace(b"<1.", b"<3."), other, sender="anna@lax.example")
    firm.settled()
    (again,) = firm.members.got
    assert again.header("ARC-Authentication-Results") == "i=2; alderpike.example; arc=fail"
    firm.members.got.clear()
    firm.send(lax.raw, other, sender="anna@lax.example")
    firm.settled()
    (again,) = firm.members.got
    assert again.header("ARC-Authentication-Results") == "i=2; alderpike.example; arc=pass"
    assert dkim.arc_verify(again.raw, dnsfunc=lambda name, timeout=5: records.get(name))[0] == b"pass"
    group.set_reply_to = False
    group.save()
    firm.members.got.clear()
    raw = signed(mail("anna@strict.example", str(group), number=2), "strict.example")
    firm.send(raw, group, sender="anna@strict.example")
    firm.settled()
    copy = firm.members.got[0]
    assert copy.header("From") == "anna@strict.example"
    assert copy.raw.endswith(raw)
    own = copy.raw[copy.raw.index(b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed") :]
    assert dkim.verify(own, dnsfunc=lambda name, timeout=5: records.get(name))
    key.delete()


@pytest.mark.req("EG-18")
def test_options_changed_hold_for_the_next_mail_that_is_taken(firm):
    group = firm.group(*firm.people(3))
    marks = []
    for number in range(8):
        group.set_reply_to = number % 2 == 0
        group.save()
        marks.append(group.set_reply_to)
        firm.send(mail(to=str(group), number=number, subject=f"number {number}"), group)
    firm.post.wait(24)
    for number, on in enumerate(marks):
        copies = [one for one in firm.members.got if one.header("Subject") == f"number {number}"]
        assert len(copies) == 3
        assert [one.header("Reply-To").startswith(str(group)) for one in copies] == [on] * 3


def test_nobody_and_office_addresses(firm):
    firm.group(*firm.people(1))
    found = firm.send(
        mail(), "nobody@alderpike.example", "postmaster@alderpike.example", "abuse@elsewhere.example"
    )
    assert [found[0][0], found[1][0], found[2][0]] == [550, 250, 550]
    with smtplib.SMTP("127.0.0.1", firm.post.smtp) as client:
        client.ehlo()
        for extension in ("size", "8bitmime", "smtputf8", "pipelining", "enhancedstatuscodes", "dsn"):
            assert client.has_extn(extension)


def _pair() -> tuple[str, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from postroom.mail.dkim import public_of

    made = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.decode(), public_of(made.decode())


PRIVATE, PUBLIC = _pair()


def signed(raw: bytes, domain: str) -> bytes:
    """As the author's server signs it; that there is no Reply-To is signed too."""
    names = [b"from", b"to", b"subject", b"date", b"message-id", b"reply-to"]
    return dkim.sign(raw, b"s1", domain.encode(), PRIVATE.encode(), include_headers=names) + raw
