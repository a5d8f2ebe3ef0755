"""`{% load help %}{% help_url %}`: the chapter about the page being shown, which leads back to it."""

from typing import Any
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
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
    query = request.GET.copy() if request and request.method == "GET" else QueryDict(mutable=True)
    for name in (
        "back",
        "q",
    ):  # where a page itself leads back to, and whom somebody looked for, are not handed on
        query.pop(name, None)
    back = f"{path}?{query.urlencode()}" if query else path
    return f"{address}?{urlencode({'from': back[:500]})}"
