"""A mail server of ours in a thread, and a desk that keeps what it takes."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from postroom.mail.reply import Reply
from postroom.practice.session import Session
from postroom.wire.lmtp import Limits, MailServer, Received, Receiver


class KeepingDesk:
    """Takes mail for everybody but `unknown...`; `late...` is told to come again after the final dot."""

    def __init__(self) -> None:
        #: (envelope sender, recipients, bytes)
        self.taken: list[tuple[str, list[str], bytes]] = []
        self.mails: list[Received] = []
        self.in_memory: list[bool] = []

    async def recipient(self, address: str, mail_from: str) -> Reply:
        if address.startswith("unknown"):
            return Reply(550, "5.1.1 Nobody here has this address")
        return Reply(250, "2.1.5 Ok")

    async def message(self, mail: Received) -> Sequence[Reply]:
        self.in_memory.append(not getattr(mail.content, "_rolled", False))
        self.taken.append((mail.mail_from, [r.address for r in mail.recipients], mail.content.read()))
        self.mails.append(mail)
        return [
            Reply(451, "4.3.0 Later") if r.address.startswith("late") else Reply(250, "2.0.0 Taken")
            for r in mail.recipients
        ]


@contextmanager
def receiving(
    desk: Receiver,
    at: tuple[str, int] | Path = ("127.0.0.1", 0),
    *,
    lmtp: bool = False,
    limits: Limits | None = None,
) -> Iterator[int]:
    """Serve in a thread; gives the port (0 for a Unix socket)."""

    async def start() -> tuple[int, Callable[[], Coroutine[Any, Any, None]]]:
        server = MailServer(desk, lmtp=lmtp, limits=limits, hostname="mx.test")
        await server.start(at)
        return (0 if isinstance(at, Path) else server.port), lambda: server.close(wait_s=1)

    with in_thread(start) as port:
        yield port


@contextmanager
def in_thread(
    start: Callable[[], Coroutine[Any, Any, tuple[Any, Callable[[], Coroutine[Any, Any, None]]]]],
) -> Iterator[Any]:
    """Run something asynchronous in a loop of its own thread: `start` gives a value and what ends it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        value, end = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
        try:
            yield value
        finally:
            asyncio.run_coroutine_threadsafe(end(), loop).result(10)
            asyncio.run_coroutine_threadsafe(_settled(), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _settled() -> None:
    """What was closed or accepted a moment ago is dealt with before the loop ends: else a socket stays open."""
    for _ in range(3):
        await asyncio.sleep(0)
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def sessions_cut(server: asyncio.Server, sessions: set[Session]) -> None:
    """Close a server and all its connections, those that were just being accepted too."""
    server.close()
    for _ in range(3):
        await asyncio.sleep(0)
    for session in list(sessions):
        if session.transport is not None:
            session.transport.abort()
    await server.wait_closed()
