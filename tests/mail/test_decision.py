"""One word of a moderator, as clerks and their programs write it."""

import pytest

from postroom.mail.decision import ASKED, decision_of

TOKEN = "abcdefghij234567abcd"
QUOTED = (
    "\n\nOn Sun, 22 Nov 2026 at 10:00, Alder & Pike <sales@alderpike.example> wrote:\n"
    "> accept: mailto:x\n> reject\n"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accept", True),
        ("Accept.\n", True),
        ("\r\n  *ACCEPT*\r\n", True),
        ("accept, thanks\nAlice", True),
        ("approved!", True),
        ("reject", False),
        ("Reject - it is spam", False),
        ("akceptuję", True),
        ("Zatwierdzam, pozdrawiam", True),
        ("odrzuć", False),
        ("Odrzucam.", False),
        ("Приемам", True),
        ("приеми!", True),
        ("ОТХВЪРЛИ", False),
        ("Отхвърлям, това е реклама", False),
        ("accept?", None),
        ("accept only the first page", None),
        ("I do not accept this", None),
        ("accept, or reject, as you like", None),
        ("", None),
        ("What is this?", None),
    ],
)
def test_the_first_line_of_the_answer_decides_when_it_is_clear(text, said):
    subject = "Re: A mail to office@alderpike.example waits for your decision"
    assert decision_of(subject, text) is said
    assert decision_of(f"{subject} [{TOKEN}]", text + QUOTED) is said


def test_what_is_only_quoted_is_no_answer():
    assert decision_of("Re: accept", "> accept\n> reject\n") is None
    assert decision_of("Re: A mail waits", QUOTED) is None


@pytest.mark.parametrize("language", sorted(ASKED))
def test_the_words_that_a_notice_asks_for_are_understood_in_subject_and_text(language):
    for word, said in zip(ASKED[language], (True, False), strict=True):
        assert decision_of(word, "") is said
        assert decision_of(f"{word} [{TOKEN}]", "-- \nAlice\n") is said
        assert decision_of("Re: it", word) is said


def test_a_subject_and_a_text_that_contradict_each_other_decide_nothing():
    assert decision_of("accept", "reject") is None
    assert decision_of("accept", "accept") is True
