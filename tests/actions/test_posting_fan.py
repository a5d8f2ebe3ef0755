"""Postings that are sent on in one round know each other as if they had come one by one (EG-04)."""

import pytest

from postroom.actions.blob import blob_put
from postroom.actions.posting import Handed, postings_judge, postings_store
from postroom.actions.posting_fan import postings_fan
from postroom.models.delivery import Delivery
from postroom.models.group import Posting, PostingState
from postroom.testing.cast import make_account, make_cast, make_group

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast():
    made = make_cast()
    made.alice.workspace.notice_account = make_account(made.alice, port=9)
    made.alice.workspace.save()
    return made


def round_of(group, *mails):
    """mails: (author, number, number of what is answered or 0); the postings, sent on together."""
    ids = []
    for author, number, answered in mails:
        head = f"In-Reply-To: <{answered}@x.example>\r\n" if answered else ""
        raw = (
            f"From: {author}\r\nTo: {group.address}\r\nSubject: Price\r\nMessage-ID: <{number}@x.example>\r\n"
            f"{head}\r\nHello\r\n"
        ).encode()
        found = postings_judge([Handed(group.id, raw, author, (group.address,))])
        ids += postings_store(found, [blob_put(raw).pk])
    assert postings_fan(ids, lambda domain: "none") == len(mails)
    return [Posting.objects.get(id=number) for number in ids]


def test_the_outsider_who_began_stays_in_reply_to_within_one_round(cast):
    group = make_group(cast.alice, "office", "member@far.example", "other@far.example")
    first, answer, third = round_of(
        group, ("ann@outside.example", 1, 0), ("member@far.example", 2, 1), ("ben@outside.example", 3, 2)
    )
    assert (first.first, answer.first, third.first) == (None, first, first)
    assert (first.outside_author, answer.outside_author) == ("ann@outside.example", "")
    reply_to = next(
        line for line in third.front.replace("\r\n ", " ").splitlines() if line.startswith("Reply-To:")
    )
    for address in (group.address, "ann@outside.example", "ben@outside.example"):
        assert address in reply_to
    copies = Delivery.objects.filter(message__purpose="posting").values_list("message_id", "address")
    assert len(copies) == 5
    assert len(set(copies)) == 5, "the author of the answer gets none of his own"


def test_a_posting_that_reached_nobody_begins_no_thread(cast):
    group = make_group(cast.alice, "lonely", "member@far.example")
    alone, answer = round_of(group, ("member@far.example", 1, 0), ("ann@outside.example", 2, 1))
    assert (alone.state, alone.reason) == (PostingState.DROPPED, "nobody")
    assert (answer.state, answer.first) == (PostingState.SENT, None)
