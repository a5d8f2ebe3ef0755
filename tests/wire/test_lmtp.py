"""Dialogues with the receiving side, by plain sockets and by the standard library's clients."""

import smtplib
import socket

import pytest

from postroom.testing.receiving import KeepingDesk, receiving
from postroom.wire.lmtp import Limits


def talk(port: int, said: bytes, *, finish: bool = True) -> list[str]:
    """Everything at once, as a pipelining client would; the replies, one string a line."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
        line.sendall(said)
        if finish:
            line.shutdown(socket.SHUT_WR)
        heard = b""
        while chunk := line.recv(65536):
            heard += chunk
    return heard.decode().splitlines()


def codes(lines: list[str]) -> list[str]:
    return [line[:3] for line in lines if line[3:4] == " "]


def test_every_extension_is_announced_and_the_whole_dialogue_may_come_in_one_packet():
    desk = KeepingDesk()
    with receiving(desk) as port:
        heard = talk(
            port,
            b"EHLO me\r\nMAIL FROM:<a@b.pl> SIZE=20 BODY=8BITMIME RET=HDRS ENVID=Tok+2Ben\r\n"
            b"RCPT TO:<x@y.pl> NOTIFY=SUCCESS,failure ORCPT=rfc822;x+2Btag@y.pl\r\nDATA\r\nhello\r\n.\r\n"
            b"MAIL FROM:<>\r\nRCPT TO:<z@y.pl>\r\nDATA\r\n.\r\nQUIT\r\n",
        )
    assert {line[4:].split()[0] for line in heard if line[3] in "- " and line.startswith("250")} >= {
        *("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SIZE", "SMTPUTF8"),
    }
    assert codes(heard) == [
        *("220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"),
    ]
    assert desk.taken == [("a@b.pl", ["x@y.pl"], b"hello\r\n"), ("", ["z@y.pl"], b"")]
    mail = desk.mails[0]
    assert (mail.envid, mail.ret, mail.eight_bit) == ("Tok+en", "HDRS", True)
    assert (mail.recipients[0].notify, mail.recipients[0].orcpt) == ("SUCCESS,FAILURE", "x+tag@y.pl")


def test_a_server_on_this_machine_may_tell_who_handed_the_next_message_to_it():
    desk = KeepingDesk()
    said = b"".join(
        b"%bMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\nhello\r\n.\r\n" % told
        for told in (
            b"XFORWARD NAME=mx.b.pl ADDR=192.0.2.9\r\nXFORWARD HELO=mx+2Bb.pl PROTO=ESMTP SOURCE=REMOTE\r\n",
            b"",
            b"XFORWARD ADDR=IPV6:2001:db8::1 HELO=[UNAVAILABLE]\r\n",
            b"XFORWARD ADDR=10.1.2.3 HELO=inside\r\n",
            b"XFORWARD ADDR=192.0.2.9\r\nRSET\r\n",
            b"XFORWARD ADDR=[UNAVAILABLE]\r\n",
        )
    )
    odd = b"XFORWARD\r\nXFORWARD ADDR\r\nXFORWARD LOGIN=me\r\nMAIL FROM:<>\r\nXFORWARD ADDR=192.0.2.9\r\n"
    with receiving(desk) as port:
        heard = talk(port, b"EHLO me\r\n" + said + odd + b"QUIT\r\n")
    assert "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE" in [line[4:] for line in heard]
    assert [mail.client for mail in desk.mails] == ["192.0.2.9", "", "2001:db8::1", "", "", ""]
    assert [mail.helo for mail in desk.mails][:3] == ["mx+b.pl", "me", ""]
    assert codes(heard)[-6:] == ["501", "501", "501", "250", "503", "221"]


def test_refused_recipients_leave_data_without_anybody():
    desk = KeepingDesk()
    with receiving(desk) as port:
        heard = talk(port, b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<unknown@y.pl>\r\nDATA\r\nQUIT\r\n")
    assert "550 5.1.1 Nobody here has this address" in heard
    assert codes(heard)[-2:] == ["554", "221"]
    assert desk.taken == []


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (b"RCPT TO:<x@y.pl>", "503"),
        (b"DATA", "503"),
        (b"MAIL FROM:a b", "555"),
        (b"MAIL TO:<a@b.pl>", "501"),
        (b"MAIL FROM:<a\0b@c.pl>", "501"),
        (b"MAIL FROM:<\xff@c.pl>", "501"),
        (b"MAIL FROM:<a@b.pl> RET=SOME", "501"),
        (b"MAIL FROM:<a@b.pl> COLOUR=red", "555"),
        (b"MAIL FROM:<a@b.pl> SIZE=99999999", "552"),
        (b"AUTH PLAIN AAAA", "500"),
        (b"BDAT 10", "500"),
        (b"VRFY postmaster", "252"),
        (b"\xff\xfe\x00", "500"),
        (b"NOOP " + b"x" * 5000, "500"),
        (b"NOOP " + b"x" * 200_000, "500"),
    ],
)
def test_a_wrong_command_gets_an_error_and_the_session_goes_on(command, code):
    with receiving(KeepingDesk(), limits=Limits(size_bytes=1000)) as port:
        assert codes(talk(port, b"EHLO me\r\n" + command + b"\r\nNOOP\r\nQUIT\r\n"))[2:] == [
            code,
            "250",
            "221",
        ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"one\r\n",
        b"\r\n",
        b".\r\n",
        b"..\r\n.x\r\n",
        b"a sentence.\r\nanother.\r\n.\r\n.\r\nend\r\n",
        b"x" * 3_000_000 + b"\r\n",
        b".\r\n" * 50_000,
        b"bare\nlines\n.\nand\rreturns\r.\r\n",
        b"8 bit \xff\xfe\x00 bytes\r\n",
        (b"." * 65_537 + b"\r\n") * 3,
        b"y" * 65_533 + b"\r\n.\r\nz\r\n",
    ],
)
def test_a_body_arrives_as_it_was_sent(body):
    lines = body.split(b"\r\n")
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    desk = KeepingDesk()
    with receiving(desk) as port:
        heard = talk(
            port,
            b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\n" + stuffed + b".\r\nQUIT\r\n",
        )
    assert codes(heard)[-2:] == ["250", "221"]
    assert desk.taken[0][2] == body


def test_a_body_in_pieces_of_any_size_is_the_same():
    body = b"a.\r\n..b\r\n.c\r\n\r\n.\r\nd\r\n"
    said = b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\n" + (
        body.replace(b"\r\n.", b"\r\n..") + b".\r\nQUIT\r\n"
    )
    desk = KeepingDesk()
    with receiving(desk) as port:
        for step in (1, 2, 3, 5):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for at in range(0, len(said), step):
                    line.sendall(said[at : at + step])
                while line.recv(4096):
                    pass
    assert [taken[2] for taken in desk.taken] == [body] * 4


def test_a_big_message_is_spooled_to_a_file_and_a_too_big_one_refused():
    desk = KeepingDesk()
    with receiving(desk, limits=Limits(size_bytes=3_000_000)) as port:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            client.sendmail("a@b.pl", "x@y.pl", b"x" * 100)
            client.sendmail("a@b.pl", "x@y.pl", (b"x" * 998 + b"\r\n") * 2000)
        big = b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\n" + b"x" * 4_000_000
        heard = talk(port, big + b"\r\n.\r\nNOOP\r\nQUIT\r\n")
    assert "552 5.3.4 The message is too big" in heard
    assert codes(heard)[-2:] == ["250", "221"]
    assert desk.in_memory == [True, False]


def test_lmtp_answers_for_every_recipient(tmp_path):
    desk, path = KeepingDesk(), tmp_path / "lmtp.sock"
    with receiving(desk, path, lmtp=True):
        for _ in range(2):
            with smtplib.LMTP(str(path), timeout=5) as client:
                client.ehlo()
                client.mail("a@b.pl")
                answers = [client.rcpt(f"{name}@y.pl")[0] for name in ("one", "unknown", "late", "two")]
                assert answers == [250, 550, 250, 250]
                assert client.docmd("DATA")[0] == 354
                client.send(b"hi\r\n.\r\n")
                assert [client.getreply()[0] for _ in range(3)] == [250, 451, 250]
    assert desk.taken[0] == ("a@b.pl", ["one@y.pl", "late@y.pl", "two@y.pl"], b"hi\r\n")


def test_by_smtp_one_recipient_that_must_wait_makes_the_whole_message_wait():
    with receiving(KeepingDesk()) as port:
        heard = talk(
            port,
            b"EHLO me\r\nMAIL FROM:<>\r\nRCPT TO:<one@y.pl>\r\nRCPT TO:<late@y.pl>\r\nDATA\r\n.\r\nQUIT\r\n",
        )
    assert heard[-2:-1] == ["451 4.3.0 Later"]


def test_silence_and_endless_chatter_end_a_session():
    with receiving(KeepingDesk(), limits=Limits(idle_s=0.3, commands=20)) as port:
        assert codes(talk(port, b"EHLO me\r\n", finish=False)) == ["220", "250"]
        assert codes(talk(port, b"EHLO me\r\n" + b"NOOP\r\n" * 100, finish=False))[-1] == "421"
        said = b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\nhalf a mess"
        assert codes(talk(port, said, finish=False))[-1] == "354"


def test_guessing_recipients_and_too_many_connections_are_stopped():
    with receiving(KeepingDesk(), limits=Limits(refused=3, connections=1)) as port:
        said = b"EHLO me\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<unknown@y.pl>\r\n" * 10
        assert codes(talk(port, said, finish=False))[3:] == ["550", "550", "550", "421"]
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as first:
            assert codes(talk(port, b""))[0] == "421"
            assert first.noop()[0] == 250


def test_a_client_that_vanishes_in_the_middle_leaves_nothing_behind():
    desk = KeepingDesk()
    with receiving(desk) as port:
        heard = talk(port, b"EHLO me\r\nMAIL FROM:<a@b.pl>\r\nRCPT TO:<x@y.pl>\r\nDATA\r\nhalf a message\r\n")
        assert codes(heard)[-1] != "250"
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            client.sendmail("a@b.pl", "x@y.pl", b"whole")
    assert [taken[2] for taken in desk.taken] == [b"whole\r\n"]
