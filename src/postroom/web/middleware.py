"""Headers of every answer: nothing is loaded from elsewhere, no inline script runs, nobody frames us."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

#: style-src-attr: rails carry their figures as `style="--n:12"`; style sheets come from files only.
CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: A mail shown in a sandboxed frame: no script, no remote content, its own styles, framed by us alone.
CSP_MAIL = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


class HeadersMiddleware:
    """A view that needs another policy sets the header itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
        if request.headers.get("HX-Request") or getattr(request, "viewer", None) is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        return response


def mail_frame(response: HttpResponse, *, remote: bool = False) -> HttpResponse:
    """Marks an answer as foreign mail for an `<iframe sandbox>`, its HTML sanitised before. remote: with pictures."""
    policy = CSP_MAIL.replace("img-src data:", "img-src data: https: http:") if remote else CSP_MAIL
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
