"""Seals of others are verified, and gone on with; dkimpy judges every chain as well."""

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.arc import arc_seal
from postroom.mail.arc_chain import Chain, chain_checked
from postroom.mail.dkim import public_of
from postroom.mail.dns_records import Answer, Question, answered, dkim_record

MAIL = (
    b"Authentication-Results: relay.example; dkim=pass header.d=far.example\r\n"
    b"From: Anna <anna@far.example>\r\nTo: sales@alderpike.example\r\nSubject: Prices\r\n"
    b"Message-ID: <1@far.example>\r\n\r\nHow much \t is it?\r\n\r\n"
)
NOW = 1_700_000_000


@pytest.fixture(scope="module")
def private() -> str:
    pair = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return pair.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="module")
def record(private) -> str:
    return dkim_record(public_of(private))


def theirs(raw: bytes, private: str) -> bytes:
    """Sealed by another server on the way, as the first."""
    return ours(raw, private, Chain("none"), "relay.example")


def ours(raw: bytes, private: str, chain: Chain, domain: str = "alderpike.example") -> bytes:
    return (
        arc_seal(
            raw,
            domain=domain,
            selector="sel",
            private_key=private,
            authserv=domain,
            results=f"dkim=pass; arc={chain.status}",
            at=NOW,
            chain=chain,
        )
        + raw
    )


def checked(raw: bytes, record: str, *, state: str = "found") -> Chain:
    answer = Answer(state, (record,) if state == "found" else ())
    questions = [Question("TXT", f"sel._domainkey.{name}") for name in ("relay.example", "alderpike.example")]
    return answered(chain_checked(raw), dict.fromkeys(questions, answer))


def judged(raw: bytes, record: str) -> bytes:
    """By dkimpy."""
    return dkim.arc_verify(raw, dnsfunc=lambda name, timeout=5: record.encode())[0]


def test_a_chain_that_holds_is_gone_on_with_and_dkimpy_agrees(private, record):
    assert checked(MAIL, record) == Chain("none")
    raw = MAIL
    for length in range(1, 5):
        domain = ("relay.example", "alderpike.example")[length % 2]
        raw = b"Received: from hop %d\r\n" % length + raw
        raw = ours(raw, private, checked(raw, record), domain)
        chain = checked(raw, record)
        assert (chain.status, chain.length, len(chain.lines)) == ("pass", length, 3 * length)
        assert judged(raw, record) == b"pass"


@pytest.mark.parametrize(
    "change",
    [
        (b"How much", b"How little"),
        (b"Subject: Prices", b"Subject: Princes"),
        (b"cv=none", b"cv=pass"),
        (b"relay.example; dkim=pass; arc", b"relay.example; dkim=fail; arc"),
        (b"ARC-Message-Signature: i=1", b"ARC-Message-Signature: i=2"),
        (b"ARC-Seal: i=1", b"X-ARC-Seal: i=1"),
    ],
)
def test_a_broken_chain_fails_and_is_said_to_in_a_seal_of_ours_alone(private, record, change):
    raw = theirs(MAIL, private)
    assert change[0] in raw
    broken = raw.replace(*change, 1)
    chain = checked(broken, record)
    assert (chain.status, chain.lines) == ("fail", ())
    sealed = ours(broken, private, chain)
    assert b"cv=fail" in sealed
    assert judged(broken, record) != b"pass"
    assert judged(sealed, record) != b"pass"
    assert checked(sealed, record).status == "fail"


def test_a_chain_that_says_itself_that_it_failed_is_left_as_it_is(private, record):
    broken = theirs(MAIL, private).replace(b"How much", b"How little")
    sealed = ours(broken, private, checked(broken, record))
    ended = checked(sealed, record)
    assert (ended.status, ended.length, ended.ended) == ("fail", 2, True)
    assert ours(sealed, private, ended) == sealed


def test_without_the_key_or_with_nonsense_the_chain_fails(private, record):
    raw = theirs(MAIL, private)
    assert checked(raw, record, state="missing") == Chain("fail", 1)
    assert checked(raw, record, state="unreachable") == Chain("fail", 1, ended=True)
    for field in (
        b"ARC-Seal: \r\n",
        b"ARC-Seal: i=\xff\r\n",
        b"ARC-Seal: i=51; cv=pass\r\n",
        b"ARC-Seal: x\r\n" * 99,
    ):
        assert checked(field + MAIL, record).status == "fail"
        assert checked(field + raw, record).status == "fail"
