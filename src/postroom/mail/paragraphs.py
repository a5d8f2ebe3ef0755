"""Typed text as HTML: who writes plain lines gets paragraphs; who writes HTML keeps it as written."""

import re

#: HTML written as such: all of it stays.
_DOCUMENT = re.compile(r"<\s*(p|div|table|html|body|pre|section|article|center)\b", re.IGNORECASE)
#: A piece that needs no paragraph around it.
_BLOCK = re.compile(r"<\s*/?\s*(ul|ol|li|h[1-6]|blockquote|hr)\b", re.IGNORECASE)
_BREAK = "<br>\n"
_LINE_END = re.compile(r"(?<!<br>)(?<!<br/>)(?<!<br />)\n", re.IGNORECASE)


def as_html(typed: str) -> str:
    """Blank lines make paragraphs and single line ends breaks; lists, headings and quotations among them stay.

    Text with paragraphs, tables or divisions of its own stays as written. Inline tags and template fields are left
    alone. "" stays "".
    """
    if not typed.strip() or _DOCUMENT.search(typed):
        return typed
    normal = typed.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    paragraphs = [part.strip("\n") for part in re.split(r"\n[ \t]*\n", normal) if part.strip()]
    return "\n".join(
        part if _BLOCK.search(part) else f"<p>{_LINE_END.sub(_BREAK, part)}</p>" for part in paragraphs
    )
