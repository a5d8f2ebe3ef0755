"""Reading a mailbox by POP3: with Dovecot, and with servers that are rude in the middle of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from postroom.errors import WireError
from postroom.testing.peer import Peer
from postroom.testing.servers import PASSWORD, Office
from postroom.wire import pop3
from postroom.wire.pop3 import PopBox
from postroom.wire.server import Security, Server

IN = ["S: +OK ready", "C: USER anna", "S: +OK", "C: PASS secret", "S: +OK in", "C: CAPA", "S: -ERR what?"]
TWO = ["C: UIDL", "S: +OK", "S: 1 aaa", "S: 2 bbb", "S: .", "C: LIST", "S: +OK", "S: 1 20", "S: 2 30", "S: ."]
BYE = ["C: QUIT", "S: +OK bye"]


@contextmanager
def _box(*script: str) -> Iterator[PopBox]:
    with Peer([*IN, *script]) as peer:
        box = pop3.open_pop3(_rude(peer))
        try:
            yield box
        finally:
            pop3.close(box)


def _rude(peer: Peer, **more: Any) -> Server:
    given: dict[str, Any] = {"security": Security.NONE, "timeout_s": 1.0, **more}
    return Server("127.0.0.1", peer.port, login="anna", password="secret", allow_private=True, **given)


def _opened(*script: str, **more: Any) -> WireError:
    with Peer(script) as peer, pytest.raises(WireError) as caught:
        pop3.open_pop3(_rude(peer, **more))
    return caught.value


def _server(office: Office, address: str, **more: Any) -> Server:
    given: dict[str, Any] = {"port": office.dovecot.pop3, "security": Security.STARTTLS, **more}
    return Server("localhost", login=address, allow_private=True, **{"password": PASSWORD, **given})


@pytest.mark.parametrize("security", list(Security))
def test_dovecot_is_read_and_what_was_deleted_is_gone(
    office: Office, trust: None, security: Security
) -> None:
    address = office.spare_mailbox()
    mails = [b"Subject: one\r\n\r\n.\r\n..dots\r\n", b"Subject: two\r\n\r\n" + b"x" * 5000 + b"\r\n"]
    for mail in mails:
        office.dovecot.put(address, mail)
    port = office.dovecot.pop3s if security is Security.TLS else office.dovecot.pop3
    box = pop3.open_pop3(_server(office, address, port=port, security=security))
    try:
        assert bool(box.tls) is (security is not Security.NONE)
        assert "UIDL" in box.capabilities
        listed = pop3.uidls(box)
        assert [number for number, _ in listed] == [1, 2]
        assert [pop3.fetch(box, number) for number, _ in listed] == mails
        assert pop3.header(box, 1) == b"Subject: one\r\n\r\n"
        pop3.delete(box, 1)
    finally:
        pop3.close(box)
    assert office.dovecot.mails(address) == mails[1:]
    box = pop3.open_pop3(_server(office, address))
    try:
        assert [uidl for _, uidl in pop3.uidls(box)] == [listed[1][1]]
    finally:
        pop3.close(box)


@pytest.mark.parametrize(
    ("more", "code", "stage"),
    [
        ({"password": "wr0ng"}, "LOGIN_REFUSED", "login"),
        ({"port": 1}, "UNREACHABLE", "tcp"),
        ({"allow_private": False}, "HOST_REFUSED", "dns"),
        ({"security": Security.TLS}, "TLS_WRONG_MODE", "tls"),
    ],
)
def test_what_is_wrong_is_told_with_its_stage(
    office: Office, trust: None, more: dict[str, Any], code: str, stage: str
) -> None:
    server = _server(office, "boss@office.example")
    with pytest.raises(WireError) as caught:
        pop3.open_pop3(Server(**{name: getattr(server, name) for name in server.__slots__} | more))
    assert (caught.value.code, caught.value.stage) == (code, stage)
    assert "wr0ng" not in f"{caught.value} {caught.value.reply}"


def test_nothing_is_sent_in_clear_text_where_starttls_is_asked_for() -> None:
    error = _opened("S: +OK", "C: CAPA", "S: +OK", "S: USER", "S: .", "gone", security=Security.STARTTLS)
    assert error.code == "STARTTLS_NOT_OFFERED"
    error = _opened(
        *("S: +OK", "C: CAPA", "S: +OK", "S: STLS", "S: .", "C: CAPA", "S: +OK", "S: STLS", "S: ."),
        *("C: STLS", "S: -ERR no", "gone"),
        security=Security.STARTTLS,
    )
    assert (error.code, error.stage) == ("TLS", "tls")


def test_a_line_of_a_megabyte_is_a_line() -> None:
    long = "y" * 1_000_000
    with _box(*TWO, "C: RETR 2", "S: +OK", f"S: {long}", "S: ..", "S: .", *BYE) as box:
        assert [uidl for _, uidl in pop3.uidls(box)] == ["aaa", "bbb"]
        assert pop3.fetch(box, 2) == f"{long}\r\n.\r\n".encode()


def test_an_answer_without_end_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pop3, "ANSWER_BYTES", 100_000)
    with _box(*TWO, "C: RETR 1", "S: +OK", *["S: " + "z" * 30_000] * 4, "silent") as box:
        pop3.uidls(box)
        with pytest.raises(WireError) as caught:
            pop3.fetch(box, 1)
        box.client.sock.close()
    assert caught.value.code == "NOT_POP3"


def test_a_huge_message_is_read_by_its_header_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pop3, "LARGE_BYTES", 25)
    with _box(*TWO, "C: TOP 2 0", "S: +OK", "S: Subject: big", "S: ", "S: .", *BYE) as box:
        pop3.uidls(box)
        assert pop3.fetch(box, 2) == b"Subject: big\r\n\r\n"


def test_a_message_that_the_server_refuses_is_empty_and_the_next_is_read() -> None:
    with _box("C: RETR 1", "S: -ERR broken", "C: RETR 2", "S: +OK", "S: hi", "S: .", *BYE) as box:
        assert [pop3.fetch(box, 1), pop3.fetch(box, 2)] == [b"", b"hi\r\n"]


def test_a_server_without_uidl_is_told_in_plain_words() -> None:
    with (
        _box("C: UIDL", "S: -ERR unknown command", *BYE) as box,
        pytest.raises(WireError, match="IMAP") as caught,
    ):
        pop3.uidls(box)
    assert (caught.value.code, caught.value.stage) == ("NO_UIDL", "body")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (("S: * OK IMAP4rev1", "gone"), "NOT_POP3"),
        (("S: 220 mx.example ESMTP", "gone"), "NOT_POP3"),
        ((r"S| \x15\x03\x01\x00\x02\x02\n", "gone"), "TLS_WRONG_MODE"),
        (("S: -ERR too many connections", "gone"), "NOT_TAKING"),
        (("close",), "CLOSED"),
        (("silent",), "TIMEOUT"),
        (("S| " + "g" * 70_000, "silent"), "NOT_POP3"),
        (
            ("S: +OK", "C: USER anna", "S: +OK", "C: PASS secret", "S: -ERR bad secret", "gone"),
            "LOGIN_REFUSED",
        ),
        (("S: +OK", "C: USER anna", "S: +OK", "C: PASS*", "S: -ERR [IN-USE] locked", "gone"), "NOT_TAKING"),
        (("S: +OK", "C: USER anna", "S: what?", "gone"), "NOT_POP3"),
        ((*IN[:-1], "reset"), "CLOSED"),
    ],
)
def test_rude_servers_end_soon_and_in_our_words(script: tuple[str, ...], code: str) -> None:
    began = time.monotonic()
    error = _opened(*script)
    assert error.code == code
    assert "secret" not in f"{error} {error.reply}"
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("garbage", ["one two", "1", "1 a b", r"1 \x00"])
def test_garbage_in_the_list_is_no_list(garbage: str) -> None:
    with (
        _box("C: UIDL", "S: +OK", rf"S| {garbage}\r\n.\r\n", *BYE) as box,
        pytest.raises(WireError) as caught,
    ):
        pop3.uidls(box)
    assert caught.value.code == "NOT_POP3"
