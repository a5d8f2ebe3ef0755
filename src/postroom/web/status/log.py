"""The log of all mail work: newest lines, filters, taking older logs in, and files of it (CM-50, CM-52)."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.log import DAYS_MOST, log_days_save
from postroom.actions.log_import import Imported, log_folder, log_import, log_pull, upload_lines
from postroom.errors import InputError, PostroomError
from postroom.models.profile import Right
from postroom.queries.account import accounts_visible_to
from postroom.queries.log import log_lines, log_page, trouble_count
from postroom.queries.log_line import COLUMNS, Line, LogFilter, Place
from postroom.queries.viewer import Viewer, administers, can, demand
from postroom.web.download import csv_answer
from postroom.web.errors import status_of
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

#: Lines on the status page, and in one file.
NEWEST, EXPORT_MOST = 12, 200_000


def index(request: ViewerRequest) -> HttpResponse:
    viewer = request.viewer
    show, wrong = shown(request)
    page = None
    if not wrong:
        try:
            page = log_page(viewer, show, after=Place.of(request.GET.get("at", "")[:60]))
        except InputError as error:
            wrong = said(error)
    demand(viewer, Right.LOG_VIEW)
    values = {
        "page": page,
        "lines": page.lines if page else [],
        "show": show,
        "wrong": wrong,
        "since": request.GET.get("since", "")[:20],
        "until": request.GET.get("until", "")[:20],
        "accounts": accounts_visible_to(viewer)[:200],
        "trouble": trouble_count(viewer),
        "days": viewer.workspace.log_days,
        "days_most": DAYS_MOST,
        "can_days": can(viewer, Right.WORKSPACE_MANAGE),
        "can_export": can(viewer, Right.CONTACTS_EXPORT),
    }
    return render(request, "status/log.html", values, status=422 if wrong else 200)


def newest(request: ViewerRequest) -> HttpResponse:
    """The newest lines, for the status page."""
    values = newest_values(request.viewer)
    return unchanged(request, values["lines_version"]) or render(request, "status/newest.html", values)


def newest_values(viewer: Viewer) -> dict[str, Any]:
    lines = log_page(viewer, LogFilter(), size=NEWEST).lines
    first = lines[0] if lines else None
    return {"lines": lines, "lines_version": f"{first.kind}-{first.number}-{first.stage}" if first else "0"}


def shown(request: ViewerRequest) -> tuple[LogFilter, str]:
    """The filter in the address; what is wrong with it."""
    given = request.GET
    moments: dict[str, datetime | None] = {}
    wrong = ""
    for name in ("since", "until"):
        try:
            moments[name] = _moment(given.get(name, "")[:20])
        except InputError as error:
            moments[name], wrong = None, said(error)
    show = LogFilter(
        find=given.get("q", "")[:300],
        trouble=given.get("trouble") == "1",
        account_id=number(given.get("account", ""), None),
        since=moments["since"],
        until=moments["until"],
    )
    return show, wrong


def _moment(text: str) -> datetime | None:
    """A time of <input type=datetime-local>, in the zone of who looks. Raises InputError."""
    if not text:
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or not 1971 <= found.year <= 9000:
        raise InputError(_("This is no time: write it as 2026-11-22 14:30."))
    return found if found.tzinfo else timezone.make_aware(found)


def export(request: ViewerRequest) -> HttpResponse | StreamingHttpResponse:
    """What the filter shows, as CSV or as JSON lines (?as=json). Addresses leave the house: that needs the right."""
    viewer = request.viewer
    demand(viewer, Right.LOG_VIEW)
    demand(viewer, Right.CONTACTS_EXPORT)
    show, wrong = shown(request)
    if wrong:
        raise InputError(wrong)
    lines = log_lines(viewer, replace(show), most=EXPORT_MOST)
    return jsonl_answer(lines) if request.GET.get("as") == "json" else csv_of(lines)


def csv_of(lines: Iterator[Line]) -> StreamingHttpResponse:
    def rows() -> Iterator[list[object]]:
        yield list(COLUMNS)
        for line in lines:
            yield ["" if value is None else value for value in line.to_json().values()]

    return csv_answer("log", rows())


def jsonl_answer(lines: Iterator[Line]) -> StreamingHttpResponse:
    text = (f"{json.dumps(line.to_json(), ensure_ascii=False)}\n" for line in lines)
    answer = StreamingHttpResponse(text, content_type="application/jsonl; charset=utf-8")
    answer.headers["Content-Disposition"] = content_disposition_header(True, "log.jsonl") or "attachment"
    return answer


def take_in(request: ViewerRequest) -> HttpResponse:
    """Older logs: a file from here, or what lies in the folder of logs (CM-52)."""
    viewer = request.viewer
    demand(viewer, Right.LOG_VIEW)
    counts: Imported | None = None
    status, wrong = 200, ""
    if request.method == "POST":
        try:
            counts = _take_in(request)
        except PostroomError as error:
            status, wrong = status_of(error), said(error)
    values = {
        "counts": counts,
        "wrong": wrong,
        "can_pull": administers(viewer),
        "folder": log_folder() if administers(viewer) else "",
    }
    return render(request, "status/import.html", values, status=status)


def _take_in(request: ViewerRequest) -> Imported:
    if request.POST.get("pull") == "1":
        return log_pull(viewer=request.viewer)
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        raise InputError(_("Choose a file."), field="file")
    return log_import(viewer=request.viewer, lines=upload_lines(file, file.size), name=file.name or "log")


@require_POST
def days(request: ViewerRequest) -> HttpResponse:
    kept = number(request.POST.get("days", ""), 0)
    log_days_save(viewer=request.viewer, days=kept)
    toast(request, _("Lines are kept %(n)s days from now on.") % {"n": kept})
    return redirect("log")
