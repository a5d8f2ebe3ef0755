"""Blocks that renew themselves: `{% poll url version %}` on the block's element, `unchanged()` in its view."""

from django.http import HttpRequest, HttpResponse


def unchanged(request: HttpRequest, version: str) -> HttpResponse | None:
    """204 when the page already shows this version (it then asks less often), else None: render the block."""
    if version and request.headers.get("X-Seen") == version:
        return HttpResponse(status=204)
    return None
