"""`{% load help %}{% help_url %}`: the chapter about the page being shown, which leads back to it."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.urls import reverse

from postroom.web.help.chapters import chapter_of

register = template.Library()


@register.simple_tag(takes_context=True)
def help_url(context: Any) -> str:
    request = context.get("request")
    path = request.path if request else "/"
    if path.startswith(reverse("help")):
        return reverse("help")
    chapter = chapter_of(path)
    address = reverse("help_chapter", args=[chapter]) if chapter else reverse("help")
    return f"{address}?{urlencode({'from': path[:500]})}"
