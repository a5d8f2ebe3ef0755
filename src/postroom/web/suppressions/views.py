"""Contacts > Suppressed: who gets no mail, and why."""

from dataclasses import replace
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from postroom.actions.suppression import (
    scope_owner,
    suppression_enter,
    suppression_lift,
    suppression_put_back,
)
from postroom.actions.suppression_policy import (
    promotion_of,
    promotion_undo,
    suppression_policy_save,
    suppression_promote,
)
from postroom.errors import InputError
from postroom.mail.suppression import Entry, EntryForm, parse_entry
from postroom.models.profile import Right
from postroom.models.suppression import SuppressionForm, SuppressionImport, SuppressionSource
from postroom.queries.suppression import (
    Show,
    shares,
    suppression_counts,
    suppression_export,
    suppression_import_visible_to,
    suppression_matches,
    suppression_page,
)
from postroom.queries.viewer import can
from postroom.web.download import csv_answer, moment
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.suppressions.api import kept_import
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def _show(request: ViewerRequest) -> Show:
    source, form = request.GET.get("why", ""), request.GET.get("form", "")
    return Show(
        mine=_mine(request),
        words=request.GET.get("q", "").strip()[:200],
        source=source if source in SuppressionSource.values else "",
        form=form if form in SuppressionForm.values else "",
    )


def _mine(request: ViewerRequest) -> bool:
    return (request.POST.get("mine") or request.GET.get("mine")) == "1"


def _home(mine: bool) -> str:
    return reverse("suppressed") + ("?mine=1" if mine else "")


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: Any) -> HttpResponse:
    viewer, show = request.viewer, _show(request)
    if show.mine and viewer.workspace.suppression_policy == "shared":
        show = replace(show, mine=False)
    shared, mine = suppression_counts(viewer), suppression_counts(viewer, mine=True)
    counts = mine if show.mine else shared
    values = {
        "page": suppression_page(viewer, show, after=number(request.GET.get("after", ""), 0)),
        "show": show,
        "all": counts[""],
        "shared": shared[""],
        "own": mine[""],
        "sources": [(name, counts[name]) for name in SuppressionSource.values if counts.get(name)],
        "policy": viewer.workspace.suppression_policy,
        "may_add": show.mine or shares(viewer),
        "may_lift": show.mine or can(viewer, Right.SUPPRESSIONS_EDIT),
        "may_export": show.mine or can(viewer, Right.SUPPRESSIONS_EXPORT),
        "may_promote": show.mine and shares(viewer),
        "may_rule": can(viewer, Right.WORKSPACE_MANAGE),
        "policies": _policies(),
        **more,
    }
    return render(request, "suppressed/index.html", values, status=status)


def _policies() -> list[tuple[str, str, str]]:
    return [
        ("both", _("Both"), _("One list for everybody, and each person may keep an own one beside it.")),
        ("shared", _("One list for everybody"), _("Own lists are hidden and not applied.")),
        (
            "personal",
            _("Everybody an own list"),
            _(
                "What people asked for themselves still holds for everybody; shared entries of ours are hidden."
            ),
        ),
    ]


@require_POST
def add(request: ViewerRequest) -> HttpResponse:
    """An entry a line; several may be pasted at once."""
    typed, why, mine = request.POST.get("entry", ""), request.POST.get("why", ""), _mine(request)
    lines = [line for line in typed.splitlines() if line.strip()] or [""]
    bad = []
    for at, line in enumerate(lines, start=1):
        try:
            parse_entry(line)
        except InputError as error:
            bad.append((at, line[:100], said(error)))
    if bad:
        return _page(request, 422, typed=typed, why=why, bad=bad)
    entry, is_new = Entry(EntryForm.ADDRESS, ""), False
    new = 0
    for line in lines:
        entry, is_new = suppression_enter(viewer=request.viewer, entry=line, why=why, personal=mine)
        new += is_new
    if len(lines) == 1 and not is_new:
        toast(request, _("%(entry)s was here already.") % {"entry": entry.text})
    elif len(lines) == 1 and mine:
        toast(request, _("No mail from you goes to %(entry)s any more.") % {"entry": entry.text})
    elif len(lines) == 1:
        toast(request, _("No mail goes to %(entry)s any more.") % {"entry": entry.text})
    else:
        words = ngettext("%(n)s entry is new.", "%(n)s entries are new.", new)
        toast(request, words % {"n": new})
    return redirect(_home(mine))


@require_GET
def covers(request: ViewerRequest) -> HttpResponse:
    """What an entry would cover, while it is typed."""
    try:
        entry = parse_entry(request.GET.get("entry", ""))
    except InputError:
        return render(request, "suppressed/covers.html", {"entry": None})
    number, exact = suppression_matches(request.viewer, entry.form, entry.value)
    return render(request, "suppressed/covers.html", {"entry": entry, "number": number, "exact": exact})


def _ids(request: ViewerRequest) -> list[int]:
    given = request.POST.getlist("id") or request.GET.getlist("id")
    return [number(text, 0) for text in given if number(text, 0)]


