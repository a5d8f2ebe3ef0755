"""Groups at work in a test: the real ingress and delivery daemons, and a server that keeps what members get."""

import asyncio
import re
import smtplib
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from postroom.practice.session import Envelope, Recipient, Session
from postroom.testing.receiving import in_thread, sessions_cut
from postroom.testing.rooted import free_ports
from postroom.testing.run import running, until


@dataclass
class Got:
    """One copy as a member's server got it."""

    mail_from: str
    to: str
    raw: bytes
    notify: str = ""
    orcpt: str = ""
    envid: str = ""
    ret: str = ""

    @property
    def head(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0] + b"\r\n"

    def header(self, name: str) -> str:
        """Unfolded; of several the first, "" without one."""
        found = re.search(rb"(?im)^%b:[ \t]*((?:.*\n[ \t])*.*)\r?$" % name.encode(), self.head)
        return re.sub(r"\r\n[ \t]+", " ", found[1].decode().strip()) if found else ""


@dataclass
class Members:
    """A desk of practice.session that keeps everything. refuse: a pattern of addresses that get 550."""

    name: str = "members.test"
    refuse: str = ""
    answer_delay_s: float = 0.0
    got: list[Got] = field(default_factory=list)
    sessions: set[Session] = field(default_factory=set)

    def rcpt(self, envelope: Envelope, recipient: Recipient) -> str | None:
        if self.refuse and re.search(self.refuse, recipient.address):
            return "550 5.1.1 User unknown"
        return "250 2.1.5 Ok"

    def data(self, envelope: Envelope) -> str | None:
        return "354 Go on"

    def message(self, envelope: Envelope, raw: bytes) -> str | None:
        for one in envelope.recipients:
            got = Got(
                envelope.mail_from, one.address, raw, one.notify, one.orcpt, envelope.envid, envelope.ret
            )
            self.got.append(got)
        return "250 2.0.0 Ok"

    def cut(self, envelope: Envelope, octets: int) -> None:
        """Never."""

    def to(self, address: str) -> list[Got]:
        return [one for one in self.got if one.to == address]

    @property
    def addresses(self) -> list[str]:
        return sorted(one.to for one in self.got)


@contextmanager
def members_server(members: Members) -> Iterator[int]:
    """Its port."""

    async def start() -> tuple[int, Any]:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Session(members, members.sessions), "127.0.0.1", 0, backlog=512
        )

        async def end() -> None:
            await sessions_cut(server, members.sessions)

        return server.sockets[0].getsockname()[1], end

    with in_thread(start) as port:
        yield port


def mail(
    sender: str = "anna@outside.example",
    to: str = "sales@alderpike.example",
    *more: str,
    subject: str = "Prices",
    number: int = 1,
    body: str = "How much is it?\r\n",
) -> bytes:
    """A mail somebody wrote. more: further header lines."""
    lines = [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        "Date: Sun, 22 Nov 2026 10:00:00 +0100",
        f"Message-ID: <{number}.{abs(hash((sender, subject))) % 10**8}@outside.example>",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def address_of(sender: str) -> str:
    return sender.rpartition("<")[2].rstrip(">")


def post(
    port: int,
    raw: bytes,
    *to: str,
    sender: str = "anna@outside.example",
    mail_options: Sequence[str] = (),
    rcpt_options: Sequence[str] = (),
    lmtp: bool = False,
    xforward: str = "",
) -> list[tuple[int, str]]:
    """The deciding reply for each recipient: that to RCPT where it was refused, else that to the final dot.

    xforward: what a server in front tells of its client.
    """
    with (smtplib.LMTP if lmtp else smtplib.SMTP)("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        if xforward:
            assert client.docmd("XFORWARD", xforward)[0] == 250
        client.mail(sender, mail_options)
        replies = [client.rcpt(one, rcpt_options) for one in to]
        taken = [at for at, reply in enumerate(replies) if reply[0] == 250]
        if taken:
            assert client.docmd("DATA")[0] == 354
            client.send(re.sub(rb"(?m)^\.", b"..", raw) + b".\r\n")
            last = None
            for at in taken:
                last = client.getreply() if lmtp or last is None else last
                replies[at] = last
    return [(code, words.decode()) for code, words in replies]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass
class Post:
    """smtp, lmtp: ports of the ingress; members: what arrived."""

    smtp: int
    lmtp: int
    members: Members

    def wait(self, copies: int, *, wait_s: float = 30) -> list[Got]:
        """Until so many copies have come; then all that came."""
        until(lambda: len(self.members.got) >= copies, wait_s=wait_s)
        return self.members.got


@contextmanager
def post_at_work(
    env: Mapping[str, str], port: int, members: Members, log: Path | None = None, **settings: str
) -> Iterator[Post]:
    """Ingress and delivery as processes of their own. port: of the members' server, for the accounts of the caller."""
    smtp, lmtp = free_ports(2)
    more = {
        "POSTROOM_INGRESS_LISTEN": f"127.0.0.1:{smtp}",
        "POSTROOM_INGRESS_LMTP": f"127.0.0.1:{lmtp}",
        "POSTROOM_POLL_SECONDS": "0.2",
        **settings,
    }
    with ExitStack() as stack:
        for part in ("ingress", "delivery"):
            stack.enter_context(running(part, env={**env, **more}, log=log))
        until(lambda: answers(smtp) and answers(lmtp), wait_s=60)
        yield Post(smtp, lmtp, members)
