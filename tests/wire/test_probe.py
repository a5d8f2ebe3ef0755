"""The connection test: every broken configuration is told from every other, and a right one is green on both sides."""

import asyncio
import gc
import socket
import threading
import time
from dataclasses import replace

import pytest

from postroom.testing.peer import Peer
from postroom.wire import probe, smtp_open
from postroom.wire.probe import ProbeSide
from postroom.wire.smtp import Security, Server

pytestmark = pytest.mark.usefixtures("trust")

NONE, STARTTLS, TLS = Security.NONE, Security.STARTTLS, Security.TLS
SECRET = "correct horse"
SMTP_IN = ["S: 220 peer ESMTP", "C: EHLO *"]
SMTP_SECURE = [*SMTP_IN, "S: 250-peer", "S: 250 STARTTLS", "C: STARTTLS", "S: 220 go"]
SMTP_LOGIN = [
    "C: EHLO *",
    "S: 250-peer",
    "S: 250-DSN",
    "S: 250-8BITMIME",
    "S: 250-SIZE 5000",
    "S: 250 AUTH PLAIN LOGIN",
]
IMAP_IN = [
    "S: * OK ready",
    "C: * CAPABILITY",
    "S: * CAPABILITY IMAP4rev1 IDLE AUTH=PLAIN",
    "S: {tag} OK done",
]
IMAP_CAPABILITY = ["C: * CAPABILITY", "S: * CAPABILITY IMAP4rev1 IDLE MOVE", "S: {tag} OK done"]
IMAP_SECURE = [
    *IMAP_IN[:2],
    "S: * CAPABILITY IMAP4rev1 STARTTLS",
    "S: {tag} OK done",
    "C: * STARTTLS",
    "S: {tag} OK go",
]
IMAP_LOGIN = ["C: * LOGIN *", "S: {tag} OK in"]
IMAP_INBOX = [
    "C: * EXAMINE *",
    "S: * 7 EXISTS",
    "S: * OK [UIDVALIDITY 3] v",
    "S: * OK [UIDNEXT 12] n",
    "S: {tag} OK [READ-ONLY] done",
]
HOLD = ["silent"]

