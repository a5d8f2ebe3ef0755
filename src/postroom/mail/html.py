"""What we do with HTML: make text of it, inline its CSS, clean it for display, list its links.

Template tags in it stay whole (mail/markup.py).
"""

import re
import textwrap
from collections.abc import Mapping
from html import escape, unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import css_inline
import nh3

from postroom.mail.markup import hold, in_order, release, too_deep, without_tags

WIDTH = 76

_BLANKS = re.compile(r"[ \t\r\n\f\v]+")

_BLOCKS = frozenset(
    {
        "p",
        "div",
        "section",
        "article",
        "header",
        "footer",
        "main",
        "nav",
        "aside",
        "figure",
        "figcaption",
        "form",
    }
    | {
        "address",
        "center",
        "fieldset",
        "dl",
        "dt",
        "dd",
        "table",
        "tbody",
        "thead",
        "tfoot",
        "caption",
        "body",
    }
)
_APART = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "pre", "table", "dl"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
)
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_PREFIX_MAX = 40


def to_text(source: str, width: int = WIDTH) -> str:
    """The text of an HTML page or fragment, lines folded at `width`; "" when there is none.

    Links are kept as "text (url)", lists get dashes and numbers, a table row becomes a line with " | " between
    the cells, hidden parts are left out. Template tags stay and are never broken.
    """
    held: list[str] = []
    marked, _ = hold(source, held)
    reader = _TextReader(width)
    reader.feed(escape(without_tags(marked)) if too_deep(marked) else in_order(marked))
    reader.close()
    text = release("\n".join(reader.finished()), [unescape(tag) for tag in held])
    return text.strip("\n") + "\n" if text.strip() else ""


