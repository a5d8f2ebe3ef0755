"""Mail that comes straight to us, without a server of the firm that looked: is it from whom it says?"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.dkim import DkimSigner, public_of
from postroom.mail.dns_records import dkim_record
from postroom.models.group import GroupPerson
from postroom.testing.dns import SERVFAIL, SILENT
from postroom.testing.posting import answers, mail, post
from postroom.testing.rooted import free_port
from postroom.testing.run import running, until

pytestmark = pytest.mark.django_db

#: A server of far.example, where the members are, and one of somebody else.
GOOD, BAD = "192.0.2.7", "203.0.113.66"
PROVED, REFUSED = 250, 550


@pytest.fixture(scope="module")
def straight(working, tmp_path_factory):
    """The port of an ingress that trusts nobody's word."""
    port = free_port()
    more = {"POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{port}", "POSTROOM_INGRESS_LMTP": "off"}
    more |= {"POSTROOM_INGRESS_AUTHSERV": ""}
    with running("ingress", env={**working.env, **more}, log=tmp_path_factory.mktemp("straight") / "log"):
        until(lambda: answers(port), wait_s=60)
        yield port


@pytest.fixture
def names(firm):
    """The name server with the SPF of the members' domain; afterwards it is as it was."""
    before = dict(firm.names.records)
    firm.names.txt("far.example", f"v=spf1 ip4:{GOOD} -all")
    yield firm.names
    firm.names.records.clear()
    firm.names.records.update(before)


@pytest.fixture(scope="module")
def key() -> str:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def signed(names, key):
    """Puts the signature of far.example in front of a mail; its key is in DNS."""
    names.txt("s1._domainkey.far.example", dkim_record(public_of(key)))
    signer = DkimSigner(domain="far.example", selector="s1", private_key=key)
    return lambda raw: signer.sign([raw], at=int(time.time())) + raw


def code(port: int, raw: bytes, group, sender: str, client: str) -> int:
    return post(
        port, raw, str(group), sender=sender, xforward=f"ADDR={client} HELO=mx.test" if client else ""
    )[0][0]


@pytest.mark.req("EG-16")
def test_a_forged_member_is_refused_and_a_proved_one_is_taken(firm, straight, signed):
    one, two = firm.people(2)
    group = firm.group(one, two, who_may_post="members")
    plain = [mail(one, str(group), number=n) for n in range(6)]
    forged = b"Authentication-Results: mx.alderpike.example; dkim=pass header.d=far.example\r\n"
    found = [
        code(straight, plain[0], group, one, BAD),  # neither
        code(straight, forged + plain[1], group, one, BAD),  # anybody can write that
        code(straight, signed(plain[2]).replace(b"How much", b"How little"), group, one, BAD),
        code(straight, plain[3], group, "x@evil.example", GOOD),  # SPF of another domain proves nothing
        code(straight, plain[4], group, one, GOOD),  # SPF
        code(straight, signed(plain[5]), group, "list@relay.example", BAD),  # DKIM, by way of another server
    ]
    assert found == [REFUSED] * 4 + [PROVED] * 2
    firm.settled()
    assert firm.members.addresses == [two, two]
    reasons = [posting.reason for posting in firm.posted(group)]
    assert reasons == ["not_proved"] * 4 + ["", ""]
    seen = [posting.options["seen"] for posting in firm.posted(group)][4:]
    assert seen == [
        "dkim=none; spf=pass smtp.mailfrom=far.example",
        "dkim=pass header.d=far.example",
    ]


def test_through_a_server_of_the_firm_only_a_signature_counts_and_its_lack_means_nothing(
    firm, straight, signed
):
    member = firm.people(1)[0]
    named = firm.group(*firm.people(1), who_may_post="approved")
    GroupPerson.objects.create(group=named, address=member)
    assert code(straight, mail(member, str(named), number=1), named, member, "") == 250
    assert code(straight, mail(member, str(named), number=2), named, member, "10.0.0.9") == 250
    assert code(straight, signed(mail(member, str(named), number=3)), named, member, "") == 250
    firm.settled()
    assert [one.state for one in firm.posted(named)] == ["held", "held", "sent"]
    members = firm.group(member, who_may_post="members")
    assert code(straight, mail(member, str(members)), members, member, "") == 250


@pytest.mark.parametrize("trouble", [SILENT, SERVFAIL])
def test_when_dns_does_not_answer_mail_is_taken_in_bounded_time_and_others_do_not_wait(
    firm, straight, names, trouble
):
    names.records["slow.example", "*"] = trouble
    slow, quick = "anna@slow.example", firm.people(1)[0]
    group = firm.group(slow, quick, who_may_post="members")
    with ThreadPoolExecutor(6) as pool:
        begun = time.monotonic()
        late = [
            pool.submit(code, straight, mail(slow, str(group), number=n), group, slow, BAD) for n in range(5)
        ]
        assert code(straight, mail(quick, str(group), number=9), group, quick, GOOD) == PROVED
        assert time.monotonic() - begun < 4
        assert [one.result() for one in late] == [250] * 5
        assert time.monotonic() - begun < 20
    firm.settled()
    assert {one.options["seen"] for one in firm.posted(group)} == {
        "dkim=none; spf=temperror smtp.mailfrom=slow.example",
        "dkim=none; spf=pass smtp.mailfrom=far.example",
    }


def test_a_group_that_takes_mail_of_anyone_asks_no_dns(firm, straight, names):
    group = firm.group(*firm.people(1))
    names.asked.clear()
    writer = "somebody@unheard.example"
    assert code(straight, mail(writer, str(group)), group, writer, BAD) == 250
    firm.settled()
    assert not [name for name, kind in names.asked if kind == "TXT" and not name.startswith("_dmarc")]


@pytest.mark.req("EG-13")
def test_cc_is_believed_of_a_proved_author_only_where_the_group_wants_that(firm, straight, signed):
    one, two = firm.people(2)
    writer = "boss@far.example"
    group = firm.group(one, two, verify_to_cc=True)
    raw = mail(writer, str(group), f"Cc: {one}")
    assert code(straight, raw, group, writer, BAD) == 250
    firm.settled()
    assert firm.members.addresses == sorted([one, two])
    firm.members.got.clear()
    raw = mail(writer, str(group), f"Cc: {one}", number=2)
    assert code(straight, signed(raw), group, writer, BAD) == 250
    firm.settled()
    assert firm.members.addresses == [two]
