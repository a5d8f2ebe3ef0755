"""Typed text as HTML: who writes plain lines gets paragraphs; who writes HTML keeps it as written."""

import re

_BLOCKS = re.compile(
    r"<\s*(p|div|table|br|ul|ol|h[1-6]|html|body|blockquote|pre|section|article|center|hr)\b", re.IGNORECASE
)


def as_html(typed: str) -> str:
    """Blank lines make paragraphs and single line ends breaks, unless the text has block tags of its own.

    Inline tags and template fields are left alone. "" stays "".
    """
    if not typed.strip() or _BLOCKS.search(typed):
        return typed
    normal = typed.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    paragraphs = [part.strip("\n") for part in re.split(r"\n[ \t]*\n", normal) if part.strip()]
    return "\n".join("<p>" + part.replace("\n", "<br>\n") + "</p>" for part in paragraphs)
