"""Writing a delivery status notification of our own. RFC 3464, RFC 6522; RFC 3461 section 6 says what must be in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.mail import header
from postroom.mail.body import crlf
from postroom.mail.letterhead import head_of

#: A failed mail above this goes back with its header only.
FULL_MAX = 1 << 20
SUBJECTS = {
    "failed": "Undelivered mail returned to sender",
    "delayed": "Delayed mail (still being tried)",
    "delivered": "Successful mail delivery report",
    "relayed": "Successful mail delivery report",
    "expanded": "Successful mail delivery report",
}
_SENTENCES = {
    "failed": "Your message could not be delivered to this recipient, and it is not tried again.",
    "delayed": "Your message could not be delivered yet. It is tried further; you need not send it again.",
    "delivered": "Your message was delivered to this recipient.",
    "relayed": "Your message was handed to a mail server that sends no reports of delivery.",
    "expanded": "Your message went on to the members behind this address.",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one recipient. action: RFC 3464 section 2.3.3; status: RFC 3463; words: the server's own."""

    recipient: str
    action: str
    status: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """The mail that is spoken of, as its sender gave it. ret: FULL or HDRS; arrived_at: aware."""

    raw: bytes
    sender: str
    envid: str = ""
    orcpt: str = ""
    ret: str = ""
    arrived_at: datetime | None = None


def report_make(
    about: About, said: Sequence[Said], *, host: str, header_from: str, message_id: str, at: datetime
) -> bytes:
    """One report to the envelope sender; `said` is not empty, its first action gives the subject.

    host: our name; message_id: without brackets; at: aware. Raises BadAddress for a sender that is no address.
    """
    boundary = f"=_postroom_report_{message_id.partition('@')[0]}"
    head = (
        header.mailbox("From", "Mail delivery system", header_from)
        + header.mailbox("To", "", about.sender)
        + header.unstructured("Subject", SUBJECTS[said[0].action])
        + header.date("Date", at)
        + header.structured("Message-ID", [f"<{message_id}>"])
        + "Auto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        + "Content-Type: multipart/report; report-type=delivery-status;\r\n"
        + f' boundary="{boundary}"\r\n\r\n'
    )
    kind, returned = _returned(about, any(one.action == "failed" for one in said))
    parts = [
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        if not all((one.words + one.recipient).isascii() for one in said)
        else "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
        "Content-Type: message/delivery-status\r\n\r\n",
        f"Content-Type: {kind}\r\n\r\n",
    ]
    bodies = [crlf(_text(said, host)).encode(), _status(about, said, host, at).encode(), returned]
    raw = head.encode()
    for part, body in zip(parts, bodies, strict=True):
        raw += f"--{boundary}\r\n{part}".encode() + body + b"\r\n"
    return raw + f"--{boundary}--\r\n".encode()


def _text(said: Sequence[Said], host: str) -> str:
    lines = [f"This is the mail system at {host}.", ""]
    for one in said:
        lines += [
            _SENTENCES[one.action],
            "",
            f"<{one.recipient}>" + (f": {one.words}" if one.words else ""),
            "",
        ]
    return "\n".join(lines)


def _status(about: About, said: Sequence[Said], host: str, at: datetime) -> str:
    lines = f"Reporting-MTA: dns; {host}\r\n"
    if about.envid:
        lines += f"Original-Envelope-Id: {_ascii(about.envid)}\r\n"
    lines += header.date("Arrival-Date", about.arrived_at or at)
    for one in said:
        lines += "\r\n"
        if about.orcpt:
            lines += f"Original-Recipient: {_typed(about.orcpt)}\r\n"
        lines += (
            f"Final-Recipient: {_typed(one.recipient)}\r\nAction: {one.action}\r\nStatus: {one.status}\r\n"
        )
        if one.words:
            lines += header.unstructured("Diagnostic-Code", f"smtp; {_ascii(one.words)}")
        lines += header.date("Last-Attempt-Date", at)
    return lines


def _typed(address: str) -> str:
    """RFC 6533 section 3: an address beyond ASCII in its 7-bit form."""
    if address.isascii():
        return f"rfc822; {_ascii(address)}"
    escaped = "".join(
        letter if letter.isascii() and letter not in "\\+=" else f"\\x{{{ord(letter):X}}}"
        for letter in address
    )
    return f"utf-8; {escaped}"


def _ascii(text: str) -> str:
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)[:900]


def _returned(about: About, failed: bool) -> tuple[str, bytes]:
    """The third part: the whole mail only when it failed and was asked for (RFC 3461 section 4.3)."""
    if failed and about.ret == "FULL" and len(about.raw) <= FULL_MAX and about.raw.isascii():
        return "message/rfc822", about.raw
    head = about.raw[: head_of(about.raw).size]
    return "text/rfc822-headers", bytes(octet if octet < 128 else 63 for octet in head)
