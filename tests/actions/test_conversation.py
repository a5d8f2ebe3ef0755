"""Conversations: joining, giving away, notes, taking apart and putting together."""

from datetime import timedelta

import pytest
from django.utils import timezone

from postroom.actions.conversation import (
    conversation_assign,
    conversation_merge,
    conversation_merge_undo,
    conversation_seen,
    conversation_split,
    conversation_split_undo,
    note_add,
)
from postroom.actions.conversation_join import conversations_join
from postroom.models.conversation import Conversation
from postroom.models.message import Message
from postroom.queries.conversation import (
    conversation_one,
    counts,
    shelf,
    suggestions,
    timeline,
    unread_count,
)
from postroom.testing.cast import make_account, make_cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db):
    return make_cast()


@pytest.fixture
def sales(cast):
    """The mailbox that everybody in the firm may read."""
    return make_account(cast.alice, port=0, visibility="workspace", everyone=["use", "view"], is_mailbox=True)


def arrive(account, sender="jan@klient.example", *, text="", **more):
    """One mail comes in (or, direction="out", was found in the folder for sent mail) and finds its conversation."""
    values = {
        "direction": "in",
        "purpose": "other",
        "subject": "Question",
        "from_address": sender,
        "to_address": account.address,
        "at": timezone.now(),
    }
    mail = Message.objects.create(workspace=account.workspace, account=account, **{**values, **more})
    conversations_join([mail], {mail.id: text})
    mail.refresh_from_db()
    return mail


def test_an_answer_joins_what_it_answers(cast, sales):
    first = arrive(sales, message_id="q1@klient.example", subject="Oferta na łożyska")
    ours = arrive(
        sales,
        sales.address,
        direction="out",
        message_id="a1@alderpike.example",
        to_address="Jan <jan@klient.example>",
        in_reply_to="q1@klient.example",
        references=["q1@klient.example"],
    )
    second = arrive(
        sales, in_reply_to="a1@alderpike.example", references=["q1@klient.example", "a1@alderpike.example"]
    )
    assert first.conversation_id == ours.conversation_id == second.conversation_id
    one = conversation_one(cast.bob, first.conversation_id)
    assert (one.message_count, one.unread_count, one.state) == (3, 2, "open")
    assert (one.person_address, one.subject, one.topic) == (
        "jan@klient.example",
        "Oferta na łożyska",
        "oferta na lozyska",
    )
    assert [entry.message.id for entry in timeline(cast.bob, one)] == [first.id, ours.id, second.id]
    assert counts(cast.bob)["open"] == 1
    assert unread_count(cast.bob) == 2
    conversation_seen(viewer=cast.bob, conversation_id=one.id)
    assert unread_count(cast.alice) == 0


def test_words_are_found_without_accents(cast, sales):
    mail = arrive(sales, subject="Oferta na łożyska", text="Прошу о wycenę 200 sztuk, фактура №7")
    for words in ("lozyska", "Łożys", "wycene фактура", "jan@klient", '"oferta"'):
        assert [row.id for row in shelf(cast.bob, find=words).rows] == [mail.conversation_id], words
    for words in ("lozyskami", '"ofert"', "oferta inne"):
        assert shelf(cast.bob, find=words).rows == [], words


def test_split_and_merge_are_taken_back(cast, sales):
    first = arrive(sales, message_id="q1@klient.example")
    second = arrive(sales, message_id="q2@klient.example", in_reply_to="q1@klient.example")
    made, step = conversation_split(viewer=cast.bob, message_id=second.id)
    assert Message.objects.get(id=second.id).conversation_id == made.id
    third = arrive(sales, in_reply_to="q2@klient.example")
    assert third.conversation_id == made.id
    assert [one.id for one in suggestions(cast.bob, made)] == [first.conversation_id]
    back = conversation_split_undo(viewer=cast.bob, step_id=step)
    assert (back.id, back.message_count) == (first.conversation_id, 3)
    other = arrive(sales)
    note_add(viewer=cast.bob, conversation_id=other.conversation_id, text="Ring them")
    into, step = conversation_merge(
        viewer=cast.bob, conversation_id=other.conversation_id, into_id=first.conversation_id
    )
    assert (into.message_count, into.notes.count()) == (4, 1)
    assert conversation_one(cast.bob, other.conversation_id).id == into.id
    gone = conversation_merge_undo(viewer=cast.bob, step_id=step)
    assert (gone.message_count, gone.notes.count()) == (1, 1)
    assert Conversation.objects.get(id=into.id).message_count == 3


def test_a_conversation_is_given_to_a_colleague(cast, sales):
    mail = arrive(sales, at=timezone.now() - timedelta(minutes=1))
    given = conversation_assign(
        viewer=cast.alice, conversation_id=mail.conversation_id, user_id=cast.bob.user.id
    )
    assert given.assignee == cast.bob.user
    assert [row.id for row in shelf(cast.bob, shelf="mine").rows] == [given.id]
