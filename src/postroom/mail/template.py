"""What a template says: Liquid, read once, then filled in for each recipient.

A template of plain fields (`{{ name }}`, `{{ name | default: "Customer" }}`) becomes a list of parts; anything else
takes python-liquid with limits on loops, output, memory and work, so that no template can hold a process up. Both ways
give the same text. A field that is empty (or blanks only) counts as missing: it is false in conditions, takes its
fallback, and without one raises MissingValue when written out.
"""

import difflib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from typing import Any

from liquid import Environment, Undefined
from liquid.exceptions import LiquidError

from postroom.errors import BadTemplate, MissingValue
from postroom.mail.fields import OTHER_KEYS, RECORD_ANY, canonical_key
from postroom.mail.template_words import explained, line_of, place_of

SOURCE_MAX = 2_000_000
OUTPUT_MAX = 4_000_000
#: Characters that filters may read and write in one rendering.
WORK_MAX = 20_000_000
#: Steps (tags times loop rounds) in one rendering.
STEPS_MAX = 100_000
_LONGEST = 1_000_000

_TAGS = frozenset(
    {"content", "output", "illegal", "if", "unless", "case", "for", "assign", "capture", "comment", "break"}
    | {"continue", "echo", "cycle"}
)
_FILTERS = frozenset(
    {
        "abs",
        "append",
        "at_least",
        "at_most",
        "capitalize",
        "ceil",
        "date",
        "default",
        "divided_by",
        "downcase",
    }
    | {
        "escape",
        "escape_once",
        "first",
        "floor",
        "join",
        "last",
        "lstrip",
        "minus",
        "modulo",
        "newline_to_br",
    }
    | {"plus", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last"}
    | {
        "reverse",
        "round",
        "rstrip",
        "size",
        "slice",
        "split",
        "strip",
        "strip_html",
        "strip_newlines",
        "times",
    }
    | {"truncate", "truncatewords", "upcase", "url_encode"}
)

_PATH = r"[^\W\d][\w-]*(?:\.[^\W\d][\w-]*)?"
_PLAIN_FIELD = re.compile(
    rf"\{{\{{\s*({_PATH})\s*(?:\|\s*default\s*:\s*(\"[^\"\\\\{{}}]*\"|'[^'\\\\{{}}]*')\s*)?\}}\}}", re.UNICODE
)
_OPENING = re.compile(r"\{([{%])(?:-?\s{0,20}(raw|doc)\b)?")
_TAG_MAX = 2000
_OUTPUT = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_WORDS = frozenset(
    {"true", "false", "nil", "null", "empty", "blank", "and", "or", "not", "contains", "in", "if", "else"}
)
_PROPERTIES = frozenset({"size", "first", "last"})

_MARKUP = re.compile("[&<>'\"]")
_ESCAPES = {38: "&amp;", 60: "&lt;", 62: "&gt;", 39: "&#39;", 34: "&#34;"}


def escape_html(value: str) -> str:
    """The value as text of HTML or of a quoted attribute."""
    return value.translate(_ESCAPES) if _MARKUP.search(value) else value


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


@dataclass(frozen=True, slots=True)
class Field:
    """A place where a value goes. fallback: written as it is when the value is missing; None = there is none."""

    key: str
    fallback: str | None = None


class Compiled:
    """A template, read.

    html:         values are escaped.
    fields:       keys it uses: contact fields bare, others dotted ("sender.name").
    has_fallback: key -> every place that writes it out has a fallback.
    parts:        literals and fields in turn, when the template holds plain fields only; else None.
    """

    __slots__ = ("_liquid", "fields", "has_fallback", "html", "parts", "source")

    def __init__(
        self,
        source: str,
        html: bool,
        parts: tuple[str | Field, ...] | None,
        liquid: Any,
        fields: frozenset[str],
    ) -> None:
        self.source = source
        self.html = html
        self.parts = parts
        self.fields = fields
        self.has_fallback = _fallbacks(source, fields)
        self._liquid = liquid

    def render(self, values: Mapping[str, object], *, empty_values: bool = False) -> str:
        """The text for these values (by field key; a key that is absent is missing).

        empty_values: True writes nothing for a missing value without fallback instead of raising MissingValue.
        Raises BadTemplate when a limit is reached.
        """
        if self.parts is None:
            return self.render_general(values, empty_values=empty_values)
        written: list[str] = []
        for part in self.parts:
            if type(part) is str:
                written.append(part)
                continue
            assert isinstance(part, Field)
            value = values.get(part.key)
            if value is not None and type(value) is not str:
                return self.render_general(values, empty_values=empty_values)
            if not value or value.isspace():
                value = part.fallback
                if value is None:
                    if not empty_values:
                        raise missing_value(part.key)
                    value = ""
                written.append(value)
            else:
                value = _newlines(value)
                written.append(escape_html(value) if self.html else value)
        return "".join(written)

    def render_general(self, values: Mapping[str, object], *, empty_values: bool = False) -> str:
        """The same text by way of python-liquid."""
        token = _work.set([WORK_MAX])
        try:
            return str(self._liquid.render(**_context(self.fields, values, empty_values)))
        except MissingValue:
            raise
        except LiquidError as error:
            raise BadTemplate(explained(error, self.source, _TAGS, _FILTERS)) from None
        except (RecursionError, ArithmeticError, ValueError, TypeError, LookupError, AttributeError):
            # The words of these are Python's, in English.
            raise BadTemplate(
                "The template cannot be filled in: look at its numbers, dates and filters."
            ) from None
        finally:
            _work.reset(token)


def missing_value(key: str) -> MissingValue:
    return MissingValue(f"The field {key} is empty for this recipient and has no fallback.", field=key)


def compile_text(source: str, *, html: bool, known_fields: Collection[str]) -> Compiled:
    """Read a template. known_fields: keys of contact fields that exist; the special fields are known anyway.

    Raises BadTemplate: syntax (with the line), a tag or filter that is not allowed, unknown fields (all of them in
    `details["unknown"]`, with the nearest known one each).
    """
    if len(source) > SOURCE_MAX:
        raise BadTemplate(f"The template is longer than {SOURCE_MAX:,} characters.")
    source = _newlines(source)
    _check_brackets(source)
    environment = _environment(html, source)
    try:
        liquid = environment.from_string(source)
        names = _names(liquid)
    except LiquidError as error:
        openings = [found.start() for found in _OPENING.finditer(source)]
        at = place_of(error, source, environment.from_string, openings)
        raise BadTemplate(explained(error, source, _TAGS, _FILTERS, at=at)) from None
    except RecursionError:
        raise BadTemplate("The template is nested too deeply.") from None
    fields = _known(names, known_fields, source)
    return Compiled(source, html, _plain_parts(source), liquid, fields)


def literal_text(source: str, *, html: bool) -> Compiled:
    """A text that is written as it is, whatever brackets stand in it."""
    return Compiled(source, html, (_newlines(source),), None, frozenset())


def _check_brackets(source: str) -> None:
    """Refuse what would make the lexer of python-liquid take quadratic time: tags without end, raw, doc."""
    for found in _OPENING.finditer(source):
        closing = "}}" if found[1] == "{" else "%}"
        if found[2]:
            raise BadTemplate(f"{line_of(source, found.start())}: the tag '{found[2]}' is not allowed")
        if source.find(closing, found.end(), found.end() + _TAG_MAX) < 0:
            raise BadTemplate(f"{line_of(source, found.start())}: expected '{closing}'")


def _plain_parts(source: str) -> tuple[str | Field, ...] | None:
    if "{%" in source:
        return None
    parts: list[str | Field] = []
    at = 0
    for found in _PLAIN_FIELD.finditer(source):
        if found[1] in _WORDS or "{{" in source[at : found.start()]:
            return None
        parts.append(source[at : found.start()])
        parts.append(Field(canonical_key(found[1]), found[2][1:-1] if found[2] is not None else None))
        at = found.end()
    if "{{" in source[at:]:
        return None
    return (*parts, source[at:])


def _names(liquid: Any) -> dict[str, int]:
    """Every name a template takes from outside -> where it is used first."""
    names: dict[str, int] = {}
    for uses in liquid.analyze(include_partials=False).globals.values():
        for use in uses:
            segments = [segment if isinstance(segment, str) else "[]" for segment in use.segments]
            if len(segments) > 1 and segments[-1] in _PROPERTIES:
                del segments[-1]
            names.setdefault(".".join(segments), use.span.index)
    return names


def _known(names: dict[str, int], known_fields: Collection[str], source: str) -> frozenset[str]:
    known = {canonical_key(key) for key in known_fields} | OTHER_KEYS
    unknown = {name: at for name, at in names.items() if canonical_key(name) not in known}
    if RECORD_ANY in known:
        unknown = {name: at for name, at in unknown.items() if not name.startswith(RECORD_ANY)}
    if not unknown:
        return frozenset(canonical_key(name) for name in names)
    nearest: dict[str, str] = {}
    told: list[str] = []
    for name, at in sorted(unknown.items(), key=lambda pair: pair[1]):
        close = difflib.get_close_matches(canonical_key(name), sorted(known), n=1, cutoff=0.5)
        nearest[name] = close[0] if close else ""
        hint = f", did you mean {close[0]}?" if close else ""
        told.append(f"{name} ({line_of(source, at)}{hint})")
    raise BadTemplate("Unknown field: " + "; ".join(told), code="UNKNOWN_FIELD", details={"unknown": nearest})


def _fallbacks(source: str, fields: frozenset[str]) -> dict[str, bool]:
    found = dict.fromkeys(fields, True)
    for output in _OUTPUT.finditer(source):
        path = re.match(rf"\s*({_PATH})", output[1])
        if path and canonical_key(path[1]) in found and not re.search(r"\|\s*default\s*:", output[1]):
            found[canonical_key(path[1])] = False
    return found


class _Nothing(str):
    """What a missing field is to the language: undefined (so false), and equal to nil, "", empty and blank."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or other == ""

    __hash__ = str.__hash__


Undefined.register(_Nothing)
_NOTHING = _Nothing()


class _Missing:
    """A field without value: takes its fallback, and may not be written out unless `empty_values`."""

    __slots__ = ("empty_values", "key")

    def __init__(self, key: str, empty_values: bool) -> None:
        self.key = key
        self.empty_values = empty_values

    def __liquid__(self) -> object:
        return _NOTHING

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __contains__(self, item: object) -> bool:
        return False

    def __str__(self) -> str:
        if not self.empty_values:
            raise missing_value(self.key)
        return ""


def _context(fields: frozenset[str], values: Mapping[str, object], empty_values: bool) -> dict[str, object]:
    context: dict[str, object] = {}
    contact: dict[str, object] = {}
    for key in fields:
        value = values.get(key)
        if value is None or (isinstance(value, str) and (not value or value.isspace())):
            value = _Missing(key, empty_values)
        elif not isinstance(value, (int, float, list)):
            value = _newlines(str(value))
        group, dot, name = key.partition(".")
        if dot:
            inner = context.setdefault(group, {})
            assert isinstance(inner, dict)
            inner[name] = value
        else:
            contact[key] = context[key] = value
    context["contact"] = contact
    return context


_work: ContextVar[list[int]] = ContextVar("work")


def _measure(value: object) -> int:
    if isinstance(value, (str, list, tuple, range)):
        size = len(value)
        if size > _LONGEST or (not isinstance(value, str) and size > 10_000):
            raise BadTemplate("The template makes a value that is too long.")
        return size
    if isinstance(value, int) and value.bit_length() > 256:
        raise BadTemplate("The template makes a number that is too large.")
    return 1


def _limited(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter with its work counted: several together could else take any time and memory."""

    @wraps(function)
    def limited(value: object, *args: Any, **kwargs: Any) -> object:
        if isinstance(value, _Missing) and name not in ("default", "size"):
            return value  # what comes after may still be `default`
        left = _work.get()
        sizes = [_measure(part) for part in (value, *args)]
        if name.startswith(("replace", "remove")) and len(sizes) > 2 and sizes[0] * sizes[2] > _LONGEST:
            raise BadTemplate("The template makes a value that is too long.")
        if name == "join" and sizes[0] * max(sizes) > _LONGEST:
            raise BadTemplate("The template makes a value that is too long.")
        result = function(value, *args, **kwargs)
        left[0] -= 50 + sum(sizes) + _measure(result)
        if left[0] < 0:
            raise BadTemplate("The template takes too long.")
        return result

    for mark in ("with_environment", "with_context"):
        if getattr(function, mark, False):
            setattr(limited, mark, True)
    return limited


def _environment(html: bool, source: str) -> Environment:
    environment = Environment(autoescape=html, strict_filters=True)
    for tag in set(environment.tags) - _TAGS:
        del environment.tags[tag]
    environment.filters = {
        name: _limited(name, function) for name, function in environment.filters.items() if name in _FILTERS
    }
    limits: Any = environment  # class attributes in python-liquid, ours for this template
    limits.loop_iteration_limit = max(STEPS_MAX // (source.count("{%") + source.count("{{") + 1), 20)
    limits.output_stream_limit = OUTPUT_MAX
    limits.local_namespace_limit = 2 * _LONGEST
    limits.context_depth_limit = 20
    return environment
