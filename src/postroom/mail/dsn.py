"""Delivery status notifications: the fields of RFC 3464, read tolerantly (RFC 3461, RFC 6533)."""

import re
from dataclasses import dataclass, field

from postroom.mail.finding import Finding, code_in, status_in, step_in, tidy

TYPES = ("message/delivery-status", "message/global-delivery-status", "message/xdelivery-status")
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")

#: What some programs write instead of the five words.
_ODD_ACTIONS = {
    "failure": "failed",
    "fail": "failed",
    "failed": "failed",
    "error": "failed",
    "expired": "failed",
    "undeliverable": "failed",
    "permanent": "failed",
    "delay": "delayed",
    "deferred": "delayed",
    "deliverable": "delivered",
    "success": "delivered",
    "delivery": "delivered",
    "relay": "relayed",
}
_WHO = ("final-recipient", "original-recipient", "x-actual-recipient")
_OF_ONE = frozenset(
    (
        *_WHO,
        "action",
        "status",
        "diagnostic-code",
        "remote-mta",
        "last-attempt-date",
        "x-powermta-bouncecategory",
    )
)
_START = ("reporting-mta", "original-envelope-id", "arrival-date", *sorted(_OF_ONE))
#: A summary of the reporter's own around the reply it got: "5.1.0 - Unknown address error 550-'5.7.1 ...'".
_QUOTED = re.compile(r"[245]\.\d\.\d - .{0,80}? ([245]\d\d[- ]'.{1,3000})", re.DOTALL)


@dataclass(slots=True)
class Dsn:
    envelope_id: str = ""
    #: Google and some others name the message in the fields, with or without angle brackets.
    message_id: str = ""
    findings: list[Finding] = field(default_factory=list)


def parse(text: str) -> Dsn:
    """The fields of a delivery-status part. Blocks may lack blank lines between them, or have too many."""
    dsn = Dsn()
    one: dict[str, str] = {}
    blocks: list[dict[str, str]] = []
    for name, value in _fields(text):
        if name == "":
            # A blank line ends a recipient only when the recipient is known.
            if any(one.get(who) for who in _WHO):
                blocks.append(one)
                one = {}
        elif name == "original-envelope-id":
            dsn.envelope_id = dsn.envelope_id or value
        elif name in ("x-original-message-id", "original-message-id"):
            dsn.message_id = dsn.message_id or value
        elif name in _OF_ONE:
            if name in one and name in ("final-recipient", "action", "status") and one[name] != value:
                blocks.append(one)
                one = {}
            one.setdefault(name, value)
    blocks.append(one)
    for block in blocks:
        found = _finding(block)
        if found.recipient or found.action or found.status:
            dsn.findings.append(found)
    dsn.findings = _merged(dsn.findings)
    return dsn


def looks_like_fields(text: str) -> bool:
    """Whether a text carries the fields without saying so in its type (mailing tools flatten reports)."""
    lower = text.lower()
    return "final-recipient:" in lower and ("action:" in lower or "status:" in lower)


def action_word(value: str) -> str:
    """One of the five words of RFC 3464 section 2.3.3, or ""."""
    word = value.strip().partition(" ")[0].strip(";,.()").lower()
    return word if word in ACTIONS else _ODD_ACTIONS.get(word, "")


def _fields(text: str) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in text.split("\n")[:2000]:
        line = line.rstrip()
        if not line:
            if fields and fields[-1][0]:
                fields.append(("", ""))
            continue
        if line[0] in " \t" and fields and fields[-1][0]:
            # Some indent every field: a known name starts a new one.
            name = line.strip().partition(":")[0].lower()
            if name not in _START:
                last, value = fields[-1]
                fields[-1] = (last, f"{value} {line.strip()}"[:4000])
                continue
        name, colon, value = line.strip().partition(":")
        name = name.strip().lower()
        if colon and name and " " not in name and len(name) < 60:
            fields.append((name, value.strip()[:4000]))
        elif fields and fields[-1][0] == "diagnostic-code":
            fields[-1] = ("diagnostic-code", f"{fields[-1][1]} {line.strip()}"[:4000])
    return fields


def _finding(block: dict[str, str]) -> Finding:
    diagnostic = block.get("diagnostic-code", "")
    kind, semicolon, rest = diagnostic.partition(";")
    words = rest.strip() if semicolon and " " not in kind.strip() else diagnostic
    if kind.strip().lower() == "x-unix":
        # A program said it, and what it said may be a number.
        words = f"x-unix; {words}"
    inner = _QUOTED.match(words)
    words = inner.group(1) if inner else words
    step = step_in(f"{block.get('status', '')} {words}")
    if " said: " in words[:300]:
        # Postfix: "host mx.example[192.0.2.1] said: 550 ...".
        words = words.partition(" said: ")[2]
    field_status = block.get("status", "")
    status = status_in(words)
    given = status_in(field_status)
    if not status or (given and given[1:] != ".0.0"):
        status = given or status
    recipient = next((address for who in _WHO if (address := tidy(block.get(who, "")))), "")
    code = code_in(words)
    return Finding(
        recipient=recipient,
        action=action_word(block.get("action", "")),
        status=status,
        code=code,
        words=words,
        step=step,
        host=block.get("remote-mta", "").partition(";")[2].strip(),
        context=field_status.partition("(")[2].rstrip(") ") + _category(block),
    )


def _category(block: dict[str, str]) -> str:
    """PowerMTA's own word for the reason."""
    category = block.get("x-powermta-bouncecategory", "")
    return f" bounce category {category}" if category else ""


def _merged(findings: list[Finding]) -> list[Finding]:
    """Joins what a stray blank line split: a block without an address belongs to the one before or after it."""
    merged: list[Finding] = []
    for found in findings:
        last = merged[-1] if merged else None
        if (
            last is not None
            and (not found.recipient or not last.recipient)
            and not (last.status and found.status)
        ):
            last.recipient = last.recipient or found.recipient
            last.action = last.action or found.action
            last.status = last.status or found.status
            last.code = last.code or found.code
            last.words = last.words or found.words
            last.step = last.step or found.step
            last.host = last.host or found.host
            last.context = last.context or found.context
        else:
            merged.append(found)
    return merged
