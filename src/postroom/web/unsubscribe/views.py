"""The link in a mail: a GET shows a button and changes nothing, a POST acts (RFC 8058)."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from postroom.actions.unsubscribe import is_test, unsubscribe, unsubscribe_target
from postroom.errors import NotFound
from postroom.web.said import said


@csrf_exempt
@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, token: str) -> HttpResponse:
    if request.method == "POST" and request.POST.get("List-Unsubscribe") == "One-Click":
        return _one_click(token)
    return _by_hand(request, token)


def _one_click(token: str) -> HttpResponse:
    """A mail program asks, without cookies or anybody looking; the signed token is the proof."""
    try:
        unsubscribe(token)
    except NotFound as error:
        return HttpResponse(f"{said(error)}\n", status=404, content_type="text/plain; charset=utf-8")
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@csrf_protect
def _by_hand(request: HttpRequest, token: str) -> HttpResponse:
    try:
        delivery = unsubscribe(token) if request.method == "POST" else unsubscribe_target(token)
    except NotFound:
        return render(request, "unsubscribe/unknown.html", status=404)
    # whoever reads a mailing may use another computer: the language we know them by goes before the browser's
    known = delivery.contact.language if delivery.contact else ""
    if known in dict(settings.LANGUAGES):
        translation.activate(known)
        request.LANGUAGE_CODE = known
    values = {
        "firm": delivery.workspace.name,
        "address": masked(delivery.address),
        "done": request.method == "POST" or delivery.unsubscribed_at is not None,
        "test": is_test(delivery),
    }
    return render(request, "unsubscribe/page.html", values)


def masked(address: str) -> str:
    """an…@firm.example: a forwarded mail must not tell the whole address to others."""
    local, _at, domain = address.rpartition("@")
    return f"{local[:2]}…@{domain}" if len(local) > 2 else f"…@{domain}"
