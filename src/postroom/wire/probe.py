"""Test a connection by stages, for the form of an account (CM-28, CM-29, SA-26): nothing is changed, and
nothing sent but the test message that was asked for (SA-27).

Each side is tested on its own, by the same code that sends and reads. Its stages come in the order in which they
happen (with STARTTLS the greeting is before TLS); the last one is `ehlo` for SMTP (capabilities, NOOP), or `letter`
where a test message was asked for, and `inbox` for IMAP and POP3.

code of a side that failed: name_not_found, host_refused, unreachable, timeout, closed, not_taking, tls_wrong_mode,
starttls_not_offered, tls, tls_injection, certificate_host, certificate_expired, certificate_unknown_issuer,
certificate_self_signed, certificate, not_smtp, not_imap, not_pop3, no_uidl, no_auth_offered, login_refused,
inbox_missing, protocol, letter_refused, proxy_unreachable, proxy_login_refused, proxy_refused, cancelled.
"""

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from postroom.errors import HostUnreachable, LoginRefused, TlsFailed, WireError, WireTimeout
from postroom.mail.reply import Stage
from postroom.wire import guard, imap, pop3, socks, tls
from postroom.wire.letter import Letter, hand_over
from postroom.wire.server import Security, Server
from postroom.wire.smtp_core import Capabilities
from postroom.wire.smtp_open import Session, open_session

STAGE_S, TOTAL_S = 10.0, 30.0

_WRONG_MODE = "The server speaks TLS at once on this port: choose TLS from the start."
#: Hosts that take a password made for one program, or none at all, where the usual one is refused.
_APP_PASSWORD_HOSTS = (
    "gmail.com",
    "googlemail.com",
    "google.com",
    "office365.com",
    "outlook.com",
    "hotmail.com",
)
_APP_PASSWORD_WORDS = (
    "application-specific password",
    "app password",
    "5.7.139",
    "basic authentication is disabled",
    "534-5.7.9",
    "5.7.9 ",
    "web login required",
)


@dataclass(slots=True)
class ProbeStage:
    """state: not_tried, running, ok or failed; detail: what was found; ms: how long it took."""

    name: str
    state: str = "not_tried"
    detail: str = ""
    ms: int = 0


@dataclass(slots=True)
class ProbeSide:
    """The result of one side, also while it is being found out.

    side:  "smtp", "imap" or "pop3". ok: None while running. code: see above; words: the server's own, secrets masked.
    hint:  "app_password" where the host wants one, else "".
    capabilities: smtp - dsn, 8bitmime, smtputf8, pipelining, starttls, size, auth, and tag (sent, refused, unknown)
           where one was tried; imap - idle, condstore, uidplus, move,
           messages; pop3 - messages; each, with TLS - tls, certificate_valid_to, certificate_issuer.
    """

    side: str
    stages: list[ProbeStage]
    ok: bool | None = None
    code: str = ""
    message: str = ""
    words: str = ""
    hint: str = ""
    capabilities: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "side": self.side,
            "ok": self.ok,
            "code": self.code,
            "message": self.message,
            "stages": [
                {"name": stage.name, "state": stage.state, "detail": stage.detail, "ms": stage.ms}
                for stage in self.stages
            ],
            "words": self.words,
            "capabilities": self.capabilities,
            "hint": self.hint,
        }


OnProbe = Callable[[ProbeSide], None]


async def probe_smtp(
    server: Server,
    on_stage: OnProbe | None = None,
    *,
    letter: Letter | None = None,
    tag: Letter | None = None,
    stage_s: float = STAGE_S,
    total_s: float = TOTAL_S,
) -> ProbeSide:
    """Test an SMTP server. on_stage gets the same ProbeSide after every change. Cancelling the task ends it at once.

    letter: handed over when everything else passed, as the stage `letter`; its detail is the server's answer.
    tag: handed over after that, and no stage: whether it was taken stands under capabilities (see ProbeSide).
    Raises nothing for what a server does.
    """
    server = replace(server, timeout_s=stage_s, connect_timeout_s=stage_s)
    track = _Track("smtp", server, on_stage, letter=letter is not None)
    session: Session | None = None
    try:
        async with asyncio.timeout(total_s):
            try:
                session = await open_session(server, on_stage=track.begin)
                track.begin("ehlo")
                async with asyncio.timeout(stage_s):
                    await session.peer.command("NOOP")
                detail = _smtp_detail(session.capabilities)
                if letter:
                    track.begin("letter", detail)
                    reply = await hand_over(session, letter, timeout_s=stage_s)
                    detail = f"{reply.code} {reply.text}"
                facts = _smtp_facts(session.capabilities)
                if tag:
                    facts["tag"] = await _try_tag(session, tag, stage_s)
                track.passed(detail, facts, session.tls)
            except WireError as error:
                wrong = _may_be_tls(server, error) and await _speaks_tls(server, stage_s)
                track.failed(TlsFailed(_WRONG_MODE, code="TLS_WRONG_MODE") if wrong else error)
    except TimeoutError:
        track.failed(WireTimeout(f"{server.host} did not answer in time."))
    finally:
        if session:
            await session.quit()
    return track.side


