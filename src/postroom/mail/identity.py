"""By what a mail is known again where it was met before, and when it came. RFC 5322 sections 3.6.4 and 3.6.7."""

import hashlib
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from postroom.mail import mime

#: A longer Message-ID is known by its digest.
LENGTH = 255
_ID = re.compile(r"<\s*([^<>\s]+)\s*>")
_END = re.compile(rb"\r?\n\r?\n")


def identity(raw: bytes) -> str:
    """The Message-ID without its brackets; of a mail without one, the digest of its bytes. At most LENGTH characters.

    Line ends do not count, nor do empty lines at the end: servers differ in them.
    """
    values = _head(raw).headers.get("message-id", [])
    match = _ID.search(values[0]) if values else None
    if match and len(match[1]) <= LENGTH and match[1].isascii() and match[1].isprintable():
        return match[1]
    known = match[1].encode("utf-8", "replace") if match else raw.replace(b"\r\n", b"\n").rstrip()
    return f"sha256:{hashlib.sha256(known).hexdigest()}"


def arrived_at(raw: bytes) -> datetime | None:
    """When the last server took it, else when it was written, aware UTC; None when neither can be told."""
    head = _head(raw)
    told = [value.rpartition(";")[2] for value in head.headers.get("received", [])[:1]]
    for text in (*told, head.header("date")):
        try:
            at = parsedate_to_datetime(text.strip())
            return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None


def _head(raw: bytes) -> mime.Part:
    end = _END.search(raw)
    return mime.read(raw[: end.end() if end else len(raw)])