#: name: (security, script, code, the stage that failed)
SMTP_BROKEN = {
    "tls at once where STARTTLS was chosen": (
        STARTTLS,
        ["silent", "==", "tls"],
        "tls_wrong_mode",
        "greeting",
    ),
    "tls at once where nothing was chosen": (NONE, ["silent", "==", "tls"], "tls_wrong_mode", "greeting"),
    "clear text where TLS was chosen": (TLS, ["S: 220 peer ESMTP", *HOLD], "tls_wrong_mode", "tls"),
    "STARTTLS is not offered": (STARTTLS, [*SMTP_IN, "S: 250 peer", "gone"], "starttls_not_offered", "tls"),
    "STARTTLS is refused": (STARTTLS, [*SMTP_SECURE[:-1], "S: 454 no", "gone"], "tls", "tls"),
    "clear text behind STARTTLS": (
        STARTTLS,
        [*SMTP_SECURE[:-1], "S| 220 go\\r\\n250 injected\\r\\n", "gone"],
        "tls_injection",
        "tls",
    ),
    "certificate for another name": (STARTTLS, [*SMTP_SECURE, "tls other_name"], "certificate_host", "tls"),
    "expired certificate": (TLS, ["tls expired"], "certificate_expired", "tls"),
    "unknown issuer": (TLS, ["tls unknown_issuer"], "certificate_unknown_issuer", "tls"),
    "self-signed certificate": (
        STARTTLS,
        [*SMTP_SECURE, "tls self_signed"],
        "certificate_self_signed",
        "tls",
    ),
    "closed instead of TLS": (TLS, ["close"], "tls", "tls"),
    "silent": (NONE, ["silent", "==", "silent"], "timeout", "greeting"),
    "closed at once": (NONE, ["close", "==", "close"], "closed", "greeting"),
    "something else": (NONE, ["S: SSH-2.0-OpenSSH_9.2", *HOLD], "not_smtp", "greeting"),
    "not let in": (NONE, ["S: 554 5.7.1 no", *HOLD], "not_taking", "greeting"),
    "no login offered": (NONE, [*SMTP_IN, "S: 250 peer", "gone"], "no_auth_offered", "login"),
    "wrong password": (
        NONE,
        [SMTP_IN[0], *SMTP_LOGIN, "C: AUTH PLAIN *", "S: 535 5.7.8 no"],
        "login_refused",
        "login",
    ),
    "login stalls": (NONE, [SMTP_IN[0], *SMTP_LOGIN, "C: AUTH PLAIN *", "silent"], "timeout", "login"),
}
IMAP_BROKEN = {
    "tls at once where STARTTLS was chosen": (
        STARTTLS,
        ["silent", "==", "tls"],
        "tls_wrong_mode",
        "greeting",
    ),
    "clear text where TLS was chosen": (TLS, ["S: * OK ready", *HOLD], "tls_wrong_mode", "tls"),
    "STARTTLS is not offered": (STARTTLS, [*IMAP_IN, "gone"], "starttls_not_offered", "tls"),
    "STARTTLS is refused": (STARTTLS, [*IMAP_SECURE[:-1], "S: {tag} NO not now", "gone"], "tls", "tls"),
    "logged in before TLS": (
        STARTTLS,
        ["S: * PREAUTH hello", *IMAP_SECURE[1:4], *IMAP_SECURE[1:4], "gone"],
        "tls",
        "tls",
    ),
    "certificate for another name": (TLS, ["tls other_name"], "certificate_host", "tls"),
    "expired certificate": (STARTTLS, [*IMAP_SECURE, "tls expired"], "certificate_expired", "tls"),
    "unknown issuer": (TLS, ["tls unknown_issuer"], "certificate_unknown_issuer", "tls"),
    "self-signed certificate": (TLS, ["tls self_signed"], "certificate_self_signed", "tls"),
    "silent": (NONE, ["silent", "==", "silent"], "timeout", "greeting"),
    "closed at once": (NONE, ["close", "==", "close"], "closed", "greeting"),
    "something else": (NONE, ["S: 220 peer ESMTP", *HOLD], "not_imap", "greeting"),
    "bytes": (NONE, ["S| \\x00\\xff\\xfe{}\\r\\n", *HOLD], "not_imap", "greeting"),
    "not let in": (NONE, ["S: * BYE too many", "close"], "not_taking", "greeting"),
    "no login offered": (
        NONE,
        [*IMAP_IN[:2], "S: * CAPABILITY IMAP4rev1 LOGINDISABLED", "S: {tag} OK done", "gone"],
        "no_auth_offered",
        "login",
    ),
    "wrong password": (
        NONE,
        [*IMAP_IN, "C: * LOGIN *", "S: {tag} NO [AUTHENTICATIONFAILED] no"],
        "login_refused",
        "login",
    ),
    "no inbox": (
        NONE,
        [*IMAP_IN, *IMAP_LOGIN, *IMAP_CAPABILITY, IMAP_INBOX[0], "S: {tag} NO [NONEXISTENT] what?"],
        "inbox_missing",
        "inbox",
    ),
    "closed at the inbox": (
        NONE,
        [*IMAP_IN, *IMAP_LOGIN, *IMAP_CAPABILITY, IMAP_INBOX[0], "close"],
        "closed",
        "inbox",
    ),
}


def _server(port: int, security: Security, **given: object) -> Server:
    server = Server("localhost", port, security, login="anna", password=SECRET, allow_private=True)
    return replace(server, **given)  # type: ignore[arg-type]


def _smtp(server: Server, stage_s: float = 3.0) -> ProbeSide:
    return asyncio.run(probe.probe_smtp(server, stage_s=stage_s))


def _failed(side: ProbeSide) -> tuple[str, list[str]]:
    assert side.ok is False
    assert SECRET not in repr(side.to_json())
    return side.code, [stage.name for stage in side.stages if stage.state == "failed"]


def _patience(script: list[str]) -> float:
    return 1.0 if "silent" in script else 5.0


