"""A stored mail as a person may see it: its words, its pictures and its files, and nothing that acts or phones home.

Everything is bounded: characters of a body, parts, pictures. Never raises.
RFC 2046, RFC 2387 (related), RFC 2392 (cid).
"""

import base64
import re
from dataclasses import dataclass, field, replace

from postroom.mail import mime, smime_read, tnef
from postroom.mail.html import sanitise, to_text
from postroom.mail.parts import Node, leaves, readable, tree

#: Characters of a body that are shown; the rest is in the file one can fetch.
HTML_MAX, TEXT_MAX = 400_000, 200_000
#: Pictures of a mail shown in it, together.
PICTURES_MAX = 8_000_000
#: Shown by a browser as what they are and nothing else; everything else is only handed out as a file.
RASTER = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp")
_MAGIC = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
    b"BM": "image/bmp",
}
_SIGNATURES = (*smime_read.DETACHED, "application/pgp-signature")
_RISKY = re.compile(
    r"(?i)\.(?:exe|com|bat|cmd|scr|pif|cpl|js|jse|vbs?|vbe|wsf?|wsh|ps1|msi|msp|hta|lnk|iso|img|jar|reg|inf|chm|url|html?"
    r"|xhtml|svg|docm|xlsm|pptm|xll|one|apk|dmg|sh|py)$"
)
#: Bytes of an envelope of Outlook that are opened; the number of a file in it is that of its part and these thousands.
_TNEF_MAX, _INSIDE = 60_000_000, 1000
_PICTURE, _PLAIN = re.compile(r"(?i)\.(?:png|jpe?g|gif|webp|bmp)$"), re.compile(r"(?i)\.(?:txt|log|csv|md)$")
_ENDINGS = {"text/plain": "txt", "text/html": "html", "text/calendar": "ics", "image/jpeg": "jpg"}
# A & that begins no character reference: thousands of them are slow for the parser.
_AMPERSANDS = 60_000
_LOOSE = re.compile(r"&(?!#\d{1,7};|#x[0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,30};)")
#: What only a mail that was laid out has; without it the text alone says everything.
_RICH = re.compile(r"(?i)<(?:img|table|font|h[1-6]|style|center)\b|background|color\s*:")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ue000\ue001]")


@dataclass(frozen=True, slots=True)
class File:
    """number: of the part, for fetching it. content_type: of a picture as its bytes say it is."""

    number: int
    name: str
    content_type: str
    size_bytes: int
    #: May be looked at in the browser: a raster picture or plain text.
    is_viewable: bool = False
    #: A program, or something that can hold one.
    is_risky: bool = False
    #: TNEF: an envelope of Outlook's own that other programs cannot open; its files stand beside it.
    is_winmail: bool = False
    #: Such an envelope with a layout and no file in it.
    is_hollow: bool = False


@dataclass(slots=True)
class Shown:
    """text: the plain text, made of the HTML when there is no other. html: as it came, "" = none; never shown as it is.

    is_cut: longer than what is shown. is_rich: more than words: shown in its frame.
    """

    text: str = ""
    html: str = ""
    files: list[File] = field(default_factory=list)
    pictures: dict[str, Node] = field(default_factory=dict)
    is_cut: bool = False
    is_rich: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """html: sanitised, for a sandboxed frame. blocked: how many things it would fetch from elsewhere."""

    html: str
    blocked: int


def read(raw: bytes) -> Shown:
    """What there is to see in a mail; inside an opaque signature (S/MIME) stands another."""
    root = _root(raw)
    shown = Shown()
    texts: list[Node] = []
    pages: list[Node] = []
    rest: list[Node] = []
    _walk(root, texts, pages, rest)
    shown.html = "\n<hr>\n".join(_body(node, HTML_MAX, shown) for node in pages[:10])
    shown.text = "\n\n".join(_body(node, TEXT_MAX, shown) for node in texts[:20])
    used = {node.content_id for node in rest if node.content_id and f"cid:{node.content_id}" in shown.html}
    shown.pictures = {node.content_id: node for node in rest if node.content_id in used}
    shown.files = [
        one for node in rest if node.content_id not in used or not _raster(node) for one in _files(node)
    ]
    shown.is_rich = bool(shown.html) and bool(_RICH.search(shown.html))
    if shown.html and not shown.text.strip():
        shown.text = to_text(_parsable(shown.html), 10_000)
    shown.text = _CONTROL.sub("", shown.text.replace("\r\n", "\n").replace("\r", "\n")).strip("\n")
    return shown


def page(shown: Shown, *, remote: bool = False) -> Page:
    """The HTML of a mail made harmless. remote: with the pictures of other hosts."""
    removed: list[str] = []
    left, pictures = PICTURES_MAX, {}
    for content_id, node in shown.pictures.items():
        kind = _raster(node)
        if kind and node.size_bytes <= left:
            data = node.data(left)
            left -= len(data)
            pictures[content_id] = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    html = sanitise(_parsable(shown.html), remote=remote, pictures=pictures, removed=removed)
    return Page(html, len(removed))


