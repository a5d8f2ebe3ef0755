"""The practice post office: takes letters, does with each what its recipient's tag says, and keeps count."""

import asyncio
import random
import re
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from postroom.practice import reports
from postroom.practice.behaviour import Behaviour, behaviour_of
from postroom.practice.mailer import Letter, Mailer
from postroom.practice.session import Envelope, Recipient, Session

_FAILURES = {
    Behaviour.UNKNOWN: reports.UNKNOWN,
    Behaviour.FULL: reports.FULL,
    Behaviour.POLICY: reports.POLICY,
}
_SUCCESSES = {Behaviour.RELAYED: reports.RELAYED, Behaviour.EXPANDED: reports.EXPANDED}
#: Below this a sender may have handed over the whole of a letter, final dot and all, before it learns of a cut.
_CUT_LEAST = 500_000
#: Received and not read yet, of one connection: little, so that a cut in the middle comes before the end has left.
_BUFFER = 32_768
_LINK = re.compile(r"<\s*([^>]+?)\s*>")


class Office:
    """The Desk of all sessions.

    haste: factor on every pause before somebody answers (0 = at once); rate: letters taken a second, 0 = no bound.
    """

    name = reports.HOST

    def __init__(
        self, ingress: tuple[str, int], *, haste: float = 1.0, rate: float = 0.0, connections: int = 12
    ) -> None:
        self.mailer = Mailer(ingress, self._sent, connections=connections)
        self.sessions: set[Session] = set()
        #: Letters taken, by address; more than one of an address is a duplicate.
        self.copies: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        #: What went back, by kind and address.
        self.sent: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.not_taken: list[str] = []
        self.pending = 0
        #: When the first and the last address came for the first time.
        self._begun_at = self._new_at = 0.0
        self._haste = haste
        self._dice = random.Random(1)
        self._slot_s = 1 / rate if rate else 0.0
        self._free_at = 0.0
        #: Octets read of a letter that was cut, and its size, by address.
        self.cuts: dict[str, tuple[int, int]] = {}
        self._known: set[str] = set()
        self._tried: set[tuple[Behaviour, str]] = set()

    async def serve(self, host: str, port: int) -> asyncio.Server:
        self.mailer.start()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Session(self, self.sessions), host, port, backlog=512, start_serving=False
        )
        for listening in server.sockets:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        await server.start_serving()
        return server

    # --- the Desk

    @property
    def answer_delay_s(self) -> float:
        """Until the next free slot of the rate."""
        if not self._slot_s:
            return 0.0
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + self._slot_s
        return self._free_at - now

    def rcpt(self, envelope: Envelope, recipient: Recipient) -> str | None:
        address, behaviour = recipient.address.lower(), behaviour_of(recipient.address)
        if address not in self._known:
            self._known.add(address)
            self._new_at = time.monotonic()
            self._begun_at = self._begun_at or self._new_at
        if behaviour is Behaviour.REFUSED:
            self.refused[address] += 1
            return "550 5.1.1 User unknown: there is no such mailbox"
        if behaviour is Behaviour.LATER and self._first(behaviour, address):
            return "451 4.7.1 Greylisted, please try again"
        return "250 2.1.5 Ok"

    def data(self, envelope: Envelope) -> str | None:
        for recipient in envelope.recipients:
            if behaviour_of(recipient.address) is Behaviour.CUT and self._first(
                Behaviour.CUT, recipient.address.lower()
            ):
                if envelope.size < _CUT_LEAST:
                    return None
                envelope.cut_after = envelope.size // 2
        return "354 End with a dot alone on its line"

    def cut(self, envelope: Envelope, octets: int) -> None:
        for recipient in envelope.recipients:
            self.cuts[recipient.address.lower()] = (octets, envelope.size)

    def message(self, envelope: Envelope, raw: bytes) -> str | None:
        answer: str | None = "250 2.0.0 Taken"
        for recipient in envelope.recipients:
            address, behaviour = recipient.address.lower(), behaviour_of(recipient.address)
            self.copies[address] += 1
            quiet = False
            if behaviour in {Behaviour.SWALLOW, Behaviour.SILENCE} and self._first(behaviour, address):
                answer, quiet = None, behaviour is Behaviour.SILENCE
            if envelope.mail_from and not quiet:
                self._react(behaviour, envelope, recipient, raw)
        return answer

    def _first(self, behaviour: Behaviour, address: str) -> bool:
        """Whether this is the address's first time, of which note is taken."""
        seen = (behaviour, address) in self._tried
        self._tried.add((behaviour, address))
        return not seen

    # --- what goes back

    def _react(self, behaviour: Behaviour, envelope: Envelope, recipient: Recipient, raw: bytes) -> None:
        verdict = _FAILURES.get(behaviour)
        if verdict is not None:
            self._report(verdict, envelope, recipient, raw, 0.3)
            return
        late = 0.3
        if behaviour is Behaviour.SLOW:
            self._report(reports.DELAYED, envelope, recipient, raw, 0.2)
            late = 2.0
        self._report(_SUCCESSES.get(behaviour, reports.DELIVERED), envelope, recipient, raw, late)
        self._person(behaviour, envelope, recipient.address, raw)

    def _report(
        self, verdict: reports.Verdict, envelope: Envelope, recipient: Recipient, raw: bytes, after: float
    ) -> None:
        """RFC 3461 section 4.1: success and delay are reported only when asked for, failure unless forbidden."""
        need = {"failed": "FAILURE", "delayed": "DELAY"}.get(verdict.action, "SUCCESS")
        asked = recipient.notify.split(",") if recipient.notify else ["FAILURE"]
        if need not in asked:
            return
        full = envelope.ret == "FULL" and verdict.action == "failed"
        build = partial(
            reports.delivery_report,
            verdict,
            to=envelope.mail_from,
            recipient=recipient.address,
            orcpt=recipient.orcpt,
            envid=envelope.envid,
            raw=raw,
            full=full,
        )
        self._post(verdict.action, recipient.address, after, to=envelope.mail_from, build=build)

    def _person(self, behaviour: Behaviour, envelope: Envelope, address: str, raw: bytes) -> None:
        back = envelope.mail_from
        if behaviour is Behaviour.READ:
            to = reports.headers(raw).get("disposition-notification-to", "")
            to = (_LINK.findall(to) or [to])[0]
            if to:
                build = partial(reports.read_receipt, to=to, recipient=address, raw=raw)
                self._post("read", address, 1.5, to=to, build=build)
        elif behaviour is Behaviour.VACATION:
            build = partial(reports.vacation_note, to=back, recipient=address, raw=raw)
            self._post("vacation", address, 0.5, to=back, build=build)
        elif behaviour is Behaviour.REPLY:
            # A mailbox program of a person would take Reply-To; here everything goes back by the one way there is.
            build = partial(reports.human_reply, recipient=address, raw=raw)
            self._post("reply", address, 2.0, mail_from=address, to=back, build=build)
        elif behaviour is Behaviour.LEAVE:
            self._leave(address, raw)

    def _leave(self, address: str, raw: bytes) -> None:
        fields = reports.headers(raw)
        links = _LINK.findall(fields.get("list-unsubscribe", ""))
        click = (
            fields.get("list-unsubscribe-post", "").replace(" ", "").lower() == "list-unsubscribe=one-click"
        )
        for link in links if click else []:
            if link.startswith(("https:", "http:")):
                self._post("unsubscribe", address, 2.0, url=link)
                return
        for link in links:
            if link.lower().startswith("mailto:"):
                to, _, query = link[7:].partition("?")
                to, subject = unquote(to), parse_qs(query).get("subject", [""])[0]
                build = partial(reports.unsubscribe_mail, to=to, subject=subject, recipient=address)
                self._post("unsubscribe", address, 2.0, mail_from=address, to=to, build=build)
                return

    def _post(
        self,
        kind: str,
        recipient: str,
        after: float,
        *,
        mail_from: str = "",
        to: str = "",
        build: Callable[[], bytes] = bytes,
        url: str = "",
    ) -> None:
        self.pending += 1
        letter = Letter(kind, recipient.lower(), mail_from, to, build, url)
        pause = after * self._haste * self._dice.uniform(0.5, 1.5)
        asyncio.get_running_loop().call_later(pause, self.mailer.send, letter)

    def _sent(self, letter: Letter, words: str) -> None:
        self.pending -= 1
        if words:
            self.not_taken.append(f"{letter.kind} to {letter.to or letter.url}: {words}")
        else:
            self.sent[letter.kind][letter.recipient] += 1

    # --- what is known

    def summary(self) -> dict[str, Any]:
        """Figures: letters, copies and addresses, what went back by kind, and how much is still to go.

        first_tries_per_second: from the first address to the last, retries not counted.
        """
        seconds = self._new_at - self._begun_at
        return {
            "first_tries_per_second": round(len(self._known) / seconds, 1) if seconds else 0.0,
            "accepted": sum(self.copies.values()),
            "addresses": len(self.copies),
            "duplicates": sum(self.copies.values()) - len(self.copies),
            "refused": len(self.refused),
            "sent": {kind: sum(counts.values()) for kind, counts in self.sent.items()},
            "pending": self.pending,
            "not_taken": len(self.not_taken),
        }

    def everything(self) -> dict[str, Any]:
        """The summary, and by address: copies, refused, `cut`, and under `back` how often each kind went back."""
        return {
            **self.summary(),
            "copies": dict(self.copies),
            "refused_addresses": dict(self.refused),
            "cut": self.cuts,
            "back": {kind: dict(counts) for kind, counts in self.sent.items()},
            "refusals": self.not_taken[:100],
        }
