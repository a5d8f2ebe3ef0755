"""A light and tolerant reader of mail that came in. It never raises and looks at a bounded part of any mail.

The standard library's parser is right and slow; reports need only headers, leaf parts and text.
RFC 5322, RFC 2045, RFC 2046, RFC 2047.
"""

import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

#: Bytes of a mail that are looked at; a report tells what it has to tell before that.
LIMIT = 1 << 20
#: Characters of one text part that are looked at.
TEXT_LIMIT = 1 << 16
#: Types of a part that holds (the beginning of) the message a report speaks of.
RETURNED = (
    "message/rfc822",
    "message/global",
    "message/global-headers",
    "message/rfc822-headers",
    "message/partial",
    "text/rfc822-headers",
    "text/rfc822-header",
    "text/rfc822",
)
_DEPTH, _HEADERS = 6, 400


class Limits(NamedTuple):
    """How much of a mail is looked at: bytes in all, bytes of a head, lines of a head, parts."""

    size: int
    head: int
    lines: int
    parts: int


#: Of a report; and of a mail whose files are to be listed, which may have thousands of people in Cc.
REPORT = Limits(LIMIT, TEXT_LIMIT, _HEADERS, 40)
WHOLE = Limits(1 << 27, 1 << 20, 20_000, 200)

_FIELD = re.compile(r"(?m)^([^ \t\n:][^ \n:]*)[ \t]*:(.*(?:\n[ \t].*)*)")
_NAME_MAX = 76
_BLANK_LINE = re.compile(r"(?m)^[^\S\n]*$")
_PARAM = re.compile(r';\s*([A-Za-z0-9*_-]{1,40})\s*=\s*("(?:[^"\\]|\\.){0,500}"|[^;\s]{0,300})')
_BOUNDARY = re.compile(rb'(?im)^[ \t]{0,20}boundary[ \t]{0,4}=[ \t]{0,4}"?([^"\n;]{1,200})')
_USED_BOUNDARY = re.compile(rb"(?i)\n--([^\s-][^\n]{0,200})\n(?=content-[a-z]{2,30}:)")
_WORD = re.compile(r"=\?([A-Za-z0-9_-]{1,40})(?:\*[A-Za-z-]{1,20})?\?([BbQq])\?([^?\s]{0,1000})\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t]{1,20}(=\?)")
#: Only real charsets: Python's other codecs (punycode, unicode_escape, ...) are slow or warn.
CHARSET = re.compile(
    r"(?i)(?:us-ascii|utf-?(?:7|8|16)|iso[-_]?(?:8859|2022)[-_a-z0-9]{1,10}|(?:windows|cp)[-_]?\d{3,4}"
    r"|koi8[-_][rut]|shift[-_]?jis|euc[-_](?:jp|kr)|gb(?:2312|k|18030)|big5|ks_c_5601-1987|tis-620)"
)
_TAG = re.compile(r"<[^<>]{0,2000}>")
_MUTE = ("script", "style", "head")
_BREAK = re.compile(r"(?i)<(?:br|/p|/div|/tr|/li|/h\d)\b[^<>]{0,200}>")
_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&"))


@dataclass(slots=True)
class Part:
    """A message or one of its leaf parts. `headers`: lower-case name -> raw values, unfolded."""

    headers: dict[str, list[str]]
    content_type: str
    params: dict[str, str]
    body: bytes
    #: Leaf parts in order; a message that is no multipart has itself as its only part.
    parts: list["Part"] = field(default_factory=list)
    _text: str | None = None
    _plain: str | None = None

    def header(self, name: str) -> str:
        """The first value of a header, "" when absent."""
        values = self.headers.get(name)
        return values[0] if values else ""

    @property
    def text(self) -> str:
        """The body as text: transfer encoding and charset undone as far as they can be."""
        if self._text is None:
            self._text = _charset(undone(self), self.params.get("charset", "utf-8"))
        return self._text

    @property
    def plain(self) -> str:
        """The text without the marks of HTML, of a part that is HTML."""
        if self._plain is None:
            self._plain = html_text(self.text)
        return self._plain


def read(raw: bytes, limits: Limits = REPORT) -> Part:
    """The message in `raw`, line ends of any kind."""
    raw = raw[: limits.size]
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
        if b"\r" in raw:
            raw = raw.replace(b"\r", b"\n")
    message = _part(raw.lstrip(b"\n"), "text/plain", limits)
    message.parts = list(_leaves(message, 0, limits))[: limits.parts] or [message]
    return message


def returned_headers(part: Part) -> dict[str, list[str]]:
    """The headers of the message that a part gives back, {} when it gives back none."""
    if part.content_type in RETURNED:
        return header_block(part.text.lstrip("\n")[:TEXT_LIMIT])
    return {}


def header_block(text: str, lines: int = _HEADERS) -> dict[str, list[str]]:
    """Header-like lines ("Name: value", folded) of a text, up to the first blank line."""
    if text.count("\n") >= lines:
        text = "\n".join(text.split("\n", lines)[:lines])
    end = _BLANK_LINE.search(text)
    headers: dict[str, list[str]] = {}
    for name, value in _FIELD.findall(text[: end.start()] if end else text):
        name = name.rstrip()
        if len(name) <= _NAME_MAX:
            value = " ".join([one.strip() for one in value.split("\n")]) if "\n" in value else value.strip()
            headers.setdefault(name.lower(), []).append(value)
    return headers


