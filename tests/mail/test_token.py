"""Tokens: signed, short, case-blind, good for one purpose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.token import NUMBER_MAX, UNSUBSCRIBE, token_make, token_read, tokens_in

KEY, OTHER = b"k" * 32, b"o" * 32
numbers = st.integers(0, NUMBER_MAX)


@given(numbers)
def test_a_token_gives_its_number_back(number):
    token = token_make(number, KEY)
    assert len(token) <= 24
    assert token == token.lower()
    assert token.isalnum()
    assert token_read(token.upper(), [OTHER, KEY]) == number


@given(numbers)
def test_another_key_or_purpose_reads_nothing(number):
    assert token_read(token_make(number, KEY), [OTHER]) is None
    assert token_read(token_make(number, KEY), []) is None
    assert token_read(token_make(number, KEY), [KEY], UNSUBSCRIBE) is None
    assert token_read(token_make(number, KEY, UNSUBSCRIBE), [KEY], UNSUBSCRIBE) == number


@given(numbers, st.integers(0, 19), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_a_changed_character_makes_it_worthless(number, at, sign):
    token = token_make(number, KEY)
    changed = token[:at] + sign + token[at + 1 :]
    assert (token_read(changed, [KEY]) is None) == (changed != token)


@given(st.text(max_size=30))
def test_no_text_is_a_token_by_chance_or_an_error(text):
    assert token_read(text, [KEY]) is None


@pytest.mark.parametrize("number", [-1, NUMBER_MAX + 1])
def test_a_number_outside_48_bits_is_refused(number):
    with pytest.raises(ValueError, match="48"):
        token_make(number, KEY)


@given(numbers, numbers)
def test_tokens_are_found_in_addresses_and_ids(one, two):
    first, second = token_make(one, KEY), token_make(two, KEY)
    text = f"To: bounce+{first.upper()}@firm.pl\nMessage-ID: <{second}.m@firm.pl> {first} x{first} {second}9z"
    assert tokens_in(text) == list(dict.fromkeys([first, second]))
