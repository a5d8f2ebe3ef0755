"""Which conversation a mail joins: by what it answers, never by its subject, never by an id alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.thread import (
    TOPIC_MAX,
    Arrived,
    Known,
    Mails,
    addresses,
    answers,
    parent,
    person_of,
    topic,
    written_as,
)

JAN, EVA, US = "jan@klient.example", "eva@obcy.example", "office@alderpike.example"


def known(number, message_id, *people, answered="", **more):
    return Known(number, number, message_id, answered, frozenset(people), **more)


def mail(sender, *answered, message_id="new@x", people=(), **more):
    return Arrived(message_id, tuple(answered), frozenset({sender, *people} - {""}), sender, **more)


def test_an_answer_joins_the_nearest_mail_it_refers_to():
    old, new = known(1, "a@k", JAN, US), known(2, "b@k", JAN, US)
    assert parent(mail(JAN, "b@k", "a@k"), Mails([old, new])) is new
    assert parent(mail(JAN, "gone@k", "a@k"), Mails([old, new])) is old


def test_who_was_not_among_its_people_does_not_join_by_an_id_that_anybody_may_write():
    theirs = known(1, "1@localhost", JAN, US)
    assert parent(mail(EVA, "1@localhost"), Mails([theirs])) is None
    assert parent(mail("", "1@localhost"), Mails([theirs])) is None


def test_an_id_of_ours_that_nobody_can_guess_joins_whoever_was_passed_the_mail():
    ours = known(1, "token", JAN, US, is_ours=True, is_signed=True)
    assert parent(mail(EVA, "token"), Mails([ours])) is ours


def test_the_same_id_used_again_by_a_stranger_joins_nothing():
    first = known(1, "1@localhost", JAN, US)
    assert parent(mail(EVA, message_id="1@localhost", people=(US,)), Mails([first])) is None
    again = parent(mail(JAN, message_id="1@localhost", people=(US,)), Mails([first]))
    assert again is None  # nor by the same person: two mails in, not a mail and its copy


def test_of_two_mails_with_one_id_the_sender_answers_their_own():
    evas, jans = known(2, "1@localhost", EVA, US), known(1, "1@localhost", JAN, US)
    assert parent(mail(JAN, "1@localhost"), Mails([evas, jans])) is jans


def test_a_mail_to_oneself_comes_back_into_its_conversation():
    sent = known(1, "token", US, is_ours=True, is_signed=True)
    assert parent(mail(US, message_id="token", people=(US,)), Mails([sent])) is sent


def test_an_answer_that_was_read_before_the_question_draws_it_in():
    answer = known(1, "b@k", JAN, US, answered="a@alderpike")
    assert parent(mail(US, message_id="a@alderpike", people=(JAN,), is_ours=True), Mails([answer])) is answer
    assert parent(mail(EVA, message_id="a@alderpike", people=(US,)), Mails([answer])) is None


def test_two_answers_to_a_mail_that_is_not_here_are_together_when_they_share_their_sender():
    first = known(1, "b@k", JAN, US, answered="gone@k")
    assert parent(mail(JAN, "gone@k"), Mails([first])) is first
    assert parent(mail(EVA, "gone@k"), Mails([first])) is None


@pytest.mark.parametrize(
    ("subject", "plain"),
    [
        ("Re: Fwd: Oferta", "oferta"),
        ("ODP: Re[2]: Oferta na łożyska", "oferta na lozyska"),
        ("Отг: Фактура", "фактура"),
        ("RE : RE: AW: a", "a"),
        ("Regarding: prices", "regarding: prices"),
        ("Re:", ""),
        ("", ""),
    ],
)
def test_the_topic_is_the_subject_without_what_programs_put_before_it(subject, plain):
    assert topic(subject) == plain


@given(st.text(max_size=400))
def test_answering_does_not_change_the_topic(subject):
    assert topic(f"Re: {subject}") == topic(subject)
    assert len(topic(subject)) <= TOPIC_MAX


ids = st.sampled_from(["a@k", "b@k", "c@k", "d@k"])
persons = st.sampled_from([JAN, EVA, US])
mails = st.builds(
    Known,
    number=st.integers(1, 99),
    conversation=st.integers(1, 99),
    message_id=ids,
    in_reply_to=st.one_of(st.just(""), ids),
    people=st.frozensets(persons, max_size=3),
    is_ours=st.booleans(),
)


@given(st.lists(mails, max_size=8), st.one_of(st.just(""), persons), st.lists(ids, max_size=4), ids)
def test_whatever_refers_to_whatever_only_people_of_a_mail_join_it(others, sender, answered, message_id):
    found = parent(mail(sender, *answered, message_id=message_id), Mails(others))
    assert found is None or (sender and sender in found.people)


@given(st.lists(st.text(max_size=20), max_size=10), st.text(max_size=20))
def test_ids_come_nearest_first_each_once(references, in_reply_to):
    found = answers(in_reply_to, references)
    assert len(set(found)) == len(found)
    assert all(one and one == one.strip("<> ") for one in found)
    if in_reply_to.strip("<> "):
        assert found[0] == in_reply_to.strip("<> ")


def test_people_are_read_as_they_are_stored():
    line = '"Kowalski, Jan" <Jan@Klient.example>, eva@obcy.example, Eva <eva@obcy.example>'
    assert addresses(line, "") == {JAN, EVA}
    assert written_as("Jan Nowak <jan@klient.example>, eva@obcy.example") == [
        ("Jan Nowak", JAN),
        ("", EVA),
    ]


@given(st.text(max_size=300))
def test_any_line_of_people_can_be_read(line):
    assert all("@" in address for _name, address in written_as(line))
    assert addresses(line) == {address.lower() for _name, address in written_as(line)}


def test_a_conversation_is_with_the_first_who_is_not_ours():
    assert person_of(("Jan", JAN), [("", US)], {US}) == ("Jan", JAN)
    assert person_of(("Us", US), [("", US), ("Eva", EVA)], {US}) == ("Eva", EVA)
    assert person_of(("Us", US), [("", US)], {US}) == ("Us", US)
    assert person_of(("", ""), [("", US)], {US}) == ("", "")
