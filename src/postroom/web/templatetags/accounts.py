"""`{% load accounts %}`: {{ "LOGIN_REFUSED"|stopped }} -> "Stopped at sign-in"."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from postroom.web.accounts.advice import ADVICE
from postroom.web.templatetags.pr import icon

register = template.Library()


@register.filter
def stopped(code: str) -> str:
    """Where a connection stopped, in a few words; "" for a code without any."""
    return str(ADVICE[code.lower()][0]) if code.lower() in ADVICE else ""


@register.simple_tag(takes_context=True)
def without(context: Any, parameter: str) -> str:
    """The present address without this filter, from its first page."""
    query = context["request"].GET.copy()
    for name in (parameter, "page"):
        query.pop(name, None)
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def keep(context: Any, *but: str) -> SafeString:
    """Hidden fields of a form that keep the address's other parameters."""
    pairs = [(name, value) for name, value in context["request"].GET.items() if value and name not in but]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', pairs)


@register.simple_tag(takes_context=True)
def sortable(context: Any, name: str, label: str, css: str = "") -> SafeString:
    """The head of a column that orders the list: first press upwards, second press downwards."""
    query = context["request"].GET.copy()
    now = query.get("sort") or "name"
    query["sort"] = f"-{name}" if now == name else name
    query.pop("page", None)
    order = {name: "ascending", f"-{name}": "descending"}.get(now, "none")
    sign = {"ascending": icon("chevron-down", "is-up"), "descending": icon("chevron-down")}.get(order, "")
    return format_html(
        '<th class="{}" aria-sort="{}"><a class="pr-sort" href="?{}">{}{}</a></th>',
        css,
        order,
        query.urlencode(),
        label,
        sign,
    )
