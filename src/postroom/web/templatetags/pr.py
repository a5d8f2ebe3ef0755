"""The components of ui/UI.md as template tags. `{% load pr %}`

{% icon "send" "ok" %}                        an outline icon, hidden from screen readers
{% state "accepted" %} {% state s since %}     icon + word (+ text after the word)
{% pill "running" "Sending" %}                 the same in a soft pill where UI.md wants one, else plain
{% rail segments label %}                      segments: [(colour or "", figure), ...]; "" is what is left
{% field form.name %}                          label, control, hint, error; `{% field form.x rows=3 %}` sets attributes
{% seg form.security %}                        radio buttons as one strip
{% switch form.is_on %}                        a switch with its label
{% avatar user %}                              initials
{% note "wait" "bolt" %} ... {% endnote %}     a notice in place
{% dialog "id" title %} ... {% enddialog %}    a <dialog>; opened by data-dialog="id"; put buttons in <footer>
{% menu label %} ... {% endmenu %}             the "..." of a row
{% poll url version %}                         attributes of a block that renews itself (see web/live.py)
{{ figures|segments }}                         a campaign's figures for the rail
{% rack %}                                     the picture of the empty pages
{{ run.error|said }}                           what a daemon stored, in the reader's language
{{ n|num }} {{ when|ago }} {{ minutes|left }}  1,234 | "3 min ago" | "about 24 min left"
"""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.humanize.templatetags.humanize import intcomma
from django.forms import BoundField
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from postroom.queries.message import COUNT_MOST
from postroom.web.said import said_with_reply
from postroom.web.states import look

register = template.Library()


@register.simple_tag
def icon(name: str, colour: str = "") -> SafeString:
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {colour}" if colour else "",
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag
def state(name: str, after: object = "", word: object = "") -> SafeString:
    """after: text behind the word, as "since 08:40"; word: another word than the table's."""
    shown = look(name)
    words = f"{word or shown.word} {after}".strip()
    return format_html('<span class="pr-state">{}{}</span>', icon(shown.icon, shown.colour), words)


@register.filter
def said(words: str) -> str:
    """What was stored in English: {{ run.error|said }}."""
    return said_with_reply(words)


@register.simple_tag
def state_word(name: str, many: bool = False) -> str:
    return str(look(name).plural if many else look(name).word)


@register.simple_tag
def state_icon(name: str) -> SafeString:
    shown = look(name)
    return icon(shown.icon, shown.colour)


@register.filter
def state_colour(name: str) -> str:
    return look(name).colour


@register.simple_tag
def pill(name: str, word: object = "") -> SafeString:
    shown = look(name)
    if not shown.pill:
        return format_html(
            '<span class="pr-pill is-plain">{}{}</span>', icon(shown.icon, shown.colour), word or shown.word
        )
    kind = "live" if shown.colour == "ink" else shown.colour
    return format_html('<span class="pr-pill is-{}">{}{}</span>', kind, icon(shown.icon), word or shown.word)


@register.simple_tag
def rail(segments: list[tuple[str, int]], label: str, big: bool = False) -> SafeString:
    """One scale. segments: (colour, figure) in the order of UI.md; colour "" is what is left; zeros are left out."""
    shown = [(f"is-{colour}" if colour else "", figure) for colour, figure in segments if figure > 0]
    return format_html(
        '<div class="pr-rail{}" role="img" aria-label="{}">{}</div>',
        " is-big" if big else "",
        label,
        format_html_join("", '<i class="{}" style="--n:{}"></i>', shown or [("", 1)]),
    )


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, hint: object = "", label: object = "", **attrs: Any) -> dict[str, Any]:
    """attrs: attributes of the control; `_` stands for `-`; `label_hidden=1` keeps the label for screen readers."""
    hidden = bool(attrs.pop("label_hidden", False))
    given = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
    return {
        "field": bound,
        "control": control(bound, **given),
        "hint": hint or bound.help_text,
        "hidden": hidden,
        "label": label or bound.label,
    }


def control(bound: BoundField, **attrs: Any) -> SafeString:
    """The control with the classes of its kind, tied to its hint and error."""
    kind = getattr(bound.field.widget, "input_type", "")
    if kind in {"checkbox", "radio"}:
        css = "form-check-input"
    else:
        css = "form-select" if kind == "select" else "form-control"
    own = attrs.pop("class", bound.field.widget.attrs.get("class", ""))
    classes = [css, *([own] if own else []), *(["is-invalid"] if bound.errors else [])]
    given: dict[str, Any] = {**attrs, "class": " ".join(classes)}
    if bound.errors:
        given |= {"aria-invalid": "true", "aria-describedby": f"{bound.id_for_label}-error"}
    return bound.as_widget(attrs=given)


@register.inclusion_tag("components/seg.html")
def seg(bound: BoundField) -> dict[str, Any]:
    return {"field": bound, "value": bound.value()}


@register.inclusion_tag("components/switch.html")
def switch(bound: BoundField, hint: object = "") -> dict[str, Any]:
    return {"field": bound, "control": control(bound), "hint": hint or bound.help_text}


@register.simple_tag
def avatar(user: Any, colour: str = "") -> SafeString:
    """Initials of a user (or a name); the colour follows the id."""
    words = str(user).replace("@", " ").split()
    letters = "".join(word[0] for word in words[:2]).upper() or "?"
    kind = colour or ("", "is-b", "is-c", "is-d")[(getattr(user, "id", None) or 0) % 4]
    return format_html('<span class="avatar {}" aria-hidden="true">{}</span>', kind, letters)


