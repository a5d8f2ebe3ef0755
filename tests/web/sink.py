"""A mail server that takes everything and keeps what it was told, word by word."""

import socketserver
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Taken:
    """One message: the command lines as they came, and its bytes."""

    mail: str
    rcpt: list[str] = field(default_factory=list)
    raw: bytes = b""


@contextmanager
def sink(*extensions):
    """Its port, and the list of what it took. extensions: the lines of its EHLO."""
    taken = []

    class Talk(socketserver.StreamRequestHandler):
        def say(self, line):
            self.wfile.write(line.encode() + b"\r\n")

        def handle(self):
            self.say("220 sink.test ESMTP")
            mail = None
            while line := self.rfile.readline().decode():
                verb = line[:4].upper()
                if verb == "EHLO":
                    lines = ["sink.test", *extensions]
                    for number, word in enumerate(lines, 1):
                        self.say(f"250{' ' if number == len(lines) else '-'}{word}")
                elif verb == "MAIL":
                    mail = Taken(line.strip())
                    self.say("250 2.1.0 Ok")
                elif verb == "RCPT":
                    mail.rcpt.append(line.strip())
                    self.say("250 2.1.5 Ok")
                elif verb == "DATA":
                    self.say("354 Go on")
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        mail.raw += part[1:] if part.startswith(b"..") else part
                    taken.append(mail)
                    self.say("250 2.0.0 Ok")
                elif verb == "QUIT":
                    self.say("221 2.0.0 Bye")
                    return
                else:
                    self.say("250 2.0.0 Ok")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 128

    with Server(("127.0.0.1", 0), Talk) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_address[1], taken
        finally:
            server.shutdown()
            thread.join()
