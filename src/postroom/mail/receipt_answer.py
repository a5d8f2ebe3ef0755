"""A read receipt that a person gives: when it may be asked at all, and the report that is sent. RFC 8098, RFC 3834."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from postroom.mail import header
from postroom.mail.body import crlf, encode
from postroom.mail.letter import people
from postroom.mail.mime import words

_BULK = ("bulk", "list", "junk")
_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_SUBJECT_MAX = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """to: who wants to be told. refused: why it may not be answered, "" = a person may decide: automatic, list, bulk,
    null_sender, report, address. return_path: where the mail came from; differs: that is another address than `to`.
    """

    to: str
    return_path: str = ""
    differs: bool = False
    refused: str = ""


def asked(headers: Mapping[str, Sequence[str]]) -> Asked | None:
    """What a mail asks for, None when it asks for nothing. headers: by lower-case name, as they stand."""
    values = headers.get("disposition-notification-to") or headers.get("x-confirm-reading-to") or ()
    if not values:
        return None
    wanted = people(values[0])
    to = wanted[0].address if wanted else ""
    paths = headers.get("return-path", ())
    path = paths[0].strip().strip("<>").strip() if paths else ""
    differs = not paths or _plain(path) != _plain(to)
    return Asked(to=to, return_path=path, differs=differs, refused=_refused(headers, values, to))


def _refused(headers: Mapping[str, Sequence[str]], values: Sequence[str], to: str) -> str:
    def first(name: str) -> str:
        return (headers.get(name) or ("",))[0].partition("(")[0].partition(";")[0].strip().lower()

    if not to or len(values) > 1 or len(people(values[0])) > 1:
        return "address"  # RFC 8098 section 2.1: one field; and nobody is told on behalf of somebody else
    if first("auto-submitted") not in ("", "no"):
        return "automatic"
    if "list-id" in headers:
        return "list"
    if first("precedence") in _BULK:
        return "bulk"
    if any(value.strip() == "<>" for value in headers.get("return-path", ())):
        return "null_sender"
    if first("content-type") == "multipart/report":
        return "report"  # RFC 8098 section 3: never for a notification
    return ""


def _plain(address: str) -> str:
    local, _, domain = address.rpartition("@")
    return f"{local}@{domain.lower()}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """header_from: (name, address) of who read it; to: who asked; message_id: of the report, in angle brackets;
    headers: of the mail that was read; text: what people see.
    """

    header_from: tuple[str, str]
    to: str
    subject: str
    message_id: str
    at: datetime
    headers: Mapping[str, Sequence[str]]
    text: str
    host: str


def report(receipt: Receipt) -> bytes:
    """The notification: a person read it and said yes to telling so. Its envelope sender is to be null.

    Raises BadAddress.
    """
    address = receipt.header_from[1]
    original = _ID.findall((receipt.headers.get("message-id") or ("",))[0])[:1]
    boundary = f"receipt-{re.sub(r'[^A-Za-z0-9]', '', receipt.message_id)[:40]}"
    head = [
        header.mailbox("From", *receipt.header_from),
        header.mailbox("To", "", receipt.to),
        header.unstructured("Subject", words(receipt.subject)[:_SUBJECT_MAX]),
        header.date("Date", receipt.at),
        header.structured("Message-ID", [receipt.message_id]),
        *([header.structured(name, original) for name in ("In-Reply-To", "References")] if original else []),
        "Auto-Submitted: auto-replied\r\n",
        "MIME-Version: 1.0\r\n",
        header.with_parameters(
            "Content-Type",
            "multipart/report",
            [("report-type", "disposition-notification"), ("boundary", boundary)],
        ),
    ]
    fields = [f"Reporting-UA: {_token(receipt.host)}; Postroom\r\n"]
    before = (receipt.headers.get("original-recipient") or ("",))[0].strip()
    if re.fullmatch(r"rfc822\s*;\s*[!-~]{3,250}", before, re.IGNORECASE):
        fields.append(f"Original-Recipient: {before}\r\n")
    fields.append(f"Final-Recipient: {'rfc822' if address.isascii() else 'utf-8'};{address}\r\n")
    fields += [f"Original-Message-ID: {original[0]}\r\n"] if original else []
    fields.append("Disposition: manual-action/MDN-sent-manually; displayed\r\n")
    encoding, text = encode(crlf(receipt.text).encode(), eight_bit_allowed=False)
    kind = "disposition-notification" if address.isascii() else "global-disposition-notification"
    parts = [
        f"\r\n--{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n",
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{text.decode()}",
        f"\r\n--{boundary}\r\nContent-Type: message/{kind}\r\n\r\n",
        *fields,
        f"\r\n--{boundary}--\r\n",
    ]
    return "".join([*head, *parts]).encode()


def _token(host: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]", "", host) or "localhost"
