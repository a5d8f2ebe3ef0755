"""Find settings: from an address alone to its servers, searched by the sync daemon."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from postroom.actions.discovery import discovery_ask
from postroom.errors import InputError
from postroom.models.account import Discovery
from postroom.queries.discovery import discovery_visible_to
from postroom.queries.viewer import Viewer
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


@require_POST
def ask(request: ViewerRequest) -> HttpResponse:
    address = request.POST.get("address", "")
    try:
        made = discovery_ask(viewer=request.viewer, address=address)
    except InputError as error:
        values = {"wrong": said(error), "typed": address}
        return render(request, "accounts/find.html", values, status=422)
    return _block(request, made)


def show(request: ViewerRequest, discovery_id: int) -> HttpResponse:
    found = discovery_visible_to(request.viewer, discovery_id)
    return unchanged(request, _version(found)) or _block(request, found)


def _block(request: ViewerRequest, found: Discovery) -> HttpResponse:
    values = {
        "search": found,
        "live": found.state != "done",
        "version": _version(found),
        "typed": found.address,
        "result": found.result,
    }
    return render(request, "accounts/find.html", values)


def _version(found: Discovery) -> str:
    return f"{found.id}-{found.state}"


def found_values(viewer: Viewer, text: str) -> dict[str, Any]:
    """What a search found, as initial values of an account's form; {} for anything else. Raises NotFound."""
    discovery_id = number(text, None)
    if discovery_id is None:
        return {}
    found = discovery_visible_to(viewer, discovery_id)
    values = {name: value for name, value in found.result.items() if name not in ("source", "name", "hint")}
    same = bool(values.get("smtp_login")) and values.get("smtp_login") == values.get("imap_login")
    return {**values, "address": found.address, "name": found.address, "smtp_same_as_imap": same}
