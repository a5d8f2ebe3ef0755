"""HTML made safe to parse: template tags held aside, nesting counted, everything else put in order by a real parser.

The parsers below us take quadratic time for some hostile pages (tags never closed, nesting without end): no page
reaches them before `too_deep` has looked at it.
"""

import re

import nh3

#: Characters of a page, and elements open at once, that are parsed at all.
LENGTH_MAX = 5_000_000
DEPTH_MAX = 250

# A brace inside a tag would make looking for its end quadratic; such a tag is parsed as the text it is.
_TEMPLATE_TAG = re.compile(r"\{\{[^{}]{0,2000}\}\}|\{%[^{}]{0,2000}%\}")
# Private-use characters around a number stand for a template tag while the source is parsed.
_MARK = re.compile("(?:<!--)?\ue000(\\d+)\ue001(?:-->)?")
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Elements that a parser opens anew in every block that begins while they are open (HTML, "active formatting elements").
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())  # noqa: SIM905
#: So opened anew at most: each costs a node and its markup.
REOPENED_MAX = 60_000
# The attributes of one tag are compared with one another.
_LONG_TAG = re.compile(r"<[a-zA-Z][^>]{3000,}")
_VALUE = re.compile(r"=\s{0,10}(?:\"[^\"]*\"|'[^']*')")
ATTRIBUTES_MAX = 500
# Elements without an end tag, or that end themselves when the next one begins.
_SHALLOW = frozenset(
    "area base br col embed hr img input link meta source track wbr p li td th tr dt dd option".split()  # noqa: SIM905
)
_READABLE = nh3.ALLOWED_TAGS | frozenset(
    "address center fieldset form main section body font label legend select option button input u base link".split()  # noqa: SIM905
)
_UNREAD = {"script", "style", "title", "template", "noscript", "svg", "object", "iframe", "math", "textarea"}
_SCHEMES = {"http", "https", "mailto", "tel", "sms", "ftp", "cid", "data"}


def too_deep(source: str) -> bool:
    """Whether the page is longer, nested deeper or would grow more than any honest one."""
    if len(source) > LENGTH_MAX:
        return True
    for tag in _LONG_TAG.findall(source):
        if sum(map(_VALUE.sub("= ", tag).count, " \t\n\r\f/")) > ATTRIBUTES_MAX:
            return True
    opened: dict[str, int] = {}
    depth = formatting = reopened = 0
    for closing, name in _ELEMENT.findall(source):
        name = name.lower()
        if name in _FORMATTING:
            formatting += -1 if closing and opened.get(name) else 0 if closing else 1
        else:
            reopened += formatting
            if reopened > REOPENED_MAX:
                return True
        if name in _SHALLOW:
            continue
        if not closing:
            opened[name] = opened.get(name, 0) + 1
            depth += 1
            if depth > DEPTH_MAX:
                return True
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
    return False


def without_tags(source: str) -> str:
    """What is left of a page nobody should parse: its text, roughly."""
    return re.sub(r"<[^<>]{0,2000}>|[<>]", " ", source[:LENGTH_MAX])


def in_order(source: str) -> str:
    """The page as well-formed elements with the attributes that tell us something; comments stay."""
    return nh3.clean(
        source,
        tags=set(_READABLE),
        clean_content_tags=_UNREAD,
        attributes={
            "*": {"style", "hidden", "background"},
            "a": {"href"},
            "area": {"href"},
            "base": {"href"},
            "link": {"href"},
            "img": {"src", "alt"},
            "form": {"action"},
        },
        url_schemes=_SCHEMES,
        link_rel=None,
        strip_comments=False,
    )


def hold(source: str, held: list[str], *, comments: bool = True) -> tuple[str, bool]:
    """(The source with a mark for every template tag, whether {% a tag %} stands between attributes).

    held:     takes the tags.
    comments: {% tags %} in text become comments, since a parser moves text between table rows out of the table.
    """
    source = source.replace("\ue000", "").replace("\ue001", "")
    pieces: list[str] = []
    at = 0
    in_tag = in_style = among_attributes = False
    for found in _TEMPLATE_TAG.finditer(source):
        before = source[at : found.start()]
        opening, closing = before.rfind("<"), before.rfind(">")
        in_tag = opening > closing or (in_tag and closing < 0)
        lower = before.lower()
        style, style_end = lower.rfind("<style"), lower.rfind("</style")
        in_style = style > style_end or (in_style and style_end < 0)
        mark = f"\ue000{len(held)}\ue001"
        held.append(found[0])
        if found[0].startswith("{%"):
            among_attributes = among_attributes or in_tag
            if comments and not in_tag and not in_style:
                mark = f"<!--{mark}-->"
        pieces += (before, mark)
        at = found.end()
    pieces.append(source[at:])
    return "".join(pieces), among_attributes


def release(text: str, held: list[str]) -> str:
    """The text with its template tags back."""
    return _MARK.sub(lambda found: held[int(found[1])] if int(found[1]) < len(held) else "", text)
