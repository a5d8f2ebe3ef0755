"""A mail taken apart for people: the tree of its parts in the very bytes that came, whatever is wrong with them.

Nothing is copied before it is asked for, so that a mail of 50 MB costs no more than a look at its boundaries. Never
raises. RFC 2045, RFC 2046, RFC 2183 (Content-Disposition), RFC 2231 (names beyond ASCII).
"""

import binascii
import quopri
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from postroom.mail import mime
from postroom.mail.charset import guess_bytes

_DEPTH, _PARTS, _HEAD = 12, 400, 1 << 18
_PARAM = re.compile(r';\s*([A-Za-z0-9*_.-]{1,60})\s*=\s*("(?:[^"\\]|\\.){0,2000}"|[^;\s]{0,1000})')
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
#: Encodings that UTF-8 cannot be told from by trying, as their bytes are all ASCII or come in pairs.
_WIDE = re.compile(r"(?i)utf-?(?:7|16)|iso[-_]?2022|hz-")
#: Declared by programs that did not know better (WHATWG Encoding: the label means windows-1252).
_LATIN = re.compile(r"(?i)(?:iso[-_]?8859[-_]?1|latin-?1)")
_VAGUE = ("", "us-ascii", "ascii", "unknown-8bit", "x-unknown", "default", "8bit", "binary")
_META = re.compile(rb"(?i)<meta[^>]{0,200}charset\s{0,4}=\s{0,4}[\"']?([a-z0-9_-]{2,40})")
#: Signs that reverse or hide what stands beside them in a name.
_TRICKS = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")


@dataclass(slots=True)
class Node:
    """One part. `number`: of a leaf in the order of the mail, from 0; -1 for a container.

    start, end: where its body stands in `raw`; whole: where the part with its headers begins.
    """

    raw: bytes = field(repr=False)
    whole: int
    start: int
    end: int
    headers: dict[str, list[str]]
    content_type: str
    params: dict[str, str]
    disposition: str
    children: list["Node"] = field(default_factory=list)
    number: int = -1

    def header(self, name: str) -> str:
        """The first value of a header as it stands, "" when absent."""
        return self.headers.get(name, [""])[0]

    @property
    def exact(self) -> bytes:
        """The part with its headers as it came: what a signature speaks of (RFC 1847 section 2.1)."""
        return self.raw[self.whole : self.end]

    def data(self, limit: int = 1 << 31) -> bytes:
        """The body with the transfer encoding undone, at most `limit` bytes of it."""
        encoding = self.header("content-transfer-encoding").strip().lower()
        if encoding.startswith("quoted"):
            return quopri.decodestring(self.raw[self.start : min(self.end, self.start + limit * 3)])[:limit]
        if encoding.startswith("base64"):
            return _base64(self.raw[self.start : min(self.end, self.start + limit * 2)])[:limit]
        return self.raw[self.start : min(self.end, self.start + limit)]

    @property
    def size_bytes(self) -> int:
        """Of the file as it would be stored."""
        length = self.end - self.start
        encoding = self.header("content-transfer-encoding").strip().lower()
        if encoding.startswith("base64"):
            blanks = self.raw.count(b"\n", self.start, self.end) + self.raw.count(b"\r", self.start, self.end)
            return max(
                (length - blanks) * 3 // 4 - self.raw[max(self.end - 6, self.start) : self.end].count(b"="), 0
            )
        return len(self.data()) if encoding.startswith("quoted") and length < 1 << 20 else length

    def text(self, limit: int) -> str:
        """The body as text, at most `limit` bytes of it."""
        return readable(self.data(limit), self.params.get("charset", ""))

    @property
    def name(self) -> str:
        """Of the file, safe to show and to store; "" when it has none."""
        return safe_name(self.params.get("filename") or self.params.get("name") or "")

    @property
    def content_id(self) -> str:
        return self.header("content-id").strip().strip("<>")


def tree(raw: bytes) -> Node:
    """The whole mail; its leaves are numbered."""
    count = [0]
    return _node(raw, 0, len(raw), "text/plain", 0, count)


def leaves(node: Node) -> Iterator[Node]:
    if node.number >= 0:
        yield node
    for child in node.children:
        yield from leaves(child)


def readable(data: bytes, charset: str) -> str:
    """Bytes as text although the charset is missing, wrong or unknown: no letter is lost that can be guessed."""
    charset = charset.strip().strip("\"'").lower()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    if charset in _VAGUE:
        found = _META.search(data[:2000])
        charset = found.group(1).decode().lower() if found else ""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and not charset.startswith("utf-8"):
        return data.decode("utf-16", "replace")
    if not _WIDE.match(charset):
        for cut in range(4):  # a limit may have cut the last character
            try:
                return data[: len(data) - cut].decode("utf-8")
            except UnicodeDecodeError as error:
                if error.start < len(data) - 4:
                    break
    if _LATIN.fullmatch(charset):
        charset = "cp1252"
    if charset in _VAGUE or not mime.CHARSET.fullmatch(charset):
        charset = guess_bytes(data[: 1 << 16]).encoding
    return mime.decoded(data, charset)


