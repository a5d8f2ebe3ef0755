"""Answering a mail server that asks where mail goes: Postfix's socketmap_table(5), netstrings over a socket."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from postroom.wire.lmtp import unix_socket

log = logging.getLogger("postroom.receive")

#: (map name, key) -> value; None = not found. What it raises is a temporary failure.
LookUp = Callable[[str, str], Awaitable[str | None]]
#: Of one request: Postfix itself sends at most so much.
_MOST = 100_000
IDLE_S = 600.0


class SocketMap:
    def __init__(self, look_up: LookUp) -> None:
        self._look_up = look_up
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def start(self, at: tuple[str, int] | Path) -> None:
        """Listen at a host and port (0 = any free one) or a Unix socket. Raises OSError."""
        if isinstance(at, Path):
            self._server = await asyncio.start_unix_server(self._serve, sock=unix_socket(at))
        else:
            self._server = await asyncio.start_server(self._serve, *at)

    @property
    def port(self) -> int:
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def close(self, wait_s: float = 5.0) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                async with asyncio.timeout(IDLE_S):
                    asked = await _netstring(reader)
                if asked is None:
                    return
                answer = (await self._answer(asked)).encode()
                writer.write(b"%d:%b," % (len(answer), answer))
                await writer.drain()
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, asked: bytes) -> str:
        name, _, key = asked.decode("utf-8", "replace").partition(" ")
        try:
            found = await self._look_up(name, key)
        except Exception as error:
            log.warning("a question of the mail server cannot be answered: %s", type(error).__name__)
            return "TEMP the database is away"
        return "NOTFOUND " if found is None else f"OK {found}"


async def _netstring(reader: asyncio.StreamReader) -> bytes | None:
    """None at the end. Raises ValueError for what is none."""
    try:
        size = await reader.readuntil(b":")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise ValueError("no netstring") from end
        return None
    except asyncio.LimitOverrunError as long:
        raise ValueError("no netstring") from long
    if not size[:-1].isdigit() or len(size) > 7 or int(size[:-1]) > _MOST:
        raise ValueError("no netstring")
    body = await reader.readexactly(int(size[:-1]) + 1)
    if body[-1:] != b",":
        raise ValueError("no netstring")
    return body[:-1]
