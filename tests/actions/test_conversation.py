"""Conversations: joining, giving away, notes, taking apart and putting together."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, transaction
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
from postroom.actions.conversation_lock import answer_demand
from postroom.actions.message_send import Letter, message_send, message_unsend
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.account import Collector
from postroom.models.blob import Blob
from postroom.models.conversation import Conversation
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.queries import conversation_search
from postroom.queries.blob import blob_read
from postroom.queries.conversation import (
    assigned_news,
    conversation_one,
    counts,
    shelf,
    suggestions,
    timeline,
    unread_count,
)
from postroom.testing.cast import make_account, make_campaign, make_cast, make_list
from tests.actions.test_event import dsn, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db):
    return make_cast()


@pytest.fixture
def sales(cast):
    """The mailbox that everybody in the firm may read."""
    return make_account(cast.alice, port=0, visibility="workspace", everyone=["use", "view"], is_mailbox=True)


def arrive(account, sender="jan@klient.example", *, text="", workspace=None, **more):
    """One mail comes in (or, direction="out", was found in the folder for sent mail) and finds its conversation."""
    values = {
        "direction": "in",
        "purpose": "other",
        "subject": "Question",
        "from_address": sender,
        "to_address": account.address if account else "",
        "at": timezone.now(),
    }
    workspace = workspace or account.workspace
    mail = Message.objects.create(workspace=workspace, account=account, **{**values, **more})
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


def test_a_conversation_is_given_to_a_colleague_who_is_told_on_a_page_and_by_no_mail(cast, sales):
    mail = arrive(sales)
    given = conversation_assign(
        viewer=cast.alice, conversation_id=mail.conversation_id, user_id=cast.bob.user.id
    )
    assert given.assignee == cast.bob.user
    assert [row.id for row in shelf(cast.bob, shelf="mine").rows] == [given.id]
    assert [row.assigned_by for row in assigned_news(cast.bob)] == [cast.alice.user]
    assert assigned_news(cast.alice) == []
    assert Message.objects.filter(direction="out").count() == Delivery.objects.count() == 0
    conversation_seen(viewer=cast.bob, conversation_id=given.id)
    assert assigned_news(cast.bob) == []
    sales.visibility = "private"
    sales.save()
    with pytest.raises(InputError, match="may not read"):
        conversation_assign(viewer=cast.alice, conversation_id=given.id, user_id=cast.charlie.user.id)


def test_a_message_id_that_a_stranger_uses_again_glues_nothing_together(cast, sales):
    theirs = arrive(sales, message_id="1@localhost")
    same_id = arrive(sales, "eva@obcy.example", message_id="1@localhost")
    refers = arrive(sales, "eva@obcy.example", message_id="2@localhost", in_reply_to="1@localhost")
    foreign = arrive(sales, "zla@trzeci.example", references=["1@localhost"])
    assert len({theirs.conversation_id, same_id.conversation_id, foreign.conversation_id}) == 3
    assert refers.conversation_id == same_id.conversation_id
    assert arrive(sales, in_reply_to="1@localhost").conversation_id == theirs.conversation_id
    assert Message.objects.filter(conversation=None).count() == 0


def test_mails_without_a_sender_are_shown_each_by_itself(cast, sales):
    first = arrive(sales, "", message_id="a@x", to_address="")
    second = arrive(sales, "", in_reply_to="a@x", to_address="")
    assert first.conversation_id != second.conversation_id
    assert counts(cast.bob)["open"] == 2


def test_a_mail_to_two_mailboxes_opens_one_conversation_in_each(cast, sales):
    office = make_account(
        cast.alice, port=0, address="office@alderpike.example", visibility="workspace", everyone=["view"]
    )
    first, second = (arrive(one, message_id="both@klient.example") for one in (sales, office))
    assert first.conversation_id != second.conversation_id
    answer = arrive(office, in_reply_to="both@klient.example")
    assert answer.conversation_id == second.conversation_id
    assert [row.id for row in shelf(cast.bob, sales.id).rows] == [first.conversation_id]


def test_a_mail_to_oneself_is_one_conversation(cast, sales):
    sent = write(cast.alice, sales, to=sales.address)
    back = arrive(sales, sales.address, message_id=f"{sent.message_id}.m@alderpike.example")
    assert back.conversation_id == sent.conversation_id
    assert conversation_one(cast.bob, back.conversation_id).message_count == 2


def test_an_answer_is_waited_for_and_a_human_one_opens_again_what_was_closed(cast, sales):
    question = arrive(sales, message_id="q@klient.example", at=timezone.now() - timedelta(hours=1))
    number = question.conversation_id

    def state():
        return conversation_one(cast.bob, number).state

    sent = write(cast.alice, sales, in_reply_to="<q@klient.example>", references=("<q@klient.example>",))
    assert (sent.conversation_id, state()) == (number, "waiting")
    ours = f"{sent.message_id}.m@alderpike.example"
    arrive(sales, in_reply_to=ours, is_automatic=True)
    assert state() == "waiting"
    arrive(sales, in_reply_to=ours)
    assert state() == "open"
    write(cast.alice, sales, conversation_id=number, is_done=True)
    assert (state(), counts(cast.bob)["done"]) == ("done", 1)
    # whoever the mail was passed on to answers under an id that only we can have made
    arrive(sales, "szef@klient.example", in_reply_to=ours)
    assert state() == "open"


def test_what_is_taken_back_leaves_the_conversation_as_it_was(cast, sales):
    question = arrive(sales, message_id="q@klient.example")
    sent = write(cast.alice, sales, conversation_id=question.conversation_id, undo_s=60, text="unikalne")
    assert shelf(cast.bob, shelf="waiting", find="unikalne").rows
    message_unsend(viewer=cast.alice, message_id=sent.id)
    one = conversation_one(cast.bob, question.conversation_id)
    assert (one.state, one.message_count) == ("open", 1)
    assert shelf(cast.bob, shelf="all", find="unikalne").rows == []
    alone = write(cast.alice, sales, undo_s=60)
    message_unsend(viewer=cast.alice, message_id=alone.id)
    assert not Conversation.objects.filter(id=alone.conversation_id).exists()


def test_a_bounce_stands_at_the_mail_that_failed_and_opens_nothing(cast, sales):
    sent = write(cast.alice, sales, to="nobody@klient.example")
    delivery = Delivery.objects.get(message=sent)
    Delivery.objects.filter(id=delivery.id).update(state="accepted", attempts=1)
    take(dsn("nobody@klient.example", extra=f"Original-Envelope-Id: {sent.message_id}\r\n"), sales.address)
    assert Conversation.objects.count() == 1
    (entry,) = timeline(cast.bob, conversation_one(cast.bob, sent.conversation_id))
    assert [row.arrival for row in entry.deliveries] == ["bounced"]
    assert [report.kind for report in entry.reports] == ["failure"]


def test_an_answer_to_a_campaign_shows_its_campaign_and_another_joins_it(cast, sales):
    campaign = make_campaign(cast.alice, sales, make_list(cast.alice, ["jan@klient.example"]))
    delivery = Delivery.objects.create(
        workspace=cast.alice.workspace, campaign=campaign, position=1, address="jan@klient.example"
    )
    first, second = (
        arrive(None, workspace=sales.workspace, purpose="reply", delivery=delivery, campaign=campaign)
        for _ in range(2)
    )
    one = conversation_one(cast.bob, first.conversation_id)
    assert (one.campaign, one.account, one.message_count) == (campaign, sales, 2)
    assert second.conversation_id == one.id


def test_what_lies_in_a_junk_folder_waits_for_nobody(cast, sales):
    junk = Collector.objects.create(account=sales, folder="Junk", role="junk")
    mail = Message.objects.create(
        workspace=sales.workspace,
        account=sales,
        direction="in",
        at=timezone.now(),
        from_address="x@y.example",
    )
    Placement.objects.create(folder=junk, uidvalidity=1, uid=1, message=mail)
    conversations_join([mail], {})
    assert (counts(cast.bob)["open"], counts(cast.bob)["done"], unread_count(cast.bob)) == (0, 1, 0)


def test_an_old_mailbox_opens_no_thousand_tasks(cast, sales):
    then = timezone.now() - timedelta(days=400)
    arrive(sales, at=then, is_read=True)
    arrive(sales, at=then, is_read=False)
    assert counts(cast.bob) == {"open": 1, "mine": 0, "waiting": 0, "done": 1, "unread": 1}


def test_being_read_is_told_to_the_mail_server(cast, sales):
    inbox = Collector.objects.create(account=sales, folder="INBOX", role="inbox")
    mail = arrive(sales)
    placed = Placement.objects.create(folder=inbox, uidvalidity=1, uid=7, message=mail)
    conversation_seen(viewer=cast.bob, conversation_id=mail.conversation_id)
    conversation_seen(viewer=cast.bob, conversation_id=mail.conversation_id)
    told = MailboxChange.objects.get()
    assert (told.action, told.placement, told.user) == ("seen", placed, cast.bob.user)


def test_a_note_never_leaves_the_house(cast, sales):
    mail = arrive(sales, message_id="q@klient.example")
    note_add(viewer=cast.bob, conversation_id=mail.conversation_id, text="TAJEMNICA: he will pay more")
    write(cast.alice, sales, conversation_id=mail.conversation_id, in_reply_to="<q@klient.example>")
    note_add(viewer=cast.alice, conversation_id=mail.conversation_id, text="TAJEMNICA too")
    for blob in Blob.objects.all():
        assert b"TAJEMNICA" not in blob_read(blob.sha256)
    for row in Message.objects.values():
        assert "TAJEMNICA" not in str(row)
    assert shelf(cast.bob, shelf="all", find="tajemnica").rows == []
    one = conversation_one(cast.bob, mail.conversation_id)
    assert (
        sum("TAJEMNICA" in (entry.note.text if entry.note else "") for entry in timeline(cast.bob, one)) == 2
    )


def test_who_may_not_read_an_account_finds_nothing_of_it(cast, sales):
    private = make_account(cast.alice, port=0, address="alice@alderpike.example")
    mail = arrive(private, subject="Wypowiedzenie")
    assert shelf(cast.alice, find="wypowiedzenie").rows
    for viewer in (cast.bob, cast.charlie):
        for account in (None, private.id):
            assert shelf(viewer, account, "all", "wypowiedzenie").rows == []
            assert shelf(viewer, account, "all").rows == []
        assert (unread_count(viewer), counts(viewer)["open"]) == (0, 0)
        with pytest.raises(NotFound):
            conversation_one(viewer, mail.conversation_id)


def test_pages_of_a_shelf_and_of_a_search_hold_each_conversation_once(cast, sales):
    moment = timezone.now()
    made = {arrive(sales, subject="Oferta", at=moment).conversation_id for _ in range(7)}
    for find in ("", "oferta"):
        seen, before = [], ""
        while True:
            page = shelf(cast.bob, find=find, before=before, size=3)
            seen += [row.id for row in page.rows]
            before = page.next
            if not before:
                break
        assert (len(seen), set(seen)) == (7, made)


def test_rare_words_are_found_among_many_mails(cast, sales, monkeypatch):
    monkeypatch.setattr(conversation_search, "LOOK", 2)
    old = arrive(sales, subject="Szczebrzeszyn", at=timezone.now() - timedelta(days=1))
    for number in range(6):
        arrive(sales, subject=f"Oferta {number}")
    for worth in (conversation_search._WORTH, 0):  # 0: the index is asked for one word alone
        monkeypatch.setattr(conversation_search, "_WORTH", worth)
        for find in ("szczeb", "szczeb szczebrzeszyn klient"):
            assert [row.id for row in shelf(cast.bob, find=find).rows] == [old.conversation_id]
        assert len(shelf(cast.bob, find="oferta").rows) == 6
        assert shelf(cast.bob, find="szczeb oferta").rows == []


def test_unread_mail_is_counted_with_one_statement(cast, sales, django_assert_num_queries):
    arrive(sales)
    for viewer in (cast.alice, cast.bob):
        page = replace(viewer, memory={})
        with django_assert_num_queries(1 if viewer.manages else 2):  # whose mailboxes, and the mails
            assert unread_count(page) == 1
        with django_assert_num_queries(1):  # the same page asked before whose mailboxes it shows
            assert unread_count(page) == 1


def test_a_conversation_is_merged_only_within_its_account(cast, sales):
    other = make_account(cast.alice, port=0, address="other@alderpike.example")
    first, second = arrive(sales), arrive(other)
    with pytest.raises(InputError, match="two accounts"):
        conversation_merge(
            viewer=cast.alice, conversation_id=first.conversation_id, into_id=second.conversation_id
        )


def test_who_answers_second_hears_of_the_first(cast, sales):
    mail = arrive(sales, message_id="q@klient.example")
    begun = timezone.now()
    write(cast.alice, sales, conversation_id=mail.conversation_id)
    answer_demand(cast.alice, mail.conversation_id, begun)
    with pytest.raises(Conflict, match="Alice") as refused:
        answer_demand(cast.bob, mail.conversation_id, begun)
    assert refused.value.code == "ANSWERED_MEANWHILE"
    assert refused.value.details["kind"] == "sent"
    answer_demand(cast.bob, mail.conversation_id, begun, anyway=True)
    answer_demand(cast.bob, mail.conversation_id, timezone.now())


def test_a_colleague_who_writes_too_is_named(cast, sales):
    mail = arrive(sales)
    begun = timezone.now()
    Draft.objects.create(
        workspace=sales.workspace, user=cast.bob.user, conversation_id=mail.conversation_id, version=2
    )
    with pytest.raises(Conflict, match="Bob is writing") as refused:
        answer_demand(cast.alice, mail.conversation_id, begun)
    assert (refused.value.code, refused.value.details["kind"]) == ("ANSWERED_MEANWHILE", "writing")
    answer_demand(cast.bob, mail.conversation_id, begun)


def test_who_may_send_and_not_read_goes_on_where_they_began(cast):
    senders_only = make_account(cast.alice, port=0, visibility="workspace", everyone=["use"])
    first = write(cast.bob, senders_only)
    begun = timezone.now()
    with pytest.raises(NotFound):
        conversation_one(cast.bob, first.conversation_id)
    answer_demand(cast.bob, first.conversation_id, begun)
    again = write(cast.bob, senders_only, conversation_id=first.conversation_id)
    assert again.conversation_id == first.conversation_id
    assert again.conversation.message_count == 2


@pytest.mark.django_db(transaction=True)
def test_of_two_colleagues_who_press_send_at_once_one_is_told():
    cast = make_cast()
    sales = make_account(cast.alice, port=0, visibility="workspace", everyone=["use", "view"])
    mail = arrive(sales, message_id="q@klient.example")
    begun, gate = timezone.now(), threading.Barrier(2, timeout=30)

    def press(viewer):
        try:
            gate.wait()
            with transaction.atomic():
                answer_demand(viewer, mail.conversation_id, begun)
                write(viewer, sales, conversation_id=mail.conversation_id)
            return "sent"
        except Conflict as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as both:
        told = sorted(both.map(press, (cast.alice, cast.bob)))
    assert told == ["ANSWERED_MEANWHILE", "sent"]
    one = conversation_one(cast.alice, mail.conversation_id)
    assert (one.message_count, Message.objects.filter(direction="out").count()) == (2, 1)


def write(viewer, account, **more):
    """A message sent from here, kept back for a minute so that no daemon is needed."""
    values = {
        "to": "jan@klient.example",
        "subject": "Re: Question",
        "text": "Dear Jan",
        "account_id": account.id,
    }
    return message_send(viewer=viewer, letter=Letter(**{**values, "undo_s": 60, **more}))