def safe_name(name: str) -> str:
    """A file's name without a way to elsewhere, without signs that hide its ending; "" stays "" """
    name = mime.words(name) if "=?" in name else name
    name = _TRICKS.sub("", unicodedata.normalize("NFC", name.replace("\0", "")))
    name = "".join(one for one in name if one.isprintable())
    name = re.split(r"[/\\]", name)[-1].strip(" .\"'<>")
    name = re.sub(r'[:*?"<>|]', "_", name)
    if len(name) > 120:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 115 - len(ending)]}…{dot}{ending}" if stem and len(ending) < 20 else name[:120]
    return name


def _node(raw: bytes, start: int, end: int, default_type: str, depth: int, count: list[int]) -> Node:
    if raw.startswith((b"\r\n", b"\n"), start, end):
        head, body = b"", start + (2 if raw[start] == 13 else 1)
    else:
        found = _END_OF_HEAD.search(raw, start, min(end, start + _HEAD))
        head_end, body = found.span() if found else (min(end, start + _HEAD), end)
        head = raw[start:head_end]
    if head.startswith((b"From ", b">From ")):
        head = head.partition(b"\n")[2]
    text = mime.decoded(head, "utf-8").replace("\r\n", "\n").replace("\r", "\n")
    headers = mime.header_block(text)
    value = headers.get("content-type", [""])[0]
    content_type = (value.partition(";")[0].split() or [""])[0].lower()
    content_type = (
        content_type if re.fullmatch(r"[\w.+-]{1,60}/[\w.+-]{1,80}", content_type) else default_type
    )
    placed = headers.get("content-disposition", [""])[0]
    params = {**_params(placed), **_params(value)}
    node = Node(
        raw, start, body, end, headers, content_type, params, placed.partition(";")[0].strip().lower()
    )
    boundary = params.get("boundary", "").encode("utf-8", "replace")
    if content_type.startswith("multipart/") and boundary and depth < _DEPTH:
        inner = "message/rfc822" if content_type == "multipart/digest" else "text/plain"
        for first, last in _between(raw, body, end, boundary):
            if count[0] >= _PARTS:
                break
            node.children.append(_node(raw, first, last, inner, depth + 1, count))
    if not node.children:
        if content_type.startswith("multipart/"):
            node.content_type = "text/plain"
        node.number = count[0]
        count[0] += 1
    return node


def _between(raw: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Where the parts between the boundary's lines begin and end; the last one may lack its end."""
    mark = b"--" + boundary
    at = start if raw.startswith(mark, start, end) else raw.find(b"\n" + mark, start, end) + 1
    while at > 0 or raw.startswith(mark, at, end):
        after = at + len(mark)
        line = raw.find(b"\n", after, end)
        if raw.startswith(b"--", after, end) or line < 0:
            return
        found = raw.find(b"\n" + mark, line, end)
        last = end if found < 0 else found
        if last > line and raw[last - 1 : last] == b"\r" and found >= 0:
            last -= 1
        yield line + 1, max(last, line + 1)
        if found < 0:
            return
        at = found + 1


def _params(value: str) -> dict[str, str]:
    """The parameters of a header by lower-case name, continuations joined and percent signs undone (RFC 2231)."""
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[bool, str]]] = {}
    for name, text in _PARAM.findall(value[:20_000]):
        name = name.lower()
        if text.startswith('"'):
            text = re.sub(r"\\(.)", r"\1", text[1:-1])
        if "*" not in name:
            plain.setdefault(name, text)
            continue
        base, _, rest = name.partition("*")
        index = rest.rstrip("*") or "0"
        if index.isdecimal() and len(index) < 4:
            pieces.setdefault(base, {})[int(index)] = (rest.endswith("*") or not rest, text)
    for base, found in pieces.items():
        charset, data = "utf-8", b""
        for index in sorted(found):
            encoded, text = found[index]
            if index == 0 and encoded and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data += unquote_to_bytes(text) if encoded else text.encode()
        plain[base] = readable(data, charset)
    return plain


def _base64(data: bytes) -> bytes:
    try:
        return binascii.a2b_base64(data)
    except ValueError:
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
        clean = clean[: len(clean) - (len(clean) % 4 == 1)]
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))
