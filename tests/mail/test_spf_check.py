"""Whether a server may send for a domain: RFC 7208, with the examples of its section 7.4."""

import pytest

from postroom.mail.dns_records import Answer, Question, answered
from postroom.mail.spf import BadSpf
from postroom.mail.spf_check import expanded, spf_result

MAIL = {"client": "192.0.2.3", "sender": "strong-bad@email.example.com", "helo": "mx.example.org"}


def result(records: "dict[tuple[str, str], list[str] | str]", client: str = "192.0.2.3") -> str:
    answers = {
        Question(kind, name): Answer("unreachable") if found == "away" else Answer("found", tuple(found))
        for (name, kind), found in records.items()
    }
    asking = spf_result(client=client, mail_from="anna@far.example", helo="mx.far.example")
    return answered(asking, answers)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%%%_%-", "% %20"),
        ("%{L}x%{h}", "strong-badxmx.example.org"),
    ],
)
def test_macros_are_filled_in_as_the_standard_shows(text, whole):
    assert expanded(text, domain="email.example.com", **MAIL) == whole


def test_an_ipv6_address_is_spelled_out():
    mail = {**MAIL, "client": "2001:db8::cb01"}
    assert expanded("%{ir}.%{v}", domain="x.example", **mail) == (
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6"
    )


@pytest.mark.parametrize("text", ["%{z}", "%", "%{d0}", "%{c}", "a%b", "%{d"])
def test_a_broken_macro_is_an_error(text):
    with pytest.raises(BadSpf):
        expanded(text, domain="x.example", **MAIL)


@pytest.mark.parametrize(
    ("record", "told"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "pass"),
        ("v=spf1 ip4:198.51.100.0/24 -all", "fail"),
        ("v=spf1 ip4:198.51.100.0/24 ~all", "softfail"),
        ("v=spf1 ip4:198.51.100.0/24", "neutral"),
        ("v=spf1 +all", "neutral"),
        ("v=spf1 exists:%{ir}.%{v}.%{d} -all", "pass"),
        ("v=spf1 redirect=%{d1r}.other.example", "pass"),
        ("v=spf1 include:gone.example -all", "permerror"),
        ("v=spf1 include:slow.example -all", "temperror"),
        ("v=spf1 exists:%{q} -all", "permerror"),
        ("something else", "none"),
    ],
)
def test_the_result_of_a_record(record, told):
    records = {
        ("far.example", "TXT"): [record],
        ("3.2.0.192.in-addr.far.example", "A"): ["127.0.0.2"],
        ("far.other.example", "TXT"): ["v=spf1 ip4:192.0.2.3 -all"],
        ("slow.example", "TXT"): "away",
    }
    assert result(records) == told


def test_without_an_answer_or_a_record_nothing_is_said():
    assert result({}) == "none"
    assert result({("far.example", "TXT"): "away"}) == "temperror"
