"""What a mail that people read says of itself: who, to whom, when, answering what, its first words and its files.

RFC 5322 section 3, RFC 2047, RFC 2183, RFC 2231, RFC 8098 section 2.1. Never raises, whatever the bytes.
"""

import binascii
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from postroom.mail import autoreply, evidence, mime, tnef
from postroom.mail.charset import guess_bytes
from postroom.mail.mime import Part

SNIPPET = 200
#: Message-IDs that are kept of References: the first, which names the thread, and the newest.
REFERENCES = 50
#: People of one header that are looked at.
_PEOPLE = 20_000
_ID_LENGTH = 255

_ID = re.compile(r"<\s*([^<>\s]{1,998})\s*>")
#: One entry of a list of addresses: quoted strings, comments and angles hold commas (RFC 5322 section 3.4).
_ENTRY = re.compile(r'(?:"(?:[^"\\]|\\.){0,200}"|\((?:[^()\\]|\\.){0,100}\)|<[^<>]{0,400}>|[^,;"(<])+|["(<]')
_COMMENT = re.compile(r"\(([^()]{0,100})\)")
_PARAM = re.compile(r';\s*([A-Za-z0-9*_-]{1,40})\s*=\s*("(?:[^"\\]|\\.){0,2000}"|[^;\s]{0,2000})')
#: As RFC 5322 section 3.3 wants it; what is written otherwise the library reads, in ten times the time.
_DATE = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d\d?) ([A-Za-z]{3}) (\d{4}) (\d\d):(\d\d)(?::(\d\d))? ([+-](?:0\d|1\d|2[0-3])[0-5]\d)"
    r"(?: \([A-Za-z ]{0,40}\))?",
    re.ASCII,
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_ESCAPED = re.compile(r"\\(.)")
_QUOTED = re.compile(r"(?m)^[ \t]{0,3}>.*$")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_SURROGATE = re.compile("[\ud800-\udfff]")
#: Parts that say something of the mail, and are nothing a person would open.
_NO_FILES = ("application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature")
_ENVELOPES, _ENVELOPE_MAX = ("application/ms-tnef", "application/vnd.ms-tnef"), 80_000_000
_NAMES = {
    "message/rfc822": "message.eml",
    "text/calendar": "invitation.ics",
    "application/ms-tnef": "winmail.dat",
    "application/pdf": "file.pdf",
    "image/jpeg": "image.jpg",
    "image/png": "image.png",
    "image/gif": "image.gif",
}