@pytest.mark.req("CM-28", "SA-26")
@pytest.mark.parametrize("name", SMTP_BROKEN)
def test_a_broken_smtp_configuration_is_named(name: str) -> None:
    security, script, code, stage = SMTP_BROKEN[name]
    with Peer(script) as peer:
        side = _smtp(_server(peer.port, security), _patience(script))
    assert _failed(side) == (code, [stage])
    after = [found.state for found in side.stages]
    assert after == sorted(after, key=["ok", "failed", "not_tried"].index), "stages end at the failure"


@pytest.mark.req("CM-28")
@pytest.mark.parametrize("name", IMAP_BROKEN)
def test_a_broken_imap_configuration_is_named(name: str) -> None:
    security, script, code, stage = IMAP_BROKEN[name]
    with Peer(script) as peer:
        side = probe.probe_imap(_server(peer.port, security), stage_s=_patience(script))
    assert _failed(side) == (code, [stage])


@pytest.mark.req("CM-28", "SA-26")
def test_eight_broken_configurations_have_eight_messages() -> None:
    for broken in (SMTP_BROKEN, IMAP_BROKEN):
        assert len({code for _, _, code, _ in broken.values()} - {"tls", "closed"}) >= 8


@pytest.mark.parametrize("side", ["smtp", "imap"])
def test_an_unknown_name_a_closed_port_and_a_private_network_are_told_apart(side: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    seen = []
    for given in ({"host": "no-such-host.invalid"}, {}, {"allow_private": False}):
        server = _server(port, NONE, **given)
        found = _smtp(server) if side == "smtp" else probe.probe_imap(server, stage_s=3.0)
        seen.append(_failed(found))
    assert seen == [("name_not_found", ["dns"]), ("unreachable", ["tcp"]), ("host_refused", ["dns"])]


@pytest.mark.parametrize("security", [NONE, STARTTLS, TLS])
def test_a_right_smtp_configuration_is_green(security: Security) -> None:
    end = [*SMTP_LOGIN, "C: AUTH PLAIN *", "S: 235 in", "C: NOOP", "S: 250 ok", "C: QUIT"]
    script = {
        NONE: ["S: 220 peer", *end],
        STARTTLS: [*SMTP_SECURE, "tls", *end],
        TLS: ["tls", "S: 220 peer", *end],
    }[security]
    told: list[list[str]] = []
    with Peer(script) as peer:
        server = _server(peer.port, security)
        side = asyncio.run(
            probe.probe_smtp(server, lambda side: told.append([stage.state for stage in side.stages]))
        )
    assert side.ok, side
    assert {stage.state for stage in side.stages} == {"ok"}
    assert side.capabilities["dsn"]
    assert side.capabilities["size"] == 5000
    assert side.capabilities["auth"] == ["PLAIN", "LOGIN"]
    assert ("certificate_valid_to" in side.capabilities) == (security is not NONE)
    assert [states.count("ok") for states in told] == list(range(len(side.stages) + 1))


def test_a_server_that_ignores_quit_holds_no_socket_of_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_open, "QUIT_S", 0.2)
    end = [*SMTP_LOGIN, "C: AUTH PLAIN *", "S: 235 in", "C: NOOP", "S: 250 ok", "C: QUIT", "wait 0.5"]
    with Peer(["tls", "S: 220 peer", *end]) as peer:
        assert _smtp(_server(peer.port, TLS)).ok
        gc.collect()  # a transport that is still open says so: warnings are errors


@pytest.mark.parametrize("security", [NONE, STARTTLS, TLS])
def test_a_right_imap_configuration_is_green(security: Security) -> None:
    end = [*IMAP_LOGIN, *IMAP_CAPABILITY, *IMAP_INBOX, "C: * LOGOUT", "S: * BYE", "S: {tag} OK done"]
    script = {
        NONE: [*IMAP_IN, *end],
        STARTTLS: [*IMAP_SECURE, "tls", *IMAP_IN[1:], *IMAP_IN[1:], *end],
        TLS: ["tls", *IMAP_IN, *end],
    }[security]
    with Peer(script) as peer:
        side = probe.probe_imap(_server(peer.port, security))
    assert side.ok, side
    assert side.capabilities["idle"]
    assert side.capabilities["messages"] == 7
    assert side.capabilities.get("tls", "").startswith("TLS") == (security is not NONE)