def part(raw: bytes, number: int) -> tuple[File, bytes] | None:
    """A file of the mail with its bytes; None when there is no such part."""
    place, inside = number % _INSIDE, number // _INSIDE
    node = next((one for one in leaves(_root(raw)) if one.number == place), None)
    if node is None:
        return None
    if inside:
        files = tnef.files_in(node.data(_TNEF_MAX))[0] if _file(node).is_winmail else []
        return (
            (_packed(node, inside, files[inside - 1]), files[inside - 1].data)
            if inside <= len(files)
            else None
        )
    data = node.exact if node.content_type == "message/rfc822" else node.data()
    if node.content_type == "message/rfc822":
        data = node.raw[node.start : node.end]
    return _file(node), data


def headers(raw: bytes) -> dict[str, list[str]]:
    """The header fields of the mail by lower-case name, as they stand in it."""
    return tree(raw).headers


def _root(raw: bytes) -> Node:
    inner = smime_read.opened(raw)
    return tree(raw) if inner is None else tree(inner)


def _walk(node: Node, texts: list[Node], pages: list[Node], rest: list[Node]) -> None:
    """Sort the leaves: what is read, in order, and what is a file."""
    kind = node.content_type
    if node.number < 0:
        if kind == "multipart/alternative":
            _choose(node, texts, pages, rest)
            return
        for child in node.children:
            _walk(child, texts, pages, rest)
    elif kind in _SIGNATURES:
        return
    elif node.disposition == "attachment" or (kind == "text/plain" and node.name and texts):
        rest.append(node)
    elif kind == "text/html":
        pages.append(node)
    elif kind in ("text/plain", "text/enriched", "text/markdown", "text/x-preamble"):
        texts.append(node)
    else:
        rest.append(node)


def _choose(node: Node, texts: list[Node], pages: list[Node], rest: list[Node]) -> None:
    """One of the alternatives is shown in its layout, one as text; files of all of them are kept."""
    chosen: tuple[list[Node], list[Node]] = ([], [])
    for child in node.children:
        mine: tuple[list[Node], list[Node], list[Node]] = ([], [], [])
        _walk(child, *mine)
        chosen = mine[0] if mine[0] and not chosen[0] else chosen[0], mine[1] or chosen[1]
        rest.extend(mine[2])
    texts.extend(chosen[0])
    pages.extend(chosen[1])


def _body(node: Node, limit: int, shown: Shown) -> str:
    data = node.data(limit * 4)
    text = readable(data, node.params.get("charset", ""))
    if len(text) > limit or node.end - node.start > limit * 8:
        shown.is_cut = True
    return text[:limit]


def _parsable(html: str) -> str:
    """Without what is slow for the parser: each & costs it a look at all that follows."""
    html = _LOOSE.sub("&amp;", html) if html.count("&") <= _AMPERSANDS else html.replace("&", " ")
    return _CONTROL.sub("", html)


def _raster(node: Node) -> str:
    """The type of a picture as its first bytes tell it, "" when it is none of those that are only pixels."""
    return _raster_of(node.data(16))


def _raster_of(data: bytes) -> str:
    return next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), "")


def _files(node: Node) -> list[File]:
    """A part as a file; of an envelope of Outlook what it holds, and itself only where that may not be all."""
    file = _file(node)
    if not file.is_winmail:
        return [file]
    inside, is_whole = tnef.files_in(node.data(_TNEF_MAX))
    found = [_packed(node, place, one) for place, one in enumerate(inside, 1)]
    return found if found and is_whole else [replace(file, is_hollow=is_whole), *found]


def _packed(node: Node, place: int, one: tnef.Packed) -> File:
    """A file of an envelope, place counted from 1."""
    picture = one.content_type.startswith("image/") or _PICTURE.search(one.name)
    raster = _raster_of(one.data) if picture else ""
    is_plain = one.content_type == "text/plain" or (
        not one.content_type and _PLAIN.search(one.name) is not None
    )
    return File(
        number=node.number + place * _INSIDE,
        name=one.name,
        content_type=raster or ("text/plain" if is_plain else one.content_type or "application/octet-stream"),
        size_bytes=len(one.data),
        is_viewable=bool(raster) or (is_plain and len(one.data) < 1_000_000),
        is_risky=_RISKY.search(one.name) is not None,
    )


def _file(node: Node) -> File:
    kind = node.content_type
    name = node.name
    if kind == "message/rfc822" and not name:
        begin = mime.decoded(node.raw[node.start : node.start + 20_000], "utf-8").replace("\r", "")
        subject = mime.words(mime.header_block(begin).get("subject", [""])[0])
        name = (re.sub(r"[^\w .,-]", "_", subject)[:80].strip() or "message") + ".eml"
    if not name:
        ending = _ENDINGS.get(kind) or re.sub(r"[^a-z0-9]", "", kind.rpartition("/")[2])[:8]
        name = "smime.p7m" if kind in smime_read.OPAQUE else f"file-{node.number + 1}.{ending or 'bin'}"
    raster = _raster(node) if kind.startswith("image/") else ""
    return File(
        number=node.number,
        name=name,
        content_type=raster or kind,
        size_bytes=node.size_bytes,
        is_viewable=bool(raster) or (kind == "text/plain" and node.size_bytes < 1_000_000),
        is_risky=_RISKY.search(name) is not None,
        is_winmail=kind in ("application/ms-tnef", "application/vnd.ms-tnef")
        or name.lower() == "winmail.dat",
    )
