"""Contacts > Suppressed: who gets no mail, and why."""

import io
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from postroom.actions.suppression import (
    suppression_enter,
    suppression_import,
    suppression_lift,
    suppression_put_back,
)
from postroom.errors import InputError
from postroom.mail.suppression import Entry, EntryForm, parse_entry
from postroom.models.suppression import SuppressionForm, SuppressionSource
from postroom.queries.suppression import (
    suppression_counts,
    suppression_export,
    suppression_matches,
    suppression_page,
)
from postroom.web.download import csv_answer, moment
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

FILE_MAX = 20 << 20


def _filters(request: ViewerRequest) -> dict[str, str]:
    source, form = request.GET.get("why", ""), request.GET.get("form", "")
    return {
        "words": request.GET.get("q", "").strip()[:200],
        "source": source if source in SuppressionSource.values else "",
        "form": form if form in SuppressionForm.values else "",
    }


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: Any) -> HttpResponse:
    filters = _filters(request)
    after = request.GET.get("after", "")
    number = int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
    counts = suppression_counts(request.viewer)
    values = {
        "page": suppression_page(request.viewer, **filters, after=number),
        "all": counts[""],
        "chips": [(name, counts[name]) for name in SuppressionSource.values if counts.get(name)],
        **filters,
        **more,
    }
    return render(request, "suppressed/index.html", values, status=status)


@require_POST
def add(request: ViewerRequest) -> HttpResponse:
    """An entry a line; several may be pasted at once."""
    typed, why = request.POST.get("entry", ""), request.POST.get("why", "")
    lines = [line for line in typed.splitlines() if line.strip()] or [""]
    bad = []
    for number, line in enumerate(lines, start=1):
        try:
            parse_entry(line)
        except InputError as error:
            bad.append((number, line[:100], said(error)))
    if bad:
        return _page(request, 422, typed=typed, why=why, bad=bad)
    entry, is_new = Entry(EntryForm.ADDRESS, ""), False
    new = 0
    for line in lines:
        entry, is_new = suppression_enter(viewer=request.viewer, entry=line, why=why)
        new += is_new
    if len(lines) == 1 and not is_new:
        toast(request, _("%(entry)s was here already.") % {"entry": entry.text})
    elif len(lines) == 1:
        toast(request, _("No mail goes to %(entry)s any more.") % {"entry": entry.text})
    else:
        words = ngettext("%(n)s entry is new.", "%(n)s entries are new.", new)
        toast(request, words % {"n": new})
    return redirect("suppressed")


@require_GET
def covers(request: ViewerRequest) -> HttpResponse:
    """What an entry would cover, while it is typed."""
    try:
        entry = parse_entry(request.GET.get("entry", ""))
    except InputError:
        return render(request, "suppressed/covers.html", {"entry": None})
    number, exact = suppression_matches(request.viewer, entry.form, entry.value)
    return render(request, "suppressed/covers.html", {"entry": entry, "number": number, "exact": exact})


@require_POST
def lift(request: ViewerRequest) -> HttpResponse:
    ids = [int(number) for number in request.POST.getlist("id") if number.isascii() and number.isdigit()]
    count, step = suppression_lift(viewer=request.viewer, ids=ids)
    words = ngettext(
        "%(n)s entry lifted. Mail can go there again.",
        "%(n)s entries lifted. Mail can go there again.",
        count,
    )
    toast(request, words % {"n": count}, undo=f"/contacts/suppressed/undo/{step}/")
    return redirect("suppressed")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    count = suppression_put_back(viewer=request.viewer, step_id=step_id)
    words = ngettext("%(n)s entry is back.", "%(n)s entries are back.", count)
    toast(request, words % {"n": count})
    return redirect("suppressed")


def bring_in(request: ViewerRequest) -> HttpResponse:
    """A file of entries: 200 when every line was good, 422 with the bad ones when not; good ones are stored anyway."""
    if request.method != "POST":
        return render(request, "suppressed/import.html", {})
    file = request.FILES.get("file")
    if file is None or not file.size:
        return render(
            request, "suppressed/import.html", {"wrong": _("Choose a file with entries.")}, status=422
        )
    if file.size > FILE_MAX:
        wrong = _("The file is larger than 20 MB. Split it.")
        return render(request, "suppressed/import.html", {"wrong": wrong}, status=422)
    lines = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace")
    why = request.POST.get("why", "").strip() or file.name or ""
    report = suppression_import(viewer=request.viewer, lines=lines, why=why)
    values = {"report": report, "shown": report.rejected[:200], "name": file.name}
    return render(request, "suppressed/import.html", values, status=422 if report.rejected else 200)


def _covers(form: str) -> str:
    return {
        "domain": _("one domain"),
        "subdomains": _("subdomains"),
        "local": _("this name at any domain"),
    }.get(form, _("one address"))


def _source(source: str) -> str:
    return render_to_string("suppressed/source.html", {"name": source}).strip()


def export(request: ViewerRequest) -> HttpResponseBase:
    def rows() -> Any:
        yield [_("Entry"), _("Covers"), _("Kind"), _("Why"), _("By"), _("Since")]
        for entry in suppression_export(request.viewer, **_filters(request)):
            text = Entry(EntryForm(entry.form), entry.value).text
            by = str(entry.by) if entry.by else ""
            yield [text, _covers(entry.form), _source(entry.source), entry.why, by, moment(entry.at)]

    return csv_answer(_("suppressed"), rows())