@pytest.mark.req("CM-25")
def test_without_verification_a_self_signed_certificate_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    end = [*SMTP_LOGIN, "C: AUTH PLAIN *", "S: 235 in", "C: NOOP", "S: 250 ok"]
    with Peer(["tls self_signed", "S: 220 peer", *end]) as peer:
        side = _smtp(_server(peer.port, TLS, verify_certificate=False))
    assert side.ok, side
    assert "is not verified" in caplog.text


@pytest.mark.req("CM-21")
@pytest.mark.parametrize("side", ["smtp", "imap"])
def test_without_starttls_no_password_goes_over_the_wire(side: str) -> None:
    offers_login = [*SMTP_IN, "S: 250-peer", "S: 250 AUTH PLAIN", "gone"]
    with Peer(offers_login if side == "smtp" else [*IMAP_IN, "gone"]) as peer:
        server = _server(peer.port, STARTTLS)
        found = _smtp(server) if side == "smtp" else probe.probe_imap(server)
    assert found.code == "starttls_not_offered"
    assert not any(word in line for line in peer.heard[0] for word in ("AUTH", "LOGIN", "horse"))


@pytest.mark.req("CM-29")
def test_a_wrong_smtp_password_leaves_the_imap_side_green() -> None:
    imap_script = [*IMAP_IN, *IMAP_LOGIN, *IMAP_CAPABILITY, *IMAP_INBOX]
    smtp_script = [
        SMTP_IN[0],
        *SMTP_LOGIN,
        "C: AUTH PLAIN *",
        f"S: 535 5.7.8 not {SECRET} nor AGFubmEAY29ycmVjdCBob3JzZQ==",
    ]
    with Peer(imap_script) as imap_peer, Peer(smtp_script) as smtp_peer:
        incoming = probe.probe_imap(_server(imap_peer.port, NONE))
        outgoing = _smtp(_server(smtp_peer.port, NONE))
    assert incoming.ok
    assert _failed(outgoing) == ("login_refused", ["login"])
    assert outgoing.words == "535 5.7.8 not *** nor ***"


@pytest.mark.parametrize(
    "words",
    [
        "534-5.7.9 Application-specific password required. Learn more at https://support.google.com/",
        "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
    ],
)
def test_an_app_password_is_named_where_the_server_wants_one(words: str) -> None:
    last = "S: 534 5.7.9 see above" if words[3] == "-" else ""
    with Peer([SMTP_IN[0], *SMTP_LOGIN, "C: AUTH PLAIN *", f"S: {words}", last]) as peer:
        side = _smtp(_server(peer.port, NONE))
    assert (side.code, side.hint) == ("login_refused", "app_password")


def test_an_app_password_is_named_on_the_imap_side_too() -> None:
    words = "S: {tag} NO [ALERT] Application-specific password required"
    with Peer([*IMAP_IN, "C: * LOGIN *", words]) as peer:
        side = probe.probe_imap(_server(peer.port, NONE))
    assert (side.code, side.hint) == ("login_refused", "app_password")


def test_the_whole_test_ends_in_time() -> None:
    script = [
        "wait 0.2",
        "S: 220 a",
        "C: EHLO *",
        "wait 0.2",
        "S: 250-peer",
        "wait 0.2",
        "S: 250 AUTH PLAIN",
        "silent",
    ]
    with Peer(script) as peer:
        began = time.monotonic()
        side = asyncio.run(probe.probe_smtp(_server(peer.port, NONE), stage_s=5.0, total_s=0.8))
    assert time.monotonic() - began < 4
    assert side.code == "timeout"


def test_a_test_can_be_cancelled() -> None:
    async def cancelled(server: Server) -> float:
        task = asyncio.create_task(probe.probe_smtp(server))
        await asyncio.sleep(0.2)
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return time.monotonic() - began

    with Peer(["gone"]) as peer:
        assert asyncio.run(cancelled(_server(peer.port, NONE))) < 2

    stop = threading.Event()
    stop.set()
    assert probe.probe_imap(_server(1, NONE), stop=stop).code == "cancelled"
