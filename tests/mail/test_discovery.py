"""From an address alone to its servers: the order of places, and what a stranger's document may say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.autoconfig import autoconfig_read
from postroom.mail.discovery import Page, Try, discover
from postroom.mail.dns_records import Answer, Question
from postroom.mail.providers import PROVIDERS, Place, provider_of, provider_of_mx

DOCUMENT = b"""<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="firm.example">
<incomingServer type="pop3"><hostname>pop.firm.example</hostname><port>995</port>
<socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>plain.firm.example</hostname><port>143</port>
<socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>IMAP.firm.example</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>out.firm.example</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILADDRESS%</username></outgoingServer></emailProvider></clientConfig>"""


def found(address, answers):
    """Drive the search; answers: {question: answer}, everything else is missing. (result, what was asked)"""
    seeking, asked = discover(address), []
    try:
        question = next(seeking)
        while True:
            asked.append(question)
            default = {Page: b"", Try: False}.get(type(question), Answer("missing"))
            question = seeking.send(answers.get(question, default))
    except StopIteration as end:
        return end.value, asked


@pytest.mark.parametrize(
    ("address", "smtp"),
    [
        ("jan@wp.pl", "smtp.wp.pl"),
        ("jan@onet.pl", "smtp.poczta.onet.pl"),
        ("jan@interia.pl", "poczta.interia.pl"),
        ("jan@o2.pl", "poczta.o2.pl"),
        ("ivan@abv.bg", "smtp.abv.bg"),
        ("ivan@mail.bg", "smtp.mail.bg"),
        ("ann@gmail.com", "smtp.gmail.com"),
        ("jan@seznam.cz", "smtp.seznam.cz"),
    ],
)
def test_large_providers_are_known_without_asking_anybody(address, smtp):
    result, asked = found(address, {})
    assert (result.source, result.smtp.host, asked) == ("provider", smtp, [])
    assert result.to_json()["smtp_login"] == address


def test_the_domains_own_document_comes_next():
    page = Page("https://autoconfig.firm.example/mail/config-v1.1.xml?emailaddress=ann%40firm.example")
    result, _ = found("ann@firm.example", {page: DOCUMENT})
    assert result.source == "autoconfig"
    assert (result.imap, result.imap_login) == (Place("imap.firm.example", 993, "tls"), "ann")
    assert (result.smtp, result.smtp_login) == (
        Place("out.firm.example", 587, "starttls"),
        "ann@firm.example",
    )


def test_then_srv_records_by_priority_and_tls_before_starttls():
    answers = {
        Question("SRV", "_submissions._tcp.firm.example"): Answer("found", ("0 0 0 .",)),
        Question("SRV", "_submission._tcp.firm.example"): Answer(
            "found", ("20 0 587 b.firm.example.", "10 5 587 a.firm.example.")
        ),
        Question("SRV", "_imaps._tcp.firm.example"): Answer("found", ("0 0 993 i.firm.example.",)),
    }
    result, asked = found("ann@firm.example", answers)
    assert result.source == "srv"
    assert result.smtp == Place("a.firm.example", 587, "starttls")
    assert result.imap == Place("i.firm.example", 993, "tls")
    assert Question("MX", "firm.example") not in asked


def test_then_the_owner_of_the_mx_hosts():
    mx = Answer("found", ("0 firm-example.mail.protection.outlook.com.",))
    result, _ = found("ann@firm.example", {Question("MX", "firm.example"): mx})
    assert (result.source, result.name, result.hint) == ("mx", "Microsoft 365", "oauth")
    assert result.to_json()["per_day"] == 10_000


def test_at_last_the_usual_names_are_tried_encrypted_only():
    works = Place("mail.firm.example", 587, "starttls")
    result, asked = found("ann@firm.example", {Try("smtp", works): True})
    assert (result.source, result.smtp, result.imap) == ("guess", works, None)
    assert all(one.place.security != "none" for one in asked if isinstance(one, Try))


def test_nothing_is_an_answer_too():
    result, _ = found("ann@firm.example", {})
    assert result.to_json() == {"source": "", "name": "", "hint": ""}


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b'<!DOCTYPE x [<!ENTITY a "aaaa">]><clientConfig/>',
        b"<a>" * 5000,
        DOCUMENT.replace(b"out.firm.example", b"out firm/example"),
        DOCUMENT.replace(b"587", b"99999"),
        DOCUMENT.replace(b"STARTTLS", b"plain"),
        DOCUMENT + b"x" * 70_000,
    ],
)
def test_a_strangers_document_can_do_no_harm(document):
    assert "smtp" not in autoconfig_read(document, "ann@firm.example")


@given(st.binary(max_size=400))
def test_no_octets_break_the_reader(octets):
    autoconfig_read(octets, "ann@firm.example")


def test_every_provider_is_encrypted_and_no_domain_stands_twice():
    names = [domain for provider in PROVIDERS for domain in provider.domains]
    assert len(names) == len(set(names))
    for provider in PROVIDERS:
        assert provider.imap.security in ("tls", "starttls")
        assert provider.smtp.security in ("tls", "starttls")
    assert provider_of("firm.example") is None
    assert provider_of_mx(["evilgoogle.com"]) is None
