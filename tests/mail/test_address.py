"""Addresses: what is one, what is not, and pasted lists."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import BadAddress
from postroom.mail.address import Address, canonical, parse, parse_many


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("jan@firm.pl", "jan@firm.pl"),
        ("  Jan.Kowalski+tag@Firm.PL\t", "Jan.Kowalski+tag@firm.pl"),
        ("jan@żółć.pl", "jan@xn--kda4b0koi.pl"),
        ("jan@XN--KDA4B0KOI.pl", "jan@xn--kda4b0koi.pl"),
        ("петър@фирма.бг", "петър@xn--80apmps.xn--90ae"),
        ("root@localhost", "root@localhost"),
        ("anna@post.test", "anna@post.test"),
        ("o'neil@x.co.uk", "o'neil@x.co.uk"),
    ],
)
def test_an_address_is_read(text, spec):
    assert parse(text).spec == spec


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "bad@",
        "@firm.pl",
        "jan",
        "jan@firm",
        "jan@@firm.pl",
        "jan@firm..pl",
        ".jan@firm.pl",
        "ja..n@firm.pl",
        "jan@firm.pl\r\nBcc: x@y.pl",
        "jan@firm.pl\n",
        "jan\x00@firm.pl",
        "jan @firm.pl",
        "jan@-firm.pl",
        "jan@firm.1",
        "<jan@firm.pl>",
        "jan@firm.pl,x@y.pl",
        "jan@[127.0.0.1]",
        '"a b"@firm.pl',
        f"{'a' * 65}@firm.pl",
        "jan@x\u2028.pl",
        f"jan@{'a' * 64}.pl",
        f"jan@{'a.' * 125}pl",
        "jan@xn--zzzzzzzz-.pl",
        "x" * 100000,
    ],
)
def test_what_is_no_address_is_refused_with_a_reason(text):
    with pytest.raises(BadAddress) as error:
        parse(text)
    assert error.value.message
    with pytest.raises(BadAddress):
        canonical(text)


def test_canonical_compares_without_case_and_folds_nothing_else():
    assert canonical("  Jan.K+a@FIRM.pl ") == "jan.k+a@firm.pl"
    assert canonical("JAN@ŻÓŁĆ.pl") == canonical("jan@xn--kda4b0koi.pl")
    assert canonical("jank@firm.pl") != canonical("jan.k@firm.pl")
    assert canonical(Address("Jan", "firm.pl")) == "jan@firm.pl"


def test_smtputf8_is_needed_for_the_local_part_only():
    assert parse("żółć@firm.pl").needs_smtputf8
    assert not parse("jan@żółć.pl").needs_smtputf8


@settings(max_examples=500, deadline=None)
@given(st.text(st.sampled_from("abXZ019.-_+'@!\"( \u017c\u0430"), max_size=30))
def test_what_the_quick_way_takes_the_full_check_takes_too(text):
    try:
        address = parse(text)
    except BadAddress:
        return
    checked = validate_email(text.strip(" \t"), check_deliverability=False, globally_deliverable=False)
    assert address.local == checked.local_part
    assert address.domain == checked.ascii_domain
    assert parse(address.spec) == address
    assert canonical(canonical(text)) == canonical(text)


@settings(max_examples=300, deadline=None)
@given(st.from_regex(r"[a-zA-Z0-9.!+-]{1,10}@([a-z0-9-]{1,5}\.){1,3}[a-z0-9-]{1,4}", fullmatch=True))
def test_nothing_that_the_full_check_takes_is_refused(text):
    try:
        checked = validate_email(text, check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        return
    if not (checked.ascii_domain or "").rpartition(".")[2].isdigit():
        parse(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_an_address_that_was_taken_has_no_control_characters(text):
    try:
        spec = parse(text).spec
    except BadAddress:
        return
    assert spec.isprintable()
    assert not set(spec) & set(" \r\n\t<>,;")


def test_a_pasted_list_is_read_with_the_bad_one_named():
    found = parse_many(
        'Jan Kowalski <jan@firm.pl>; "Nowak, Anna" <anna@firm.pl>, bad@\r\nKowalski, Piotr <p@firm.pl>\n\n x@y.pl;;'
    )
    assert [(name, address) for name, address, _ in found] == [
        ("Jan Kowalski", "jan@firm.pl"),
        ("Nowak, Anna", "anna@firm.pl"),
        ("", "bad@"),
        ("Kowalski, Piotr", "p@firm.pl"),
        ("", "x@y.pl"),
    ]
    assert [bool(error) for _, _, error in found] == [False, False, True, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("a@b.pl,c@d.pl", [("", "a@b.pl"), ("", "c@d.pl")]),
        ("Jan, a@b.pl", [("", "Jan"), ("", "a@b.pl")]),
        ('"Jan \\"Jaś\\" K" <a@b.pl>', [('Jan "Jaś" K', "a@b.pl")]),
        ('"never closed <a@b.pl>', [('"never closed', "a@b.pl")]),
        ("'Jan' <a@b.pl>", [("Jan", "a@b.pl")]),
        ("mailto:a@b.pl", [("", "a@b.pl")]),
        ("Jan <a@b.pl", [("Jan", "a@b.pl")]),
    ],
)
def test_pasted_odds(text, expected):
    assert [(name, address) for name, address, _ in parse_many(text)] == expected


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('ab@.,;\n"<>\\ ż'), max_size=60))
def test_a_pasted_list_never_fails(text):
    for name, address, error in parse_many(text):
        assert error or parse(address).spec == address
        assert "\n" not in name
