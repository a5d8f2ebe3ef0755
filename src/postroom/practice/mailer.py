"""Sends what the post office and its people write, over kept connections; tries again until it is taken or refused."""

import asyncio
import contextlib
import http.client
import ipaddress
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

_ANSWER_S = 60.0
_AGAIN_S = 1.0
#: Tries of one letter; with a pause of a second this outlasts a restart of the other side.
_TRIES = 300


@dataclass(slots=True)
class Letter:
    """Something to send on behalf of `recipient`, the address that the message of ours went to.

    to:    envelope recipient; mail_from: envelope sender, "" for reports.
    build: makes the bytes when they are needed.
    url:   instead of a mail, a POST of RFC 8058 to this address.
    """

    kind: str
    recipient: str
    mail_from: str = ""
    to: str = ""
    build: Callable[[], bytes] = bytes
    url: str = ""


class Mailer:
    """`done(letter, words)` is called once a letter; words "" = it was taken, else the refusal."""

    def __init__(
        self, ingress: tuple[str, int], done: Callable[[Letter, str], None], *, connections: int = 4
    ) -> None:
        self._ingress, self._done, self._connections = ingress, done, connections
        self._queue: asyncio.Queue[Letter] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._connections)]

    def send(self, letter: Letter) -> None:
        self._queue.put_nowait(letter)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        line = _Line(self._ingress)
        try:
            while True:
                letter = await self._queue.get()
                self._done(letter, await self._deliver(line, letter))
        finally:
            line.close()

    async def _deliver(self, line: "_Line", letter: Letter) -> str:
        words = ""
        for _ in range(_TRIES):
            try:
                if letter.url:
                    code, words = await asyncio.to_thread(post, letter.url)
                else:
                    code, words = await line.send(letter.mail_from, letter.to, letter.build())
            except (OSError, asyncio.IncompleteReadError, ValueError, http.client.HTTPException) as error:
                line.close()
                words = str(error) or type(error).__name__
                await asyncio.sleep(_AGAIN_S)
                continue
            if 200 <= code < 300:
                return ""
            if (code >= 500) is not bool(letter.url):  # for SMTP 5yz is final, for HTTP everything below 500
                return f"{code} {words}"
            await asyncio.sleep(_AGAIN_S)
        return f"given up: {words}"


class _Line:
    """One kept connection."""

    def __init__(self, at: tuple[str, int]) -> None:
        self._at = at
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, mail_from: str, to: str, raw: bytes) -> tuple[int, str]:
        """The reply that decided. Raises OSError or IncompleteReadError when the connection is lost."""
        async with asyncio.timeout(_ANSWER_S):
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection(*self._at)
                await self._reply()
                await self._ask("EHLO practice.example")
            eight = "" if raw.isascii() else " BODY=8BITMIME"
            mail = await self._ask(f"MAIL FROM:<{mail_from}>{eight}")
            if mail[0] != 250:
                self.close()
                return mail
            rcpt = await self._ask(f"RCPT TO:<{to}>")
            data = await self._ask("DATA") if rcpt[0] == 250 else rcpt
            if data[0] != 354:
                await self._ask("RSET")
                return data
            stuffed = (b"\r\n" + raw).replace(b"\r\n.", b"\r\n..")[2:]
            self._writer.write(stuffed + (b".\r\n" if raw.endswith(b"\r\n") else b"\r\n.\r\n"))
            return await self._reply()

    async def _ask(self, command: str) -> tuple[int, str]:
        assert self._writer is not None
        self._writer.write(command.encode() + b"\r\n")
        return await self._reply()

    async def _reply(self) -> tuple[int, str]:
        assert self._reader is not None
        while True:
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace").rstrip()
            if line[3:4] != "-":
                return int(line[:3]), line[4:]

    def close(self) -> None:
        if self._writer is not None:
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                self._writer.close()
            self._reader = self._writer = None


def post(url: str) -> tuple[int, str]:
    """Unsubscribe with one click as a mail program does (RFC 8058 section 3.2). Only to this machine.

    Raises OSError, ValueError or HTTPException.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    if not all(ipaddress.ip_address(address).is_loopback for address in addresses):
        return 403, "the practice post office talks to this machine only"
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=20)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, "List-Unsubscribe=One-Click", form)
        answer = connection.getresponse()
        answer.read(65536)
        return answer.status, answer.reason
    finally:
        connection.close()
