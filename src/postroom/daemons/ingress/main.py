"""The ingress daemon: takes mail for the bounce domain by SMTP and LMTP, stores it, then reads it."""

import asyncio
import logging
import signal
from pathlib import Path

from django.conf import settings

from postroom.daemons.ingress.desk import Desk, Inbox
from postroom.errors import HostError
from postroom.wire.lmtp import Limits, MailServer

log = logging.getLogger("postroom.ingress")

#: A stop waits so long for messages being taken, and for stored ones being read; the next start reads the rest.
STOP_S = 5.0


def run() -> int:
    """Serve until SIGTERM or SIGINT. Raises HostError when a port is taken."""
    asyncio.run(_run())
    return 0


async def _run() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, stop.set)
    inbox = Inbox(sweep_s=settings.POSTROOM_INGRESS_SWEEP_SECONDS)
    limits = Limits(size_bytes=settings.POSTROOM_INGRESS_SIZE_MB << 20)
    servers = []
    for source, at in (
        ("smtp", settings.POSTROOM_INGRESS_LISTEN),
        ("lmtp", settings.POSTROOM_INGRESS_LMTP),
    ):
        if at is not None:
            servers.append(await _listen(source, at, inbox, limits))
    tasks = [asyncio.create_task(work) for work in (inbox.write(), inbox.read(), inbox.sweep())]
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


async def _listen(source: str, at: tuple[str, int], inbox: Inbox, limits: Limits) -> MailServer:
    """A server at host and port, or at a Unix socket: a path and port 0."""
    server = MailServer(Desk(source, inbox), lmtp=source == "lmtp", limits=limits)
    host, port = at
    try:
        await server.start(Path(host) if host.startswith("/") else at)
    except OSError as error:
        raise HostError(f"{host}:{port} cannot be listened on: {error.strerror or error}.") from error
    log.info("taking mail by %s at %s", source.upper(), host if host.startswith("/") else f"{host}:{port}")
    return server
