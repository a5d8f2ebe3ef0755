"""Webhooks: a receiver on loopback checks each signature; it answers wrongly, slowly, elsewhere, at last well."""

import hashlib
import hmac
import json
import re
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.campaign_run import uncertain_decide
from postroom.actions.event import event_store_smtp, events_process
from postroom.actions.moderation import posting_moderate
from postroom.actions.posting import Handed, postings_judge, postings_store
from postroom.actions.posting_fan import postings_fan
from postroom.actions.webhook_call import webhook_calls_forget
from postroom.daemons.sync import webhooks as calling
from postroom.models.delivery import CampaignFigures, Delivery
from postroom.models.group import Posting
from postroom.models.message import Message
from postroom.models.webhook import Webhook, WebhookCall
from postroom.models.workspace import Instance
from postroom.queries.content import addressing_of
from postroom.testing.cast import make_account, make_campaign, make_cast, make_group, make_list
from postroom.testing.counting import Manners, counting
from postroom.testing.run import running, until
from tests.daemons.sync import syncing, wait_for
from tests.daemons.test_delivery import quick_env

__all__ = ["quick_env"]
#: The check that docs/api.md gives to who writes a receiver.
_DOCUMENT = (Path(__file__).parents[2] / "docs/api.md").read_text(encoding="utf-8")
_SCOPE = {"hmac": hmac, "hashlib": hashlib}
exec(re.search(r"```python\n(def genuine.*?)```", _DOCUMENT, re.DOTALL)[1], _SCOPE)
GENUINE = _SCOPE["genuine"]
pytestmark = pytest.mark.django_db(transaction=True)


class Receiver:
    """What was told to it; `answers`: (status, headers) or seconds to be silent, in turn, then 200 for ever."""

    def __init__(self):
        self.told, self.answers, self.forged = [], [], []
        self.secrets = []

    def answer(self, headers, body):
        mark = headers["Postroom-Signature"]
        if not any(GENUINE(secret, mark, body, time.time()) for secret in self.secrets):
            self.forged.append((mark, body))
        if any(GENUINE(secret, mark, body, time.time() + 400) for secret in self.secrets):
            self.forged.append("it can be played again later")
        self.told.append({**json.loads(body), "_v1": mark.count("v1=")})
        return self.answers.pop(0) if self.answers else (200, {})

    def types(self):
        return [one["type"] for one in self.told]


@contextmanager
def receiving():
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receiver.answer(self.headers, body)
            if not isinstance(answer, tuple):
                time.sleep(answer)
                return
            self.send_response(answer[0])
            for name, value in answer[1].items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@pytest.fixture
def receiver():
    with receiving() as found:
        yield found


@pytest.fixture
def cast():
    return make_cast(bounce_host="returns.alderpike.example")


