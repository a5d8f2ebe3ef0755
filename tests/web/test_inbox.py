"""The inbox: shelves, a conversation and its mails, who may see what, and what is done with it."""

import pytest

from postroom.actions.conversation import conversation_assign, conversation_set_state, presence_touch
from postroom.actions.event import event_store_smtp, events_process
from postroom.actions.message_send import Letter, message_send
from postroom.models.conversation import Conversation, Note
from postroom.models.delivery import Delivery
from postroom.models.draft import Draft
from postroom.models.workspace import Workspace
from postroom.queries.content import addressing_of
from postroom.queries.conversation import presence_of
from postroom.testing.cast import make_account
from tests.web.letters import letter, receive

pytestmark = pytest.mark.django_db


@pytest.fixture
def sales(cast):
    """The mailbox that everybody in the firm may read and answer from."""
    return make_account(cast.alice, port=0, visibility="workspace", everyone=["use", "view"], is_mailbox=True)


@pytest.fixture
def talk(sales):
    return receive(
        sales, letter("Could you hold twelve?\r\n\r\nJames\r\n", head="Message-ID: <q1@n.example>\r\n")
    ).conversation


def text(answer):
    return answer.content.decode()


def test_without_a_mailbox_the_page_says_what_to_do(as_user, alice):
    page = text(as_user(alice).get("/messages/"))
    assert "Answers arrive here" in page
    assert "/settings/accounts/" in page
    assert "/messages/unmatched/" in page


def test_shelves_hold_what_belongs_there_with_their_counts(as_user, cast, alice, sales, talk):
    other = receive(
        sales, letter("Two samples", sender="Lars <lars@h.example>", subject="Samples")
    ).conversation
    conversation_set_state(viewer=cast.alice, conversation_id=other.id, state="waiting")
    conversation_assign(viewer=cast.alice, conversation_id=talk.id, user_id=alice.id)
    client = as_user(alice)
    page = text(client.get("/messages/"))
    assert "James Whitlock" in page
    assert "Samples" not in page
    assert 'Open <span class="num">1' in page
    assert 'Waiting <span class="num">1' in page
    assert "Samples" in text(client.get("/messages/?at=waiting"))
    assert "James Whitlock" in text(client.get("/messages/?at=mine"))
    assert "Nothing here now" in text(client.get("/messages/?at=done"))
    assert "James Whitlock" in text(client.get("/messages/?q=twelve"))
    assert "Nothing fits" in text(client.get("/messages/?q=nowhere"))
    for odd in ("?at=x", "?before=x", "?account=9999999999", "?account=x", "?q=%00"):
        assert client.get(f"/messages/{odd}", follow=True).status_code == 200, odd


def test_a_conversation_shows_mails_notes_and_what_became_of_ours(as_user, alice, sales, talk):
    Note.objects.create(conversation=talk, user=alice, text="We have 14 <of them>.")
    page = text(as_user(alice).get(f"/messages/c/{talk.id}/"))
    assert "<p>Could you hold twelve?</p>" in page
    assert "james@northgate.example" in page
    assert "We have 14 &lt;of them&gt;." in page
    assert "stays in the house" in page
    assert "Nobody checked the sender" in page


def test_what_a_program_answers_stands_quietly_below_our_mail_and_reopens_nothing(
    as_user, cast, alice, sales, talk
):
    Workspace.objects.update(bounce_host="returns.alderpike.example")
    sent = message_send(
        viewer=cast.alice,
        letter=Letter(
            to="james@northgate.example",
            subject="Re: Oak boards",
            text="Gladly.",
            account_id=sales.id,
            conversation_id=talk.id,
            in_reply_to="<q1@n.example>",
        ),
    )
    before = Conversation.objects.get()
    note = letter(
        "I am away until Monday <b>.\r\n\r\n> Gladly.\r\n",
        subject="Out of office",
        head=f"In-Reply-To: <{sent.message_id}@alderpike.example>\r\nAuto-Submitted: auto-replied\r\n",
    )
    to = f"b-{addressing_of(sales).token(Delivery.objects.get().id)}@returns.alderpike.example"
    events_process([event_store_smtp(envelope_from="", envelope_to=to, raw=note, source="smtp")])
    client = as_user(alice)
    page = text(client.get(f"/messages/c/{talk.id}/"))
    assert "Automatic answer from james@northgate.example" in page
    assert "Out of office" in page
    assert "<p>I am away until Monday &lt;b&gt;.</p>" in page
    after = Conversation.objects.get()
    assert (after.state, after.unread_count, after.last_at) == (
        before.state,
        before.unread_count,
        before.last_at,
    )
    assert after.state == "waiting"
    assert after.messages.count() == 2


