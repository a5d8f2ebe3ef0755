"""What one report says of one recipient, before a reason is known; codes and addresses found in text.

RFC 3463 (status), RFC 5321 section 4.2 (reply codes).
"""

import re
from dataclasses import dataclass

STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\d)")
#: A reply code with what follows one in a reply: a blank, a hyphen, a status, the end.
CODE = re.compile(
    r"(?<![\d.:/@=_-])([245][0-5]\d)(?=[- ](?!(?:bytes|seconds|days|hours|minutes|kb|mb)\b)|:|$)"
)
ADDRESS = re.compile(
    r"(?<![\w.+=/'!#$&*-])((?:\"[^\"\s@<>]{1,64}\"|[\w.+=/'!#$%&*?^`{|}~-]{1,128})@(?:[\w-]{1,63}\.){1,10}[\w-]{2,63})"
)

#: The dialogue's step at which a refusal came, by the words around it; the last one found decides.
_STEPS = {
    "DATA": (
        "end of data", "final data", ">>> data", "after i sent the message", "data command", "text command",
        "[data]", "(state 17)", "(state 18)", "message body command", "after data", "(data)",
        "smtp command data", ">>> .", "smtp transmission failure has occurred", "lmtp transmission failure",
        "(in reply to end of", "after pipelined",
    ),
    "RCPT": (
        "rcpt to", "does not like recipient", "[rcpt_to]", "rcpt command", "(state 13)", "(state 14)",
        "has rejected address", "rcpt:", "(rcpt)", "smtp:rcpt", "smtp command rcpt", "in response to rcpt",
    ),
    "MAIL": (
        "mail from:<", "mail from command", "sender was rejected", "[mail_from]", "(mail)", "our mail from",
        ">>> mail", "in reply to mail from",
    ),
    "HELO": (
        "helo command", "my name was rejected", ">>> helo", ">>> ehlo", "helo handshake", "(helo)",
        "after ehlo", "after helo", "after starttls",
    ),
    "CONN": (
        "refused to talk to me", "initial connection", "while talking to me", "initial server greeting",
    ),
}  # fmt: skip


@dataclass(slots=True)
class Finding:
    """One recipient of a report. Every text is "" when the report does not say it; `words` are the server's."""

    recipient: str = ""
    action: str = ""
    status: str = ""
    code: str = ""
    words: str = ""
    step: str = ""
    #: Host that refused.
    host: str = ""
    #: Everything the report says around this recipient.
    context: str = ""


def status_in(text: str) -> str:
    """The first status that says more than "x.0.0", else the first, else ""."""
    found = STATUS.findall(text[:4000])
    return next((status for status in found if status[1:] != ".0.0"), found[0] if found else "")


def code_in(text: str) -> str:
    """The first reply code that is a refusal, else the first one, else ""."""
    found = CODE.findall(text[:4000])
    return next((code for code in found if code[0] in "45"), found[0] if found else "")


def step_in(text: str) -> str:
    """The step of the SMTP dialogue that a text names last: CONN, HELO, MAIL, RCPT, DATA or ""."""
    text = " ".join(text[:20000].split()).lower()
    best, at = "", -1
    for step, sayings in _STEPS.items():
        for saying in sayings:
            place = text.rfind(saying)
            if place > at:
                best, at = step, place
    return best


def said_in(text: str) -> str:
    """The server's reply quoted in a text: from the first refusing reply code to the end of its paragraph."""
    for found in CODE.finditer(text[:8000]):
        if found.group(1)[0] in "45":
            return text[found.start() : found.start() + 1500].partition("\n\n")[0].strip()
    return ""


def addresses_in(text: str) -> list[str]:
    """The addresses in a text, in order, once each."""
    if "@" not in text:
        return []
    found: dict[str, None] = {}
    for address in ADDRESS.findall(text[:20000]):
        local, _, domain = address.rpartition("@")
        found.setdefault(f"{local}@{domain.lower()}")
    return list(found)


def tidy(address: str) -> str:
    """An address as written in a header or field, without type, comment and brackets, domain in lower case.

    "" when there is none.
    """
    if "@" not in address:
        return ""
    kind, semicolon, rest = address.partition(";")
    if semicolon and "@" not in kind:
        address = rest
    address = address.strip()
    if "<" in address:
        inner = address.rpartition("<")[2].partition(">")[0]
        if "@" in inner or not ADDRESS.search(address):
            address = inner
    address = address.strip(" \t<>[](),;:\"'")
    if address.lower().startswith("mailto:"):
        address = address[7:]
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain or (local.startswith("@") and ":" in local):
        return ""
    if any(character in domain for character in " \t<>()") or any(
        character in local for character in "<>\t|"
    ):
        found = ADDRESS.search(address)
        if not found or "|" in address:
            return ""
        local, _, domain = found.group(1).rpartition("@")
    return f"{local}@{domain.lower().rstrip('.')}"
