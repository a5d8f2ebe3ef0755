"""Opening a session: the login, what is never said in clear text, and that every foreign error becomes ours."""

import asyncio
import errno
import gc
import imaplib
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest
from imapclient.exceptions import LoginError, ProtocolError

from postroom.errors import HostUnreachable, LoginRefused, ProtocolBroken, WireError, WireTimeout
from postroom.mail.reply import OutcomeKind, Stage
from postroom.testing.peer import Peer
from postroom.wire import imap, smtp_open
from postroom.wire.courier import Parcel
from postroom.wire.smtp import Connection, Security, Server

pytestmark = pytest.mark.usefixtures("trust")

PLAIN = b64encode("\0anna\0pässword".encode()).decode()
ENVELOPE = [
    "C: MAIL FROM:<a@firm.example>",
    "S: 250 ok",
    "C: RCPT TO:<b@example.org>",
    "S: 250 ok",
    "C: DATA",
]
PARCEL = Parcel(1, "a@firm.example", "b@example.org", (b"Subject: s\r\n\r\nhello\r\n",), 21)


def _server(port: int, **given: object) -> Server:
    server = Server(
        "127.0.0.1", port, Security.NONE, login="anna", password="pässword", allow_private=True, timeout_s=3.0
    )
    return replace(server, **given)  # type: ignore[arg-type]


async def _send(server: Server) -> OutcomeKind:
    connection = await Connection.open(server)
    outcome = await connection.send(PARCEL)
    await connection.close()
    return outcome.kind


def _ehlo(auth: str) -> list[str]:
    return ["S: 220 peer", "C: EHLO localhost", "S: 250-peer", f"S: 250 AUTH {auth}"]


SENT = [*ENVELOPE, "S: 354 go", "C.", "S: 250 taken", "C: QUIT", "S: 221 bye"]


@pytest.mark.parametrize(
    "script",
    [
        [*_ehlo("LOGIN PLAIN"), f"C: AUTH PLAIN {PLAIN}", "S: 235 in"],
        [
            *_ehlo("LOGIN"),
            "C: AUTH LOGIN",
            "S: 334 VXNlcm5hbWU6",
            "C: YW5uYQ==",
            "S: 334 UGFzc3dvcmQ6",
            f"C: {b64encode('pässword'.encode()).decode()}",
            "S: 235 in",
        ],
        [
            *_ehlo("PLAIN LOGIN"),
            f"C: AUTH PLAIN {PLAIN}",
            "S: 504 not that one",
            "C: AUTH LOGIN",
            "S: 334 ",
            "C: *",
            "S: 334 ",
            "C: *",
            "S: 235 in",
        ],
    ],
    ids=["plain", "login", "plain is refused, login is not"],
)
def test_a_login_and_a_message(script: list[str]) -> None:
    with Peer([*script, *SENT]) as peer:
        assert asyncio.run(_send(_server(peer.port))) is OutcomeKind.ACCEPTED


def test_an_access_token_is_given_by_xoauth2() -> None:
    token = b64encode(b"user=anna\1auth=Bearer tok\1\1").decode()
    with Peer([*_ehlo("PLAIN XOAUTH2"), f"C: AUTH XOAUTH2 {token}", "S: 235 in", *SENT]) as peer:
        server = _server(peer.port, login_kind="oauth", password="tok")
        assert asyncio.run(_send(server)) is OutcomeKind.ACCEPTED


def test_a_refused_token_is_a_refused_login() -> None:
    script = [
        *_ehlo("XOAUTH2"),
        "C: AUTH XOAUTH2 *",
        "S: 334 eyJzdGF0dXMiOiI0MDAifQ==",
        "C: ",
        "S: 535 5.7.8 no",
        "gone",
    ]
    with Peer(script) as peer, pytest.raises(LoginRefused) as caught:
        asyncio.run(_send(_server(peer.port, login_kind="oauth", password="tok")))
    assert caught.value.stage is Stage.LOGIN
    assert caught.value.reply.status == "5.7.8"


def test_without_authenticate_there_is_no_login_even_where_it_is_offered() -> None:
    with Peer([*_ehlo("PLAIN"), *SENT]) as peer:
        assert asyncio.run(_send(_server(peer.port, authenticate=False))) is OutcomeKind.ACCEPTED


def test_a_login_that_cannot_be_checked_now_is_no_refused_login() -> None:
    with (
        Peer([*_ehlo("PLAIN"), "C: AUTH PLAIN *", "S: 454 4.7.0 later", "gone"]) as peer,
        pytest.raises(HostUnreachable) as caught,
    ):
        asyncio.run(_send(_server(peer.port)))
    assert caught.value.reply.transient


