"""Signatures that others made: those of dkimpy and ours hold, and every change that matters is seen."""

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from postroom.mail.dkim import DkimSigner, public_of
from postroom.mail.dkim_verify import signatures_checked
from postroom.mail.dns_records import Answer, Question, answered, dkim_record

NOW = 1_800_000_000
MAIL = (
    b"Received: from a\r\n by b\r\nFrom: Anna <anna@far.example>\r\nTo:  sales@alderpike.example\r\n"
    b"Subject: Prices\r\n of  all \tkinds \r\nMessage-ID: <1@far.example>\r\n\r\n"
    b"How much \t is it?  \r\n\r\n.dots\r\n \r\n\r\n\r\n"
)

#: Its appendix A.3, the Ed25519 signature alone.
RFC_8463 = b"""DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
"""


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture(scope="module")
def private() -> str:
    return pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))


def checked(raw: bytes, record: "str | Answer", *, now: int = NOW, selector: str = "sel") -> list[str]:
    answer = record if isinstance(record, Answer) else Answer("found", (record,))
    asking = signatures_checked(raw, wanted=lambda domain: domain.endswith("far.example"), now=now)
    found = answered(asking, {Question("TXT", f"{selector}._domainkey.far.example"): answer})
    return [one.result for one in found]


def signed(private: str, raw: bytes = MAIL, canon: str = "relaxed/relaxed", **more) -> bytes:
    ways = tuple(way.encode() for way in canon.split("/"))
    proof = dkim.sign(raw, b"sel", b"far.example", private.encode(), canonicalize=ways, **more)
    return proof + raw


@pytest.mark.parametrize("canon", ["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"])
@pytest.mark.parametrize("body", [None, b"", b"\r\n\r\n", b"no end", b"x" * 70_000])
def test_what_dkimpy_signed_holds_in_every_form(private, canon, body):
    raw = MAIL if body is None else MAIL.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body
    whole = signed(private, raw, canon)
    record = dkim_record(public_of(private))
    assert dkim.verify(whole, dnsfunc=lambda *_, **__: record.encode())
    assert checked(whole, record) == ["pass"]


def test_what_we_sign_holds_and_survives_what_a_relaxed_signature_allows(private):
    signer = DkimSigner(domain="far.example", selector="sel", private_key=private)
    whole = signer.sign([MAIL], at=NOW) + MAIL
    record = dkim_record(public_of(private))
    assert checked(whole, record) == ["pass"]
    assert checked(b"Received: from c\r\n by d\r\n" + whole, record) == ["pass"]
    assert checked(whole.replace(b"all \tkinds", b"all kinds") + b"\r\n\r\n", record) == ["pass"]


@pytest.mark.parametrize(
    "change",
    [
        (b"How much", b"How little"),
        (b"Anna <anna@", b"Anna <vera@"),
        (b"Subject: Prices", b"Subject: Princes"),
        (b"\r\n\r\nHow", b"\r\nSubject: More\r\n\r\nHow"),
        (b".dots", b"..dots"),
    ],
)
def test_what_was_changed_does_not_hold(private, change):
    record = dkim_record(public_of(private))
    whole = DkimSigner(domain="far.example", selector="sel", private_key=private).sign([MAIL], at=NOW) + MAIL
    assert change[0] in whole
    assert checked(whole.replace(*change), record) == ["fail"]


def test_the_ed25519_signature_of_rfc_8463_holds():
    raw = RFC_8463.replace(b"\n", b"\r\n")
    record = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    answers = {Question("TXT", "brisbane._domainkey.football.example.com"): Answer("found", (record,))}

    def result(raw: bytes) -> list[str]:
        asking = signatures_checked(raw, wanted=lambda domain: True, now=NOW)
        return [one.result for one in answered(asking, answers)]

    assert result(raw) == ["pass"]
    assert result(raw.replace(b"hungry", b"thirsty")) == ["fail"]
    assert result(raw.replace(b"dinner", b"supper")) == ["fail"]


def test_keys_that_are_revoked_short_strict_or_for_something_else_prove_nothing(private):
    whole = signed(private)
    public = public_of(private)
    short = pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))
    assert checked(whole, f"v=DKIM1; p={public}") == ["pass"]
    assert checked(whole, f"v=DKIM1; h=sha1:sha256; s=email; t=y; p={public}") == ["pass"]
    for record in (
        "v=DKIM1; p=",
        f"v=DKIM1; h=sha1; p={public}",
        f"v=DKIM1; s=tlsrpt; p={public}",
        f"v=DKIM2; p={public}",
        f"v=DKIM1; k=ed25519; p={public}",
        "v=DKIM1; p=!!!",
        "nonsense",
        Answer("missing"),
    ):
        assert checked(whole, record) == ["permerror"]
    assert checked(whole, dkim_record(public_of(short))) == ["fail"]
    assert checked(whole, Answer("unreachable", reason="timeout")) == ["temperror"]
    below = signed(private, identity=b"anna@mail.far.example")
    assert checked(below, f"p={public}") == ["pass"]
    assert checked(below, f"p={public}; t=s") == ["permerror"]


def test_signatures_that_say_too_little_are_not_believed(private):
    record = dkim_record(public_of(private))
    partly = signed(private, length=True) + b"more\r\n"
    assert checked(partly, record) == ["permerror"]
    late = signed(private).replace(b"v=1;", b"v=1; x=1000;")
    assert checked(late, record) == ["fail"]
    sha1 = signed(private).replace(b"a=rsa-sha256", b"a=rsa-sha1")
    assert checked(sha1, record) == ["permerror"]
    fromless = signed(private).replace(b"h=", b"h=x-").replace(b": from", b": x-from")
    assert checked(fromless, record)[0] in ("permerror", "fail")
    other = signed(private).replace(b"d=far.example", b"d=near.example")
    assert checked(other, record) == []


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature: \r\n",
        b"DKIM-Signature: d=far.example\r\n",
        b"DKIM-Signature: v=1; d=far.example; s=\xff; h=\xff:from; a=rsa-sha256; b=x; bh=y\r\n",
        b"DKIM-Signature: v=1; d=far.example; s=sel; i=@evil.example; h=from; a=rsa-sha256; b=; bh=\r\n",
        b"DKIM-Signature: v=1; d=far.example; s=sel; h=from; a=rsa-sha256; c=odd; l=\xd9\xa1; b=; bh=\r\n",
    ],
)
def test_nonsense_is_no_proof_and_breaks_nothing(private, field):
    record = dkim_record(public_of(private))
    assert "pass" not in checked(field * 3 + MAIL, record)


def test_a_body_of_empty_lines_and_a_hundred_signatures_cost_little(private):
    whole = signed(private)
    head = whole.partition(b"\r\n\r\n")[0]
    many = head.partition(b"Received")[0] * 100 + MAIL
    assert len(checked(many, dkim_record(public_of(private)))) == 5
    assert checked(head + b"\r\n" * 2_000_000, dkim_record(public_of(private))) == ["fail"]
