"""What must hold for any mail: no exception, no living address given up, people's mail left alone."""

import time
from email.message import EmailMessage

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from postroom.mail.recognise import BounceClass, Kind, classify_reply, read, recognise

OURS = "20261103.0815.offer@biuro-kwiatek.example"


def human(subject: str, body: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Alice <alice@klient.example>"
    message["To"] = "oferty@biuro-kwiatek.example"
    message["Subject"] = subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(body)
    return message.as_bytes()


def dsn(*blocks: str, headers: str = "", between: str = "\n\n") -> bytes:
    return (
        "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: oferty@biuro-kwiatek.example\n"
        f"Subject: Undelivered Mail Returned to Sender\n{headers}"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example\n\n" + between.join(blocks) + "\n\n--b--\n"
    ).encode()


def block(recipient: str, action: str, status: str, diagnostic: str = "") -> str:
    said = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return f"Final-Recipient: rfc822; {recipient}\n{said}Action: {action}\nStatus: {status}"


FRAGMENTS = [
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
    b"Content-Type: multipart/mixed; boundary=\"\"\n",
    b"Content-Type: message/delivery-status\n",
    b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: text/plain; charset=punycode\n",
    b"Content-Type: text/plain; charset=iso-2022-jp\n",
    b"\n--b\n", b"--b--\n", b"\n\n", b"\r\n", b"\r", b"\x00", b"\x1b$B%(%i", b"\xff\xfe",
    b"Final-Recipient: rfc822; a@b.example\n", b"Final-Recipient: <@x:y@z>\n", b"Action: failed\n",
    b"Status: 5.1.1\n", b"Diagnostic-Code: smtp; 550-5.1.1 a\n", b"From: MAILER-DAEMON\n",
    b"Return-Path: <>\n", b"X-Failed-Recipients: ,,a@b.example,\n", b"Subject: =?utf-8?B?w?=\n",
    b"<a@b.example>:\n", b"550 5.1.1 user unknown\n", b"{\"notificationType\": \"Bounce\", \"bounce\": [1]}",
    b"Disposition: ;/\n", b"Content-Type: message/disposition-notification\n",
    b"------ This is a copy of the message ------\n",
]  # fmt: skip


@given(st.binary(max_size=2000))
@example(b"")
@example(b"\n")
@example(b"Content-Type: multipart/mixed; boundary=b\n\n--b")
@settings(max_examples=200, deadline=None)
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    read(raw)


@given(st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=20)), max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_mixture_of_report_pieces_makes_it_fail(pieces: list[bytes]) -> None:
    read(b"".join(pieces))


def test_every_truncation_and_every_line_end_is_survived() -> None:
    whole = dsn(block("a@b.example", "failed", "5.1.1", "550 5.1.1 user unknown"))
    for raw in (whole, whole.replace(b"\n", b"\r\n"), whole.replace(b"\n", b"\r")):
        assert read(raw).reports[0].reason == "userunknown"
        for end in range(0, len(raw), 7):
            read(raw[:end])


def test_a_mail_of_many_megabytes_is_looked_at_only_in_part() -> None:
    big = human("Photos", "x") + b"A" * 30_000_000
    assert recognise(big).kind is Kind.OTHER


HEAD = "From: MAILER-DAEMON\nReturn-Path: <>\nSubject: failure notice\n"


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + "\n" + "a" * 500_000,
        HEAD + "\n" + "?" * 500_000,
        HEAD + "\n" + "@" * 200_000,
        HEAD + "\n" + "a@b.example " * 20_000,
        HEAD + "\n" + "for a@b.example\n" * 20_000,
        HEAD + "\n" + ("-" * 130 + "\n") * 4000,
        HEAD + "Content-Type: text/html\n\n" + "<script" * 60_000,
        HEAD + "Content-Type: text/html\n\n" + "<" * 400_000,
        HEAD + "Subject: " + "=?utf-8?B?" * 30_000 + "\n\nx",
        HEAD + "Content-Type: multipart/mixed; boundary=b\n\n" + "--b\n" * 100_000,
        HEAD
        + "Content-Type: message/delivery-status\n\n"
        + "Final-Recipient: rfc822; a@b.example\n\n" * 10_000,
        HEAD + '\n{"notificationType": ' + "[" * 100_000,
    ],
    ids=range(12),
)
def test_no_mail_takes_long(raw: str) -> None:
    began = time.perf_counter()
    read(raw.encode())
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_kind_say_the_same(ends: str) -> None:
    raw = dsn(block("a@b.example", "failed", "5.2.2", "552 5.2.2 mailbox full")).replace(b"\n", ends.encode())
    (report,) = recognise(raw).reports
    assert (report.recipient, report.reason, report.permanent) == ("a@b.example", "mailboxfull", False)


