"""Asking DNS, for mail/dns_records.py and mail/spf.py. Blocking; every answer comes within the time given.

What answers is untrusted: it may be silent, lie, loop or send far too much, and is then `unreachable`.
"""

import time
from collections.abc import Sequence
from typing import TypeVar

import dns.exception
import dns.name
import dns.nameserver
import dns.rdatatype
import dns.resolver

from postroom.mail.dns_records import Answer, Asking, Question

T = TypeVar("T")

#: One question, all resolvers and tries together.
QUESTION_S = 5.0
#: Records and octets of one answer that are looked at; what is longer is nobody's SPF or DKIM record.
RECORDS_MAX = 50
OCTETS_MAX = 16_384


class Resolver:
    """servers: (IP address, port); empty = those of this machine (/etc/resolv.conf)."""

    def __init__(self, servers: Sequence[tuple[str, int]] = (), *, question_s: float = QUESTION_S) -> None:
        self._question_s = question_s
        try:
            self._asker = dns.resolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration:  # then every answer is that there is no server
            self._asker = dns.resolver.Resolver(configure=False)
        if servers:
            self._asker.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in servers]
        self._asker.cache = None
        self._asker.timeout = min(2.0, question_s)

    def ask(self, question: Question, *, within_s: float | None = None) -> Answer:
        lifetime = self._question_s if within_s is None else min(self._question_s, within_s)
        if lifetime <= 0:
            return Answer("unreachable", reason="timeout")
        try:
            name = dns.name.from_text(question.name)  # absolute: no search list
            found = self._asker.resolve(name, question.kind, lifetime=lifetime, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Answer("missing")
        except dns.resolver.LifetimeTimeout:
            return Answer("unreachable", reason="timeout")
        except dns.resolver.NoNameservers as error:
            return Answer("unreachable", reason=_reason(error))
        except (dns.exception.DNSException, OSError, UnicodeError, ValueError) as error:
            return Answer("unreachable", reason=type(error).__name__.lower())
        return _answer(question.kind, found)


def _answer(kind: str, found: dns.resolver.Answer) -> Answer:
    values: list[str] = []
    size = 0
    for record in list(found)[:RECORDS_MAX]:
        if kind == "TXT":
            octets = b"".join(record.strings)
            size += len(octets)
            if size > OCTETS_MAX:
                return Answer("unreachable", reason="too_long")
            values.append(octets.decode("utf-8", "replace"))
        elif kind == "MX":
            values.append(f"{record.preference} {record.exchange.to_text()}")
        elif kind == "SRV":
            values.append(f"{record.priority} {record.weight} {record.port} {record.target.to_text()}")
        else:
            values.append(record.address)
    return Answer("found", tuple(values))


def _reason(error: dns.resolver.NoNameservers) -> str:
    """What the last server did: servfail, refused, or the kind of nonsense it sent."""
    told = error.kwargs.get("errors") or [("", False, 0, "no server", None)]
    last = told[-1][3]
    if isinstance(last, OSError):
        return "no_server"
    return (last if isinstance(last, str) else type(last).__name__).lower()


def drive(asking: Asking[T], resolver: Resolver, *, within_s: float) -> T:
    """Answer what it asks until it is through; after `within_s` every further answer is `unreachable`."""
    until = time.monotonic() + within_s
    known: dict[Question, Answer] = {}
    reply: Answer | None = None
    try:
        while True:
            question = next(asking) if reply is None else asking.send(reply)
            if question not in known:
                known[question] = resolver.ask(question, within_s=until - time.monotonic())
            reply = known[question]
    except StopIteration as end:
        found: T = end.value
        return found