async def _try_tag(session: Session, tag: Letter, stage_s: float) -> str:
    """What became of it: sent, refused, or unknown."""
    try:
        await hand_over(session, tag, timeout_s=stage_s)
    except WireError as error:
        return "refused" if error.code == "LETTER_REFUSED" else "unknown"
    return "sent"


def probe_imap(
    server: Server,
    on_stage: OnProbe | None = None,
    *,
    stop: threading.Event | None = None,
    stage_s: float = STAGE_S,
    total_s: float = TOTAL_S,
) -> ProbeSide:
    """Test an IMAP server; blocking. `stop` ends it before the next stage (code "cancelled").

    Raises nothing for what a server does.
    """
    return _probe_reading(_look_imap, _Track("imap", server, on_stage), server, stop, stage_s, total_s)


def probe_pop3(
    server: Server,
    on_stage: OnProbe | None = None,
    *,
    stop: threading.Event | None = None,
    stage_s: float = STAGE_S,
    total_s: float = TOTAL_S,
) -> ProbeSide:
    """As `probe_imap`, for the POP3 server of an account of old: also whether it gives mails lasting names."""
    return _probe_reading(_look_pop3, _Track("pop3", server, on_stage), server, stop, stage_s, total_s)


def _probe_reading(
    look: "Look",
    track: "_Track",
    server: Server,
    stop: threading.Event | None,
    stage_s: float,
    total_s: float,
) -> ProbeSide:
    server = replace(server, timeout_s=stage_s, connect_timeout_s=stage_s)
    until = time.monotonic() + total_s

    def begin(stage: str) -> None:
        if stop and stop.is_set():
            raise WireError("The test was cancelled.", code="CANCELLED")
        if time.monotonic() > until:
            raise WireTimeout(f"{server.host} did not answer in time.")
        track.begin(stage)

    try:
        track.passed(*look(server, begin))
    except WireError as error:
        wrong = _may_be_tls(server, error) and _speaks_tls_blocking(server, stage_s)
        track.failed(TlsFailed(_WRONG_MODE, code="TLS_WRONG_MODE") if wrong else error)
    return track.side


Begin = Callable[[str], None]
#: (detail of the last stage, capabilities, what TLS agreed on)
Look = Callable[[Server, Begin], tuple[str, dict[str, Any], tls.TlsFacts | None]]


def _look_imap(server: Server, begin: Begin) -> tuple[str, dict[str, Any], tls.TlsFacts | None]:
    mailbox = imap.open_mailbox(server, on_stage=begin)
    try:
        begin("inbox")
        folder = imap.examine(mailbox)
        return f"{folder.messages} messages", _imap_facts(mailbox, folder), mailbox.tls
    finally:
        imap.close(mailbox)


def _look_pop3(server: Server, begin: Begin) -> tuple[str, dict[str, Any], tls.TlsFacts | None]:
    box = pop3.open_pop3(server, on_stage=begin)
    try:
        begin("inbox")
        messages = len(pop3.uidls(box))
        return f"{messages} messages", {"messages": messages}, box.tls
    finally:
        pop3.close(box)


