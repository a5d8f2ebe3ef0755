"""What the DNS of a sending domain says, and what is wrong with it. Questions go out, answers come in; no network here.

The proof of a domain, DKIM keys (RFC 6376 section 3.6.1), DMARC (RFC 7489 section 6.3, with the walk up the tree of
DMARCbis), MX (RFC 5321 section 5.1, RFC 7505). SPF is in mail/spf.py. Answers are untrusted: what is kept of them is
cut short and holds no control characters.
"""

import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

#: Where the proof of a domain stands: _postroom.firm.example.
PROOF_LABEL = "_postroom"
_SHOWN = 300
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Question:
    """kind: TXT, MX, SRV, A or AAAA."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """state: found, missing (no such name or no such record) or unreachable (silence, refusal, nonsense).

    values: TXT: the strings of a record joined; MX: "10 host"; SRV: "priority weight port target";
            A, AAAA: the address. reason: why it is unreachable.
    """

    state: str
    values: tuple[str, ...] = ()
    reason: str = ""


class State(StrEnum):
    OK = "ok"
    #: There is no such record.
    MISSING = "missing"
    #: There is one, but it does not do.
    WRONG = "wrong"
    #: DNS gave no usable answer.
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Finding:
    """code: what exactly, for the page to say; found: what stands there, cut short; values: words of the code."""

    state: State
    code: str
    found: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        return {
            "state": str(self.state),
            "code": self.code,
            "found": [shown(one) for one in self.found[:5]],
            "values": {name: shown(value) for name, value in self.values.items()},
        }


T = TypeVar("T")
#: Asks, is answered, returns what it found.
Asking = Generator[Question, Answer, T]


def shown(text: str) -> str:
    """Fit to be stored and shown: no control characters, 300 characters at most."""
    text = _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def unreachable(answer: Answer) -> Finding:
    return Finding(State.UNREACHABLE, "unreachable", values={"reason": answer.reason})


def proof(domain: str, token: str) -> Asking[Finding]:
    """Whether the TXT record at _postroom.DOMAIN is ours."""
    answer = yield Question("TXT", f"{PROOF_LABEL}.{domain}")
    if answer.state == "unreachable":
        return unreachable(answer)
    values = tuple(value.strip() for value in answer.values)
    if token in values:
        return Finding(State.OK, "proof_ok", (token,))
    if values:
        return Finding(State.WRONG, "proof_other", values)
    return Finding(State.MISSING, "proof_missing")


def dkim_key(domain: str, selector: str, public_key: str) -> Asking[Finding]:
    """Whether the record of a key is published. public_key: what stands behind p=."""
    answer = yield Question("TXT", f"{selector}._domainkey.{domain}")
    if answer.state == "unreachable":
        return unreachable(answer)
    if not answer.values:
        return Finding(State.MISSING, "dkim_missing")
    if len(answer.values) > 1:  # RFC 6376 section 3.6.2.2: then the result is undefined
        return Finding(State.WRONG, "dkim_several", answer.values)
    tags = tag_list(answer.values[0])
    if tags is None or "p" not in tags or tags.get("v", "DKIM1") != "DKIM1":
        return Finding(State.WRONG, "dkim_syntax", answer.values)
    published = re.sub(r"\s", "", tags["p"])
    if not published:
        return Finding(State.WRONG, "dkim_revoked", answer.values)
    if published != public_key or tags.get("k", "rsa") != "rsa":
        return Finding(State.WRONG, "dkim_other", answer.values)
    if "y" in tags.get("t", "").split(":"):  # section 3.6.1: a domain that only tests is treated as unsigned
        return Finding(State.WRONG, "dkim_testing", answer.values)
    return Finding(State.OK, "dkim_ok", answer.values)


def dmarc(domain: str) -> Asking[Finding]:
    """The policy for a From: domain: its own, or that of the nearest domain above it that has one."""
    labels = domain.split(".")
    for begin in range(max(0, min(len(labels) - 1, 8))):
        name = ".".join(labels[begin:])
        answer = yield Question("TXT", f"_dmarc.{name}")
        if answer.state == "unreachable":
            return unreachable(answer)
        records = [value for value in answer.values if re.match(r"v\s*=\s*DMARC1\b", value.strip())]
        if len(records) > 1:
            return Finding(State.WRONG, "dmarc_several", tuple(records))
        if records:
            return _dmarc_record(records[0], at=name, inherited=begin > 0)
        if answer.values and begin == 0:
            return Finding(State.WRONG, "dmarc_syntax", answer.values)
    return Finding(State.MISSING, "dmarc_missing")


def _dmarc_record(record: str, *, at: str, inherited: bool) -> Finding:
    tags = tag_list(record) or {}
    policy = tags.get("p", "").lower()
    if inherited and policy:
        policy = tags.get("sp", policy).lower()
    if policy not in ("none", "quarantine", "reject"):
        return Finding(State.WRONG, "dmarc_syntax", (record,))
    strict = [name for name in ("adkim", "aspf") if tags.get(name, "r").lower() == "s"]
    return Finding(
        State.OK, f"dmarc_{policy}", (record,), {"at": at, "policy": policy, "strict": ", ".join(strict)}
    )


def mx(domain: str) -> Asking[Finding]:
    """Whether mail to the domain goes somewhere."""
    answer = yield Question("MX", domain)
    if answer.state == "unreachable":
        return unreachable(answer)
    hosts = [host for _, host in mx_hosts(answer)]
    if hosts == ["."]:
        return Finding(State.WRONG, "mx_null", answer.values)
    if hosts:
        return Finding(State.OK, "mx_ok", answer.values, {"hosts": ", ".join(hosts[:5])})
    for kind in ("A", "AAAA"):  # RFC 5321 section 5.1: without MX the host itself is tried
        answer = yield Question(kind, domain)
        if answer.state == "unreachable":
            return unreachable(answer)
        if answer.values:
            return Finding(State.OK, "mx_implicit", answer.values)
    return Finding(State.MISSING, "mx_missing")


def mx_hosts(answer: Answer) -> list[tuple[int, str]]:
    """(preference, host without the dot at the end; "." is the null MX), best first."""
    found = []
    for value in answer.values:
        preference, _, host = value.partition(" ")
        if preference.isdecimal():
            found.append((int(preference), host.rstrip(".").lower() or "."))
    return sorted(found)


def tag_list(text: str) -> dict[str, str] | None:
    """name=value pairs with semicolons between (RFC 6376 section 3.2); None when it is no such list."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        if not part.strip():
            continue
        name, sign, value = part.partition("=")
        name = name.strip()
        if not sign or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in tags:
            return None
        tags[name] = value.strip()
    return tags


def dkim_record(public_key: str) -> str:
    return f"v=DKIM1; k=rsa; p={public_key}"


def quoted(value: str) -> str:
    """A TXT value as zone files want it: strings of at most 255 octets (RFC 1035 section 3.3.14)."""
    parts = [value[begin : begin + 255] for begin in range(0, len(value), 255)]
    return " ".join(f'"{part}"' for part in parts)


def answered(asking: Asking[T], answers: dict[Question, Answer]) -> T:
    """Run it with answers at hand; what is not among them is missing."""
    reply: Answer | None = None
    try:
        while True:
            question = next(asking) if reply is None else asking.send(reply)
            reply = answers.get(question, Answer("missing"))
    except StopIteration as end:
        found: T = end.value
        return found


def below(name: str, domains: Sequence[str]) -> str:
    """The longest of the domains that `name` is, or is below; "" = none."""
    fits = [domain for domain in domains if name == domain or name.endswith(f".{domain}")]
    return max(fits, key=len, default="")
