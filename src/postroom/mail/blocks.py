"""The marked blocks of a typed message: a template that was put in, and what is quoted.

The marks are HTML comments, so they hold in plain typed text; none of them is sent.
"""

import re

from postroom.mail.paragraphs import as_html

TEMPLATE, QUOTE = "template", "quote"
_BLOCK = re.compile(r"<!-- (template|quote) -->\n?(.*?)\n?<!-- /\1 -->", re.DOTALL)
_MARK = re.compile(r"<!-- /?(?:template|quote) -->\n?")
_FIELD = re.compile(r"\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}", re.DOTALL)


def block(kind: str, inner: str) -> str:
    """inner between its marks, which it cannot close itself."""
    return f"<!-- {kind} -->\n{_MARK.sub('', inner)}\n<!-- /{kind} -->"


def first_block(typed: str, kind: str) -> str | None:
    """What stands in the first block of this kind; None without one."""
    for found in _BLOCK.finditer(typed):
        if found[1] == kind:
            return found[2]
    return None


def swapped(typed: str, inner: str) -> str:
    """With other words in the first template block; all else stays. Without a block it goes to the top."""
    for found in _BLOCK.finditer(typed):
        if found[1] == TEMPLATE:
            return typed[: found.start()] + block(TEMPLATE, inner) + typed[found.end() :]
    return f"{block(TEMPLATE, inner)}\n\n{typed.lstrip()}"


def sent_html(typed: str) -> str:
    """The HTML that goes out: marks taken away; what is typed around the blocks gets its paragraphs."""
    pieces, at = [], 0
    for found in _BLOCK.finditer(typed):
        pieces.append(as_html(_MARK.sub("", typed[at : found.start()])))
        pieces.append(found[2] if found[1] == QUOTE else as_html(found[2]))
        at = found.end()
    pieces.append(as_html(_MARK.sub("", typed[at:])))
    return "\n".join(piece for piece in pieces if piece.strip())


def open_fields(typed: str) -> list[str]:
    """The fields in template blocks that nothing was filled into, as written, each once."""
    blocks = [found[2] for found in _BLOCK.finditer(typed) if found[1] == TEMPLATE]
    return list(dict.fromkeys(field[0] for inner in blocks for field in _FIELD.finditer(inner)))
