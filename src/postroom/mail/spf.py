"""Which servers a domain lets send its mail, and whether ours is among them. RFC 7208.

Macros (section 7) stand for a mail: where only a record is looked at, a term that needs one is passed over.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from postroom.mail.dns_records import Answer, Asking, Finding, Question, State, mx_hosts, unreachable

#: Section 4.6.4: terms that ask DNS, and names without an answer.
LOOKUPS = 10
VOID = 2

_RESULT = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(
    r"(?P<sign>[+?~-]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::(?P<value>[^/\s]\S*?))?(?P<length>(?:/\d{1,3})?(?://\d{1,3})?)",
    re.IGNORECASE,
)
_LAST = re.compile(r"[+?~-]?all$|redirect=", re.IGNORECASE).match
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9._-]*)=(?P<value>\S*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Term:
    sign: str
    name: str
    value: str
    length: str


def with_server(record: str, hosts: list[str]) -> str:
    """The record to publish so that `hosts` (names, IP addresses) may send. record: what stands now, "" = nothing."""
    wanted = []
    for host in hosts:
        try:
            wanted.append(f"ip{ip_address(host).version}:{host}")
        except ValueError:
            wanted.append(f"a:{host}")
    words = record.split() if record.lower().startswith("v=spf1") else ["v=spf1", "mx", "~all"]
    last = next((n for n, word in enumerate(words) if _LAST(word)), len(words))
    new = [word for word in wanted if word not in words]
    return " ".join([*words[:last], *new, *words[last:]])


class BadSpf(Exception):
    """A record that receivers treat as an error. code: spf_syntax, spf_several, spf_lookups; about: the term."""

    def __init__(self, code: str, about: str = "", found: tuple[str, ...] = ()) -> None:
        super().__init__(code)
        self.code, self.about, self.found = code, about, found


class Away(Exception):
    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.reason)
        self.answer = answer


def terms_of(record: str) -> tuple[list[Term], str]:
    """The mechanisms in order, and where redirect= leads ("" = nowhere). Raises BadSpf."""
    found: list[Term] = []
    redirect = ""
    for word in record.split(" ")[1:]:
        if not word:
            continue
        match = _TERM.fullmatch(word)
        if match is None:
            modifier = _MODIFIER.fullmatch(word)
            if modifier is None or (
                modifier["name"].lower() == "redirect" and (redirect or not modifier["value"])
            ):
                raise BadSpf("spf_syntax", word)
            if modifier["name"].lower() == "redirect":
                redirect = modifier["value"]
            continue
        term = Term(match["sign"] or "+", match["name"].lower(), match["value"] or "", match["length"] or "")
        _check(term, word)
        found.append(term)
    return found, redirect


def _check(term: Term, word: str) -> None:
    wants = term.name in ("include", "ip4", "ip6", "exists")
    if (wants and not term.value) or (term.name == "all" and (term.value or term.length)):
        raise BadSpf("spf_syntax", word)
    if term.name in ("ip4", "ip6"):
        try:
            net = ip_network(term.value + term.length, strict=False)
        except ValueError:
            raise BadSpf("spf_syntax", word) from None
        if net.version != int(term.name[2]):
            raise BadSpf("spf_syntax", word)


def spf(domain: str, servers: list[str]) -> Asking[Finding]:
    """The SPF of a domain whose mail we hand to `servers` (IP addresses; [] = not known, only the record is read)."""
    try:
        answer = yield Question("TXT", domain)
        record = record_of(answer)
        if not record:
            return Finding(State.MISSING, "spf_missing")
        for term in terms_of(record)[0]:
            if term.name == "all" and term.sign == "+":
                return Finding(State.WRONG, "spf_open", (record,))
        for server in servers or ["192.0.2.1"]:  # an address of nobody: walks through the whole record
            result = yield from Walk(server).host(domain, record)
            if servers and result != "pass":
                return Finding(State.WRONG, "spf_not_ours", (record,), {"server": server, "result": result})
        return Finding(
            State.OK, "spf_ok" if servers else "spf_read", (record,), {"server": ", ".join(servers)}
        )
    except BadSpf as bad:
        return Finding(State.WRONG, bad.code, bad.found or answer.values, {"about": bad.about})
    except Away as away:
        return unreachable(away.answer)


def record_of(answer: Answer) -> str:
    """The record among the TXT records; "" = none. Raises BadSpf for several, Away."""
    if answer.state == "unreachable":
        raise Away(answer)
    found = [value for value in answer.values if re.match(r"v=spf1( |$)", value, re.IGNORECASE)]
    if len(found) > 1:
        raise BadSpf("spf_several", found=tuple(found))
    return found[0] if found else ""


class Walk:
    """check_host() of section 4 for one address. expand: fills the macros of a text in, for the domain at hand."""

    def __init__(self, address: str, expand: Callable[[str, str], str] | None = None) -> None:
        self._ip = ip_address(address)
        self._expand = expand
        self._asked = 0
        self._void = 0

    def host(self, domain: str, record: str) -> Asking[str]:
        terms, redirect = terms_of(record)
        for term in terms:
            if (yield from self._fits(term, domain)):
                return _RESULT[term.sign]
        redirect = self._filled(redirect, domain)
        if redirect and not any(term.name == "all" for term in terms):
            self._count(f"redirect={redirect}")
            target = record_of((yield Question("TXT", redirect)))
            if not target:
                raise BadSpf("spf_syntax", f"redirect={redirect}")
            return (yield from self.host(redirect, target))
        return "neutral"

    def _fits(self, term: Term, domain: str) -> Asking[bool]:
        if term.name == "all":
            return True
        if term.name in ("ip4", "ip6"):
            return self._ip in ip_network(term.value + term.length, strict=False)
        self._count(f"{term.name}:{term.value}" if term.value else term.name)
        name = self._filled(term.value, domain) if term.value else domain
        if not name or term.name == "ptr":
            return False
        if term.name == "include":
            inside = record_of((yield Question("TXT", name)))
            if not inside:
                raise BadSpf("spf_include", name)
            return (yield from self.host(name, inside)) == "pass"
        if term.name == "exists":
            return bool((yield from self._ask("A", name)).values)
        if term.name == "a":
            return (yield from self._at(name, term.length))
        answer = yield from self._ask("MX", name)
        for _, host in mx_hosts(answer)[:LOOKUPS]:
            if host != "." and (yield from self._at(host, term.length)):
                return True
        return False

    def _filled(self, text: str, domain: str) -> str:
        """ "" where it has macros that cannot be filled in."""
        if "%" not in text:
            return text
        return self._expand(text, domain) if self._expand else ""

    def _at(self, name: str, length: str) -> Asking[bool]:
        kind = "A" if self._ip.version == 4 else "AAAA"
        answer = yield from self._ask(kind, name)
        four, _, six = length.partition("//")
        bits = four.strip("/") if self._ip.version == 4 else six
        for value in answer.values:
            try:
                if self._ip in ip_network(f"{value}/{bits}" if bits else value, strict=False):
                    return True
            except ValueError:  # a length above 32, or no address
                raise BadSpf("spf_syntax", f"{name}{length}") from None
        return False

    def _ask(self, kind: str, name: str) -> Asking[Answer]:
        answer = yield Question(kind, name)
        if answer.state == "unreachable":
            raise Away(answer)
        if not answer.values:
            self._void += 1
            if self._void > VOID:
                raise BadSpf("spf_void", name)
        return answer

    def _count(self, term: str) -> None:
        self._asked += 1
        if self._asked > LOOKUPS:
            raise BadSpf("spf_lookups", term)