def test_who_writes_is_told_who_else_has_it_open_and_is_seen_writing(as_user, cast, alice, sales, talk):
    client = as_user(alice)
    client.post(f"/messages/write/dock?conversation={talk.id}", {"as": "answer"})
    draft = Draft.objects.get()
    presence_touch(viewer=cast.bob, conversation_id=talk.id)

    def saved(words):
        values = {
            "version": draft.version,
            "to": draft.to,
            "subject": draft.subject,
            "html": words,
            "text": "",
        }
        answer = client.post(
            f"/messages/drafts/{draft.id}/save/", {**values, "account": sales.id}, headers={"X-Compose": "1"}
        )
        draft.refresh_from_db()
        return answer.json()

    told = saved("Gladly.")
    assert told["saved"].startswith("Saved at")
    assert told["also"] == "Bob is reading too"
    assert [(one.user, one.is_writing) for one in presence_of(cast.bob, talk)] == [(alice, True)]
    presence_touch(viewer=cast.bob, conversation_id=talk.id, is_writing=True)
    assert saved("Gladly!")["also"] == "Bob is answering"
    assert "Bob is answering" in text(client.get(f"/messages/drafts/{draft.id}/"))


def test_the_quoted_part_and_the_middle_of_a_long_conversation_are_folded(as_user, alice, sales, talk):
    for number in range(6):
        answer = letter(
            f"Answer {number}\r\n\r\nOn Mon, 16 Nov 2026, Alice wrote:\r\n> what was said\r\n",
            head=f"Message-ID: <a{number}@n.example>\r\nIn-Reply-To: <q1@n.example>\r\nReferences: <q1@n.example>\r\n",
        )
        last = receive(sales, answer, is_read=True)
    client = as_user(alice)
    page = text(client.get(f"/messages/c/{talk.id}/"))
    assert "3 earlier messages" in page
    assert "<p>Answer 5</p><details" in page
    assert "<p>Answer 1</p>" not in page
    hidden = last.conversation.messages.order_by("at", "id")[2]
    assert f"/messages/m/{hidden.id}/" in page
    assert "<p>Answer 1</p>" in text(client.get(f"/messages/m/{hidden.id}/", headers={"hx-request": "true"}))
    assert client.get(f"/messages/m/{hidden.id}/").url == f"/messages/c/{talk.id}/#mail-{hidden.id}"


def test_who_may_not_read_the_account_sees_nothing_of_it(as_user, bob, charlie, sales, talk):
    mail = talk.messages.get()
    sales.visibility = "private"
    sales.save()
    for user in (bob, charlie):
        client = as_user(user)
        assert "James" not in text(client.get("/messages/"))
        assert "James" not in text(client.get("/messages/shelf/"))
        for place in (
            f"c/{talk.id}/",
            f"c/{talk.id}/flow/",
            f"m/{mail.id}/",
            f"m/{mail.id}/page/",
            f"m/{mail.id}/raw/",
        ):
            assert client.get(f"/messages/{place}").status_code == 404, place
        for place in ("seen", "here", "state", "give", "type", "note", "merge"):
            values = {"state": "done", "text": "x", "into": talk.id}
            assert client.post(f"/messages/c/{talk.id}/{place}/", values).status_code == 404, place
        for place in ("split", "receipt"):
            assert client.post(f"/messages/m/{mail.id}/{place}/", {"answer": "send"}).status_code == 404, (
                place
            )
    talk.refresh_from_db()
    assert (talk.state, talk.unread_count, talk.notes.count()) == ("open", 1, 0)


def test_who_may_only_read_is_offered_no_answer(as_user, bob, sales, talk):
    client = as_user(bob)
    assert "/messages/write/dock" in text(client.get(f"/messages/c/{talk.id}/"))
    sales.everyone = ["view"]
    sales.save()
    page = text(client.get(f"/messages/c/{talk.id}/"))
    assert "/messages/write/dock" not in page
    assert "You may read this mailbox" in page


def test_looking_changes_nothing_and_being_seen_does(as_user, alice, talk):
    client = as_user(alice)
    client.get(f"/messages/c/{talk.id}/")
    talk.refresh_from_db()
    assert talk.unread_count == 1
    assert client.post(f"/messages/c/{talk.id}/seen/").status_code == 204
    talk.refresh_from_db()
    assert talk.unread_count == 0
    assert client.post(f"/messages/c/{talk.id}/seen/", {"read": "no"}).url == "/messages/"
    talk.refresh_from_db()
    assert talk.unread_count == 1


def test_done_goes_back_to_the_shelf_and_can_be_taken_back(as_user, alice, talk):
    client = as_user(alice)
    answer = client.post(
        f"/messages/c/{talk.id}/state/?at=mine", {"state": "done", "version": talk.version}, follow=True
    )
    talk.refresh_from_db()
    assert talk.state == "done"
    assert answer.redirect_chain[0][0] == "/messages/?at=mine"
    assert f'action="/messages/c/{talk.id}/state/?at=mine&amp;to=open"' in text(answer)
    client.post(f"/messages/c/{talk.id}/state/?at=mine&to=open")
    talk.refresh_from_db()
    assert talk.state == "open"
    assert client.post(f"/messages/c/{talk.id}/state/", {"state": "eaten"}).status_code == 404


