"""Contacts > Imports: a file, its columns, the check, the taking over."""

import json
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from postroom.actions.import_guess import FILE_MAX, import_preview
from postroom.actions.imports import (
    import_cancel,
    import_check_ask,
    import_choose,
    import_run_ask,
    import_start,
    import_undo_ask,
)
from postroom.errors import Conflict, InputError
from postroom.models.contact import ImportRun
from postroom.models.profile import May, Right
from postroom.queries.contact import attribute_keys
from postroom.queries.contact_list import contact_lists_visible_to
from postroom.queries.imports import (
    import_errors,
    import_report,
    import_row,
    import_visible_to,
    imports_visible_to,
)
from postroom.queries.viewer import Viewer, demand
from postroom.web.download import csv_answer
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

ENCODINGS = (
    ("utf-8", gettext_lazy("Unicode, UTF-8")),
    ("cp1250", gettext_lazy("Polish, Windows 1250")),
    ("iso-8859-2", gettext_lazy("Polish, ISO 8859-2")),
    ("cp1251", gettext_lazy("Bulgarian, Windows 1251")),
    ("koi8-r", gettext_lazy("Cyrillic, KOI8-R")),
    ("cp1252", gettext_lazy("Western, Windows 1252")),
    ("utf-16", gettext_lazy("Unicode, UTF-16")),
    ("utf-16-le", gettext_lazy("Unicode, UTF-16 LE")),
    ("utf-16-be", gettext_lazy("Unicode, UTF-16 BE")),
)
SEPARATORS = (
    (";", gettext_lazy("Semicolon")),
    (",", gettext_lazy("Comma")),
    ("\t", gettext_lazy("Tab")),
    ("|", gettext_lazy("Vertical bar")),
)

FIELDS = (
    ("", gettext_lazy("Leave out")),
    ("email", gettext_lazy("E-mail address")),
    ("full_name", gettext_lazy("Full name")),
    ("name", gettext_lazy("First name")),
    ("surname", gettext_lazy("Surname")),
    ("salutation", gettext_lazy("Salutation")),
    ("company", gettext_lazy("Company")),
    ("kind", gettext_lazy("Kind")),
    ("language", gettext_lazy("Language")),
)
LIVE = ("checking", "running", "undoing")


def index(request: ViewerRequest) -> HttpResponse:
    return render(request, "imports/index.html", {"runs": imports_visible_to(request.viewer)})


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.CONTACTS_EDIT)
    wrong = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            wrong = _("Choose a file.")
        elif (file.size or 0) > FILE_MAX:
            wrong = _("The file is larger than 2 GB. Split it.")
        else:
            try:
                run = uploaded(request.viewer, file)
            except InputError as error:
                wrong = said(error)
            else:
                return redirect("import", run.id)
    return render(request, "imports/new.html", {"wrong": wrong}, status=422 if wrong else 200)


def uploaded(viewer: Viewer, file: Any) -> ImportRun:
    """What came with a form, in the store and guessed. Raises InputError."""
    folder = (
        Path(settings.POSTROOM_DATA) / "incoming"
    )  # of the object store's file system: taken over by a rename
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        for chunk in file.chunks():
            copy.write(chunk)
    path = Path(copy.name)
    try:
        return import_start(viewer=viewer, file=path, file_name=file.name or "")
    finally:
        path.unlink(missing_ok=True)


def show(request: ViewerRequest, import_id: int) -> HttpResponse:
    run = import_visible_to(request.viewer, import_id)
    if request.method == "POST":
        return _choose(request, run)
    if run.state == "new" or (run.state == "checked" and request.GET.get("step") == "columns"):
        return _columns(request, run)
    return render(request, "imports/show.html", _figures(request, run))


def _choose(request: ViewerRequest, run: ImportRun) -> HttpResponse:
    """Keep the choices; with the button "Check all rows" go on."""
    given = request.POST
    choices: dict[str, Any] = {
        "encoding": given.get("encoding", ""),
        "separator": given.get("separator", ""),
        "has_header": given.get("has_header") == "on",
        "existing": given.get("existing", "fill"),
    }
    target = given.get("target", "")
    choices["list_id"] = number(target, 0)
    choices["new_list"] = given.get("new_list", "") if target == "new" else ""
    same = all(run.choices.get(name) == choices[name] for name in ("separator", "has_header"))
    mapping = {
        name[4:]: value for name, value in given.items() if name.startswith("col-") and name[4:].isdigit()
    }
    choices["mapping"] = mapping if same else {}
    try:
        run = import_choose(viewer=request.viewer, import_id=run.id, choices=choices)
        if not same:  # other columns: guessed anew
            guessed = import_preview(_with(run, mapping=None))["choices"]["mapping"]
            run = import_choose(viewer=request.viewer, import_id=run.id, choices={"mapping": guessed})
        if given.get("go") == "check":
            import_check_ask(viewer=request.viewer, import_id=run.id)
            return redirect("import", run.id)
    except (InputError, Conflict) as error:
        run = _with(run, **choices)
        return _columns(request, run, said(error), 409 if isinstance(error, Conflict) else 422)
    return redirect("import", run.id)


