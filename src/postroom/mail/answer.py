"""What an answer takes from the message it answers: people, subject, ids, files. RFC 5322 section 3.6.4."""

import email
import re
from collections.abc import Collection, Iterator
from email.message import Message
from email.utils import collapse_rfc2231_value, getaddresses

from postroom.errors import BadAddress
from postroom.mail import mime
from postroom.mail.address import canonical

#: Ids that References keeps: the first of the conversation and the last ones.
IDS_MAX = 20
FILES_MAX = 50
_ID = re.compile(r"<[!-;=?-~]{1,250}>")
_ANSWER = re.compile(r"^(?:(?:re|aw|sv|odp|отг|отн)(?:\[\d{1,4}\])?\s*:\s*)+", re.IGNORECASE)
_FORWARD = re.compile(r"^(?:(?:fwd?|wg|pd|tr|препр)\s*:\s*)+", re.IGNORECASE)


def answer_subject(subject: str) -> str:
    """With "Re:" once, whatever programs and languages put before it."""
    return f"Re: {_ANSWER.sub('', ' '.join(subject.split()))}".strip()


def forward_subject(subject: str) -> str:
    return f"Fwd: {_FORWARD.sub('', ' '.join(subject.split()))}".strip()


def typed(name: str, address: str) -> str:
    """A person as one would type it; the name is quoted where a list would be cut in it."""
    if not name:
        return address
    if re.search(r'[",;<>\\]', name):
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{name} <{address}>"


def people_of(message: mime.Part, *headers: str) -> list[tuple[str, str]]:
    """(name, address) of these headers, in order; what is no address is left out."""
    found = []
    for header in headers:
        for name, address in getaddresses(message.headers.get(header, [])[:20]):
            try:
                canonical(address)
            except BadAddress:
                continue
            found.append((" ".join(mime.words(name).split()), address))
    return found


def answer_people(message: mime.Part, own: Collection[str], *, to_all: bool) -> tuple[str, str]:
    """To and Cc as typed. own: canonical addresses of one's own, which an answer to all leaves out.

    ("", "") when the message names nobody to answer.
    """
    to = people_of(message, "reply-to") or people_of(message, "from")
    seen = {canonical(address) for _, address in to}
    cc = []
    for name, address in people_of(message, "to", "cc") if to_all else []:
        if (key := canonical(address)) not in seen and key not in own:
            seen.add(key)
            cc.append((name, address))
    return ", ".join(typed(*one) for one in to), ", ".join(typed(*one) for one in cc)


def answer_ids(message: mime.Part) -> tuple[str, tuple[str, ...]]:
    """In-Reply-To and References of an answer; ("", ()) when the message has no id of its own."""
    own = _ID.findall(message.header("message-id"))[:1]
    if not own:
        return "", ()
    before = _ID.findall(message.header("references"))
    if not before:
        parent = _ID.findall(message.header("in-reply-to"))
        before = parent if len(parent) == 1 else []
    ids = list(dict.fromkeys([*before, *own]))
    return own[0], tuple(ids if len(ids) <= IDS_MAX else [ids[0], *ids[1 - IDS_MAX :]])


def files_of(raw: bytes) -> list[tuple[str, str, bytes]] | None:
    """(name, content type, bytes) of the attached files; None when the message cannot be taken apart without loss."""
    try:
        parts = [part for part in _leaves(email.message_from_bytes(raw)) if _is_file(part)]
        return None if len(parts) > FILES_MAX else [_file(part) for part in parts]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def _leaves(part: "Message[str, str]") -> "Iterator[Message[str, str]]":
    """All parts but containers; a message inside is one part."""
    inner = part.get_payload()
    if part.get_content_maintype() != "multipart" or not isinstance(inner, list):
        yield part
        return
    for one in inner:
        if isinstance(one, Message):
            yield from _leaves(one)


def _is_file(part: "Message[str, str]") -> bool:
    return bool(part.get_filename()) or part.get_content_type() not in ("text/plain", "text/html")


def _file(part: "Message[str, str]") -> tuple[str, str, bytes]:
    name = mime.words(collapse_rfc2231_value(part.get_filename() or ""))
    inner = part.get_payload()
    if isinstance(
        inner, list
    ):  # a whole message; as octets, since RFC 2046 section 5.2.1 lets it not be encoded
        whole = b"".join(one.as_bytes() for one in inner if isinstance(one, Message))
        return name or "message.eml", "application/octet-stream", whole
    data = part.get_payload(decode=True)
    return name or "file", part.get_content_type(), data if isinstance(data, bytes) else b""
