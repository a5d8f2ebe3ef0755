"""Tags in an account's address are used only once they were seen working, and dropped when they fail (SA-17)."""

import email
import email.policy

import pytest

from postroom.actions.account import account_save
from postroom.actions.account_probe import probe_ask
from postroom.actions.account_tag import tag_number
from postroom.actions.event import event_store_imap, events_process
from postroom.conf import keys
from postroom.mail.token import TAG, token_make
from postroom.models.account import Account, Collector
from postroom.models.event import Event
from postroom.models.message import Message
from postroom.testing.peer import Peer
from postroom.testing.servers import member
from tests.daemons.sync import syncing, wait_for
from tests.daemons.test_probes import ended, right, viewer

__all__ = ["right", "viewer"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("SA-17")]


@pytest.fixture
def me(viewer):
    viewer.user.email = member(32)
    viewer.user.save()
    return viewer


@pytest.fixture
def values(office, right):
    """Settings of a mailbox of its own."""
    address = office.spare_mailbox()
    return right | {"address": address, "smtp_login": address, "imap_login": address}


def check(me, values, **more):
    return ended(probe_ask(viewer=me, values=values, send_test=True, **more))


def saved(me, values, **more):
    return account_save(viewer=me, values=values | {"name": "News", "collector_on": True} | more)


def tag_of(account):
    account.refresh_from_db()
    return account.plus_tag


def failure(address, token):
    """Somebody's report that the test message did not arrive."""
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {address}\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        "Message-ID: <r1@mx.example>\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{token}.c@office.example>\r\n\r\n--b--\r\n"
    ).encode()


def test_a_checked_account_uses_tags_once_its_collector_has_read_the_test_message(office, me, values):
    with syncing():
        result = check(me, values)
        assert result["tag"] == {"address": values["address"], "code": ""}
        account = saved(me, values)
        assert account.plus_tag is False
        assert wait_for(lambda: tag_of(account))
    [raw] = office.dovecot.mails(values["address"])
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    tagged = values["address"].replace("@", "+probe@")
    assert (mail["To"], mail["Return-Path"]) == (tagged, f"<{tagged}>")
    # it is our own: nothing for people to read
    assert Event.objects.get().kind == "other"
    assert not Message.objects.exists()
    account_save(viewer=me, account_id=account.id, values={"display_name": "News of the office"})
    assert tag_of(account)
    account_save(viewer=me, account_id=account.id, values={"address": "other@office.example"})
    assert not tag_of(account)


def test_a_second_check_soon_after_sends_no_second_one_and_a_long_address_none(me, values, office):
    with syncing():
        assert "tag" in check(me, values)
        assert "tag" not in check(me, values)
        assert "tag" not in check(me, values | {"address": f"{'x' * 44}@office.example"})
        assert "tag" not in ended(probe_ask(viewer=me, values=values | {"address": "boss@office.example"}))


def test_a_server_that_refuses_the_tag_makes_the_account_go_without(me, values):
    script = [
        *("S: 220 mx.example ESMTP", "C: EHLO*", "S: 250 mx.example", "C: NOOP", "S: 250 ok"),
        *("C: MAIL FROM*", "S: 250 ok", "C: RCPT TO*", "S: 250 ok", "C: DATA", "S: 354 go", "C."),
        *(
            "S: 250 queued",
            "C: MAIL FROM:<*+probe@*",
            "S: 553 5.7.1 not owned by user",
            "C: QUIT",
            "S: 221 bye",
        ),
    ]
    with Peer(script) as peer, syncing():
        bare = {"smtp_host": "127.0.0.1", "smtp_port": peer.port, "smtp_security": "none"}
        values |= bare | {"smtp_authenticate": False}
        account = saved(me, values, collector_on=None)
        Account.objects.update(plus_tag=True)
        result = check(me, {}, account_id=account.id)
    assert result["smtp"]["ok"] is True
    assert result["tag"]["code"] == "refused"
    assert tag_of(account) is False


def test_a_report_of_its_failure_ends_the_tags_and_one_of_another_address_does_not(me, values):
    account = saved(me, values)
    Account.objects.update(plus_tag=True)
    collector = Collector.objects.get()
    key = keys.current().token_keys[0]
    for uid, (number, still) in enumerate(
        ((tag_number("else@office.example"), True), (tag_number(account.address), False)), 1
    ):
        raw = failure(account.address.replace("@", "+probe@"), token_make(number, key, TAG))
        events_process(event_store_imap(collector=collector, uidvalidity=1, items=[(uid, raw)]))
        assert tag_of(account) is still
    assert not Message.objects.exists()
