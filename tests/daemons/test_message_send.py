"""One message to a few people, by the API: what arrives, who may not be written to, and nothing twice."""

import email
import email.policy

import pytest

from postroom.actions.suppression import suppression_add
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.testing.cast import make_account, make_cast
from postroom.testing.counting import counting
from postroom.testing.run import running, until
from tests.daemons.test_delivery import quick_env

__all__ = ["quick_env"]
pytestmark = pytest.mark.django_db(transaction=True)


def post(client, **values):
    return client.post("/api/v1/messages", values, content_type="application/json")


def kept(desk):
    found, was = [], desk.message

    def note(envelope, raw):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        found.append(([one.address for one in envelope.recipients], envelope.mail_from, message))
        return was(envelope, raw)

    desk.message = note
    return found


def gone(count):
    return lambda: Delivery.objects.filter(state="accepted").count() == count


def test_a_message_reaches_each_recipient_once_and_hides_the_blind_copy(quick_env, client):
    cast = make_cast(bounce_host="returns.alderpike.example")
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        mails = kept(desk)
        make_account(cast.alice, port=port)
        answer = post(
            client,
            to="Ann Nowak <ann@example.net>; ben@example.net",
            cc=["ANN@example.net", "Księgowość <books@example.net>"],
            bcc="boss@example.net",
            subject="Zażółć gęślą jaźń {{ nope }} " * 4,
            html="<p>Hello {{ name }} {% raw %}</p>",
            files=[{"name": "zażółć.pdf", "content_type": "application/pdf", "data": "JVBERg=="}],
        )
        assert answer.status_code == 201, answer.content
        with running("delivery", env=quick_env):
            until(gone(4), wait_s=30)
    assert sorted(recipients[0] for recipients, _, _ in mails) == [
        "ann@example.net",
        "ben@example.net",
        "books@example.net",
        "boss@example.net",
    ]
    for recipients, _, mail in mails:
        assert len(recipients) == 1
        assert mail["To"] == "Ann Nowak <ann@example.net>, ben@example.net"
        assert mail["Cc"] == "Księgowość <books@example.net>"
        assert mail["Bcc"] is None
        assert b"boss@example.net" not in mail.as_bytes()
        assert mail["Subject"] == ("Zażółć gęślą jaźń {{ nope }} " * 4).strip()
        assert "Hello {{ name }} {% raw %}" in mail.get_body(("html",)).get_content()
        assert [part.get_filename() for part in mail.iter_attachments()] == ["zażółć.pdf"]
    assert len({mail["Message-ID"] for _, _, mail in mails}) == 1
    assert len({sender for _, sender, _ in mails}) == 4, "each copy has a return path of its own"
    shown = client.get(f"/api/v1/messages/{answer.json()['id']}").json()
    assert {row["state"] for row in shown["recipients"]} == {"accepted"}


@pytest.mark.req("SX-02")
def test_nobody_on_the_suppression_list_is_written_to_not_even_later(quick_env, client):
    cast = make_cast()
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        make_account(cast.alice, port=port)
        suppression_add(
            workspace_id=cast.bob.workspace.id, entry_form="domain", value="gone.example", source="manual"
        )
        answer = post(client, to="ann@example.net, Ben@gone.example", text="Hello", subject="x")
        assert answer.status_code == 422
        assert answer.json()["code"] == "RECIPIENT_SUPPRESSED"
        assert answer.json()["details"]["addresses"] == ["Ben@gone.example"]
        assert not Message.objects.exists()
        # suppressed after it was handed in, before it left
        assert post(client, to="ann@example.net, cora@example.net", text="Hi", subject="x").status_code == 201
        suppression_add(
            workspace_id=cast.bob.workspace.id,
            entry_form="address",
            value="cora@example.net",
            source="manual",
        )
        with running("delivery", env=quick_env):
            until(lambda: not Delivery.objects.filter(state="queued").exists(), wait_s=30)
    assert desk.copies == {"ann@example.net": 1}
    row = Delivery.objects.get(canonical="cora@example.net")
    assert (row.state, row.reason) == ("skipped", "suppressed_shared")


def test_the_same_key_is_the_same_message(quick_env, client):
    cast = make_cast()
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        make_account(cast.alice, port=port)
        first = post(client, to="ann@example.net", text="Hi", key="order 7")
        second = post(client, to="ann@example.net", text="Hi", key="order 7")
        assert first.json()["id"] == second.json()["id"]
        with running("delivery", env=quick_env):
            until(gone(1), wait_s=30)
    assert desk.copies == {"ann@example.net": 1}


def test_bad_input_says_where_it_is(client):
    cast = make_cast()
    client.force_login(cast.bob.user)
    nobody = post(client, to="ann@example.net", text="Hi")
    assert (nobody.status_code, nobody.json()["code"]) == (409, "NO_SENDER")
    client.force_login(cast.alice.user)
    account = make_account(cast.alice, port=1)
    bad = post(client, to="a@example.net, b@example.net\nrubbish; d@example.net", text="Hi")
    assert (bad.status_code, bad.json()["field"], bad.json()["details"]) == (422, "to", {"index": 2})
    assert post(client, to="", text="Hi").json()["code"] == "NO_RECIPIENTS"
    assert post(client, to="a@example.net").json()["code"] == "EMPTY"
    client.force_login(cast.charlie.user)
    assert post(client, to="a@example.net", text="Hi", account=account.id).status_code == 404


def test_a_message_is_taken_back_while_it_waits(quick_env, client):
    cast = make_cast()
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        make_account(cast.alice, port=port)
        later = post(client, to="ann@example.net", text="Hi", send_at="2999-01-01T08:00:00Z").json()
        client.force_login(cast.bob.user)
        assert client.post(f"/api/v1/messages/{later['id']}/unsend").status_code == 404
        client.force_login(cast.alice.user)
        back = client.post(f"/api/v1/messages/{later['id']}/unsend")
        assert back.json()["recipients"][0]["reason"] == "cancelled"
        post(client, to="ben@example.net", text="Hi")
        with running("delivery", env=quick_env):
            until(gone(1), wait_s=30)
    assert desk.copies == {"ben@example.net": 1}


@pytest.mark.req("CM-46")
def test_from_the_page_a_blind_copy_is_in_no_header_and_who_is_named_twice_gets_one(
    quick_env, client, settings
):
    settings.POSTROOM_START_UNDO_SECONDS = 0
    cast = make_cast()
    client.force_login(cast.alice.user)
    with counting() as (desk, port):
        mails = kept(desk)
        account = make_account(cast.alice, port=port)
        draft = client.post("/messages/write/")["Location"]
        page = client.get(draft).content.decode()
        for name in ("cc", "bcc"):
            assert f'class="pr-lrow pr-tuck" id="row-{name}"' in page, "folded until its button is pressed"
            assert f'data-reveal="row-{name}"' in page
        values = {
            "version": 1,
            "account": account.id,
            "to": "Ann <ann@example.net>",
            "cc": "ben@example.net, ANN@example.net",
            "bcc": "boss@example.net; ben@example.net",
            "subject": "Prices",
            "html": "Hello",
        }
        for _half in range(2):  # a double click
            assert client.post(f"{draft}send/", values).status_code == 302
        with running("delivery", env=quick_env):
            until(gone(3), wait_s=30)
    found = sorted(recipients for recipients, _, _ in mails)
    assert found == [["ann@example.net"], ["ben@example.net"], ["boss@example.net"]]
    for _, _, mail in mails:
        assert mail["Bcc"] is None
        assert b"boss@example.net" not in mail.as_bytes()
    assert Message.objects.count() == 1
