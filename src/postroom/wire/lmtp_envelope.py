"""The envelope as a client writes it: MAIL FROM and RCPT TO with their parameters, and the bounds they meet.

RFC 5321 section 4.1.2, RFC 3461 section 4, RFC 1870, RFC 6152, RFC 6531.
"""

import re
from dataclasses import dataclass, field
from io import BytesIO
from ipaddress import ip_address, ip_network
from typing import IO

_PATH = re.compile(r'<((?:"(?:[^"\\]|\\.)*"|[^<>"\s])*)>(?:\s+(.*))?\Z|([^<>\s]+)(?:\s+(.*))?\Z')
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
#: Networks of a firm (RFC 1918, RFC 6598, RFC 4193): a client there is a server of its own.
_NEAR = [
    ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
_NOTIFY = re.compile(r"(?i:never|(?:success|failure|delay)(?:,(?:success|failure|delay))*)\Z")


@dataclass(frozen=True, slots=True)
class Recipient:
    """One accepted RCPT TO. notify, orcpt: RFC 3461 section 4.1 and 4.2, decoded; "" when not given."""

    address: str
    notify: str = ""
    orcpt: str = ""


@dataclass(slots=True)
class Received:
    """One message with its envelope. mail_from "" is the null path; the session closes `content`.

    peer: who handed it over, as a trace tells it: "mail.example.org ([192.0.2.1])".
    """

    mail_from: str
    envid: str = ""
    ret: str = ""
    eight_bit: bool = False
    smtputf8: bool = False
    peer: str = ""
    #: The address outside that it comes from, and how it greeted; "" = some server of ours, or nobody knows.
    client: str = ""
    helo: str = ""
    recipients: list[Recipient] = field(default_factory=list)
    size: int = 0
    content: IO[bytes] = field(default_factory=BytesIO)


@dataclass(frozen=True, slots=True)
class Limits:
    """size_bytes: larger messages get 552. idle_s: silence that ends a session; message_s: the longest DATA.

    commands: how many replies a session may have without a message being taken.
    refused: recipients refused in one session.
    per_client: connections of one IP address; this machine and Unix sockets are not counted.
    """

    size_bytes: int = 64 << 20
    recipients: int = 100
    refused: int = 50
    commands: int = 500
    connections: int = 200
    per_client: int = 20
    idle_s: float = 300.0
    message_s: float = 1800.0
    spool_bytes: int = 1 << 20
    spool_folder: str | None = None


def _command(arg: str, keyword: str) -> tuple[str, dict[str, str]] | None:
    """The path and the parameters of MAIL FROM or RCPT TO; names in capitals. None = unreadable."""
    if arg[: len(keyword)].upper() != keyword:
        return None
    found = _PATH.match(arg[len(keyword) :].strip())
    if found is None:
        return None
    path = found[1] if found[1] is not None else found[3]
    path = re.sub(r"\A@[^:]*:", "", path)  # a source route is ignored: RFC 5321 appendix C
    if not path.isprintable():  # control characters, bytes that are not UTF-8
        return None
    parameters = {}
    for word in (found[2] or found[4] or "").split():
        name, _, value = word.partition("=")
        parameters[name.upper()] = value
    return path, parameters


def mail_command(arg: str, limits: Limits) -> Received | str:
    """What MAIL begins, or the refusal."""
    read = _command(arg, "FROM:")
    if read is None:
        return "501 5.5.4 Syntax: MAIL FROM:<address>"
    path, given = read
    mail = Received(path)
    body, size = given.pop("BODY", "7BIT").upper(), given.pop("SIZE", "0")
    mail.eight_bit, mail.smtputf8 = body == "8BITMIME", given.pop("SMTPUTF8", None) is not None
    mail.envid, mail.ret = _xtext(given.pop("ENVID", "")), given.pop("RET", "").upper()
    if body not in {"7BIT", "8BITMIME"} or not size.isdigit() or mail.ret not in {"", "FULL", "HDRS"}:
        return "501 5.5.4 A parameter of MAIL is wrong"
    if given:
        return "555 5.5.4 A parameter of MAIL is not known here"
    if int(size[:20]) > limits.size_bytes:
        return "552 5.3.4 The message is too big"
    return mail


def rcpt_command(arg: str) -> Recipient | str:
    """The recipient RCPT names, or the refusal."""
    read = _command(arg, "TO:")
    if read is None or not read[0]:
        return "501 5.1.3 Syntax: RCPT TO:<address>"
    path, given = read
    notify, orcpt = given.pop("NOTIFY", ""), given.pop("ORCPT", "")
    if notify and not _NOTIFY.match(notify):
        return "501 5.5.4 A parameter of RCPT is wrong"
    if given:
        return "555 5.5.4 A parameter of RCPT is not known here"
    return Recipient(path, notify.upper(), _xtext(orcpt.partition(";")[2]))


def xforward(arg: str) -> dict[str, str] | None:
    """What a server in front tells of its client: names in capitals; what it does not know is "". None = unreadable."""
    told: dict[str, str] = {}
    for word in arg.split():
        name, sign, value = word.partition("=")
        if not sign or not name.isalpha():
            return None
        told[name.upper()] = "" if value.upper() in ("[UNAVAILABLE]", "[TEMPUNAVAIL]") else _xtext(value)
    return told or None


def outside(address: str) -> str:
    """The same when it is an IP address of nobody near, "" otherwise."""
    try:
        found = ip_address(address.upper().removeprefix("IPV6:").partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    near = found.is_loopback or found.is_link_local or found.is_unspecified
    return "" if near or any(found.version == net.version and found in net for net in _NEAR) else str(found)


def _xtext(text: str) -> str:
    """RFC 3461 section 4: +2B is a plus."""
    return _XTEXT.sub(lambda found: chr(int(found[1], 16)), text)
