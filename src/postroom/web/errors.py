"""Our exceptions become pages, fragments or JSON here and nowhere else."""

import sys
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from postroom.errors import Conflict, InputError, NotAllowed, NotFound, PostroomError, TooMany
from postroom.web.said import said

_STATUS: tuple[tuple[type[PostroomError], int], ...] = (
    (InputError, 422),
    (NotAllowed, 403),
    (NotFound, 404),
    (Conflict, 409),
    (TooMany, 429),
)


def status_of(error: PostroomError) -> int:
    """The HTTP status of one of our errors; 502 for another server's fault, 500 for this machine's."""
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return status
    return 500


def error_json(error: PostroomError) -> dict[str, object]:
    """{code, message, field?, details?}"""
    body: dict[str, object] = {"code": error.code, "message": said(error)}
    if error.field:
        body["field"] = error.field
    if error.details:
        body["details"] = error.details
    return body


class ErrorsMiddleware:
    """Answers a PostroomError that a view let through."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PostroomError):
            return None
        status = status_of(error)
        if request.path.startswith("/api/"):
            return JsonResponse(error_json(error), status=status)
        if request.headers.get("HX-Request"):
            answer = render(
                request, "components/note.html", {"kind": "bad", "text": said(error)}, status=status
            )
            answer.headers["HX-Retarget"] = "#pr-errors"
            answer.headers["HX-Reswap"] = "innerHTML"
            return answer
        return error_page(request, status, said(error))


def _titles() -> dict[int, str]:
    return {
        400: _("This request cannot be understood"),
        403: _("You may not do this"),
        404: _("There is no such page"),
        410: _("This link works no longer"),
        409: _("This cannot be done now"),
        422: _("Something does not fit yet"),
        429: _("Too often"),
    }


def error_page(request: HttpRequest, status: int, message: str) -> HttpResponse:
    title = _titles().get(status) or _("Something went wrong")
    return render(request, "errors/error.html", {"title": title, "message": message}, status=status)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse(error_json(NotFound()), status=404)
    return error_page(request, 404, _("It may have been deleted, or the address is mistyped."))


def forbidden(request: HttpRequest, exception: Exception | None = None, reason: str = "") -> HttpResponse:
    return error_page(
        request,
        403,
        _("The page was open too long, or cookies are blocked. Go back, reload it and try again."),
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": "BAD_REQUEST", "message": "The request cannot be read."}, status=400)
    return error_page(request, 400, _("Go back and try again."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Without the shell: nothing here may need the database. Django calls it while the exception is being handled."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    return render(request, "errors/500.html", {"away": away}, status=503 if away else 500)
