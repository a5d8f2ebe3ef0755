"""A loopback server that follows a script, however rude: for tests of everything that speaks line by line.

A script is a list of lines. What the server says and does:

    S: 250 ok           one line, CRLF added; {tag} is the IMAP tag of the client's last command
    S| 25               exactly these bytes, with Python escapes, nothing added
    tls expired         takes the TLS handshake, with a certificate of testing/certificates.py ("good" without a word)
    wait 0.2            seconds
    half-close          says no more, still listens (FIN)
    close               closes; reset: with RST
    silent              says nothing until the client has gone

What it wants to hear, else the script is broken:

    C: MAIL FROM:<*>*   one line; * stands for anything
    C.                  a message, to the lone dot; kept in `messages`
    C+ 2000             that many bytes
    gone                the client closes the connection
    ==                  here begins the script of the next connection

Lines that are empty or begin with # are passed over. A script that ends closes the connection.
"""

import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from postroom.testing.certificates import server_context

#: Nothing in a script lasts longer: a broken one fails and does not hang.
PATIENCE_S = 8.0


class Broken(AssertionError):
    """The client did not do what the script says."""


class Peer:
    """`with Peer(script) as peer:` listens on 127.0.0.1:`peer.port`; leaving checks that every script was followed.

    heard:    the lines of the client, connection by connection.
    messages: the messages taken, dots still stuffed, without the final dot.
    """

    def __init__(self, script: Iterable[str]) -> None:
        self.scripts: list[list[str]] = [[]]
        for line in script:
            if line.strip() == "==":
                self.scripts.append([])
            elif line.strip() and not line.startswith("#"):
                self.scripts[-1].append(line.strip("\n"))
        self.heard: list[list[str]] = []
        self.messages: list[bytes] = []
        self.problems: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            for thread in self._threads:
                thread.join(PATIENCE_S + 1)
        self._listener.close()
        if error is None and len(self.heard) < len(self.scripts):
            self.problems.append(f"{len(self.heard)} of {len(self.scripts)} connections came")
        if self.problems:
            raise Broken("; ".join(self.problems)) from error

    def _accept(self) -> None:
        self._listener.settimeout(PATIENCE_S)
        for number, script in enumerate(self.scripts):
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.heard.append([])
            talk = _Talk(connection, script, self.heard[-1], self.messages)
            thread = threading.Thread(target=self._run, args=(number, talk), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, number: int, talk: "_Talk") -> None:
        try:
            talk.run()
        except (Broken, OSError) as error:
            self.problems.append(f"connection {number + 1}, {talk.step!r}: {error or type(error).__name__}")
        finally:
            talk.socket.close()


class _Talk:
    def __init__(
        self, connection: socket.socket, script: list[str], heard: list[str], messages: list[bytes]
    ) -> None:
        self.socket = connection
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(PATIENCE_S)
        self.script = script
        self.heard = heard
        self.messages = messages
        self.step = ""
        self._read = b""

    def run(self) -> None:
        for step in self.script:
            self.step = step
            word, _, rest = step.partition(" ")
            if word == "S:":
                tag = next((line.split(" ")[0] for line in reversed(self.heard) if " " in line), "")
                self.socket.sendall(rest.replace("{tag}", tag).encode() + b"\r\n")
            elif word == "S|":
                self.socket.sendall(rest.encode().decode("unicode_escape").encode("latin-1"))
            elif word == "C:":
                self._hear(rest)
            elif word == "C.":
                self.messages.append(self._until(b"\r\n.\r\n")[:-3])
            elif word == "C+":
                self._bytes(int(rest))
            elif not self._act(word, rest):
                return

    def _act(self, word: str, rest: str) -> bool:
        """What is neither said nor heard; False when the connection is over."""
        if word == "tls":
            try:
                self.socket = server_context(rest or "good").wrap_socket(self.socket, server_side=True)
            except (ssl.SSLError, ConnectionError):
                return False  # a client that does not like the certificate leaves
        elif word == "wait":
            time.sleep(float(rest))
        elif word == "half-close":
            self.socket.shutdown(socket.SHUT_WR)
        elif word in ("silent", "gone"):
            self._gone(exact=word == "gone")
        elif word == "reset":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        elif word == "close":
            return False
        else:
            raise Broken("no such step")
        return True

    def _hear(self, pattern: str) -> None:
        line = self._until(b"\n").rstrip(b"\r\n").decode("utf-8", "replace")
        self.heard.append(line)
        if not re.fullmatch(".*".join(re.escape(part) for part in pattern.split("*")), line):
            raise Broken(f"the client said {line!r}")

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._read:
            self._more()
        found, _, self._read = self._read.partition(mark)
        return found + mark

    def _bytes(self, count: int) -> None:
        while len(self._read) < count:
            self._more()
        self._read = self._read[count:]

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise Broken(f"the client has gone; it had said {self._read[-200:]!r}")
        self._read += data

    def _gone(self, *, exact: bool) -> None:
        try:
            while data := self.socket.recv(65536):
                self._read = (self._read + data)[:200]
        except TimeoutError:
            raise
        except OSError:
            pass  # a reset is a way of going, too
        if exact and self._read:
            raise Broken(f"the client said {self._read[:200]!r} instead of going")