class _TextReader(HTMLParser):
    def __init__(self, width: int) -> None:
        super().__init__(convert_charrefs=True)
        self.width = width
        self.lines: list[str] = []
        self.inline = ""  # the paragraph so far
        self.prefixes: list[str] = []  # of quotes and list items around
        self.bullet = ""  # waits for the first words of a list item
        self.lists: list[int] = []  # next number; -1 in a list with dashes
        self.links: list[tuple[str, int]] = []
        self.skipping: list[str] = []
        self.preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self.skipping or _HIDDEN.search(given.get("style", "")) or "hidden" in given:
            if tag not in _VOID:
                self.skipping.append(tag)
            return
        if tag == "br":
            self.inline += "\n"
        elif tag == "img":
            self.inline += given.get("alt", "")
        elif tag == "hr":
            self.flush(apart=True)
            self.lines.append("-" * min(self.width, 30))
            self.lines.append("")
        elif tag == "a":
            self.links.append((given.get("href", "").strip(), len(self.inline)))
        elif tag in ("td", "th"):
            if self.inline.strip(" ") and not self.inline.endswith("\n"):
                self.inline = self.inline.rstrip(" ") + " | "
        elif tag in ("ul", "ol"):
            self.flush(apart=not self.lists)
            self.lists.append(1 if tag == "ol" else -1)
        elif tag == "li":
            self.start_item()
        elif tag == "blockquote":
            self.flush(apart=True)
            self.prefixes.append("> ")
        elif tag == "pre":
            self.flush(apart=True)
            self.preformatted += 1
        elif tag == "tr" or tag in _BLOCKS or tag in _APART:
            self.flush(apart=tag in _APART)

    def handle_endtag(self, tag: str) -> None:
        if self.skipping:
            self.skipping.pop()
        elif tag == "a" and self.links:
            self.end_link(*self.links.pop())
        elif tag in ("ul", "ol"):
            self.flush(apart=len(self.lists) < 2)
            if self.lists:
                self.lists.pop()
        elif tag == "li":
            self.flush()
            if self.prefixes and not self.prefixes[-1].strip():
                self.prefixes.pop()
        elif tag == "blockquote":
            self.flush(apart=True)
            if "> " in self.prefixes:
                self.prefixes.remove("> ")
        elif tag == "pre":
            self.flush(apart=True)
            self.preformatted = max(self.preformatted - 1, 0)
        elif tag == "tr" or tag in _BLOCKS or tag in _APART:
            self.flush(apart=tag in _APART)

    def handle_data(self, data: str) -> None:
        if self.skipping:
            return
        if self.preformatted:
            self.inline += data.replace("\r\n", "\n")
            return
        data = _BLANKS.sub(" ", data)
        if self.inline[-1:] in ("", " ", "\n"):
            data = data.lstrip(" ")
        self.inline += data

    def handle_comment(self, data: str) -> None:
        if data.startswith("\ue000"):  # a template tag
            self.handle_data(data)

    def start_item(self) -> None:
        self.flush()
        number = self.lists[-1] if self.lists else -1
        self.bullet = "- " if number < 0 else f"{number}. "
        if number >= 0:
            self.lists[-1] += 1
        self.prefixes.append(" " * len(self.bullet))

    def end_link(self, url: str, start: int) -> None:
        text = self.inline[start:].strip()
        if not url or url.startswith(("#", "javascript:")):
            return
        if url.startswith("mailto:"):
            url = url[7:].partition("?")[0]
        if not text:
            self.inline += url
        elif text != url and text not in url.removeprefix("https://").removeprefix("http://").rstrip(
            "/"
        ).split("\n"):
            self.inline = f"{self.inline.rstrip(' ')} ({url})"

    def flush(self, apart: bool = False) -> None:
        """End the paragraph; apart: with an empty line after it, or before what follows."""
        prefix = "".join(self.prefixes)
        if len(prefix) > _PREFIX_MAX:
            prefix = prefix[-_PREFIX_MAX:]
        first = prefix
        if self.bullet and self.prefixes:
            first = prefix[: len(prefix) - len(self.bullet)] + self.bullet
        written = False
        for line in self.inline.split("\n") if self.inline.strip() else []:
            if self.preformatted:
                folded = [line.rstrip()]
            else:
                folded = textwrap.wrap(
                    line.strip(),
                    max(self.width - len(prefix), 20),
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            for piece in folded or [""]:
                self.lines.append(f"{first}{piece}".rstrip())
                first = prefix
                written = True
        if written:
            self.bullet = ""
        self.inline = ""
        if apart and self.lines and self.lines[-1]:
            self.lines.append("")

    def finished(self) -> list[str]:
        self.flush()
        kept: list[str] = []
        for line in self.lines:
            if line or (kept and kept[-1]):
                kept.append(line)
        return kept


def links(source: str) -> list[str]:
    """Every href, src and background of a page, in order, each once; template tags as written."""
    held: list[str] = []
    marked, _ = hold(source, held)
    if too_deep(marked):
        return []
    reader = _LinkReader()
    reader.feed(in_order(marked))
    reader.close()
    return list(dict.fromkeys(release(url, held) for url in reader.found))


class _LinkReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.extend(
            value.strip()
            for name, value in attrs
            if value and name in ("href", "src", "background", "action")
        )


def inline_css(source: str) -> str:
    """The page with the rules of its <style> in style attributes; <style> stays for media queries.

    Nothing is fetched. A page without <style>, with CSS that cannot be read, or with {% tags %} between the
    attributes of an element (which a parser would reorder) comes back as it is.
    """
    if "<style" not in source.lower():
        return source
    held: list[str] = []
    marked, among_attributes = hold(source, held)
    if among_attributes or too_deep(marked):
        return source
    try:
        inlined = css_inline.inline(marked, load_remote_stylesheets=False, keep_style_tags=True)
    except (css_inline.InlineError, ValueError):
        return source
    return release(inlined, held)


_ALLOWED_STYLES = frozenset(
    {
        "color",
        "background-color",
        "font",
        "font-family",
        "font-size",
        "font-style",
        "font-weight",
        "line-height",
    }
    | {"text-align", "text-decoration", "text-indent", "vertical-align", "white-space", "direction", "width"}
    | {
        "height",
        "max-width",
        "min-width",
        "margin",
        "margin-top",
        "margin-right",
        "margin-bottom",
        "margin-left",
    }
    | {"padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "border", "border-top"}
    | {"border-right", "border-bottom", "border-left", "border-collapse", "border-color", "border-radius"}
    | {"border-spacing", "border-style", "border-width", "list-style", "list-style-type", "display"}
)
_ATTRIBUTES = {
    "*": {"style", "align", "valign", "dir", "lang", "title", "width", "height", "bgcolor", "color"},
    "a": {"href", "name"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing", "summary"},
    "td": {"colspan", "rowspan", "nowrap"},
    "th": {"colspan", "rowspan", "nowrap", "scope"},
    "font": {"face", "size"},
    "ol": {"start", "type"},
}
_SHOWN = nh3.ALLOWED_TAGS | {"font", "center"}
#: Pictures that are pixels and nothing else: an SVG is a program.
_RASTER_DATA = re.compile(r"data:image/(?:png|jpe?g|gif|webp|bmp)[;,]")


def sanitise(
    source: str,
    *,
    remote: bool = False,
    pictures: Mapping[str, str] | None = None,
    removed: list[str] | None = None,
) -> str:
    """Untrusted HTML without scripts, forms, frames and styles that fetch; for a sandboxed frame.

    remote: keep pictures from other hosts; else their src is taken away. cid: and data:image stay.
    pictures: what a cid: of the mail stands for, a data: URL each; None = cid: stays, and what is missing goes.
    removed: takes what would have been fetched.
    Of a page too long or nested too deeply only the text is left.
    """
    if too_deep(source):
        return f"<pre>{escape(without_tags(source))}</pre>"

    def keep(tag: str, attribute: str, value: str) -> str | None:
        lower = value.strip().lower()
        if attribute == "style" and ("url(" in lower or "\\" in value):
            if removed is not None and "url(" in lower:
                removed.append(value)
            return None
        if tag == "img" and attribute == "src":
            if lower.startswith("cid:"):
                return value if pictures is None else pictures.get(unquote(value.strip()[4:]))
            if lower.startswith("data:"):
                return value if _RASTER_DATA.match(lower) else None
            if not remote:
                if removed is not None:
                    removed.append(value)
                return None
        if tag == "a" and attribute == "href" and lower.startswith(("data:", "cid:")):
            return None
        return value

    return nh3.clean(
        source,
        tags=_SHOWN,
        clean_content_tags={"script", "style", "title", "head"} - _SHOWN,
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=keep,
        url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
        filter_style_properties=set(_ALLOWED_STYLES),
        link_rel="noopener noreferrer nofollow",
    )
