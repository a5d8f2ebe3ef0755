"""Menus of lists, of which a firm has thousands."""

from collections.abc import Iterable

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from postroom.web.templatetags.pr import num

register = template.Library()


@register.simple_tag
def list_options(lists: Iterable[tuple[int, str, int]]) -> SafeString:
    """An `<option>` for each (id, name, size); written at once, as the template's own loop takes ten times as long."""
    options = (
        f'<option value="{number}">{escape(name)} ({num(size)})</option>' for number, name, size in lists
    )
    return mark_safe("".join(options))
