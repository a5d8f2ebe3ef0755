"""Replies out of bytes and commands into bytes."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.errors import ProtocolBroken
from postroom.mail.reply import Reply
from postroom.wire import smtp_core
from postroom.wire.courier import Parcel
from postroom.wire.smtp_core import MAX_LINE_BYTES, MAX_REPLY_BYTES, Capabilities, ReplyParser

TEXT = st.text(st.characters(max_codepoint=0x17F), max_size=40).filter(str.isprintable)
REPLIES = st.lists(st.tuples(st.integers(200, 599), st.lists(TEXT, min_size=1, max_size=4)), max_size=6)


@settings(deadline=None)
@given(REPLIES, st.data())
def test_replies_survive_any_cut(replies: list[tuple[int, list[str]]], data: st.DataObject) -> None:
    raw = b"".join(
        f"{code}{' ' if number == len(lines) - 1 else '-'}{line}\r\n".encode()
        for code, lines in replies
        for number, line in enumerate(lines)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    parser = ReplyParser()
    seen = []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        seen += list(parser.feed(raw[start:end]))
    assert seen == [Reply(code, "\n".join(lines)) for code, lines in replies]
    assert parser.empty


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_give_replies_or_a_broken_protocol(pieces: list[bytes]) -> None:
    parser = ReplyParser()
    with suppress(ProtocolBroken):
        for piece in pieces:
            for reply in parser.feed(piece):
                assert 200 <= reply.code <= 599
                assert reply.text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "line",
    [
        b"\r\n",
        b"hello\r\n",
        b"99 x\r\n",
        b"600 x\r\n",
        b"199 x\r\n",
        b"250x\r\n",
        b"25",
        b"\xb2\xb5\xb0 x\r\n",
    ],
)
def test_what_is_no_reply_is_told(line: bytes) -> None:
    parser = ReplyParser()
    if line == b"25":
        assert list(parser.feed(line)) == []
        assert not parser.empty
    else:
        with pytest.raises(ProtocolBroken):
            list(parser.feed(line))


def test_lines_and_replies_have_a_bound() -> None:
    with pytest.raises(ProtocolBroken):
        list(ReplyParser().feed(b"250 " + b"x" * MAX_LINE_BYTES + b"\r\n"))
    with pytest.raises(ProtocolBroken):
        list(ReplyParser().feed(b"250 " + b"x" * MAX_LINE_BYTES))
    with pytest.raises(ProtocolBroken):
        list(ReplyParser().feed(b"250-" + b"x" * 4000 + b"\r\n" + b"250-x\r\n" * (MAX_REPLY_BYTES // 6)))


def test_a_nul_in_a_reply_cannot_reach_the_database() -> None:
    assert next(ReplyParser().feed(b"550 a\x00b\tc\x1b[31m\r\n")).text == "a b c [31m"


def test_a_tls_alert_in_clear_text_is_recognised() -> None:
    with pytest.raises(ProtocolBroken, match="choose TLS from the start"):
        list(ReplyParser().feed(b"\x15\x03\x01\x00\x02\x02\x0a\n"))


def test_capabilities_are_read_whatever_surrounds_them() -> None:
    reply = Reply(250, "peer DSN\nSIZE 100 200\npipelining\n\nAUTH=LOGIN PLAIN\nAUTH PLAIN XOAUTH2\nX-DSN")
    assert Capabilities.from_reply(reply) == Capabilities(
        pipelining=True, size=100, auth=("LOGIN", "PLAIN", "XOAUTH2")
    )
    assert Capabilities.from_reply(Reply(250, "peer\nSIZE")).size == 0
    assert Capabilities.from_reply(Reply(250, "peer\nSIZE -1")).size == 0
    assert Capabilities.from_reply(Reply(250, "peer")).size is None


@settings(deadline=None)
@given(TEXT)
def test_capabilities_never_raise(text: str) -> None:
    Capabilities.from_reply(Reply(250, f"peer\n{text}\nSIZE {text}\nAUTH {text}"))


SEGMENT = st.binary(max_size=12) | st.sampled_from([b"\r\n", b".", b"..", b"\r\n.", b"\r\n.\r\n", b"a\r\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(SEGMENT, max_size=8))
def test_a_message_survives_the_final_dot(segments: list[bytes]) -> None:
    """Read back as a server reads it (RFC 5321 section 4.5.2), with bare line feeds taken as they are."""
    whole = b"".join(segments)
    wire = b"".join(smtp_core.body(Parcel(1, "a@b.c", "d@e.f", segments, len(whole))))
    assert wire.endswith(b"\r\n.\r\n") or wire == b".\r\n"
    lines = wire.split(b"\n")
    assert lines.index(b".\r") == len(lines) - 2, "the final dot is the first line that is only a dot"
    read = b"\n".join(line[1:] if line.startswith(b".") else line for line in lines[:-2])
    read = read + b"\n" if len(lines) > 2 else b""
    assert read in (whole, whole + b"\r\n")


def test_segments_without_dots_are_not_copied() -> None:
    shared = b"x" * 1000 + b"\r\n"
    parcel = Parcel(1, "a@b.c", "d@e.f", (b"Subject: s\r\n\r\n", shared), 1014)
    assert smtp_core.body(parcel)[1] is shared


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cs",)), max_size=30))
def test_xtext_can_be_read_back(value: str) -> None:
    coded = smtp_core.xtext(value)
    assert coded.isascii()
    assert " " not in coded
    assert "=" not in coded
    raw = coded.split("+")
    decoded = raw[0].encode() + b"".join(bytes([int(part[:2], 16)]) + part[2:].encode() for part in raw[1:])
    assert decoded.decode() == value
