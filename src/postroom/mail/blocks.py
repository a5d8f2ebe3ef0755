"""The marked blocks of a typed message: templates that were put in, a signature, and what is quoted.

The marks are HTML comments, so they hold in plain typed text; none of them is sent.
"""

import re
from collections.abc import Callable

from postroom.mail.html import to_text
from postroom.mail.paragraphs import as_html

#: DEFAULT: the template a message begins with; one that is chosen takes its place and is a TEMPLATE (CM-45).
DEFAULT, TEMPLATE, SIGNATURE, QUOTE = "default", "template", "signature", "quote"
#: Where the cursor stood when a template was put in.
CURSOR = "<!-- cursor -->"
_KINDS = "default|template|signature|quote"
_BLOCK = re.compile(rf"<!-- ({_KINDS}) -->\n?(.*?)\n?<!-- /\1 -->", re.DOTALL)
_MARK = re.compile(rf"<!-- /?(?:{_KINDS}) -->\n?|<!-- cursor -->\n?")
_FIELD = re.compile(r"\{\{.{0,2000}?\}\}|\{%.{0,2000}?%\}", re.DOTALL)
_TEMPLATES = (DEFAULT, TEMPLATE)


def block(kind: str, inner: str) -> str:
    """inner between its marks, which it cannot close itself."""
    return f"<!-- {kind} -->\n{_MARK.sub('', inner)}\n<!-- /{kind} -->"


def first_block(typed: str, kind: str) -> str | None:
    """What stands in the first block of this kind; None without one."""
    for found in _BLOCK.finditer(typed):
        if found[1] == kind:
            return found[2]
    return None


def swapped(typed: str, kind: str, other: str) -> str:
    """With `other`, a block, in the place of the first one of this kind; as it is without one."""
    for found in _BLOCK.finditer(typed):
        if found[1] == kind:
            return typed[: found.start()] + other + typed[found.end() :]
    return typed


def put_in(typed: str, new: str) -> str:
    """With a new block where the cursor stands (between blocks), else at the top."""
    before, cursor, after = typed.partition(CURSOR)
    if not cursor:
        return f"{new}\n\n{typed.lstrip()}"
    return f"{before.rstrip()}\n{new}\n{without_cursor(after).lstrip()}".lstrip()


def without_marks(typed: str) -> str:
    return _MARK.sub("", typed)


def without_cursor(typed: str) -> str:
    return typed.replace(f"{CURSOR}\n", "").replace(CURSOR, "")


def is_same(one: str, other: str) -> bool:
    """Whether two blocks read the same: the editor writes the tags of what nobody touched in its own way."""
    return one.strip() == other.strip() or to_text(as_html(one)) == to_text(as_html(other))


def sent_html(typed: str) -> str:
    """The HTML that goes out: marks taken away; what is typed around the blocks gets its paragraphs."""
    pieces, at = [], 0
    for found in _BLOCK.finditer(typed):
        pieces.append(as_html(_MARK.sub("", typed[at : found.start()])))
        inner = _MARK.sub("", found[2])
        pieces.append(inner if found[1] == QUOTE else as_html(inner))
        at = found.end()
    pieces.append(as_html(_MARK.sub("", typed[at:])))
    return "\n".join(piece for piece in pieces if piece.strip())


def own_words(typed: str) -> bool:
    """Whether anything but a signature and what is quoted stands in it."""
    kept = "".join("" if found[1] in (SIGNATURE, QUOTE) else found[2] for found in _BLOCK.finditer(typed))
    outside = _MARK.sub("", _BLOCK.sub("", typed))
    return bool(to_text(as_html(kept + outside)).strip() or "<img" in (kept + outside).lower())


def refilled(typed: str, fill: Callable[[str], str]) -> str:
    """With what stands in each template block as `fill` gives it back; what is typed around them stays."""

    def one(found: re.Match[str]) -> str:
        return block(found[1], fill(found[2])) if found[1] in _TEMPLATES else found[0]

    return _BLOCK.sub(one, typed)


def open_fields(typed: str) -> list[str]:
    """The fields in template blocks that nothing was filled into, as written, each once."""
    blocks = [found[2] for found in _BLOCK.finditer(typed) if found[1] in _TEMPLATES]
    return list(dict.fromkeys(field[0] for inner in blocks for field in _FIELD.finditer(inner)))
