"""`postroom web`: the pages, by granian."""

import argparse
import os
import signal
from typing import Any

from postroom.cli import boot
from postroom.conf import log
from postroom.errors import HostError
from postroom.host import child, proxy


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("web", help="Serve the pages.", description="Serve the pages.")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return boot.part("web", _serve)


def _serve() -> int:
    from granian.constants import Interfaces
    from granian.log import LogLevels
    from granian.server import Server

    settings = boot.settings()
    if settings.POSTROOM_LISTEN is None:
        raise HostError("POSTROOM_LISTEN is off, so there is nothing to serve.")
    host, port = settings.POSTROOM_LISTEN
    proxy.behind(lambda environ, start: [], settings.POSTROOM_TRUSTED_PROXIES)  # told here, not by a worker
    Server(
        f"{__name__}:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=settings.POSTROOM_WEB_PROCESSES,
        blocking_threads=settings.POSTROOM_WEB_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=10,
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig={"version": 1, "disable_existing_loggers": False, "handlers": {}, "loggers": {}},
    ).serve()
    return 0


def application() -> proxy.Wsgi:
    """Called in each worker process of granian, which must not outlive granian."""
    child.die_with_parent(signal.SIGKILL, os.getppid())
    log.setup("web")
    from postroom.web.wsgi import application as pages

    return proxy.behind(pages, boot.settings().POSTROOM_TRUSTED_PROXIES)