def test_the_five_actions_stay_apart() -> None:
    for action, kind in (
        ("failed", Kind.FAILURE),
        ("delayed", Kind.DELAYED),
        ("expanded", Kind.EXPANDED),
        ("relayed", Kind.RELAYED),
        ("delivered", Kind.DELIVERED),
    ):
        status = "5.1.1" if action == "failed" else "4.4.1" if action == "delayed" else "2.0.0"
        found = recognise(dsn(block("a@b.example", action, status)))
        assert found.kind is kind
        assert found.reports[0].action == action
        assert found.reports[0].permanent is (action == "failed")


def test_a_delay_gives_nobody_up_even_when_the_words_are_hard() -> None:
    (report,) = recognise(dsn(block("a@b.example", "delayed", "4.1.1", "450 4.1.1 user unknown"))).reports
    assert not report.permanent


def test_a_report_without_action_counts_by_its_status() -> None:
    raw = dsn("Final-Recipient: rfc822; a@b.example\nStatus: 2.0.0")
    assert recognise(raw).kind is Kind.DELIVERED


def test_fields_may_lack_blank_lines_between_recipients() -> None:
    raw = dsn(block("a@b.example", "failed", "5.1.1"), block("c@d.example", "delayed", "4.4.1"), between="\n")
    assert [report.recipient for report in recognise(raw).reports] == ["a@b.example", "c@d.example"]


def test_the_envelope_id_and_the_returned_message_are_traces() -> None:
    raw = (
        dsn(block("a@b.example", "failed", "5.1.1"))
        .replace(b"Reporting-MTA", b"Original-Envelope-Id: abcd2345\nReporting-MTA")
        .replace(
            b"\n--b--",
            b"\n--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <x@y.example>\nX-Postroom-Id: tok\n\n--b--",
        )
    )
    found = recognise(raw)
    assert found.envelope_ids == ("abcd2345",)
    assert found.returned_message_ids == ("x@y.example",)
    assert found.x_ids == ("tok",)
    assert (found.reports[0].message_id, found.reports[0].envelope_id) == ("x@y.example", "abcd2345")


def test_a_message_id_among_the_fields_is_a_trace() -> None:
    raw = dsn(block("a@b.example", "failed", "5.1.1")).replace(
        b"Reporting-MTA", b"X-Original-Message-ID: <x@y.example>\nReporting-MTA"
    )
    found = recognise(raw)
    assert found.returned_message_ids == ("x@y.example",)
    assert found.reports[0].message_id == "x@y.example"


def test_a_vacation_note_that_speaks_of_delivery_is_no_failure() -> None:
    raw = human(
        "Automatic reply: Oferta",
        "Mail to alice@klient.example is not delivered to my mailbox while it is full of holiday.",
        Auto_Submitted="auto-replied",
    )
    assert recognise(b"Return-Path: <>\n" + raw).kind is Kind.AUTO_REPLY


def test_a_forwarded_bounce_is_a_persons_mail() -> None:
    raw = human(
        "Fwd: Undelivered Mail Returned to Sender",
        "What is this?\n\n<a@b.example>: host mx said: 550 5.1.1 user unknown (in reply to RCPT TO command)",
    )
    assert recognise(raw).kind is Kind.OTHER


def test_an_ordinary_mail_about_delivery_is_no_report() -> None:
    body = "The parcel could not be delivered to alice@klient.example, the mailbox is full. 550 zł."
    assert recognise(human("Delivery failed again", body)).kind is Kind.OTHER


@pytest.mark.parametrize("subject", ["Out of office furniture sale", "Absence policy", "Urlop Kowalskiego"])
def test_a_subject_with_a_vacation_word_is_still_a_persons(subject: str) -> None:
    assert recognise(human(subject, "Please read.")).kind is Kind.OTHER