@require_POST
def lift(request: ViewerRequest) -> HttpResponse:
    count, step = suppression_lift(viewer=request.viewer, ids=_ids(request))
    words = ngettext(
        "%(n)s entry lifted. Mail can go there again.",
        "%(n)s entries lifted. Mail can go there again.",
        count,
    )
    toast(request, words % {"n": count}, undo=f"/contacts/suppressed/undo/{step}/")
    return redirect(_home(_mine(request)))


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    count = suppression_put_back(viewer=request.viewer, step_id=step_id)
    words = ngettext("%(n)s entry is back.", "%(n)s entries are back.", count)
    toast(request, words % {"n": count})
    return redirect("suppressed")


def promote(request: ViewerRequest) -> HttpResponse:
    """What would become everybody's, then it does."""
    viewer, ids, of_all = request.viewer, _ids(request) or None, "all" in {**request.GET, **request.POST}
    if request.method != "POST":
        found = promotion_of(viewer, ids, of_all=of_all)
        values = {"found": found, "ids": ids or [], "of_all": of_all}
        return render(request, "suppressed/promote.html", values)
    done, step = suppression_promote(viewer=viewer, ids=ids, of_all=of_all)
    words = ngettext(
        "%(n)s entry holds for everybody now.", "%(n)s entries hold for everybody now.", done.new
    )
    toast(request, words % {"n": done.new}, undo=f"/contacts/suppressed/promote/undo/{step}/")
    return redirect("suppressed")


@require_POST
def promote_undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    count = promotion_undo(viewer=request.viewer, step_id=step_id)
    words = ngettext("%(n)s entry is personal again.", "%(n)s entries are personal again.", count)
    toast(request, words % {"n": count})
    return redirect(_home(True))


@require_POST
def policy(request: ViewerRequest) -> HttpResponse:
    suppression_policy_save(viewer=request.viewer, policy=request.POST.get("policy", ""))
    toast(request, _("The new arrangement holds from now on. No entry is lost."))
    return redirect("suppressed")


def bring_in(request: ViewerRequest) -> HttpResponse:
    """A file of entries: 200 when every line was good, 422 with the bad ones when not; good ones are stored anyway."""
    mine = _mine(request)
    scope_owner(request.viewer, personal=mine)
    if request.method != "POST":
        return render(request, "suppressed/import.html", {"mine": mine})
    file = request.FILES.get("file")
    if file is None:
        wrong = _("Choose a file with entries.")
        return render(request, "suppressed/import.html", {"wrong": wrong, "mine": mine}, status=422)
    try:
        run = kept_import(
            request.viewer,
            file.chunks(),
            name=file.name or "",
            why=request.POST.get("why", ""),
            personal=mine,
        )
    except InputError as error:
        return render(request, "suppressed/import.html", {"wrong": said(error), "mine": mine}, status=422)
    if run.state == "running":
        return redirect("suppressed_import_show", run.id)
    return _report(request, run, status=422 if run.rejected else 200)


def _report(request: ViewerRequest, run: SuppressionImport, status: int = 200) -> HttpResponse:
    percent = min(99, 100 * run.done // run.lines) if run.lines else 0
    version = f"{run.state}-{run.done}"
    values = {
        "run": run,
        "mine": run.owner_id is not None,
        "shown": run.line_errors.order_by("line")[:200],
        "percent": percent,
        "rest": 100 - percent,
        "version": version,
    }
    if request.htmx and run.state == "running":
        return unchanged(request, version) or render(request, "suppressed/live.html", values)
    if request.htmx:
        answer = HttpResponse()
        answer.headers["HX-Refresh"] = "true"
        return answer
    return render(request, "suppressed/import.html", values, status=status)


def import_show(request: ViewerRequest, import_id: int) -> HttpResponse:
    return _report(request, suppression_import_visible_to(request.viewer, import_id))


def import_lines(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    """The lines that could not be read, as a file."""
    run = suppression_import_visible_to(request.viewer, import_id)

    def rows() -> Any:
        yield [_("Line"), _("What stands there"), _("Why not")]
        for one in run.line_errors.order_by("line").iterator(chunk_size=2000):
            yield [one.line, one.text, said(one.reason)]

    return csv_answer(_("refused lines"), rows())


def _covers(form: str) -> str:
    return {
        "domain": _("one domain"),
        "subdomains": _("subdomains"),
        "local": _("this name at any domain"),
    }.get(form, _("one address"))


def _source(source: str) -> str:
    return render_to_string("suppressed/source.html", {"name": source}).strip()


def export(request: ViewerRequest) -> HttpResponseBase:
    entries = suppression_export(request.viewer, _show(request))

    def rows() -> Any:
        yield [_("Entry"), _("Covers"), _("Kind"), _("Why"), _("By"), _("Since")]
        for entry in entries:
            text = Entry(EntryForm(entry.form), entry.value).text
            by = str(entry.by) if entry.by else ""
            yield [text, _covers(entry.form), _source(entry.source), entry.why, by, moment(entry.at)]

    return csv_answer(_("suppressed"), rows())
