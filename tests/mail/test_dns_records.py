"""What records say, and what is wrong with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.dns_records import (
    Answer,
    Question,
    answered,
    below,
    dkim_key,
    dmarc,
    mx,
    proof,
    quoted,
    tag_list,
)
from postroom.mail.spf import spf, with_server

DOMAIN = "firm.example"


def txt(**records):
    """Answers by what stands before the domain; "" is the domain itself, `__` a dot."""
    return {
        Question("TXT", f"{name.replace('__', '.')}.{DOMAIN}".lstrip(".")): Answer(
            "found", (value,) if isinstance(value, str) else tuple(value)
        )
        for name, value in records.items()
    }


AWAY = Answer("unreachable", reason="timeout")


@pytest.mark.parametrize(
    ("values", "state", "code"),
    [
        (["token-a"], "ok", "proof_ok"),
        (["another", " token-a "], "ok", "proof_ok"),
        (["token-b"], "wrong", "proof_other"),
        (["token-a-and-more"], "wrong", "proof_other"),
        ([], "missing", "proof_missing"),
    ],
)
def test_a_domain_is_proved_by_its_own_token_only(values, state, code):
    finding = answered(proof(DOMAIN, "token-a"), txt(_postroom=values))
    assert (finding.state, finding.code) == (state, code)


@pytest.mark.parametrize(
    ("record", "state", "code"),
    [
        ("v=DKIM1; k=rsa; p=AAAA", "ok", "dkim_ok"),
        ("p=AA AA ; t=s", "ok", "dkim_ok"),
        ("v=DKIM1; k=rsa; p=", "wrong", "dkim_revoked"),
        ("v=DKIM1; p=BBBB", "wrong", "dkim_other"),
        ("v=DKIM1; k=ed25519; p=AAAA", "wrong", "dkim_other"),
        ("v=DKIM1; t=y; p=AAAA", "wrong", "dkim_testing"),
        ("v=DKIM1; k=rsa", "wrong", "dkim_syntax"),
        ("v=spf1 -all", "wrong", "dkim_syntax"),
        (["v=DKIM1; p=AAAA", "v=DKIM1; p=BBBB"], "wrong", "dkim_several"),
        ([], "missing", "dkim_missing"),
    ],
)
def test_a_key_is_published_or_what_is_wrong_is_said(record, state, code):
    finding = answered(dkim_key(DOMAIN, "pr1", "AAAA"), txt(pr1___domainkey=record))
    assert (finding.state, finding.code) == (state, code)


@pytest.mark.parametrize(
    ("record", "state", "code"),
    [
        ("v=DMARC1; p=none", "ok", "dmarc_none"),
        ("v=DMARC1; p=quarantine; rua=mailto:a@firm.example", "ok", "dmarc_quarantine"),
        ("v=DMARC1;p=REJECT;adkim=s", "ok", "dmarc_reject"),
        ("v=DMARC1; p=maybe", "wrong", "dmarc_syntax"),
        ("v=DMARC1", "wrong", "dmarc_syntax"),
        ("v=DMARC2; p=none", "wrong", "dmarc_syntax"),
        (["v=DMARC1; p=none", "v=DMARC1; p=reject"], "wrong", "dmarc_several"),
        ([], "missing", "dmarc_missing"),
    ],
)
def test_a_policy_is_read(record, state, code):
    finding = answered(dmarc(DOMAIN), txt(_dmarc=record))
    assert (finding.state, finding.code) == (state, code)


def test_a_subdomain_has_the_policy_of_the_domain_above():
    above = txt(_dmarc="v=DMARC1; p=reject; sp=none")
    finding = answered(dmarc("a.news.firm.example"), above)
    assert (finding.code, finding.values["at"]) == ("dmarc_none", DOMAIN)
    assert answered(dmarc(DOMAIN), above).code == "dmarc_reject"


@pytest.mark.parametrize(
    ("answers", "state", "code"),
    [
        ({Question("MX", DOMAIN): Answer("found", ("10 mail.firm.example.",))}, "ok", "mx_ok"),
        ({Question("MX", DOMAIN): Answer("found", ("0 .",))}, "wrong", "mx_null"),
        ({Question("A", DOMAIN): Answer("found", ("192.0.2.1",))}, "ok", "mx_implicit"),
        ({}, "missing", "mx_missing"),
    ],
)
def test_where_mail_goes_is_told(answers, state, code):
    finding = answered(mx(DOMAIN), answers)
    assert (finding.state, finding.code) == (state, code)


@pytest.mark.parametrize(
    ("record", "state", "code"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "ok", "spf_ok"),
        ("v=spf1 a:relay.firm.example ~all", "ok", "spf_ok"),
        ("V=SPF1 mx -ALL", "ok", "spf_ok"),
        ("v=spf1 a:away.example/24 -all", "wrong", "spf_not_ours"),
        ("v=spf1 include:_spf.firm.example -all", "ok", "spf_ok"),
        ("v=spf1 redirect=_spf.firm.example", "ok", "spf_ok"),
        ("v=spf1 exp=why.firm.example -ip4:192.0.2.25 +all", "wrong", "spf_open"),
        ("v=spf1 -ip4:192.0.2.25 ip4:192.0.2.0/24 -all", "wrong", "spf_not_ours"),
        ("v=spf1 ~all", "wrong", "spf_not_ours"),
        ("v=spf1", "wrong", "spf_not_ours"),
        ("v=spf1 ip4:192.0.2.999 -all", "wrong", "spf_syntax"),
        ("v=spf1 ip4:192.0.2.0/40 -all", "wrong", "spf_syntax"),
        ("v=spf1 ip6:192.0.2.1 -all", "wrong", "spf_syntax"),
        ("v=spf1 ipv4:192.0.2.1 -all", "wrong", "spf_syntax"),
        ("v=spf1 include: -all", "wrong", "spf_syntax"),
        ("v=spf1 a/99 -all", "wrong", "spf_syntax"),
        ("v=spf1 include:nothing.example -all", "wrong", "spf_include"),
        ("v=spf1 include:loop.firm.example -all", "wrong", "spf_lookups"),
        ("v=spf1 a:v1.example a:v2.example a:v3.example -all", "wrong", "spf_void"),
        ("v=spf1 exists:%{i}.firm.example ptr ip4:192.0.2.25 -all", "ok", "spf_ok"),
        (["v=spf1 -all", "v=spf1 ~all"], "wrong", "spf_several"),
        ("v=spf10 -all", "missing", "spf_missing"),
        ([], "missing", "spf_missing"),
    ],
)
def test_spf_is_walked_through_as_receivers_do(record, state, code):
    answers = txt(
        _spf="v=spf1 ip4:192.0.2.25 -all",
        loop="v=spf1 include:loop.firm.example ~all",
    ) | {
        Question("A", "relay.firm.example"): Answer("found", ("192.0.2.25",)),
        Question("A", DOMAIN): Answer("found", ("192.0.2.25",)),
        Question("A", "away.example"): Answer("found", ("198.51.100.1",)),
        Question("MX", DOMAIN): Answer("found", ("10 relay.firm.example.",)),
        Question("TXT", DOMAIN): Answer("found", (record,) if isinstance(record, str) else tuple(record)),
    }
    finding = answered(spf(DOMAIN, ["192.0.2.25"]), answers)
    assert (finding.state, finding.code) == (state, code)


def test_without_a_known_server_the_record_is_only_read():
    record = {Question("TXT", DOMAIN): Answer("found", ("v=spf1 mx -all",))}
    assert answered(spf(DOMAIN, []), record).code == "spf_read"


def test_silence_is_never_taken_for_a_missing_record():
    for asking, question in (
        (proof(DOMAIN, "t"), Question("TXT", f"_postroom.{DOMAIN}")),
        (dkim_key(DOMAIN, "pr1", "A"), Question("TXT", f"pr1._domainkey.{DOMAIN}")),
        (dmarc(DOMAIN), Question("TXT", f"_dmarc.{DOMAIN}")),
        (mx(DOMAIN), Question("MX", DOMAIN)),
        (spf(DOMAIN, []), Question("TXT", DOMAIN)),
    ):
        finding = answered(asking, {question: AWAY})
        assert (finding.state, finding.values["reason"]) == ("unreachable", "timeout")


def test_what_is_kept_of_an_answer_is_short_and_clean():
    kept = answered(proof(DOMAIN, "t"), txt(_postroom=["\x1b[31m\r\nevil" + "x" * 5000] * 9)).to_json()
    assert len(kept["found"]) == 5
    assert all(len(one) <= 301 and one.isprintable() for one in kept["found"])


@given(st.text(max_size=300))
def test_no_text_breaks_the_readers(text):
    tag_list(text)
    answers = {Question("TXT", DOMAIN): Answer("found", ("v=spf1 " + text,))}
    assert answered(spf(DOMAIN, ["192.0.2.25"]), answers).state in ("ok", "wrong")
    assert answered(dmarc(DOMAIN), txt(_dmarc="v=DMARC1;" + text)).state in ("ok", "wrong")


def test_long_values_are_cut_for_zone_files():
    assert quoted("x" * 300) == f'"{"x" * 255}" "{"x" * 45}"'


def test_a_name_belongs_to_the_nearest_domain_above():
    assert below("a.b.firm.example", ["firm.example", "b.firm.example"]) == "b.firm.example"
    assert below("notfirm.example", ["firm.example"]) == ""
    assert below("firm.example", ["firm.example"]) == "firm.example"


@pytest.mark.parametrize(
    ("record", "hosts", "wanted"),
    [
        ("", [], "v=spf1 mx ~all"),
        ("", ["relay.firm.example"], "v=spf1 mx a:relay.firm.example ~all"),
        ("v=spf1 include:x.example -all", ["192.0.2.1"], "v=spf1 include:x.example ip4:192.0.2.1 -all"),
        ("v=spf1 redirect=x.example", ["2001:db8::1"], "v=spf1 ip6:2001:db8::1 redirect=x.example"),
        ("V=SPF1 a:relay.firm.example -all", ["relay.firm.example"], "V=SPF1 a:relay.firm.example -all"),
        ("something else", [], "v=spf1 mx ~all"),
    ],
)
def test_a_record_that_stands_is_completed(record, hosts, wanted):
    assert with_server(record, hosts) == wanted
