"""Finding the servers of an address when only the address is known.

In this order: the table of large providers - the domain's autoconfig document - SRV records (RFC 6186, RFC 8314) -
who its MX records belong to - the names that servers usually have, tried one after the other. Rules only: what must be
asked is yielded, the caller asks it and sends the answer in.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from postroom.mail.address import canonical
from postroom.mail.autoconfig import autoconfig_read
from postroom.mail.dns_records import Answer, Question
from postroom.mail.providers import Place, Provider, provider_of, provider_of_mx


@dataclass(frozen=True, slots=True)
class Page:
    """A document to get; the answer is its bytes, b"" when it cannot be had."""

    url: str


@dataclass(frozen=True, slots=True)
class Try:
    """A server to greet, without signing in; the answer is whether it spoke its protocol there."""

    side: str
    place: Place


@dataclass(frozen=True, slots=True)
class Discovered:
    """What was found. source: provider, autoconfig, srv, mx, guess, or "" for nothing. login: of each side."""

    source: str = ""
    name: str = ""
    imap: Place | None = None
    smtp: Place | None = None
    imap_login: str = ""
    smtp_login: str = ""
    hint: str = ""
    limits: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The values of an account's form under its names, beside source, name and hint."""
        values: dict[str, Any] = {"source": self.source, "name": self.name, "hint": self.hint, **self.limits}
        for side, place, login in (
            ("imap", self.imap, self.imap_login),
            ("smtp", self.smtp, self.smtp_login),
        ):
            if place is not None:
                values |= {
                    f"{side}_host": place.host,
                    f"{side}_port": place.port,
                    f"{side}_security": place.security,
                    f"{side}_login": login,
                }
        return values


Seeking: TypeAlias = Generator[Question | Page | Try, Any, Discovered]


def discover(address: str) -> Seeking:
    """address: a valid one."""
    domain = canonical(address).rpartition("@")[2]
    provider = provider_of(domain)
    if provider is not None:
        return _of(provider, "provider", address)
    for url in _documents(domain, address):
        found = autoconfig_read((yield Page(url)), address)
        if "smtp" in found:
            imap = found.get("imap")
            smtp, login = found["smtp"]
            return Discovered("autoconfig", domain, imap and imap[0], smtp, imap[1] if imap else "", login)
    served = yield from _by_srv(domain, address)
    if served is not None:
        return served
    answer: Answer = yield Question("MX", domain)
    hosts = [value.split()[-1].rstrip(".") for value in answer.values]
    provider = provider_of_mx(hosts)
    if provider is not None:
        return _of(provider, "mx", address)
    return (yield from _by_guess(domain, hosts, address))


def _of(provider: Provider, source: str, address: str) -> Discovered:
    return Discovered(
        source,
        provider.name,
        provider.imap,
        provider.smtp,
        address,
        address,
        provider.hint,
        dict(provider.limits),
    )


def _documents(domain: str, address: str) -> tuple[str, str]:
    return (
        f"https://autoconfig.{domain}/mail/config-v1.1.xml?emailaddress={quote(address)}",
        f"https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml",
    )


def _by_srv(domain: str, address: str) -> Generator[Question, Answer, Discovered | None]:
    """Implicit TLS before STARTTLS (RFC 8314 section 5.1). A target "." says that there is no such service."""
    places: dict[str, Place] = {}
    for side, service, security in (
        ("smtp", "_submissions", "tls"),
        ("smtp", "_submission", "starttls"),
        ("imap", "_imaps", "tls"),
        ("imap", "_imap", "starttls"),
    ):
        if side in places:
            continue
        answer = yield Question("SRV", f"{service}._tcp.{domain}")
        rows = sorted(tuple(value.split()) for value in answer.values if len(value.split()) == 4)
        for _, _, port, target in sorted(rows, key=lambda row: (_whole(row[0]), -_whole(row[1]))):
            host = target.rstrip(".").lower()
            if host and 0 < _whole(port) < 65536:
                places[side] = Place(host, _whole(port), security)
                break
    if "smtp" not in places:
        return None
    imap = places.get("imap")
    return Discovered("srv", domain, imap, places["smtp"], address if imap else "", address)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _by_guess(domain: str, hosts: list[str], address: str) -> Generator[Try, bool, Discovered]:
    """Usual names, then the MX host itself; encrypted ports only."""
    found: dict[str, Place] = {}
    for side, names, ports in (
        ("smtp", ("smtp", "mail"), ((465, "tls"), (587, "starttls"))),
        ("imap", ("imap", "mail"), ((993, "tls"), (143, "starttls"))),
    ):
        candidates = [f"{name}.{domain}" for name in names] + hosts[:1]
        for place in (Place(host, port, kind) for host in candidates for port, kind in ports):
            if (yield Try(side, place)):
                found[side] = place
                break
    if not found:
        return Discovered()
    imap, smtp = found.get("imap"), found.get("smtp")
    return Discovered("guess", domain, imap, smtp, address if imap else "", address if smtp else "")
