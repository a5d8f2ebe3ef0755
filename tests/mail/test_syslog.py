"""Lines of Postfix's log, with either form of time, and the names servers give to mail."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.mail.syslog import OtherLine, SyslogLine, queue_id, syslog_read

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
SENT = (
    "mx postfix/smtp[123]: 4fKz0w1RtB2: to=<ann@box.example>, orig_to=<a@b.example>, "
    "relay=mx.box.example[192.0.2.1]:25, delay=1.2, "
    "delays=0/0/1/0.1, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 9XyZ)"
)


def test_a_sent_mail_with_the_old_form_of_time():
    read = syslog_read(f"Dec 31 23:59:59 {SENT}", now=NOW)
    assert read == SyslogLine(
        at=datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
        host="mx",
        program="postfix/smtp",
        queue_id="4fKz0w1RtB2",
        recipient="ann@box.example",
        relay="mx.box.example[192.0.2.1]:25",
        status="sent",
        dsn="2.0.0",
        said="250 2.0.0 Ok: queued as 9XyZ",
        delay_s=1.2,
    )


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-01-01T10:00:00.123456+01:00", datetime(2026, 1, 1, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-01T10:00:00.123456789Z", datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-01T10:00:00", datetime(2026, 1, 1, 9, tzinfo=UTC)),
        ("Jan  1 10:00:00", datetime(2026, 1, 1, 9, tzinfo=UTC)),
        ("Jan  2 23:00:00", datetime(2026, 1, 2, 22, tzinfo=UTC)),
        ("Jan  4 10:00:00", datetime(2025, 1, 4, 9, tzinfo=UTC)),
        ("Feb 29 10:00:00", datetime(2024, 2, 29, 9, tzinfo=UTC)),
    ],
)
def test_times_name_their_zone_or_are_the_servers_and_a_missing_year_is_the_last_one(time, at):
    assert syslog_read(f"{time} {SENT}", now=NOW, zone=ZoneInfo("Europe/Warsaw")).at == at


@pytest.mark.parametrize(
    "time", ["Feb 30 10:00:00", "Abc  1 10:00:00", "2026-13-01T10:00:00Z", "Jan  1 25:00:00", ""]
)
def test_a_line_without_a_time_is_unreadable(time):
    assert syslog_read(f"{time} {SENT}", now=NOW) is None


def test_a_line_with_the_header_of_rfc_5424():
    line = "<22>1 2026-01-01T10:00:00Z mx postfix/cleanup 77 - - ABCDEF12: message-id=<tok@shop.example>"
    read = syslog_read(line, now=NOW)
    assert (read.queue_id, read.message_id, read.status) == ("ABCDEF12", "tok@shop.example", "")


def test_a_refusal_before_there_was_a_queue_id():
    read = syslog_read(
        "Jan  1 10:00:00 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[192.0.2.9]: 554 5.7.1 <a@b.example>: "
        "Relay access denied; from=<c@d.example> to=<a@b.example> proto=ESMTP helo=<x>",
        now=NOW,
    )
    assert (read.status, read.queue_id, read.recipient, read.dsn) == ("reject", "", "a@b.example", "5.7.1")
    assert read.said == "554 5.7.1 <a@b.example>: Relay access denied"


@pytest.mark.parametrize(
    "words",
    [
        "mx sshd[1]: Accepted publickey for root",
        "mx postfix/smtp[1]: connect to mx.box.example[192.0.2.1]:25: Connection timed out",
        "mx postfix/qmgr[2]: 4fKz0w1RtB2: removed",
    ],
)
def test_what_is_about_no_recipient_is_another_line(words):
    assert isinstance(syslog_read(f"Jan  1 10:00:00 {words}", now=NOW), OtherLine)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("2.0.0 Ok: queued as 4fKz0w1RtB", "4fKz0w1RtB"),
        ("OK id=1abcDE-000123-AB", "1abcDE-000123-AB"),
        ("ok 1700000000 qp 12345", "12345"),
        ("2.0.0 3AB12345abc Message accepted for delivery", "3AB12345abc"),
        ("2.0.0 Ok: queued as 4fKz0w1RtB.", "4fKz0w1RtB"),
        ("Ok", ""),
        ("", ""),
    ],
)
def test_the_servers_own_name_for_a_mail(words, name):
    assert queue_id(words) == name


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text):
    assert isinstance(syslog_read(text, now=NOW), SyslogLine | OtherLine | None)
    assert len(queue_id(text)) <= 60


@given(
    at=st.datetimes(timezones=st.just(UTC)),
    queue=st.from_regex(r"[0-9A-F]{6,12}", fullmatch=True),
    said=st.text(st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=80),
    status=st.sampled_from(["sent", "deferred", "bounced", "expired"]),
)
def test_what_postfix_writes_is_read_back(at, queue, said, status):
    fields = f"to=<a@b.example>, relay=none, delay=3, dsn=4.4.1, status={status} ({said})"
    line = f"{at.isoformat()} mx postfix/smtp[1]: {queue}: {fields}"
    read = syslog_read(line, now=NOW)
    assert (read.at, read.queue_id, read.status, read.said) == (at, queue, status, said)
