"""The built-in help: contents, chapters, and the way back to the page one came from (CM-56)."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe

from postroom.web.help.chapters import CHAPTERS, chapter_text, chapter_title, language_now
from postroom.web.viewer import ViewerRequest

#: Key of the session: where the reader came from.
BACK = "help_back"


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request, "")


def chapter(request: ViewerRequest, name: str) -> HttpResponse:
    if name not in CHAPTERS:
        raise Http404
    return _page(request, name)


def _page(request: ViewerRequest, name: str) -> HttpResponse:
    language = language_now()
    came = request.GET.get("from", "")[:500]
    if came.startswith("/") and url_has_allowed_host_and_scheme(came, allowed_hosts=None):
        request.session[BACK] = came
    values = {
        "contents": [(one, chapter_title(one, language)) for one in CHAPTERS],
        "chapter": name,
        "title": chapter_title(name, language) if name else "",
        "text": mark_safe(chapter_text(name, language)) if name else "",  # our own files
        "back": request.session.get(BACK, "/"),
    }
    return render(request, "help/page.html", values)
