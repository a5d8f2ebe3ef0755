"""Word of something done, said at the foot of the next page, with a way back for 10 seconds."""

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse


def toast(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """undo: where a POST takes it back; "" = no way back."""
    messages.success(request, text, extra_tags=undo)


def toast_now(response: HttpResponse, text: str, *, undo: str = "") -> HttpResponse:
    """The same for an answer to htmx, shown at once."""
    response.headers["HX-Trigger"] = json.dumps({"pr:toast": {"text": text, "undo": undo}})
    return response