def test_a_page_that_is_old_overwrites_nobody(as_user, alice, bob, talk):
    client = as_user(alice)
    old = talk.version
    given = client.post(f"/messages/c/{talk.id}/give/", {"user": bob.id, "version": old}, follow=True)
    assert "Bob sees to it now." in text(given)
    late = client.post(f"/messages/c/{talk.id}/state/", {"state": "done", "version": old})
    assert late.status_code == 409
    talk.refresh_from_db()
    assert (talk.assignee, talk.state) == (bob, "open")


def test_it_is_given_only_to_who_may_read_it(as_user, alice, charlie, talk):
    client = as_user(alice)
    client.post(f"/messages/c/{talk.id}/give/", {"user": charlie.id})
    talk.refresh_from_db()
    assert talk.assignee is None


def test_notes_are_written_deleted_and_brought_back(as_user, alice, bob, talk):
    client = as_user(alice)
    client.post(f"/messages/c/{talk.id}/note/", {"text": "Ring them."})
    note = Note.objects.get()
    client.post(f"/messages/notes/{note.id}/delete/", {"conversation": talk.id})
    assert "Ring them." not in text(client.get(f"/messages/c/{talk.id}/"))
    client.post(f"/messages/notes/{note.id}/undelete/")
    assert "Ring them." in text(client.get(f"/messages/c/{talk.id}/"))
    assert as_user(bob).post(f"/messages/notes/{note.id}/delete/").status_code == 404
    client.post(f"/messages/c/{talk.id}/note/", {"text": "  "})
    assert Note.objects.count() == 1


def test_conversations_are_put_together_and_taken_apart_with_a_way_back(as_user, alice, sales, talk):
    other = receive(sales, letter("And the invoice?", subject="Invoice")).conversation
    client = as_user(alice)
    page = client.post(f"/messages/c/{other.id}/merge/", {"into": talk.id}, follow=True)
    assert "And the invoice?" in text(page)
    assert client.get(f"/messages/c/{other.id}/").url == f"/messages/c/{talk.id}/"
    mail = talk.messages.get(subject="Invoice")
    made = client.post(f"/messages/m/{mail.id}/split/", {"conversation": talk.id})
    assert Conversation.objects.filter(merged_into=None).count() == 2
    undo = text(client.get(made.url)).split("/messages/split/")[1].split("/")[0]
    client.post(f"/messages/split/{undo}/undo/")
    assert talk.messages.count() == 2
    alone = talk.messages.count()
    assert alone == 2


def test_colleagues_see_who_reads_and_who_answers(as_user, cast, alice, talk):
    client = as_user(alice)
    assert "Bob" not in text(client.post(f"/messages/c/{talk.id}/here/"))
    presence_touch(viewer=cast.bob, conversation_id=talk.id)
    assert "Bob is reading too" in text(client.post(f"/messages/c/{talk.id}/here/"))
    presence_touch(viewer=cast.bob, conversation_id=talk.id, is_writing=True)
    assert "Bob is answering" in text(client.post(f"/messages/c/{talk.id}/here/", {"writing": "1"}))
    assert "Bob is answering" in text(client.get("/messages/"))
    bob = as_user(cast.bob.user)
    assert "Alice is answering" in text(bob.get(f"/messages/c/{talk.id}/"))


def test_a_block_that_did_not_change_is_not_sent_again(as_user, alice, sales, talk):
    client = as_user(alice)
    for place in ("/messages/shelf/", f"/messages/c/{talk.id}/flow/"):
        seen = text(client.get(place)).split('"X-Seen": "')[1].split('"')[0]
        assert client.get(place, headers={"x-seen": seen}).status_code == 204
        receive(sales, letter("more", head="In-Reply-To: <q1@n.example>\r\nReferences: <q1@n.example>\r\n"))
        assert client.get(place, headers={"x-seen": seen}).status_code == 200


def test_ten_thousand_people_in_cc_are_counted_and_not_listed(as_user, alice, sales):
    people = ", ".join(f"Person {n} <p{n}@example.net>" for n in range(10_000))
    mail = receive(sales, letter("Hello all", head=f"Cc: {people}\r\n"))
    page = text(as_user(alice).get(f"/messages/c/{mail.conversation_id}/"))
    assert "and 10000 others" in page
    assert "p500@example.net" not in page
    assert len(page) < 60_000


def test_the_composer_stands_at_the_foot_and_finds_its_draft_again(as_user, alice, sales, talk):
    client = as_user(alice)
    mail = talk.messages.get()
    url = f"/messages/write/dock?conversation={talk.id}&reply={mail.id}"
    assert "Answer" in text(client.get(url, headers={"hx-request": "true"}))
    client.post(url, {"as": "answer"}, headers={"hx-request": "true"})
    draft = Draft.objects.get(user=alice)
    assert draft.conversation == talk
    assert f'data-compose="{draft.id}"' in text(client.get(url, headers={"hx-request": "true"}))
