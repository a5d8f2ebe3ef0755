"""Who says that a sender is proven, and who is not believed."""

import pytest

from postroom.mail.authres import Proof, fields, proof

HOSTS = ["imap.firm.example", "firm.example"]
BORDER = "Received: from out.shop.example by mx.firm.example with ESMTPS; Mon, 2 Nov 2026 10:00:00 +0000\r\n"
FOREIGN = "Received: from pc by out.shop.example with ESMTPS; Mon, 2 Nov 2026 09:59:00 +0000\r\n"
FROM = "From: Ann <ann@shop.example>\r\n"


def told(text, hosts=HOSTS):
    return proof(fields((text + "\r\nbody").encode()), hosts)


def results(words, server="mx.firm.example"):
    return f"Authentication-Results: {server}; {words}\r\n"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dmarc=pass header.from=shop.example", Proof.PROVEN),
        ("dkim=pass (2048-bit key; ok) header.d=shop.example header.s=k", Proof.PROVEN),
        ("dkim=pass header.i=@mail.shop.example", Proof.PROVEN),
        ("spf=pass smtp.mailfrom=bounce@shop.example", Proof.PROVEN),
        ("dkim=pass header.d=spy.example", Proof.UNKNOWN),
        ("dkim=pass header.d=example", Proof.UNKNOWN),
        ("dkim=pass header.d=notshop.example", Proof.UNKNOWN),
        ("dmarc=pass header.from=spy.example", Proof.UNKNOWN),
        ("spf=pass smtp.mailfrom=a@spy.example", Proof.UNKNOWN),
        ("dmarc=fail header.from=shop.example; spf=pass smtp.mailfrom=a@spy.example", Proof.FAILED),
        ("dkim=fail header.d=shop.example; spf=softfail smtp.mailfrom=a@shop.example", Proof.FAILED),
        ("dkim=none; spf=none", Proof.UNKNOWN),
        ("none", Proof.UNKNOWN),
        ('dkim=fail reason="dkim=pass header.d=shop.example"', Proof.FAILED),
        ("dkim=fail (dkim=pass header.d=shop.example)", Proof.FAILED),
    ],
)
def test_what_counts_as_proof(words, expected):
    assert told(results(words) + BORDER + FOREIGN + FROM).proof is expected


PASS = results("dkim=pass header.d=shop.example")


def test_it_is_believed_above_and_right_below_the_line_of_the_own_server():
    assert told(PASS + BORDER + FOREIGN + FROM).proof is Proof.PROVEN
    assert told(BORDER + PASS + FOREIGN + FROM).proof is Proof.PROVEN
    assert told("Received: from mx.firm.example by store.firm.example; x\r\n" + PASS + BORDER + FROM).server


def test_what_the_sender_wrote_is_not_believed():
    assert told(BORDER + FOREIGN + PASS + FROM).proof is Proof.UNKNOWN, "below a foreign server"
    assert (
        told(results("dkim=pass header.d=shop.example", "spy.example") + BORDER + FROM).proof is Proof.UNKNOWN
    )
    assert (
        told(results("dkim=pass header.d=shop.example", "mx.firm.example.spy.example") + FROM).proof
        is Proof.UNKNOWN
    )
    fail = results("dkim=fail header.d=shop.example; spf=fail")
    assert told(fail + BORDER + PASS + FROM).proof is Proof.FAILED, "the topmost one speaks"


def test_two_senders_are_no_sender():
    assert told(PASS + BORDER + FROM + "From: ben@firm.example\r\n").proof is Proof.UNKNOWN
    assert told(PASS + BORDER + "From: ann@shop.example, b@spy.example\r\n").proof is Proof.UNKNOWN


def test_providers_are_known_by_the_names_of_their_servers():
    google = results("dkim=pass header.i=@shop.example; dmarc=pass header.from=shop.example", "mx.google.com")
    assert told(google + FROM, ["imap.gmail.com", "firm.example"]).proof is Proof.PROVEN
    assert told(google + FROM).proof is Proof.UNKNOWN


def test_a_public_suffix_is_nobodys_house():
    evil = results("dkim=pass header.d=shop.example", "mx.evil.co.uk")
    assert told(evil + FROM, ["firm.co.uk"]).proof is Proof.UNKNOWN
    assert told(evil + FROM, ["localhost", "127.0.0.1"]).proof is Proof.UNKNOWN


def test_a_short_domain_is_a_house():
    short = results("dkim=pass header.d=shop.example", "mx3.wp.pl")
    assert told(short + FROM, ["imap.wp.pl"]).proof is Proof.PROVEN


def test_nonsense_is_no_proof():
    for text in ("Authentication-Results:\r\n", "Authentication-Results: ;;;=\r\n", results("dkim=" * 3000)):
        assert told(text + FROM).proof is Proof.UNKNOWN
