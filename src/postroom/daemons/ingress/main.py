"""The ingress daemon: takes mail for the bounce domain and for groups by SMTP and LMTP, stores it, then works on it."""

import asyncio
import logging
import signal
import ssl
from pathlib import Path

import uvloop
from django.conf import settings

from postroom.conf.garbage import collect_rarely
from postroom.daemons.ingress.desk import Desk, Inbox, Storm
from postroom.daemons.ingress.fan import Fan
from postroom.errors import HostError
from postroom.queries.group_map import map_answer
from postroom.wire.lmtp import Limits, MailServer
from postroom.wire.socketmap import SocketMap

log = logging.getLogger("postroom.ingress")

#: A stop waits so long for messages being taken, and for stored ones being read; the next start reads the rest.
STOP_S = 5.0


def run() -> int:
    """Serve until SIGTERM or SIGINT. Raises HostError when a port is taken."""
    collect_rarely()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run())
    return 0


async def _run() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    inbox = Inbox(sweep_s=settings.POSTROOM_INGRESS_SWEEP_SECONDS)
    limits = Limits(
        size_bytes=settings.POSTROOM_INGRESS_SIZE_MB << 20, per_client=settings.POSTROOM_INGRESS_PER_CLIENT
    )
    tls = _certificate()
    storm = Storm(settings.POSTROOM_GROUP_PER_MINUTE)
    fan = Fan(inbox)
    servers: list[MailServer | SocketMap] = []
    for source, at in (
        ("smtp", settings.POSTROOM_INGRESS_LISTEN),
        ("lmtp", settings.POSTROOM_INGRESS_LMTP),
    ):
        if at is not None:
            servers.append(await _listen(source, at, Desk(source, inbox, storm), limits, tls))
    if settings.POSTROOM_SOCKETMAP is not None:
        servers.append(await _maps(settings.POSTROOM_SOCKETMAP, inbox))
    work = (inbox.write(), inbox.read(), inbox.sweep(), fan.send(), fan.tell(), fan.hear())
    tasks = [asyncio.create_task(one) for one in work]
    waiting = asyncio.create_task(stop.wait())
    done, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*(server.close(STOP_S) for server in servers))
    try:
        async with asyncio.timeout(STOP_S):
            await inbox.drained()
    except TimeoutError:
        log.info("some mail will be read at the next start")
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    inbox.close()
    for task in done - {waiting}:  # a loop that is to run for ever broke: let the supervisor start us anew
        task.result()


def _certificate() -> ssl.SSLContext | None:
    """For STARTTLS. Raises HostError when the file cannot be used."""
    path = settings.POSTROOM_INGRESS_CERTIFICATE
    if path is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(path)
    except (OSError, ssl.SSLError) as error:
        raise HostError(f"The certificate {path} cannot be used: {error}.") from error
    return context


async def _listen(
    source: str, at: tuple[str, int], desk: Desk, limits: Limits, tls: ssl.SSLContext | None
) -> MailServer:
    """A server at host and port, or at a Unix socket: a path and port 0."""
    server = MailServer(desk, lmtp=source == "lmtp", limits=limits, tls=tls)
    await _start(server, at, f"mail by {source.upper()}")
    return server


async def _maps(at: tuple[str, int], inbox: Inbox) -> SocketMap:
    """The look-up service for a Postfix in front."""

    async def look_up(name: str, key: str) -> str | None:
        return await inbox.in_thread(map_answer, name, key)

    server = SocketMap(look_up)
    await _start(server, at, "questions of Postfix")
    return server


async def _start(server: MailServer | SocketMap, at: tuple[str, int], what: str) -> None:
    host, port = at
    try:
        await server.start(Path(host) if host.startswith("/") else at)
    except OSError as error:
        raise HostError(f"{host}:{port} cannot be listened on: {error.strerror or error}.") from error
    log.info("taking %s at %s", what, host if host.startswith("/") else f"{host}:{port}")