class Person(NamedTuple):
    """name: "" when not told; address: without brackets, domain in lower case, "" when there is none to be read."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class File:
    """One attachment. part: its place among the leaf parts of `mime.read(raw, mime.WHOLE)`; size_bytes: decoded."""

    name: str
    content_type: str
    size_bytes: int
    part: int

    def to_json(self) -> dict[str, str | int]:
        """As Message.files keeps it."""
        return {"name": self.name, "type": self.content_type, "size_bytes": self.size_bytes}


@dataclass(frozen=True, slots=True)
class Read:
    """Every text is "" when the mail does not tell it, and can be stored (no NUL, no lone surrogate).

    message_id, in_reply_to, references: without angle brackets, at most 255 characters each; references: at most 50.
    date: aware UTC. arrived_at: when the last server took it, as it says. text: the plain text of the body, of HTML
    where there is no other, at most 64k characters. snippet: its first words that are no quotation, in one line.
    files: what a person would open, in order; pictures that the text shows in itself are none. is_automatic: RFC 3834,
    nobody wrote it. receipt_to: who asks to be told that it was read. return_path: as the last server wrote it down.
    """

    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    subject: str = ""
    from_name: str = ""
    from_address: str = ""
    reply_to: tuple[Person, ...] = ()
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    date: datetime | None = None
    snippet: str = ""
    text: str = ""
    files: tuple[File, ...] = ()
    is_automatic: bool = False
    receipt_to: str = ""
    return_path: str = ""
    arrived_at: datetime | None = None


def letter_read(raw: bytes) -> Read:
    """Read the mail in `raw`; nothing raises, what cannot be read is left empty."""
    try:
        return letter_of(mime.read(raw, mime.WHOLE))
    except Exception:  # a mail nobody can read is still a mail
        return Read()


def letter_of(message: Part) -> Read:
    """`letter_read` of a mail that was taken apart already, without its net."""
    subject = storable(" ".join(mime.words(message.header("subject")).split()))[:998]
    writer = next(iter(people(message.header("from"))), Person("", ""))
    answered = _ids(message, "in-reply-to")
    body = _body(message)
    text = _text_of(body)
    return Read(
        message_id=next(iter(_ids(message, "message-id")), ""),
        in_reply_to=answered[0] if answered else "",
        references=_references(_ids(message, "references")),
        subject=subject,
        from_name=writer.name[:200],
        from_address=writer.address,
        reply_to=people(message.header("reply-to")),
        to=_all(message, "to"),
        cc=_all(message, "cc"),
        date=moment(message.header("date")),
        snippet=snippet(text),
        text=text,
        files=_files(message, body),
        is_automatic=evidence.is_automatic(message) or autoreply.is_autoreply(message, subject),
        receipt_to=next((one.address for one in _all(message, "disposition-notification-to")), ""),
        return_path=storable(message.header("return-path").strip().strip("<>"))[:254],
        arrived_at=moment(message.header("received").rpartition(";")[2].strip()),
    )


def people(value: str) -> tuple[Person, ...]:
    """The mailboxes of an address header; groups without members and what is no address at all are left out.

    A single entry without an address keeps its name: a From may hold nothing else.
    """
    return _people_again(value) if len(value) <= _REPEATED else _people_in(value)


def _people_in(value: str) -> tuple[Person, ...]:
    if not value:
        return ()
    found = []
    plain = '"' not in value and "(" not in value
    entries = value.replace(";", ",").split(",", _PEOPLE) if plain else _ENTRY.findall(value)
    for entry in entries[:_PEOPLE]:
        entry = entry.strip()
        if entry and ((one := _person(entry)).address or (one.name and len(entries) == 1)):
            found.append(one)
    return tuple(found)


# The same people write, and are written to, again and again.
_people_again = lru_cache(4096)(_people_in)
_REPEATED = 300


def moment(text: str) -> datetime | None:
    """A Date header as aware UTC; None when it is none, or of a year no mail can be of."""
    if not text:
        return None
    found = _DATE.fullmatch(text)
    try:
        if found is not None and (month := _MONTHS.get(found[2].lower())):
            day, _, year, hour, minute, second, zone = found.groups()
            offset = int(zone[:3]) * 60 + int(zone[0] + zone[3:])
            at = datetime(int(year), month, int(day), int(hour), int(minute), int(second or 0), tzinfo=UTC)
            at -= timedelta(minutes=offset)
        else:
            at = parsedate_to_datetime(text[:200])
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if 1970 <= at.year < 9999 else None


def snippet(text: str) -> str:
    """The first words in one line, without quotations where there are others."""
    found = ""
    for size in (3 * SNIPPET, 20 * SNIPPET):  # mostly the first are enough
        begin = text[:size]
        own = _QUOTED.sub("", begin) if ">" in begin else begin
        found = " ".join(own.split())[:SNIPPET]
        if len(found) == SNIPPET or len(text) <= size:
            break
    return found or " ".join(text[: 20 * SNIPPET].split())[:SNIPPET]


def filename(part: Part) -> str:
    """The name a part gives itself, without any path; "" when it gives none."""
    for header in ("content-disposition", "content-type"):
        value = part.header(header)
        if ";" not in value:
            continue
        params = {name.lower(): text for name, text in _PARAM.findall(";" + value.partition(";")[2][:8000])}
        for key in ("filename", "name"):
            if name := _named(params, key):
                return name
    return ""


def storable(text: str) -> str:
    """The same as PostgreSQL takes it: without NUL and lone surrogates."""
    if text.isascii():
        return text.replace("\0", "")
    return _SURROGATE.sub("\ufffd", text.replace("\0", ""))


def _all(message: Part, header: str) -> tuple[Person, ...]:
    values = message.headers.get(header)
    return people(values[0] if len(values) == 1 else ",".join(values)) if values else ()


def _person(entry: str) -> Person:
    name, angle, rest = entry.rpartition("<")
    if angle:
        address = rest.partition(">")[0].strip()
    else:
        comment = _COMMENT.search(entry)
        name, address = (comment.group(1) if comment else ""), _COMMENT.sub(" ", entry).strip()
        if "@" not in address:
            name, address = entry, ""
    # a group begins with its name and a colon
    local, at, domain = address.rpartition(":")[2].strip().rpartition("@")
    good = at and local and domain and not any(sign.isspace() for sign in local + domain)
    address = storable(f"{local}@{domain.lower()}") if good and len(address) <= 254 else ""
    if name:
        name = name.strip()
        if name[:1] == '"':
            name = _ESCAPED.sub(r"\1", name.strip('"'))
        name = storable(_UNSAFE.sub(" ", mime.words(name))).strip()[:200]
    return Person("" if name == address else name, address)


def _ids(message: Part, header: str) -> list[str]:
    values = message.headers.get(header)
    if not values:
        return []
    found = [one for value in values for one in _ID.findall(value[:100_000])]
    if not found and header == "message-id" and len(words := values[0].split()) == 1:
        found = words  # written without brackets
    return [storable(one)[:_ID_LENGTH] for one in found]


def _references(ids: list[str]) -> tuple[str, ...]:
    ids = list(dict.fromkeys(ids))
    return tuple(ids if len(ids) <= REFERENCES else [ids[0], *ids[1 - REFERENCES :]])


def _body(message: Part) -> Part | None:
    """The part a person reads: the first plain text, else the first HTML, that is no file."""
    html = None
    for part in message.parts:
        kind = part.content_type
        if kind not in ("text/plain", "text/html") or _is_attached(part):
            continue
        if kind == "text/plain" and part.body.strip():
            return part
        html = html or (part if kind == "text/html" else None)
    return html


def _text_of(body: Part | None) -> str:
    if body is None:
        return ""
    text = body.text
    told = body.params.get("charset", "utf-8")
    if not text.isascii() and (
        "\ufffd" in text or not mime.CHARSET.fullmatch(told)
    ):  # none told, or a wrong one
        data = mime.undone(body)
        text = data.decode(guess_bytes(data).encoding, "replace")
    if body.content_type == "text/html":
        text = body.plain if text is body.text else mime.html_text(text)
    return storable(text)


def _is_attached(part: Part) -> bool:
    return part.header("content-disposition")[:10].lower() == "attachment"


def _files(message: Part, body: Part | None) -> tuple[File, ...]:
    if len(message.parts) == 1 and body is not None:
        return ()
    shows = any(part.content_type == "text/html" for part in message.parts)
    found = []
    for at, part in enumerate(message.parts):
        kind = part.content_type
        if part is body or kind in _NO_FILES or kind == "text/x-preamble":
            continue
        attached = _is_attached(part)
        if shows and not attached and kind.startswith("image/") and "content-id" in part.headers:
            continue
        name = filename(part)
        if kind.startswith("text/") and kind != "text/calendar" and not name and not attached:
            continue
        inside, is_whole = _packed(part, at, name)
        if not (inside and is_whole):
            found.append(File(name or _NAMES.get(kind, "file"), storable(kind)[:100], _size(part), at))
        found += inside
    return tuple(found)


def _packed(part: Part, at: int, name: str) -> tuple[list[File], bool]:
    """The files that an envelope of Outlook holds, and whether these are all."""
    if part.content_type not in _ENVELOPES and name.lower() != "winmail.dat":
        return [], True
    try:
        found, is_whole = tnef.files_in(binascii.a2b_base64(part.body[:_ENVELOPE_MAX]))
    except ValueError:
        return [], False
    files = [
        File(one.name, one.content_type or "application/octet-stream", len(one.data), at) for one in found
    ]
    return files, is_whole


def _size(part: Part) -> int:
    encoding, body = part.header("content-transfer-encoding").strip().lower(), part.body
    if encoding.startswith("base64"):
        return (len(body) - body.count(b"\n")) * 3 // 4 - body[-4:].count(b"=")
    if encoding.startswith("quoted"):
        return len(body) - 2 * body.count(b"=")
    return len(body)


def _named(params: dict[str, str], key: str) -> str:
    """RFC 2231 before the plain form; encoded words, which no rule allows here, are read as well."""
    pieces = [params[name] for name in (f"{key}*", f"{key}*0*") if name in params]
    if pieces:
        at = 1
        while (more := params.get(f"{key}*{at}*", params.get(f"{key}*{at}"))) is not None:
            pieces.append(more)
            at += 1
        charset, _, rest = "".join(piece.strip('"') for piece in pieces).partition("'")
        name = mime.decoded(unquote_to_bytes(rest.partition("'")[2]), charset)
    elif f"{key}*0" in params:
        numbers = range(sum(one.startswith(f"{key}*") for one in params))
        name = mime.words("".join(params.get(f"{key}*{at}", "").strip('"') for at in numbers))
    else:
        name = mime.words(_ESCAPED.sub(r"\1", params.get(key, "").strip('"')))
    name = storable(_UNSAFE.sub("", name.replace("\\", "/").rpartition("/")[2])).strip()
    return name if len(name) <= 150 else name[:100] + "…" + name[-49:]