def words(value: str) -> str:
    """A header value with its encoded words decoded (RFC 2047)."""
    if "=?" not in value:
        return value
    return _decoded_again(value) if len(value) <= _REPEATED else _decoded(value)


def _decoded(value: str) -> str:
    return _WORD.sub(_word, _BETWEEN_WORDS.sub(r"\1\2", value))


# A subject and a sender are asked for by several readers of one mail, and senders write again.
_decoded_again = lru_cache(2048)(_decoded)
_REPEATED = 300


def html_text(html: str) -> str:
    """The readable text of HTML, good enough to search in."""
    for tag in _MUTE:
        html = _without(html, tag)
    html = _TAG.sub(" ", _BREAK.sub("\n", html))
    for entity, character in _ENTITIES:
        html = html.replace(entity, character)
    return html


def _without(html: str, tag: str) -> str:
    """HTML without one kind of element; one that is never closed is left."""
    lower, kept, at = html.lower(), [], 0
    while (start := lower.find(f"<{tag}", at)) >= 0 and (end := lower.find(f"</{tag}>", start)) >= 0:
        kept.append(html[at:start])
        at = end + len(tag) + 3
    return " ".join([*kept, html[at:]])


def _word(found: re.Match[str]) -> str:
    charset, encoding, text = found.groups()
    try:
        if encoding in "Bb":
            data = binascii.a2b_base64(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
        else:
            data = quopri.decodestring(text.replace("_", " ").encode("ascii", "replace"))
    except ValueError:
        return found.group(0)
    return _charset(data, charset)


def _part(raw: bytes, default_type: str, limits: Limits = REPORT) -> Part:
    if raw.startswith(b"\n"):
        head, body = b"", raw[1:]
    else:
        head, _, body = raw.partition(b"\n\n")
    if head.startswith((b"From ", b">From ")):
        head = head.partition(b"\n")[2]
    headers = header_block(_charset(head[: limits.head], "utf-8"), limits.lines)
    value = (headers.get("content-type") or [""])[0]
    params = {}
    if ";" in value:
        params = {name.lower(): text.strip('"') for name, text in _PARAM.findall(value[:4000])}
    content_type = (value.partition(";")[0].split() or [""])[0].lower()
    if content_type.startswith("multipart/") and "boundary" not in params:
        # Some put it on a line of its own without folding.
        found = _BOUNDARY.search(head[:TEXT_LIMIT])
        if found:
            params["boundary"] = found.group(1).decode("latin-1")
    return Part(headers, content_type if "/" in content_type else default_type, params, body)


def _leaves(part: Part, depth: int, limits: Limits) -> Iterator[Part]:
    if not part.content_type.startswith("multipart/") or depth >= _DEPTH:
        yield part
        return
    pieces = _pieces(part, limits.parts)
    if len(pieces) == 1:
        part.content_type = "text/plain"
        yield part
        return
    # Some reports put what matters before the first boundary.
    if pieces[0].strip() and b"@" in pieces[0]:
        yield Part({}, "text/x-preamble", {}, pieces[0])
    digest = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
    for piece in pieces[1:]:
        if piece.startswith(b"--"):
            return
        piece = piece.partition(b"\n")[2]
        inner = _part(piece, digest, limits)
        if "received" in inner.headers and not inner.content_type.startswith("message/"):
            # A returned message without the header lines of a part.
            inner = Part({}, "message/rfc822", {}, piece)
        yield from _leaves(inner, depth + 1, limits)


def _pieces(part: Part, most: int) -> list[bytes]:
    """What stands before, between and after the boundaries; one piece when there is none."""
    body = b"\n" + part.body
    boundary = part.params.get("boundary", "").encode("utf-8", "replace")
    if boundary:
        pieces = body.split(b"\n--" + boundary, most)
        if len(pieces) > 1:
            return pieces
    # The boundary that is announced is not the one that is used: take the first line that looks like one.
    found = _USED_BOUNDARY.search(body[:TEXT_LIMIT])
    return body.split(b"\n--" + found.group(1).rstrip(), most) if found else [body]


def undone(part: Part) -> bytes:
    """The body with its transfer encoding undone, as far as text is looked at."""
    body = part.body
    encoding = part.header("content-transfer-encoding").lower()
    try:
        if encoding.startswith("quoted"):
            body = quopri.decodestring(body[: TEXT_LIMIT * 3])
        elif encoding.startswith("base64"):
            body = binascii.a2b_base64(body[: TEXT_LIMIT * 2])
    except ValueError:
        pass
    return body[:TEXT_LIMIT]


def decoded(data: bytes, charset: str) -> str:
    """Bytes as text in the charset told, else in UTF-8, else as well as can be."""
    return _charset(data, charset)


def _charset(data: bytes, charset: str) -> str:
    if data.isascii() and b"\x1b" not in data:
        return data.decode("ascii")
    known = CHARSET.fullmatch(charset) is not None
    for name, errors in ((charset, "strict"), ("utf-8", "strict"), (charset, "replace")):
        if name is charset and not known:
            continue
        try:
            return data.decode(name, errors)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")