class _Track:
    """Keeps a ProbeSide up to date while the stages go by."""

    def __init__(self, side: str, server: Server, on_stage: OnProbe | None, *, letter: bool = False) -> None:
        names = ["dns", "tcp", "greeting", "login", "ehlo" if side == "smtp" else "inbox"]
        if not server.authenticate:
            names.remove("login")  # nobody signs in: nothing to tell
        if server.security is not Security.NONE:
            names.insert(2 if server.security is Security.TLS else 3, "tls")
        if server.proxy:
            names[:2] = ["proxy"]
        if letter:
            names.append("letter")
        self.side = ProbeSide(side, [ProbeStage(name) for name in names])
        self._server = server
        self._on_stage = on_stage or (lambda side: None)
        self._running: ProbeStage | None = None
        self._began = time.monotonic()

    def begin(self, name: str, detail: str = "") -> None:
        """detail: of the stage that is through."""
        stage = next((stage for stage in self.side.stages if stage.name == name), None)
        if stage is None:
            return
        self._end("ok", detail)
        self._running = stage
        stage.state = "running"
        self._on_stage(self.side)

    def passed(self, detail: str, found: dict[str, Any], facts: tls.TlsFacts | None) -> None:
        self._end("ok", detail)
        self.side.ok = True
        self.side.capabilities = found
        if facts:
            valid_to = facts.valid_to.isoformat() if facts.valid_to else ""
            found |= {
                "tls": facts.version,
                "certificate_valid_to": valid_to,
                "certificate_issuer": facts.issuer,
            }
            stage = next(stage for stage in self.side.stages if stage.name == "tls")
            stage.detail = f"{facts.version}, certificate valid to {valid_to[:10]}"
        self._on_stage(self.side)

    def failed(self, error: WireError) -> None:
        self._end("failed", error.message)
        side = self.side
        side.ok = False
        side.code = "inbox_missing" if error.code == "FOLDER_MISSING" else error.code.lower()
        side.message = error.message
        side.words = f"{error.reply.code or ''} {error.reply.text}".strip() if error.reply else ""
        if isinstance(error, LoginRefused) and _wants_app_password(self._server.host, side.words):
            side.hint = "app_password"
        self._on_stage(side)

    def _end(self, state: str, detail: str) -> None:
        now = time.monotonic()
        if self._running:
            self._running.state = state
            self._running.detail = detail
            self._running.ms = round((now - self._began) * 1000)
        self._running, self._began = None, now


def _wants_app_password(host: str, words: str) -> bool:
    host, words = "." + host.lower().rstrip("."), words.lower()
    return host.endswith(tuple("." + name for name in _APP_PASSWORD_HOSTS)) or any(
        word in words for word in _APP_PASSWORD_WORDS
    )


def _smtp_facts(capabilities: Capabilities) -> dict[str, Any]:
    return {
        "dsn": capabilities.dsn,
        "8bitmime": capabilities.eight_bit,
        "smtputf8": capabilities.smtputf8,
        "pipelining": capabilities.pipelining,
        "starttls": capabilities.starttls,
        "size": capabilities.size,
        "auth": list(capabilities.auth),
    }


def _smtp_detail(capabilities: Capabilities) -> str:
    named = {
        "DSN": capabilities.dsn,
        "8BITMIME": capabilities.eight_bit,
        "SMTPUTF8": capabilities.smtputf8,
        "PIPELINING": capabilities.pipelining,
        f"SIZE {capabilities.size}": capabilities.size is not None,
        f"AUTH {' '.join(capabilities.auth)}": bool(capabilities.auth),
    }
    return ", ".join(name for name, there in named.items() if there)


def _imap_facts(mailbox: imap.Mailbox, folder: imap.Folder) -> dict[str, Any]:
    offered = mailbox.capabilities
    found: dict[str, Any] = {
        name.lower(): name in offered for name in ("IDLE", "CONDSTORE", "UIDPLUS", "MOVE")
    }
    return found | {"messages": folder.messages}


# -- a port that waits for a TLS handshake says nothing in clear text: silence may mean the wrong mode


def _may_be_tls(server: Server, error: WireError) -> bool:
    return (
        server.security is not Security.TLS
        and error.stage == Stage.GREETING
        and isinstance(error, WireTimeout | HostUnreachable)
        and error.code in ("TIMEOUT", "CLOSED")
    )


async def _speaks_tls(server: Server, stage_s: float) -> bool:
    return await asyncio.to_thread(_speaks_tls_blocking, server, stage_s)


def _speaks_tls_blocking(server: Server, stage_s: float) -> bool:
    """Whether the port agrees on TLS with a client of any trust."""
    try:
        with _reached(server, min(stage_s, 5.0)) as plain:
            tls.context(verify=False).wrap_socket(plain, server_hostname=server.host).close()
    except (WireError, OSError, ssl.SSLError, ValueError):
        return False
    return True


def _reached(server: Server, wait_s: float) -> socket.socket:
    if server.proxy:
        return socks.connect_blocking(
            replace(server, connect_timeout_s=wait_s, timeout_s=wait_s), server.proxy
        )
    addresses = guard.resolve_blocking(server.host, server.port, allow_private=server.allow_private)
    return socket.create_connection((addresses[0], server.port), timeout=wait_s)
