"""What a mail is found by, and what a search asks of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.words import (
    ASKED_MAX,
    WORD_MAX,
    WORDS_MAX,
    account_word,
    query_of,
    space_word,
    words_of,
)


def fits(asked, *texts):
    """Whether the database would find it: every word there, or one that begins so."""
    query = query_of(asked)
    there = words_of(*texts)
    parts = re.findall(r"'([^']+)'(:\*)?", query)
    return bool(parts) and all(
        any(word.startswith(part) if begins else word == part for word in there) for part, begins in parts
    )


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("lozyska", "Łożyska kulkowe"),
        ("ŁOŻ", "łożyska"),
        ("zolc", "zażółć, żółć"),
        ("фактура", "Фактура № 7"),
        ("факт 7", "Фактура № 7"),
        ("jan.kowalski@klient.example", "Jan <jan.kowalski@klient.example>"),
        ("FV/2026/11/0042", "Faktura fv/2026/11/0042.pdf"),
        ('"nowak"', "Nowak"),
    ],
)
def test_it_is_found(asked, text):
    assert fits(asked, text)


@pytest.mark.parametrize(
    ("asked", "text"),
    [("lozyska oferta", "Łożyska"), ('"nowa"', "Nowak"), ("no", "Nowak"), ("й", "и"), ("...", "...")],
)
def test_it_is_not_found(asked, text):
    assert not fits(asked, text)


def test_nothing_asked_is_no_query():
    assert query_of("") == query_of(' " ... " ') == ""


@given(st.text(max_size=500))
def test_every_text_finds_itself(text):
    words = words_of(text)
    assert len(set(words)) == len(words)
    for word in words[:20]:
        assert fits(word, text)


@given(st.text(max_size=300))
def test_a_query_is_only_words_that_the_database_takes(asked):
    assert re.fullmatch(rf"('[^\W_]{{1,{WORD_MAX}}}'(:\*)?( & )?)*", query_of(asked))
    assert query_of(asked).count("'") <= 2 * ASKED_MAX


@given(st.lists(st.text(max_size=200), max_size=5))
def test_words_hold_nothing_but_letters_and_digits(texts):
    for word in words_of(*texts):
        assert 0 < len(word) <= WORD_MAX
        assert re.fullmatch(r"[^\W_]+", word)
        word.encode()


def test_a_mail_has_no_more_words_than_are_kept():
    assert len(words_of(" ".join(map(str, range(10_000))))) == WORDS_MAX


def test_whose_a_mail_is_cannot_be_asked_for():
    for word in (account_word(1), space_word(1)):
        assert word not in words_of(word)
        assert f"'{word}'" not in query_of(word)