def hooked(client, receiver, **more):
    """A webhook of Alice's, made by the API."""
    body = {"url": receiver.url, **more}
    answer = client.post("/api/v1/webhooks", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    receiver.secrets.append(answer.json()["secret"])
    return answer.json()


def post(client, **values):
    body = {"to": "ann@example.net", "subject": "Hello", "text": "Hello.", **values}
    answer = client.post("/api/v1/messages", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return answer.json()


def due_now():
    WebhookCall.objects.filter(done_at=None).update(next_at=timezone.now())
    Webhook.objects.update(rests_until=None)


def bounce(delivery, words="550 5.1.1 User unknown"):
    source = delivery.message or delivery.campaign
    token = addressing_of(source.account).token(delivery.id)
    raw = (
        "From: MAILER-DAEMON@mx.example.net\r\nTo: x\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\n"
        f"Final-Recipient: rfc822; {delivery.address}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n--b--\r\n"
    ).encode()
    to = f"b-{token}@returns.alderpike.example"
    events_process([event_store_smtp(envelope_from="", envelope_to=to, raw=raw, source="smtp")])


def test_what_becomes_of_a_message_is_told_signed_and_in_order(quick_env, client, cast, receiver):
    client.force_login(cast.alice.user)
    hooked(client, receiver)
    with counting() as (_desk, port):
        make_account(cast.alice, port=port)
        sent = post(client, key="invoice-7")
        with running("delivery", env=quick_env):
            until(lambda: Delivery.objects.filter(state="accepted").exists(), wait_s=30)
    delivery = Delivery.objects.get()
    bounce(delivery)
    reply = (
        b"From: ann@example.net\r\nTo: sales@alderpike.example\r\nSubject: Re: Hello\r\nMessage-ID: <r@x>\r\n"
        b"In-Reply-To: <" + sent["message_id"].encode() + b"@alderpike.example>\r\n\r\nYes.\r\n"
    )
    token = addressing_of(delivery.message.account).token(delivery.id)
    to = f"b-{token}@returns.alderpike.example"
    events_process(
        [event_store_smtp(envelope_from="ann@example.net", envelope_to=to, raw=reply, source="smtp")]
    )
    with syncing():
        assert wait_for(lambda: "message.received" in receiver.types(), 20), receiver.types()
    assert receiver.forged == []
    types = receiver.types()
    assert types[:2] == ["message.accepted", "message.bounced"]
    assert set(types[2:]) == {"message.replied", "message.received"}
    first = receiver.told[0]
    assert (first["message"], first["key"], first["address"]) == (sent["id"], "invoice-7", "ann@example.net")
    assert (first["state"], first["code"]) == ("accepted", 250)
    assert receiver.told[1]["arrival"] == "bounced"
    came = next(one for one in receiver.told if one["type"] == "message.received")
    assert came["from_address"] == "ann@example.net"
    assert came["message"] == Message.objects.get(direction="in").id
    ids = [one["id"] for one in receiver.told]
    assert len(set(ids)) == len(ids)
    log = client.get(f"/api/v1/webhooks/{Webhook.objects.get().id}/calls").json()["items"]
    assert {(one["code"], one["tries"]) for one in log} == {(200, 1)}


def test_campaigns_are_told_only_to_who_asks_for_them(quick_env, client, cast, receiver):
    client.force_login(cast.alice.user)
    hooked(client, receiver)
    with receiving() as other, counting() as (_desk, port):
        hooked(client, other, events=["campaign.accepted", "campaign.bounced"])
        people = make_list(cast.alice, [f"p{number}@example.net" for number in range(30)])
        campaign = make_campaign(cast.alice, make_account(cast.alice, port=port), people)
        started = client.post(f"/api/v1/campaigns/{campaign.id}/start", content_type="application/json")
        assert started.status_code == 200, started.content
        from postroom.actions.campaign_start import campaign_freeze

        campaign_freeze(campaign_id=campaign.id)
        with running("delivery", env=quick_env):
            until(lambda: Delivery.objects.filter(state="accepted").count() == 30, wait_s=40)
        campaign.refresh_from_db()
        assert campaign.sample_id, "the first copy is kept for the archive"
        bounce(Delivery.objects.order_by("id").first())
        with syncing():
            assert wait_for(lambda: len(other.told) == 31, 20), len(other.told)
    assert sorted(set(other.types())) == ["campaign.accepted", "campaign.bounced"]
    assert other.forged == []
    assert {one["campaign"] for one in other.told} == {campaign.id}
    assert receiver.told == []


def test_a_receiver_that_fails_is_told_again_under_the_same_id(client, cast, receiver):
    client.force_login(cast.alice.user)
    made = hooked(client, receiver)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (204, {})]
    client.post(f"/api/v1/webhooks/{made['id']}/test", content_type="application/json")
    with syncing():
        for number in (1, 2, 3):
            assert wait_for(lambda number=number: len(receiver.told) == number, 15)
            wait_for(lambda number=number: WebhookCall.objects.get().tries == number, 5)
            call = WebhookCall.objects.get()
            if number < 3:
                wait = (call.next_at - timezone.now()).total_seconds()
                assert (8 < wait <= 10) if number == 1 else (55 < wait <= 60), "it waits longer each time"
                assert call.code == (500, 302)[number - 1]
                due_now()
    assert {one["id"] for one in receiver.told} == {WebhookCall.objects.get().id}
    call = WebhookCall.objects.get()
    assert (call.code, call.is_given_up) == (204, False)
    assert call.done_at is not None
    assert Webhook.objects.get().failing_since is None
    page = client.get(f"/settings/webhooks/{made['id']}/").content.decode()
    assert "Heard" in page
    again = re.search(r'action="(/settings/webhooks/\d+/calls/\d+/again/)"', page)[1]
    client.post(again)
    with syncing():
        assert wait_for(lambda: len(receiver.told) == 4, 15), "send again"
    assert receiver.forged == []


def test_a_silent_receiver_holds_up_nobody_and_is_let_alone(client, cast, receiver, monkeypatch):
    monkeypatch.setattr(calling, "ANSWER_SECONDS", 1.0)
    client.force_login(cast.alice.user)
    slow = hooked(client, receiver)
    receiver.answers = [3.0]
    with receiving() as other:
        quick = hooked(client, other)
        for made in (slow, slow, slow, quick):
            client.post(f"/api/v1/webhooks/{made['id']}/test", content_type="application/json")
        with syncing():
            assert wait_for(lambda: len(other.told) == 1, 15)
            assert wait_for(lambda: Webhook.objects.get(id=slow["id"]).rests_until is not None, 15)
            time.sleep(0.6)
            assert len(receiver.told) == 1, "the others wait until it answers again"
    first = WebhookCall.objects.filter(webhook=slow["id"]).order_by("id").first()
    assert (first.code, first.tries) == (0, 1)
    assert "did not answer in time" in client.get(f"/settings/webhooks/{slow['id']}/").content.decode()


def test_after_days_of_failure_it_is_switched_off_with_words_and_on_again_by_a_person(client, cast, receiver):
    client.force_login(cast.alice.user)
    made = hooked(client, receiver)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=3, minutes=1))
    receiver.answers = [(503, {})]
    client.post(f"/api/v1/webhooks/{made['id']}/test", content_type="application/json")
    with syncing():
        assert wait_for(lambda: not Webhook.objects.get().is_on, 15)
    page = client.get(f"/settings/webhooks/{made['id']}/").content.decode()
    assert "for 3 days no call was taken" in page
    shown = client.get(f"/api/v1/webhooks/{made['id']}").json()
    assert (shown["is_on"], "503" in shown["error"] or "Unavailable" in shown["error"]) == (False, True)
    refused = client.post(f"/api/v1/webhooks/{made['id']}/test", content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (409, "WEBHOOK_OFF")
    typed = {"url": receiver.url, "is_on": "on", "version": shown["version"]}
    assert client.post(f"/settings/webhooks/{made['id']}/edit/", typed).status_code == 302
    due_now()
    with syncing():
        assert wait_for(lambda: WebhookCall.objects.get().done_at is not None, 15)
    assert (Webhook.objects.get().error, Webhook.objects.get().failing_since) == ("", None)


def test_a_new_secret_is_shown_once_and_the_old_one_signs_beside_it_for_a_day(client, cast, receiver):
    client.force_login(cast.alice.user)
    typed = {"url": receiver.url, "is_on": "on"}
    page = client.post("/settings/webhooks/new/", typed).content.decode()
    old = re.search(r'id="webhook-secret-text">(whsec_[\w-]+)<', page)[1]
    made = Webhook.objects.get()
    page = client.post(f"/settings/webhooks/{made.id}/secret/").content.decode()
    new = re.search(r'id="webhook-secret-text">(whsec_[\w-]+)<', page)[1]
    for place in (f"/settings/webhooks/{made.id}/", f"/api/v1/webhooks/{made.id}", "/api/v1/webhooks"):
        assert "whsec_" not in client.get(place).content.decode()
    receiver.secrets = [old]
    client.post(f"/settings/webhooks/{made.id}/test/")
    with syncing():
        assert wait_for(lambda: len(receiver.told) == 1, 15)
        assert (receiver.forged, receiver.told[0]["_v1"]) == ([], 2)
        receiver.secrets = [new]
        Webhook.objects.update(old_secret_until=timezone.now() - timedelta(seconds=1))
        client.post(f"/settings/webhooks/{made.id}/test/")
        assert wait_for(lambda: len(receiver.told) == 2, 15)
    assert (receiver.forged, receiver.told[1]["_v1"]) == ([], 1)


def test_an_address_inside_the_network_is_not_called(client, cast, receiver):
    client.force_login(cast.alice.user)
    Instance.objects.update(allow_private_hosts=False)
    made = hooked(client, receiver)
    client.post(f"/api/v1/webhooks/{made['id']}/test", content_type="application/json")
    with syncing():
        assert wait_for(lambda: WebhookCall.objects.get().tries == 1, 15)
    assert receiver.told == []
    assert "inside a private network" in WebhookCall.objects.get().words


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"url": "ftp://x.example/"}, "url"),
        ({"url": "https://user:secret@x.example/"}, "url"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"events": ["message.eaten"]}, "events"),
    ],
)
def test_what_cannot_be_a_webhook_is_refused(client, cast, bad, field):
    client.force_login(cast.alice.user)
    body = {"url": "https://x.example/", **bad}
    answer = client.post("/api/v1/webhooks", body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    client.force_login(cast.bob.user)
    assert client.post("/api/v1/webhooks", body, content_type="application/json").status_code in (403, 422)
    assert Webhook.objects.count() == 0


def test_a_message_that_is_taken_back_is_told_as_skipped_and_old_calls_are_forgotten(client, cast, receiver):
    client.force_login(cast.alice.user)
    hooked(client, receiver, events=["message.skipped"])
    make_account(cast.alice, port=9)
    sent = post(client, send_at=(timezone.now() + timedelta(hours=1)).isoformat())
    client.post(f"/api/v1/messages/{sent['id']}/unsend", content_type="application/json")
    call = WebhookCall.objects.get()
    assert (call.event, call.body["reason"], call.body["state"]) == (
        "message.skipped",
        "cancelled",
        "skipped",
    )
    WebhookCall.objects.update(created_at=timezone.now() - timedelta(days=31))
    webhook_calls_forget()
    assert WebhookCall.objects.exists(), "it is still to be told"
    WebhookCall.objects.update(done_at=timezone.now())
    webhook_calls_forget()
    assert not WebhookCall.objects.exists()


def test_without_a_webhook_nothing_is_written_and_a_rolled_back_outcome_tells_nobody(client, cast, receiver):
    from django.db import transaction

    from postroom.actions.webhook_tell import states_tell

    client.force_login(cast.alice.user)
    make_account(cast.alice, port=9)
    post(client)
    states_tell([Delivery.objects.get().id])
    assert not WebhookCall.objects.exists()
    hooked(client, receiver)
    with transaction.atomic():
        states_tell([Delivery.objects.get().id])
        transaction.set_rollback(True)
    assert not WebhookCall.objects.exists()
    states_tell([Delivery.objects.get().id])
    assert not WebhookCall.objects.exists(), "queued is no event"


def posted(group, number, sender="jan@outside.example"):
    """A mail to a group, as far as its copies."""
    head = f"From: {sender}\r\nTo: {group.address}\r\nSubject: Lunch\r\nMessage-ID: <p{number}@o.example>\r\n"
    raw = f"{head}\r\nAt one?\r\n".encode()
    found = postings_judge([Handed(group.id, raw, sender, (group.address,))])
    ids = postings_store(found, [blob_put(raw).pk])
    postings_fan(ids, lambda domain: "none")


def test_what_becomes_of_mail_to_groups_is_told_to_who_asks(quick_env, client, cast, receiver):
    client.force_login(cast.alice.user)
    names = [f"posting.{name}" for name in ("accepted", "held", "refused", "delivered", "undelivered")]
    hooked(client, receiver, events=names)
    with receiving() as other, counting(Manners(refuse="gone@")) as (_desk, port):
        hooked(client, other)
        account = make_account(cast.alice, port=port)
        people = ("ann@example.net", "ben@example.net")
        team = make_group(cast.alice, "team", *people, account=account, who_may_post="anyone")
        board = make_group(cast.alice, "board", *people, account=account, who_may_post="approved")
        closed = make_group(cast.alice, "closed", *people, account=account, who_may_post="members")
        old = make_group(cast.alice, "old", "ann@example.net", "gone@example.net", account=account)
        for number, group in enumerate((team, board, board, closed, old)):
            posted(group, number)
        first, second = Posting.objects.filter(group=board).order_by("id")
        posting_moderate(viewer=cast.alice, group_id=board.id, posting_id=first.id, send=False)
        posting_moderate(viewer=cast.alice, group_id=board.id, posting_id=second.id, send=True)
        with running("delivery", env=quick_env), syncing():
            assert wait_for(lambda: len(receiver.told) >= 10, 30), receiver.types()
        assert other.told == [], "an empty choice is single messages"
    told = [(one["address"].partition("@")[0], one["type"].partition(".")[2]) for one in receiver.told]
    assert sorted(told) == [
        *(
            ("board", "accepted"),
            ("board", "delivered"),
            ("board", "held"),
            ("board", "held"),
            ("board", "refused"),
        ),
        *(("closed", "refused"), ("old", "accepted"), ("old", "undelivered"), ("team", "accepted")),
        ("team", "delivered"),
    ]
    last = next(one for one in receiver.told if one["type"] == "posting.undelivered")
    assert (last["copies"], last["accepted"], last["failed"], last["message_id"]) == (2, 1, 1, "p4@o.example")
    assert receiver.forged == []


def test_a_decision_about_doubt_is_told(client, cast, receiver):
    client.force_login(cast.alice.user)
    hooked(client, receiver, events=["campaign.decided"])
    campaign = make_campaign(cast.alice, make_account(cast.alice, port=9), state="running")
    for address in ("ann@example.net", "ben@example.net"):
        Delivery.objects.create(
            workspace=campaign.workspace,
            campaign=campaign,
            address=address,
            canonical=address,
            state="uncertain",
            trouble="uncertain",
            queued_at=timezone.now(),
        )
    CampaignFigures.objects.create(campaign=campaign, lane=0, uncertain=2)
    ann, ben = Delivery.objects.order_by("address")
    uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=[ann.id], send_again=True)
    uncertain_decide(viewer=cast.alice, campaign_id=campaign.id, delivery_ids=[ben.id], send_again=False)
    with syncing():
        assert wait_for(lambda: len(receiver.told) == 2, 20)
    assert {(one["address"], one["state"], one["reason"]) for one in receiver.told} == {
        ("ann@example.net", "deferred", "decided"),
        ("ben@example.net", "accepted", "decided"),
    }
