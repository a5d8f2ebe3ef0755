"""By what a mail is known again, and when it came."""

from datetime import UTC, datetime

import pytest

from postroom.mail.identity import LENGTH, arrived_at, identity


@pytest.mark.req("CM-04")
def test_the_message_id_stands_for_a_mail_however_it_is_written() -> None:
    assert (
        identity(b"Subject: a\r\nMessage-ID: <x.1@box.example>\r\n\r\nMessage-ID: <y@z>\r\n")
        == "x.1@box.example"
    )
    assert identity(b"message-id:\n <x.1@box.example>\n\nhi") == "x.1@box.example"


def test_a_mail_without_one_is_known_by_its_bytes_whatever_the_line_ends() -> None:
    one = identity(b"Subject: a\r\n\r\nhi\r\n")
    assert one.startswith("sha256:")
    assert one == identity(b"Subject: a\n\nhi\n\n")
    assert one != identity(b"Subject: a\r\n\r\nho\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff",
        b"Message-ID: <>\r\n\r\n",
        b"Message-ID: <" + b"x" * 3000 + b"@y>\r\n\r\n",
        "Message-ID: <żółw@y>\r\n\r\n".encode(),
        b"Message-ID: <a\x00b@y>\r\n\r\n",
    ],
)
def test_odd_ones_have_a_name_that_can_be_stored(raw: bytes) -> None:
    name = identity(raw)
    assert 0 < len(name) <= LENGTH
    assert name.isascii()
    assert name.isprintable()


def test_the_last_server_tells_when_it_came_and_the_writer_only_after_it() -> None:
    date = b"Date: Mon, 01 Jan 2024 10:00:00 +0100\r\n"
    received = (
        b"Received: from a by b; Tue, 02 Jan 2024 10:00:00 +0100\r\nReceived: from c; Mon, 1 Jan 2020\r\n"
    )
    assert arrived_at(date + received + b"\r\n") == datetime(2024, 1, 2, 9, tzinfo=UTC)
    assert arrived_at(date + b"\r\n") == datetime(2024, 1, 1, 9, tzinfo=UTC)
    assert arrived_at(b"Received: from a by b; never\r\n" + date + b"\r\n") == datetime(
        2024, 1, 1, 9, tzinfo=UTC
    )
    assert arrived_at(b"Date: soon\r\n\r\n") is None
    assert arrived_at(b"") is None