@pytest.mark.parametrize(
    "subject", ["Automatic reply: Oferta", "Out of office", "Автоматичен отговор: Оферта"]
)
def test_a_subject_that_names_a_program_is_an_automatic_answer(subject: str) -> None:
    found = recognise(human(subject, "Back on Monday."))
    assert found.kind is Kind.AUTO_REPLY
    assert found.auto_submitted


def test_a_shop_that_writes_of_a_parcel_is_no_report() -> None:
    raw = human("Your order", "Your parcel could not be delivered. Ask parcels@shop.example.")
    assert recognise(b"Return-Path: <>\n" + raw).kind is Kind.OTHER


def test_the_fields_of_a_report_in_a_persons_attachment_are_no_report() -> None:
    raw = dsn(block("a@b.example", "failed", "5.1.1")).replace(b"multipart/report", b"multipart/mixed")
    raw = raw.replace(b"MAILER-DAEMON@mx.example", b"alice@klient.example").replace(b"Return-Path: <>\n", b"")
    assert recognise(raw.replace(b"Undelivered Mail Returned to Sender", b"Look at this")).kind is Kind.OTHER


def test_a_person_who_answers_is_a_reply() -> None:
    found = recognise(human("Re: Oferta", "Dziękuję.", In_Reply_To=f"<{OURS}>"))
    assert found.kind is Kind.REPLY
    assert found.references == (OURS,)


@pytest.mark.parametrize("subject", ["unsubscribe", "Rezygnacja", "Отписване", "Wypisz mnie!", "Odhlásit"])
def test_a_whole_subject_asks_to_be_taken_off(subject: str) -> None:
    assert recognise(human(subject, "")).kind is Kind.UNSUBSCRIBE


def test_the_address_behind_list_unsubscribe_asks_to_be_taken_off() -> None:
    raw = human("Re:", "").replace(b"oferty@", b"unsubscribe+k7m2abcdefghij234567@")
    assert recognise(raw).kind is Kind.UNSUBSCRIBE


def test_list_and_suppress_headers_are_no_signs_of_a_program() -> None:
    found = recognise(human("Hello", "", Precedence="list", X_Auto_Response_Suppress="All"))
    assert found.kind is Kind.OTHER
    assert not found.auto_submitted


@pytest.mark.parametrize(
    ("code", "status", "text", "reason", "bounce_class", "permanent"),
    [
        (550, "5.1.1", "user unknown", "userunknown", BounceClass.ADDRESS_GONE, True),
        (450, "4.1.1", "user unknown", "userunknown", BounceClass.ADDRESS_GONE, False),
        (
            550,
            "5.2.1",
            "Mailbox not available / Konto niedostepne",
            "filtered",
            BounceClass.MAILBOX_STATE,
            False,
        ),
        (550, "5.2.1", "", "filtered", BounceClass.MAILBOX_STATE, False),
        (552, "5.2.2", "quota exceeded", "mailboxfull", BounceClass.MAILBOX_STATE, False),
        (550, "5.7.26", "unauthenticated", "authfailure", BounceClass.SENDER, False),
        (
            550,
            "5.7.1",
            "user unknown to our policy; blocked using dnsbl",
            "blocked",
            BounceClass.SENDER,
            False,
        ),
        (550, "5.1.1", "rate limit exceeded", "toomanyconn", BounceClass.SENDER, False),
        (421, "4.7.0", "too many connections", "toomanyconn", BounceClass.SENDER, False),
        (451, "4.3.0", "temporary local problem", "systemerror", BounceClass.INFRASTRUCTURE, False),
        (556, "5.1.10", "recipient address has null MX", "notaccept", BounceClass.ADDRESS_GONE, True),
        (0, "", "", "undefined", BounceClass.INFRASTRUCTURE, False),
    ],
)
def test_a_refusal_during_sending_uses_the_same_tables(
    code: int, status: str, text: str, reason: str, bounce_class: BounceClass, permanent: bool
) -> None:
    assert classify_reply(code, status, text) == (reason, bounce_class, permanent)


@given(
    st.sampled_from(["4.7.0", "5.7.1", "5.7.26", "5.7.606", "5.2.2", "5.2.1", "4.2.2"]), st.text(max_size=80)
)
@settings(max_examples=200, deadline=None)
def test_no_sender_class_failure_is_ever_permanent(status: str, text: str) -> None:
    _, bounce_class, permanent = classify_reply(550, status, text)
    assert not (permanent and bounce_class is not BounceClass.ADDRESS_GONE)
