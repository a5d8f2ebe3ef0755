"""{% sharing thing counts %}: the pill that says who may see a thing; a way to change it for who may. What else the
reader may do: {% allowed %}, {% has_right %}."""

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from postroom.models.profile import May, Right
from postroom.queries.sharing import may, share_counts
from postroom.queries.viewer import can
from postroom.web.sharing.words import shared_words
from postroom.web.templatetags.pr import icon

register = template.Library()


@register.simple_tag
def sharing(thing: Any, counts: dict[int, tuple[int, int]] | None = None, change: bool = False) -> SafeString:
    """counts: of `share_counts`, where there are many things; change: the pill opens the dialog."""
    found = share_counts([thing]) if counts is None else counts
    name, words = shared_words(thing.NOUN, thing.visibility, *found.get(thing.id, (0, 0)))
    inside = format_html("{}{}", icon(name), words)
    if not change:
        return format_html('<span class="pr-pill pr-shared">{}</span>', inside)
    return format_html(
        '<a class="pr-pill pr-shared" href="{0}" hx-get="{0}" hx-target="#pr-sharing" data-dialog="pr-sharing">{1}</a>',
        f"/sharing/{thing.NOUN}/{thing.id}/",
        inside,
    )


@register.simple_tag(takes_context=True)
def allowed(context: Any, thing: Any, right: str, also: str = "") -> bool:
    """{% allowed campaign "edit" "campaigns.send" as change %}: whether the reader may do this with one thing.

    also: a right of the workspace that is needed as well.
    """
    viewer = context["viewer"]
    return (not also or can(viewer, Right(also))) and may(viewer, thing, May(right))


@register.simple_tag(takes_context=True)
def has_right(context: Any, right: str) -> bool:
    """{% has_right "campaigns.send" as sends %}"""
    return can(context["viewer"], Right(right))