def _with(run: ImportRun, **choices: Any) -> ImportRun:
    """The same import read with other choices; nothing is stored."""
    run.choices = {**run.choices, **choices}
    return run


def _columns(request: ViewerRequest, run: ImportRun, wrong: str = "", status: int = 200) -> HttpResponse:
    viewer = request.viewer
    preview: dict[str, Any] = {"columns": [], "names": []}
    try:
        preview = import_preview(run)
    except InputError as error:
        wrong, status = wrong or said(error), 422
    mapping = run.choices.get("mapping") or {}
    keys = attribute_keys(viewer)
    own = [(f"attr:{key.key}", key.label) for key in keys]
    known = {key.key for key in keys}
    columns = []
    for place, column in enumerate(preview["columns"]):
        name = column["name"] or _("Column %(n)s") % {"n": place + 1}
        chosen = mapping.get(str(place), "")
        options = [*FIELDS, *own, (f"new:{name}", _("New field: %(name)s") % {"name": name})]
        if chosen.startswith("attr:") and chosen[5:] not in known:
            options.append((chosen, chosen[5:]))
        more = {"invalid": column["filled"] - column["valid"]} if "valid" in column else {}
        columns.append(
            {**column, **more, "number": place, "name": name, "chosen": chosen, "options": options}
        )
    values = {
        "run": run,
        "preview": preview,
        "columns": columns,
        "encodings": ENCODINGS,
        "separators": SEPARATORS,
        "lists": contact_lists_visible_to(viewer, may=May.EDIT),
        "wrong": wrong,
    }
    return render(request, "imports/columns.html", values, status=status)


def _figures(request: ViewerRequest, run: ImportRun) -> dict[str, Any]:
    values: dict[str, Any] = {"run": run, "live": run.state in LIVE, "version": _version(run)}
    if run.state in {"checked", "done", "failed", "undone"}:
        values["errors"] = import_errors(run)
        values["refused"] = run.rejected + run.duplicates
    if run.state == "checked":
        line = request.GET.get("line", "")
        values["row"] = row = import_row(run, number(line, 0))
        labels = {key.key: key.label for key in attribute_keys(request.viewer)}
        fields = json.loads(row["attributes"]) if row else {}
        values["row_fields"] = [(labels.get(key, key), value) for key, value in fields.items()]
        values["people"] = run.figures.get("staged", 0)
    total = run.figures.get("last", 0)
    percent = 100 * run.done // total if run.state == "running" and total else run.figures.get("percent", 0)
    return values | {"percent": percent, "rest": 100 - percent}


def _version(run: ImportRun) -> str:
    return f"{run.state}-{run.done}"


@require_GET
def live(request: ViewerRequest, import_id: int) -> HttpResponse:
    """The progress block; when the work has ended, the page is loaded anew."""
    run = import_visible_to(request.viewer, import_id)
    if run.state not in LIVE:
        gone = HttpResponse(status=204)
        gone.headers["HX-Redirect"] = f"/contacts/imports/{run.id}/"
        return gone
    return unchanged(request, _version(run)) or render(request, "imports/live.html", _figures(request, run))


@require_POST
def run_now(request: ViewerRequest, import_id: int) -> HttpResponse:
    try:
        import_run_ask(viewer=request.viewer, import_id=import_id)
    except Conflict as error:
        if error.code != "NAME_TAKEN":
            raise
        run = import_visible_to(request.viewer, import_id)
        return _columns(request, run, said(error), 409)
    return redirect("import", import_id)


@require_POST
def undo(request: ViewerRequest, import_id: int) -> HttpResponse:
    import_undo_ask(viewer=request.viewer, import_id=import_id)
    return redirect("import", import_id)


@require_POST
def cancel(request: ViewerRequest, import_id: int) -> HttpResponse:
    import_cancel(viewer=request.viewer, import_id=import_id)
    return redirect("imports")


@require_GET
def report(request: ViewerRequest, import_id: int) -> HttpResponseBase:
    """Every row that was refused or left out."""
    run = import_visible_to(request.viewer, import_id)

    def rows() -> Any:
        yield [_("Line"), _("Column"), _("Value"), _("Reason")]
        for error in import_report(run):
            yield [error.line, error.column, error.value, said(error.reason)]

    return csv_answer(f"{Path(run.file_name).stem}-report", rows())
