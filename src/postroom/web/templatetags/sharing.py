"""{% sharing thing counts %}: the pill that says who may see a thing; a way to change it for who may."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from postroom.queries.sharing import share_counts
from postroom.web.sharing.words import shared_words
from postroom.web.templatetags.pr import icon

register = template.Library()


@register.simple_tag
def sharing(thing: Any, counts: dict[int, tuple[int, int]] | None = None, change: bool = False) -> SafeString:
    """counts: of `share_counts`, where there are many things; change: the pill opens the dialog."""
    found = share_counts([thing]) if counts is None else counts
    name, words = shared_words(thing.visibility, *found.get(thing.id, (0, 0)))
    inside = format_html("{}{}", icon(name), words)
    if not change:
        return format_html('<span class="pr-pill pr-shared">{}</span>', inside)
    return format_html(
        '<a class="pr-pill pr-shared" href="{0}" hx-get="{0}" hx-target="#pr-sharing" data-dialog="pr-sharing">{1}</a>',
        f"/sharing/{thing.NOUN}/{thing.id}/",
        inside,
    )