def test_an_ended_connection_sends_nothing_more() -> None:
    async def twice(server: Server) -> OutcomeKind:
        connection = await Connection.open(server)
        await connection.close()
        return (await connection.send(PARCEL)).kind

    with Peer([*_ehlo("PLAIN"), "C: AUTH *", "S: 235 in", "C: QUIT", "S: 221 bye"]) as peer:
        assert asyncio.run(twice(_server(peer.port))) is OutcomeKind.UNSENT


def test_a_large_message_goes_over_tls() -> None:
    text = (b"x" * 70 + b"\r\n.dot\r\n") * 30_000
    parcel = replace(PARCEL, segments=(b"Subject: s\r\n\r\n", text), size=14 + len(text))

    async def send(server: Server) -> OutcomeKind:
        connection = await Connection.open(server)
        try:
            return (await connection.send(parcel)).kind
        finally:
            await connection.close()

    with Peer(["tls", *_ehlo("PLAIN"), "C: AUTH *", "S: 235 in", *SENT]) as peer:
        assert asyncio.run(send(_server(peer.port, security=Security.TLS))) is OutcomeKind.ACCEPTED
    assert peer.messages[0].replace(b"\n..", b"\n.") == b"".join(parcel.segments)


def test_a_server_that_does_not_end_tls_holds_no_socket_of_ours() -> None:
    in_tls = ["tls", *_ehlo("PLAIN"), "C: AUTH *", "S: 235 in", *SENT, "wait 0.3"]
    with Peer(in_tls) as peer:
        assert asyncio.run(_send(_server(peer.port, security=Security.TLS))) is OutcomeKind.ACCEPTED
        gc.collect()  # a transport that is still open says so: warnings are errors


def test_a_password_is_in_no_text_of_ours() -> None:
    server = _server(25, password="hunter2-hunter2")
    assert "hunter2" not in repr(server)
    assert "hunter2" not in f"{server}"
    assert server.masked("no hunter2-hunter2 here") == "no *** here"


FOREIGN = [
    (OSError(errno.ECONNREFUSED, "refused"), HostUnreachable),
    (OSError(errno.ENETUNREACH, "unreachable"), HostUnreachable),
    (ConnectionResetError(), HostUnreachable),
    (BrokenPipeError(), HostUnreachable),
    (TimeoutError(), WireTimeout),
    (socket.gaierror(8, "unknown"), HostUnreachable),
    (ssl.SSLError(1, "bad"), HostUnreachable),
    (ssl.SSLEOFError(8, "EOF"), HostUnreachable),
]


@pytest.mark.parametrize(
    ("foreign", "ours"), FOREIGN, ids=lambda value: getattr(value, "__name__", repr(value))
)
def test_every_error_of_asyncio_and_ssl_becomes_ours(
    foreign: Exception, ours: type[WireError], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: object) -> None:
        raise foreign

    monkeypatch.setattr(smtp_open._Opener, "_hello", fails)
    with Peer(["S: 220 peer", "gone"]) as peer, pytest.raises(ours) as caught:
        asyncio.run(_send(_server(peer.port)))
    assert caught.value.stage is Stage.GREETING


def _raising(error: Exception) -> Callable[..., None]:
    def raises(*args: object, **kwargs: object) -> None:
        raise error

    return raises


@pytest.mark.parametrize(
    ("foreign", "ours"),
    [
        *FOREIGN,
        (imaplib.IMAP4.error("no"), ProtocolBroken),
        (imaplib.IMAP4.abort("socket error: EOF"), HostUnreachable),
        (imaplib.IMAP4.abort("unexpected response: b'x'"), ProtocolBroken),
        (imaplib.IMAP4.readonly("no"), HostUnreachable),
        (LoginError("no"), ProtocolBroken),
        (ProtocolError("bad parse"), ProtocolBroken),
        (ValueError("bad number"), ProtocolBroken),
        (KeyError("UID"), ProtocolBroken),
        (UnicodeDecodeError("ascii", b"\xff", 0, 1, "no"), ProtocolBroken),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_every_error_of_the_imap_library_becomes_ours(foreign: Exception, ours: type[WireError]) -> None:
    class Client:
        search = staticmethod(_raising(foreign))

    mailbox = imap.Mailbox(Client(), _server(143), None, frozenset())
    with pytest.raises(ours) as caught:
        list(imap.fetch_since(mailbox, 0))
    assert caught.value.stage is Stage.BODY
