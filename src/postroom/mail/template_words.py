"""What is wrong with a template, in a closed set of our own sentences.

python-liquid speaks English and changes its words with its versions; whoever writes a template reads ours, in their
own language (postroom.web.said translates by form). Whatever is not known becomes UNREADABLE: the library's own words
are never passed on. Values in the sentences are taken from the template: tags, filters, signs.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

from liquid.exceptions import FilterArgumentError, FilterValueError, LiquidError, LiquidTypeError

UNREADABLE = "this cannot be understood"

_BLOCKS = frozenset({"if", "unless", "case", "for", "capture", "comment"})
_INSIDE = dict.fromkeys(("else", "elsif"), "if") | {"when": "case", "break": "for", "continue": "for"}
_SOME_TAG = re.compile(r"\{%-?\s{0,20}(\w+)")
_MISSING = "a field or a value is missing"
_ROUNDS = "the loops take too many rounds"

#: What python-liquid says -> what we say. Groups fill the places; `found` and `filter` come from the place itself.
_SAID: tuple[tuple[str, str], ...] = (
    (r"comment tag was never closed", "the tag 'comment' has no end: '{% endcomment %}' is missing"),
    (r"missing tag name.*", "a tag without a name"),
    (r"unknown filter '(?P<filter>.*)'", "there is no filter '%(filter)s'"),
    (r"expected word, found .*", "the name of a filter is missing after '|'"),
    (
        r"expected an? (?:identifier|name|string or variable).* found (?!end of).*",
        "a simple name is expected here",
    ),
    (r"expected (?:in|'in'),? found .*", "'in' is missing in the tag 'for'"),
    (r"expected '?\)'?, found .*", "expected ')'"),
    (r"expected '?='?, found .*", "expected '='"),
    (r"expected (?:one of \('colon',\)|':'), found .*", "expected ':'"),
    (r"expected '\}\}'.*", "expected '}}'"),
    (r"expected 'reversed'.*", "only 'reversed', 'limit' and 'offset' can stand here"),
    (r"expected content, found expression", "nothing can stand behind this tag"),
    (r"expected (?:a comma separated|a parameter|an argument|at least one).*", _MISSING),
    (
        r"expected an? (?:int|float|array).*|.* expected an integer.*|integer string.*",
        "a whole number is expected here",
    ),
    (r"disallowed parentheses.*|unbalanced parentheses", "conditions cannot have brackets"),
    (r"disallowed not.*", "'not' is not understood; use the tag 'unless'"),
    (r"disallowed ternary.*", "a condition needs the tag 'if'"),
    (r".* are not supported between .*", "these two values cannot be compared"),
    (
        r"expected end of expression, found .*|unexpected (?!tag).*|unknown operator .*",
        "'%(found)s' is not expected here",
    ),
    (r"expected a primitive expression.*|missing .*|expected an identifier.*|invalid identifier", _MISSING),
    (r"loop iteration limit reached|range literal length limit reached", _ROUNDS),
    (r"output stream limit reached", "the text becomes too long"),
    (r"local namespace limit reached", "too much is kept in variables"),
    (r"block nesting limit reached|maximum context depth.*", "the tags are nested too deeply"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), words) for pattern, words in _SAID)
_BY_ZERO = "this would divide by zero"
_WRONG_FILTER = "the filter '%(filter)s' cannot be used like this"


def line_of(source: str, at: int) -> str:
    """The words "line 3" for a place in the source."""
    return f"line {source.count(chr(10), 0, at) + 1}"


def place_of(error: LiquidError, source: str, read: Callable[[str], object], openings: Sequence[int]) -> int:
    """Where reading the source ended; -1 = nowhere in particular.

    read: reads a template or raises LiquidError; openings: where its tags and outputs begin.
    The library forgets the place when an expression ends too early. What is read up to there fails alike from the
    broken one onwards, and in another way before it.
    """
    if error.token is not None and error.token.start_index >= 0:
        return int(error.token.start_index)

    def fails_alike(number: int) -> bool:
        try:
            read(source[: openings[number + 1]] if number + 1 < len(openings) else source)
        except LiquidError as other:
            return str(other.message) == str(error.message)
        return False

    first = bisect_left(range(len(openings)), True, key=fails_alike)
    return openings[first] if first < len(openings) else -1


def explained(
    error: LiquidError, source: str, allowed: frozenset[str], filters: frozenset[str], *, at: int = -1
) -> str:
    """What is wrong, after the line where it is known.

    allowed, filters: what may be used, by name. at: where it is wrong, when the error does not know; -1 = unknown.
    """
    if error.token is not None and error.token.start_index >= 0:
        at = error.token.start_index
    message = str(error.message or "")
    if _ends_too_early(message) and (open_tag := _never_closed(source)):
        name, at = open_tag
        return f"{line_of(source, at)}: the tag '{name}' has no end: '{{% end{name} %}}' is missing"
    words = _tag_words(message, allowed) or _known_words(error, message, filters) or UNREADABLE
    return f"{line_of(source, at)}: {words}" if at >= 0 else f"The template cannot be read: {words}"


def _ends_too_early(message: str) -> bool:
    return bool(re.fullmatch(r"expected tag end\w+, found .*|unexpected tag 'end of expression'", message))


def _tag_words(message: str, allowed: frozenset[str]) -> str:
    found = re.fullmatch(r"unexpected tag '(\w+)'", message)
    if found is None:
        return ""
    name = found[1]
    if name in _INSIDE:
        return f"the tag '{name}' stands outside '{_INSIDE[name]}'"
    if name.startswith("end") and name[3:] in _BLOCKS:
        return f"the tag '{name}' has no beginning"
    return f"the tag '{name}' cannot stand here" if name in allowed else f"there is no tag '{name}'"


def _known_words(error: LiquidError, message: str, filters: frozenset[str]) -> str:
    value: Any = error.token.value if error.token is not None else ""
    broken = re.fullmatch(r"unexpected '(break|continue)'", message)
    if broken:
        return f"the tag '{broken[1]}' stands outside 'for'"
    if value in filters and isinstance(error, LiquidTypeError | FilterArgumentError | FilterValueError):
        return _BY_ZERO if "can't divide by" in message else _WRONG_FILTER % {"filter": value}
    for pattern, words in _PATTERNS:
        if found := pattern.fullmatch(message):
            places = {"found": value, **found.groupdict()}
            if "%(" not in words:
                return words
            return words % places if all(places.values()) else UNREADABLE
    return ""


def _never_closed(source: str) -> tuple[str, int] | None:
    """The innermost tag without its end: its name and where it stands."""
    opened: list[tuple[str, int]] = []
    for found in _SOME_TAG.finditer(source):
        if found[1] in _BLOCKS:
            opened.append((found[1], found.start()))
        elif opened and found[1] == f"end{opened[-1][0]}":
            opened.pop()
    return opened[-1] if opened else None
