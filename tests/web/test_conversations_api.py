"""Conversations through the API: who reads them, what can be done with them, what is refused."""

import json

import pytest
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.conversation_join import conversations_join
from postroom.models.message import Message
from postroom.testing.cast import make_account

pytestmark = pytest.mark.django_db

MAIL = (
    "From: Jan <jan@klient.example>\r\nTo: sales@alderpike.example\r\nSubject: =?utf-8?q?=C5=81o=C5=BCyska?=\r\n"
    "Message-ID: <q1@klient.example>\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    "<p>Proszę o wycenę</p><script>steal()</script>\r\n"
).encode()


@pytest.fixture
def sales(cast):
    """The mailbox that everybody in the firm may read."""
    return make_account(cast.alice, port=0, visibility="workspace", everyone=["use", "view"])


def arrive(account, **more):
    values = {
        "direction": "in",
        "subject": "Łożyska",
        "from_name": "Jan",
        "from_address": "jan@klient.example",
        "to_address": account.address,
        "at": timezone.now(),
        "raw": blob_put(MAIL),
    }
    mail = Message.objects.create(workspace=account.workspace, account=account, **{**values, **more})
    conversations_join([mail], {mail.id: "Proszę o wycenę"})
    mail.refresh_from_db()
    return mail


@pytest.fixture
def call(as_user):
    """call(user, "PATCH", "7", state="done") -> (status, answer)."""

    def ask(user, method, path="", **body):
        client = as_user(user)
        url = f"/api/v1/conversations{path if path.startswith('?') or not path else '/' + path}"
        more = {} if method == "GET" else {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(client, method.lower())(url, **more)
        return answer.status_code, answer.json() if answer.content else None

    return ask


def test_a_colleague_finds_reads_and_closes_a_conversation(call, bob, sales):
    mail = arrive(sales, message_id="q1@klient.example")
    status, page = call(bob, "GET", "?find=lozy+wycen")
    assert (status, [one["id"] for one in page["items"]], page["next"]) == (200, [mail.conversation_id], None)
    assert page["items"][0]["person_address"] == "jan@klient.example"
    assert call(bob, "GET", "?find=cena")[1]["items"] == []
    status, one = call(bob, "GET", f"{mail.conversation_id}")
    assert status == 200
    (shown,) = one["mails"]
    assert (shown["text"].strip(), shown["message_id"]) == ("Proszę o wycenę", "q1@klient.example")
    assert "steal" not in json.dumps(one)
    status, changed = call(bob, "PATCH", f"{mail.conversation_id}", version=one["version"], state="done")
    assert (status, changed["state"]) == (200, "done")
    assert call(bob, "GET", "?shelf=done")[1]["items"][0]["id"] == mail.conversation_id
    assert call(bob, "GET", "counts")[1] == {"open": 0, "mine": 0, "waiting": 0, "done": 1, "unread": 0}


def test_a_change_of_what_was_read_long_ago_is_refused(call, bob, sales):
    mail = arrive(sales, message_id="q1@klient.example")
    version = call(bob, "GET", f"{mail.conversation_id}")[1]["version"]
    arrive(sales, in_reply_to="q1@klient.example")
    status, told = call(bob, "PATCH", f"{mail.conversation_id}", version=version, state="done")
    assert (status, told["code"], told["details"]["version"]) == (409, "STALE_VERSION", version + 1)
    status, told = call(bob, "PATCH", f"{mail.conversation_id}", version=version + 1, state="closed")
    assert (status, told["code"]) == (422, "BAD_VALUE")


def test_it_is_given_to_somebody_who_may_read_it_and_to_nobody_else(call, alice, bob, charlie, sales):
    mail = arrive(sales)
    where, version = f"{mail.conversation_id}", 1
    status, told = call(alice, "PATCH", where, version=version, assignee=bob.id)
    assert (status, told["assignee"]) == (200, bob.id)
    assert [one["id"] for one in call(bob, "GET", "?shelf=mine")[1]["items"]] == [mail.conversation_id]
    status, told = call(alice, "PATCH", where, version=2, assignee=charlie.id)
    assert (status, told["field"]) == (422, "assignee")
    status, told = call(bob, "PATCH", where, version=2, assignee=None)
    assert (status, told["assignee"], told["state"]) == (200, None, "open")
    assert call(bob, "PATCH", where, version=3, record=987654)[0] == 404


def test_notes_are_added_and_each_deletes_their_own(call, alice, bob, sales):
    mail = arrive(sales)
    where = f"{mail.conversation_id}/notes"
    assert call(bob, "POST", where, text="  ")[1]["code"] == "EMPTY"
    status, note = call(alice, "POST", where, text="Ring them\r\nfirst")
    assert (status, note["text"], note["user"]) == (201, "Ring them\nfirst", alice.id)
    assert call(bob, "DELETE", f"{where}/{note['id']}")[0] == 404
    assert len(call(bob, "GET", f"{mail.conversation_id}")[1]["notes"]) == 1
    assert call(alice, "DELETE", f"{where}/{note['id']}")[0] == 204
    assert call(bob, "GET", f"{mail.conversation_id}")[1]["notes"] == []


def test_conversations_are_taken_apart_put_together_and_both_taken_back(call, bob, sales):
    first = arrive(sales, message_id="q1@klient.example")
    second = arrive(sales, in_reply_to="q1@klient.example")
    number = first.conversation_id
    status, told = call(bob, "POST", f"{number}/split", message=second.id)
    made = told["conversation"]["id"]
    assert (status, told["conversation"]["message_count"]) == (201, 1)
    assert call(bob, "POST", f"{made}/split", message=second.id)[1]["code"] == "ONLY_MESSAGE"
    assert call(bob, "POST", f"{made}/split", message=first.id)[0] == 404
    assert [one["id"] for one in call(bob, "GET", f"{made}")[1]["suggestions"]] == [number]
    status, told = call(bob, "POST", f"{made}/merge", into=number)
    assert (status, told["conversation"]["id"], told["conversation"]["message_count"]) == (200, number, 2)
    assert call(bob, "GET", f"{made}")[1]["id"] == number
    status, back = call(bob, "POST", f"undo/{told['undo']}")
    assert (status, back["id"], back["message_count"]) == (200, made, 1)
    assert call(bob, "POST", f"undo/{told['undo']}")[1]["code"] == "UNDO_GONE"
    assert call(bob, "POST", f"{number}/merge", into=number)[1]["code"] == "SAME"


def test_the_bytes_of_a_mail_are_a_download_and_nothing_that_runs(as_user, bob, sales):
    mail = arrive(sales)
    url = f"/api/v1/conversations/{mail.conversation_id}/messages/{mail.id}"
    answer = as_user(bob).get(f"{url}/raw")
    assert answer.content == MAIL
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert as_user(bob).get(url).json()["text"].strip() == "Proszę o wycenę"


def test_colleagues_see_who_is_at_it(call, alice, bob, sales):
    mail = arrive(sales)
    where = f"{mail.conversation_id}/here"
    assert call(alice, "POST", where, is_writing=True)[1] == {"here": []}
    assert call(bob, "POST", where)[1] == {"here": [{"user": alice.id, "name": "Alice", "is_writing": True}]}
    assert [one["name"] for one in call(alice, "GET", f"{mail.conversation_id}")[1]["here"]] == ["Bob"]


def test_reading_marks_and_unmarks(call, bob, sales):
    mail = arrive(sales)
    where = f"{mail.conversation_id}/seen"
    assert call(bob, "POST", where) == (200, {"changed": 1})
    assert call(bob, "POST", where) == (200, {"changed": 0})
    assert call(bob, "GET", "")[1]["items"][0]["unread_count"] == 0
    assert call(bob, "POST", where, is_read=False) == (200, {"changed": 1})
    assert call(bob, "GET", "counts")[1]["unread"] == 1


def test_a_long_shelf_comes_in_pages(call, bob, sales):
    moment = timezone.now()
    made = {arrive(sales, at=moment).conversation_id for _ in range(52)}
    _status, first = call(bob, "GET", "")
    _status, second = call(bob, "GET", f"?at={first['next']}")
    assert (len(first["items"]), len(second["items"]), second["next"]) == (50, 2, None)
    assert {one["id"] for page in (first, second) for one in page["items"]} == made
    assert call(bob, "GET", "?at=nonsense")[0] == 422


def test_who_may_not_read_the_account_is_told_that_there_is_nothing(call, cast, bob, charlie):
    private = make_account(cast.alice, port=0)
    mail = arrive(private)
    other = arrive(private)
    number = mail.conversation_id
    for user in (bob, charlie):
        assert call(user, "GET", f"?account={private.id}&shelf=all")[1]["items"] == []
        for method, path, body in (
            ("GET", "", {}),
            ("PATCH", "", {"version": 1, "state": "done"}),
            ("POST", "/notes", {"text": "x"}),
            ("POST", "/split", {"message": mail.id}),
            ("POST", "/merge", {"into": other.conversation_id}),
            ("POST", "/seen", {}),
            ("POST", "/here", {}),
            ("GET", f"/messages/{mail.id}", {}),
            ("GET", f"/messages/{mail.id}/raw", {}),
        ):
            assert call(user, method, f"{number}{path}", **body)[0] == 404, path
    assert call(cast.alice.user, "GET", f"{number}")[1]["version"] == 1
