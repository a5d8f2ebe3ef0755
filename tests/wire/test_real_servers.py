"""Sending through a real Postfix and reading from a real Dovecot."""

import asyncio
import threading
import time

import pytest

from postroom.mail.reply import Outcome, OutcomeKind, Stage
from postroom.testing.servers import ACCOUNT, PASSWORD, Office, member
from postroom.wire import imap
from postroom.wire.courier import Parcel
from postroom.wire.smtp import Security, Server, SmtpCourier

pytestmark = pytest.mark.usefixtures("trust")


def _smtp(office: Office, port: str = "submission", security: Security = Security.STARTTLS) -> Server:
    return Server(
        "localhost", office.ports[port], security, ACCOUNT, PASSWORD, allow_private=True, timeout_s=20
    )


def _imap(office: Office, mailbox: str) -> Server:
    return Server(
        "localhost", office.dovecot.imaps, Security.TLS, mailbox, PASSWORD, allow_private=True, timeout_s=20
    )


def _parcel(key: int, recipient: str, text: bytes = b"hello\r\n.dot\r\n", notify: str = "") -> Parcel:
    head = b"From: <%b>\r\nTo: <%b>\r\nSubject: wire %d\r\n\r\n" % (ACCOUNT.encode(), recipient.encode(), key)
    size = len(head) + len(text)
    return Parcel(key, ACCOUNT, recipient, (head, text), size, envid=f"wire{key}", notify=notify)


def _send(server: Server, parcels: list[Parcel], connections: int = 3) -> dict[int, Outcome]:
    async def run() -> dict[int, Outcome]:
        seen: dict[int, Outcome] = {}
        courier = SmtpCourier(server, connections=connections)
        await courier.ready()
        await courier.run_batch(
            parcels, lambda parcel, outcome: seen.update({parcel.key: outcome}), wait_s=60
        )
        await courier.close()
        return seen

    return asyncio.run(run())


def test_postfix_takes_pipelined_messages_and_refuses_by_recipient(office: Office) -> None:
    good = [_parcel(key, member(30 + key % 5), notify="FAILURE") for key in range(60)]
    gone = _parcel(101, "nobody@refused.example")
    grey = _parcel(102, "member31+wire@grey.example")
    seen = _send(_smtp(office), [*good[:30], gone, grey, *good[30:]])
    assert {seen[parcel.key].kind for parcel in good} == {OutcomeKind.ACCEPTED}
    assert all(outcome.dsn_requested for outcome in seen.values())
    assert (seen[101].kind, seen[101].stage, seen[101].reply.status) == (
        OutcomeKind.FAILED,
        Stage.RCPT,
        "5.1.1",
    )
    assert (seen[102].kind, seen[102].stage, seen[102].reply.code) == (OutcomeKind.DEFERRED, Stage.RCPT, 451)
    assert _send(_smtp(office), [grey])[102].kind is OutcomeKind.ACCEPTED


def test_a_large_message_arrives_unchanged_over_tls_from_the_start(office: Office) -> None:
    text = b"".join(b".%d " % number + b"x" * 60 + b"\r\n" for number in range(30_000))
    seen = _send(
        _smtp(office, "submissions", Security.TLS), [_parcel(200, member(36), text), _parcel(201, member(36))]
    )
    assert {outcome.kind for outcome in seen.values()} == {OutcomeKind.ACCEPTED}
    office.wait_for_mails(member(36), lambda mails: len(mails) >= 2)
    mailbox = imap.open_mailbox(_imap(office, member(36)))
    imap.examine(mailbox)
    found = [message for batch in imap.fetch_since(mailbox, 0) for message in batch]
    imap.close(mailbox)
    assert any(message.raw.endswith(b"\r\n\r\n" + text) for message in found)


def test_reading_starts_behind_the_watermark_and_idle_hears_the_next_mail(office: Office) -> None:
    _send(_smtp(office), [_parcel(key, member(37)) for key in range(300, 305)])
    office.wait_for_mails(member(37), lambda mails: len(mails) >= 5)
    mailbox = imap.open_mailbox(_imap(office, member(37)))
    folder = imap.examine(mailbox)
    found = [message for batch in imap.fetch_since(mailbox, folder.uidnext - 3) for message in batch]
    assert [message.uid for message in found] == [folder.uidnext - 2, folder.uidnext - 1]
    assert all(message.received_at and message.size == len(message.raw) for message in found)
    later = threading.Timer(0.5, lambda: _send(_smtp(office), [_parcel(310, member(37))]))
    later.start()
    began = time.monotonic()
    assert imap.idle_wait(mailbox, 30)
    assert time.monotonic() - began < 20
    later.join()
    assert [message.uid for batch in imap.fetch_since(mailbox, folder.uidnext - 1) for message in batch]
    assert b"\\Seen" not in mailbox.client.get_flags([folder.uidnext - 1])[folder.uidnext - 1]
    imap.close(mailbox)
