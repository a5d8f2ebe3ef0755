"""What a post office and its people write back, put together line by line.

Nothing here is shared with the code of ours that reads such mail: otherwise both could be wrong alike and nobody
would notice. RFC 3464 (delivery reports), RFC 8098 (read receipts), RFC 3834 (vacation notes).
"""

import itertools
import os
import time
from dataclasses import dataclass
from email.header import Header
from email.utils import formatdate

HOST = "mx.practice.example"
_number = itertools.count(1)
_run = f"{int(time.time()):x}.{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a delivery report says of a recipient."""

    action: str
    status: str
    words: str
    subject: str
    sentence: str


DELIVERED = Verdict(
    *("delivered", "2.0.0", "250 2.0.0 Delivered to the mailbox", "Successful Mail Delivery Report"),
    "Your message was delivered to the mailbox of this recipient.",
)
RELAYED = Verdict(
    *("relayed", "2.0.0", "250 2.0.0 Taken by a server without reports", "Successful Mail Delivery Report"),
    "Your message was handed to a mail server that sends no reports of delivery.",
)
EXPANDED = Verdict(
    *("expanded", "2.0.0", "250 2.0.0 Alias expanded", "Successful Mail Delivery Report"),
    "The recipient is an alias; your message went on to its members.",
)
DELAYED = Verdict(
    *(
        "delayed",
        "4.4.1",
        "connect to mailbox server: Connection timed out",
        "Delayed Mail (still being retried)",
    ),
    "Your message could not be delivered yet. It will be tried again; you need not send it again.",
)
UNKNOWN = Verdict(
    *(
        "failed",
        "5.1.1",
        "550 5.1.1 User unknown: there is no such mailbox",
        "Undelivered Mail Returned to Sender",
    ),
    "Your message could not be delivered: the recipient does not exist.",
)
FULL = Verdict(
    *("failed", "5.2.2", "552 5.2.2 Mailbox full: over quota", "Undelivered Mail Returned to Sender"),
    "Your message could not be delivered: the mailbox is full.",
)
POLICY = Verdict(
    *(
        "failed",
        "5.7.1",
        "554 5.7.1 Message refused by the policy of this company",
        "Undelivered Mail Returned",
    ),
    "Your message could not be delivered: it is not allowed here.",
)


def headers(raw: bytes) -> dict[str, str]:
    """The header fields of a message, unfolded, names in lower case; of several with one name the last counts."""
    fields: dict[str, str] = {}
    name = ""
    for line in raw.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n"):
        if line[:1] in (" ", "\t") and name:
            fields[name] += " " + line.strip()
        else:
            name, _, value = line.partition(":")
            name = name.lower()
            fields[name] = value.strip()
    return fields


def delivery_report(
    verdict: Verdict, *, to: str, recipient: str, orcpt: str, envid: str, raw: bytes, full: bool
) -> bytes:
    """A report on one recipient. `full` gives the message back, else only its headers (RET)."""
    boundary = _boundary()
    returned = raw if full else raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    part = "message/rfc822" if full else "text/rfc822-headers"
    lines = [
        *_head(f"Mail Delivery System <MAILER-DAEMON@{HOST}>", to, verdict.subject),
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"This is the mail system at host {HOST}.",
        "",
        verdict.sentence,
        "",
        f"<{recipient}>: {verdict.words}",
        "",
        f"--{boundary}",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {HOST}",
        *([f"Original-Envelope-Id: {envid}"] if envid else []),
        f"Arrival-Date: {formatdate()}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        *([f"Original-Recipient: rfc822; {orcpt}"] if orcpt else []),
        f"Action: {verdict.action}",
        f"Status: {verdict.status}",
        f"Diagnostic-Code: smtp; {verdict.words}",
        *([f"Will-Retry-Until: {formatdate()}"] if verdict.action == "delayed" else []),
        "",
        f"--{boundary}",
        "Content-Description: Message" if full else "Content-Description: Message headers",
        f"Content-Type: {part}",
        *(["Content-Transfer-Encoding: 8bit"] if not returned.isascii() else []),
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + returned + f"\r\n--{boundary}--\r\n".encode()


def read_receipt(*, to: str, recipient: str, raw: bytes) -> bytes:
    """The recipient's program reports the message as displayed."""
    boundary, original = _boundary(), headers(raw)
    lines = [
        *_head(recipient, to, f"Read: {original.get('subject', '')}"),
        *_refers(original),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=disposition-notification; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"The message you sent to {recipient} was shown on the recipient's screen.",
        "This does not say that it was read or understood.",
        "",
        f"--{boundary}",
        "Content-Type: message/disposition-notification",
        "",
        f"Reporting-UA: {HOST}; Practice Reader 1.0",
        f"Original-Recipient: rfc822;{recipient}",
        f"Final-Recipient: rfc822;{recipient}",
        f"Original-Message-ID: {original.get('message-id', '')}",
        "Disposition: manual-action/MDN-sent-manually; displayed",
        "",
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode()


#: Subject and text by the last letters of the recipient's domain.
_VACATION = {
    "bg": ("Автоматичен отговор:", "В отпуск съм до края на месеца. Ще Ви отговоря, щом се върна."),
    "pl": ("Automatyczna odpowiedź:", "Jestem na urlopie do końca miesiąca. Odpowiem po powrocie."),
    "": ("Automatic reply:", "I am away until the end of the month and will answer when I am back."),
}


def vacation_note(*, to: str, recipient: str, raw: bytes) -> bytes:
    original = headers(raw)
    firm = recipient.rpartition("@")[2].partition(".")[0]
    prefix, text = _VACATION[next(key for key in _VACATION if firm.endswith(key))]
    subject = f"{Header(prefix, 'utf-8').encode()} {original.get('subject', '')}"
    return _plain(recipient, to, subject, text, [*_refers(original), "Auto-Submitted: auto-replied"])


#: What people answer, in turn by their addresses.
_REPLIES = (
    "Thank you, that was good to know. Could you call me tomorrow?",
    "Tuesday suits us. Please ring the bell at the yard, the office is closed until noon.",
    "We have moved: from next month please deliver to the new warehouse behind the station.",
    "Could you send the same to our accounts department? They pay your invoices.",
)


def human_reply(*, recipient: str, raw: bytes) -> bytes:
    """A person answers the sender named in the header, under the name they were written to; the caller chooses where it
    goes."""
    original = headers(raw)
    to = original.get("reply-to") or original.get("from", "")
    named = original.get("to", "")
    sender = named if named.endswith(f"<{recipient}>") and "," not in named else recipient
    text = _REPLIES[sum(recipient.encode()) % len(_REPLIES)]
    return _plain(sender, to, f"Re: {original.get('subject', '')}", text, _refers(original))


def unsubscribe_mail(*, to: str, subject: str, recipient: str) -> bytes:
    return _plain(recipient, to, subject or "unsubscribe", "unsubscribe", [])


def _plain(sender: str, to: str, subject: str, text: str, more: list[str]) -> bytes:
    lines = [
        *_head(sender, to, subject),
        *more,
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        text,
        "",
    ]
    return "\r\n".join(lines).encode()


def _head(sender: str, to: str, subject: str) -> list[str]:
    return [
        f"From: {sender}",
        f"To: {to}",
        f"Subject: {subject}",
        f"Date: {formatdate()}",
        f"Message-ID: <{next(_number)}.{_run}@{HOST}>",
    ]


def _refers(original: dict[str, str]) -> list[str]:
    known = original.get("message-id", "")
    return [f"In-Reply-To: {known}", f"References: {known}"] if known else []


def _boundary() -> str:
    return f"=_practice_{next(_number)}"
