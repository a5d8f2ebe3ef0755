"""Whether the server that took a mail in proved who it is from: the Authentication-Results header of that server alone.

Anybody can write such a header. Believed is the topmost one that bears the name of the account's own server and stands
where that server writes: above every line of a server that is not its own. RFC 8601 sections 2, 4.1, 5 and 7.1; what
"proved" means is the alignment of RFC 7489 section 3.1.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from postroom.mail.letter import people
from postroom.mail.mime import decoded

#: What big providers call their servers where the name is not that of the host one reads mail from.
_ALIASES = {
    "gmail.com": ("google.com",),
    "googlemail.com": ("google.com",),
    "office365.com": ("outlook.com", "protection.outlook.com"),
    "outlook.com": ("protection.outlook.com",),
    "mail.me.com": ("icloud.com", "apple.com"),
}
#: Second levels under which strangers register their domains: no house of their own.
_SUFFIXES = frozenset(
    "ac biz co com edu gob gov gr info ltd mil ne net nom or org plc sch shop waw wroclaw krakow".split()  # noqa: SIM905
)
_COMMENT = re.compile(r"\((?:[^()\\]|\\.){0,1000}\)")
_RESULT = re.compile(
    r"^\s*([a-z][a-z0-9-]{0,30})\s*(?:/\s*\d+\s*)?=\s*([a-z]{1,20})\b(.{0,2000})$", re.IGNORECASE | re.DOTALL
)
_PROPERTY = re.compile(
    r"([a-z]{1,20})\.([a-z0-9_-]{1,30})\s*=\s*(\"[^\"]{0,300}\"|[^\s;]{1,300})", re.IGNORECASE
)
_BY = re.compile(r"\bby\s+([A-Za-z0-9.-]{1,253})")
_HEAD = 1 << 18


class Proof(StrEnum):
    #: The domain of the sender's address vouches for the mail.
    PROVEN = "proven"
    #: It was looked at, and the domain does not.
    FAILED = "failed"
    #: Nobody we trust says anything.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """server: who says so; methods: (method, result) as it wrote them, "dkim", "pass"."""

    proof: Proof
    server: str = ""
    methods: tuple[tuple[str, str], ...] = field(default=())


def fields(raw: bytes) -> list[tuple[str, str]]:
    """The header fields of a mail in order, unfolded, names in lower case."""
    head = raw[:_HEAD].replace(b"\r\n", b"\n").partition(b"\n\n")[0]
    found: list[tuple[str, str]] = []
    for line in decoded(head, "utf-8").split("\n"):
        if line[:1] in (" ", "\t") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip() and " " not in name.rstrip():
            found.append((name.rstrip().lower(), value.strip()))
    return found


def proof(headers: Sequence[tuple[str, str]], hosts: Collection[str]) -> Told:
    """What the account's server says of the sender.

    headers: of the mail in order, as `fields` gives them; hosts: names of the account's servers and of its domain.
    """
    senders = [people(value) for name, value in headers if name == "from"]
    writer = senders[0][0].address if len(senders) == 1 and len(senders[0]) == 1 else ""
    domain = writer.rpartition("@")[2].lower()
    ours = _known(hosts)
    for value in _trusted(headers, ours):
        server, results = _results(value)
        methods = tuple((method, result) for method, result, _ in results)
        if not domain or not results:
            return Told(Proof.UNKNOWN, server, methods)
        if any(_vouches(method, result, properties, domain) for method, result, properties in results):
            return Told(Proof.PROVEN, server, methods)
        looked = {result for method, result in methods if method in ("dmarc", "dkim", "spf")}
        failed = ("dmarc", "fail") in methods or bool(looked & {"fail", "softfail", "permerror", "policy"})
        return Told(Proof.FAILED if failed else Proof.UNKNOWN, server, methods)
    return Told(Proof.UNKNOWN)


def _known(hosts: Collection[str]) -> set[str]:
    """The domains whose servers are the account's own: that of each host, and what such a provider calls itself."""
    found = set()
    for host in hosts:
        labels = host.lower().strip(".").split(".")
        if len(labels) < 2:
            continue
        found.add(".".join(labels))
        if len(labels) > 2:
            found.add(".".join(labels[1:]))  # imap.example.org and mx.example.org are one house
    for known in list(found):
        found.update(_ALIASES.get(known, ()))
    return {
        one
        for one in found
        if one.count(".") and one.split(".")[-2] not in _SUFFIXES and not one[-1].isdigit()
    }


def _is_own(host: str, ours: Collection[str]) -> bool:
    host = host.lower().strip(".")
    return any(host == one or host.endswith(f".{one}") for one in ours)


def _trusted(headers: Sequence[tuple[str, str]], ours: Collection[str]) -> Iterator[str]:
    """The believed headers, topmost first: none below the line of a foreign server, or a second one of the border."""
    border = False
    for name, value in headers:
        if name == "received":
            by = _BY.search(value)
            foreign = by is None or not _is_own(by[1], ours)
            if border and foreign:
                return
            if foreign and by is not None and "." in by[1] and by[1] != "localhost":
                return
            border = border or not foreign
        elif name == "authentication-results":
            server = _COMMENT.sub(" ", value).split(";")[0].split()
            if server and _is_own(server[0], ours):
                yield value


def _results(value: str) -> tuple[str, list[tuple[str, str, dict[str, str]]]]:
    """(the server's name, [(method, result, {"header.d": ...})])."""
    for _ in range(3):  # comments within comments
        value = _COMMENT.sub(" ", value)
    server, *rest = value[:20_000].split(";")
    found = []
    for one in rest[:50]:
        result = _RESULT.match(one)
        if result:
            properties = {
                f"{kind}.{name}".lower(): text.strip('"').lower()
                for kind, name, text in _PROPERTY.findall(result[3])
            }
            found.append((result[1].lower(), result[2].lower(), properties))
    return (server.split() or [""])[0], found


def _vouches(method: str, result: str, properties: dict[str, str], domain: str) -> bool:
    """Whether a passed check speaks for the domain that people see."""
    if result != "pass":
        return False
    if method == "dmarc":
        return properties.get("header.from", domain).rpartition("@")[2] == domain
    if method == "dkim":
        signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
        return _aligned(signer, domain)
    if method == "spf":
        sender = (
            properties.get("smtp.mailfrom") or properties.get("smtp.mail") or properties.get("smtp.from", "")
        )
        return _aligned(sender.rpartition("@")[2], domain)
    return False


def _aligned(one: str, other: str) -> bool:
    """The same domain, or one below the other: relaxed alignment, without a list of suffixes."""
    one = one.strip(".<>")
    if one.count(".") == 0:
        return False
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
