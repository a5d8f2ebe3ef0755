"""Entries of a restricted list: 12 patterns against 12 addresses, and what is no entry."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import BadAddress, InputError
from postroom.mail.address import canonical
from postroom.mail.suppression import Entry, EntryForm, keys_for, matches, parse_entry

ADDRESSES = [
    "user@firm.pl",  # a
    "USER@Firm.PL",  # b
    "other@firm.pl",  # c
    "user@sub.firm.pl",  # d
    "other@a.b.firm.pl",  # e
    "user@otherfirm.pl",  # f
    "user@firm.pl.com",  # g
    "office@firm.com",  # h
    "user+tag@firm.pl",  # i
    "us.er@firm.pl",  # j
    "user@żółć.pl",  # k
    "user@mail.żółć.pl",  # l
]
TABLE = {
    "user@firm.pl": "ab",
    " User@FIRM.pl ": "ab",
    "@firm.pl": "abcij",
    "@*.firm.pl": "de",
    "user@": "abdfgkl",
    "OTHER@": "ce",
    "@sub.firm.pl": "d",
    "@*.b.firm.pl": "e",
    "@*.pl": "abcdefijkl",
    "@żółć.pl": "k",
    "@*.xn--kda4b0koi.pl": "l",
    "user+tag@firm.pl": "i",
}


@pytest.mark.parametrize(("pattern", "hits"), TABLE.items())
def test_an_entry_means_exactly_these_addresses(pattern, hits):
    entry = parse_entry(pattern)
    found = "".join(
        letter for letter, address in zip("abcdefghijkl", ADDRESSES, strict=True) if matches(entry, address)
    )
    assert found == hits


def test_the_table_is_twelve_by_twelve():
    assert (len(TABLE), len(ADDRESSES)) == (12, 12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "firm.pl",
        "*@firm.pl",
        "@*",
        "@*.",
        "@*firm.pl",
        "user@*.firm.pl",
        "a b@",
        "@firm",
        "user",
        "a@b@",
        "..@",
        "x@\ny",
    ],
)
def test_anything_else_is_refused(text):
    with pytest.raises(InputError) as error:
        parse_entry(text)
    assert error.value.code == "BAD_ENTRY"


@pytest.mark.parametrize("pattern", TABLE)
def test_an_entry_written_out_is_the_same_entry(pattern):
    entry = parse_entry(pattern)
    assert parse_entry(entry.text) == entry


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{1,4}@([a-z]{1,4}\.){1,4}pl", fullmatch=True))
def test_the_keys_of_an_address_are_the_entries_that_mean_it(address):
    keys = keys_for(address)
    assert len(keys) == len(set(keys)) == 3 + address.count(".")
    for form, value in keys:
        entry = Entry(EntryForm(form), value)
        assert parse_entry(entry.text) == entry
        assert matches(entry, address)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_an_entry_or_refused(text):
    try:
        entry = parse_entry(text)
    except InputError:
        return
    assert parse_entry(entry.text) == entry
    if entry.form is EntryForm.ADDRESS:
        assert canonical(text) == entry.value


def test_keys_of_no_address_are_an_error():
    with pytest.raises(BadAddress):
        keys_for("nobody")