@register.simple_block_tag
def note(content: str, kind: str = "", name: str = "") -> SafeString:
    """kind: wait, bad, ok, doubt or ""."""
    shown = name or {
        "wait": "alert-triangle",
        "bad": "alert-circle",
        "ok": "circle-check",
        "doubt": "help-hexagon",
    }.get(kind, "info-circle")
    css = f" is-{kind}" if kind else ""
    return format_html('<div class="pr-note{}">{}<div>{}</div></div>', css, icon(shown), content)


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:
    return format_html(
        '<dialog class="pr-dialog" id="{0}" aria-labelledby="{0}-title">'
        '<div><h2 id="{0}-title">{1}</h2></div>{2}</dialog>',
        id,
        title,
        content,
    )


@register.simple_block_tag
def menu(content: str, id: str, label: str) -> SafeString:
    """A quiet "..." button and what opens below it; `id` is unique on the page."""
    return format_html(
        '<button class="btn btn-quiet btn-icon btn-sm" type="button" popovertarget="{0}" aria-label="{1}">{2}</button>'
        '<div class="pr-menu" id="{0}" popover>{3}</div>',
        id,
        label,
        icon("dots"),
        content,
    )


@register.simple_tag
def poll(url: str, version: object = "", every: int = 0) -> SafeString:
    """On the outermost element of the block, which needs an id. A block without it has finished.

    every: milliseconds, for what is over soon; else 2 s, and 10 s while nothing moves.
    """
    return format_html(
        'data-poll="{}" hx-get="{}" hx-trigger="pr:poll" hx-swap="outerHTML" hx-headers=\'{{"X-Seen": "{}"}}\'',
        every or "",
        url,
        version,
    )


@register.filter
def segments(figures: Any) -> list[tuple[str, int]]:
    """A campaign's figures for `{% rail %}`, in the order of UI.md."""
    parts = (
        ("ok", "accepted"),
        ("wait", "deferred"),
        ("bad", "failed"),
        ("doubt", "uncertain"),
        ("mute", "skipped"),
    )
    return [*((colour, getattr(figures, name)) for colour, name in parts), ("", figures.queued)]


@register.inclusion_tag("components/rack.html")
def rack() -> dict[str, Any]:
    return {}


@register.simple_tag
def logo(first: bool = False) -> SafeString:
    """first: the white one of the first page."""
    cell, opacity = ("#1d2f7a", ".3") if first else ("#fff", ".34")
    flap = (
        ""
        if first
        else (
            '<path d="m16.4 16.7 3.1 3 3.1-3" fill="none" stroke="currentColor" stroke-width="1.2" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )
    )
    return mark_safe(
        '<svg class="pr-logo" viewBox="0 0 30 30" aria-hidden="true"><rect width="30" height="30" rx="7.5" '
        f'fill="currentColor"/><path d="M7 7h7v7H7zM16 7h7v7h-7zM7 16h7v7H7z" fill="{cell}" opacity="{opacity}"/>'
        f'<path d="M16 16h7v7h-7z" fill="{cell}"/>{flap}</svg>'
    )


@register.filter
def num(value: int | None) -> str:
    """1482 -> 1,482 in the reader's language; None -> a dash."""
    return "–" if value is None else _num(value, get_language())


@lru_cache(1 << 13, typed=True)
def _num(value: int, language: str | None) -> str:
    """Menus hold thousands of them."""
    return intcomma(value)


@register.filter
def num_most(value: int) -> str:
    """The same for what is counted up to COUNT_MOST: 10001 -> 10,000+."""
    return f"{num(COUNT_MOST)}+" if value > COUNT_MOST else num(value)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago, in words; a date when it is more than a day; "" for None."""
    if moment is None:
        return ""
    seconds = int((timezone.now() - moment).total_seconds())
    if seconds < 5:
        return _("just now")
    if seconds < 60:
        return _("%(n)s s ago") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 86400:
        return _("%(n)s h ago") % {"n": seconds // 3600}
    return date_format(timezone.localtime(moment), "DATE_FORMAT")


@register.filter
def when(moment: datetime | None) -> str:
    """The time today, else day and time; "" for None."""
    if moment is None:
        return ""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return date_format(local, "H:i")
    pattern = "j M, H:i" if local.year == timezone.localdate().year else "j M Y, H:i"
    return short_date(local, pattern)


def short_date(local: date, pattern: str) -> str:
    """date_format with the month as the language writes it: "3 Mar", "3 mar"."""
    return date_format(local, pattern if (get_language() or "en") == "en" else pattern.replace("M", "b"))


@register.filter
def day(moment: datetime | None) -> str:
    """3 Mar 2025"""
    return short_date(timezone.localtime(moment), "j M Y") if moment else ""


@register.filter
def left(minutes: float | None) -> str:
    """Time left in words; "" for None."""
    if minutes is None:
        return ""
    whole = max(1, round(minutes))
    if minutes < 1:
        return _("less than a minute left")
    if whole < 100:
        return ngettext("about %(n)s min left", "about %(n)s min left", whole) % {"n": whole}
    return _("about %(n)s h left") % {"n": round(whole / 60)}


@register.simple_tag(takes_context=True)
def here(context: Any, **changes: Any) -> str:
    """The present address with other parameters: `{% here state="failed" page="" %}`; "" leaves one out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value in ("", None):
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}"
