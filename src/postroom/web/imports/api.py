"""Bringing people in from a file, in the API: the file, its columns, the check, the taking over, the way back."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import File, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.import_guess import FILE_MAX
from postroom.actions.imports import (
    import_cancel,
    import_check_ask,
    import_choose,
    import_run_ask,
    import_undo_ask,
)
from postroom.errors import InputError
from postroom.models.contact import ImportRun
from postroom.queries.imports import import_errors, import_visible_to, imports_visible_to
from postroom.queries.viewer import Viewer
from postroom.web.imports.views import uploaded
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems
from postroom.web.said import said

router = Router(tags=["imports"])
PAGE = 100
ERRORS = 1000
Line = Annotated[str, Field(max_length=1000)]
_FIGURES = ("rows", "done", "added", "updated", "unchanged", "duplicates", "rejected", "left_before")


class Choices(Schema):
    """A field left out keeps its value."""

    encoding: Annotated[str, Field(max_length=30)] | None = None
    separator: Annotated[str, Field(max_length=1)] | None = None
    has_header: bool | None = None
    #: What becomes of people who are here already: fill what is empty, replace, or leave them.
    existing: Literal["fill", "replace", "leave"] | None = None
    #: Column from 0 -> email, name, surname, full_name, salutation, company, kind, language, "attr:KEY", "new:LABEL";
    #: "" = left out.
    mapping: (
        dict[Annotated[str, Field(pattern=r"^[0-9]{1,4}$")], Annotated[str, Field(max_length=200)]] | None
    ) = None
    #: The list they go on; 0 = none.
    list_id: Annotated[int, Field(ge=0, le=2**53)] | None = None
    #: Or the name of a new list.
    new_list: Line | None = None


class ChosenOut(Schema):
    encoding: str = ""
    separator: str = ""
    has_header: bool = False
    existing: str = ""
    mapping: dict[str, str] = {}
    list_id: int = 0
    new_list: str = ""


class RunOut(Schema):
    """state: new, checking, checked, running, done, undoing, undone, cancelled or failed (see error)."""

    id: int
    file_name: str
    state: str
    choices: ChosenOut
    rows: int
    done: int
    added: int
    updated: int
    unchanged: int
    duplicates: int
    rejected: int
    left_before: int
    #: Of the work that goes on.
    percent: int
    error: str
    #: The list they went on.
    list: int | None
    created_at: str
    ended_at: str | None


class Runs(Schema):
    items: list[RunOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class RowError(Schema):
    line: int
    column: str
    value: str
    message: str


class RowErrors(Schema):
    items: list[RowError]
    next: str | None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(run: ImportRun) -> dict[str, Any]:
    total = run.figures.get("last", 0)
    percent = 100 * run.done // total if run.state == "running" and total else run.figures.get("percent", 0)
    return {
        "id": run.id,
        "file_name": run.file_name,
        "state": run.state,
        "choices": {name: run.choices[name] for name in ChosenOut.model_fields if name in run.choices},
        **{name: getattr(run, name) for name in _FIGURES},
        "percent": min(100, int(percent)) if run.state != "done" else 100,
        "error": said(run.error) if run.error else "",
        "list": run.target_list_id,
        "created_at": run.created_at.isoformat(timespec="milliseconds"),
        "ended_at": run.ended_at.isoformat(timespec="milliseconds") if run.ended_at else None,
    }


@router.get("/imports", response={200: Runs, **problems(422)})
def import_list(request: HttpRequest, at: At = "") -> dict[str, Any]:
    """Newest first: one's own, and those into lists whose people one sees."""
    found = imports_visible_to(_viewer(request), PAGE + 1, before=number_at(at))
    shown, following = cut(found, PAGE)
    return {"items": [_out(run) for run in shown], "next": following}


@router.post("/imports", response={201: RunOut, **problems(403, 422)})
def import_make(request: HttpRequest, file: File[UploadedFile]) -> Any:
    """A CSV file. Alphabet, separator and columns are guessed; look at `choices`, put them right, check, run."""
    if (file.size or 0) > FILE_MAX:
        raise InputError(_("The file is larger than 2 GB. Split it."), field="file")
    return Status(201, _out(uploaded(_viewer(request), file)))


@router.get("/imports/{int:import_id}", response={200: RunOut, **problems(404)})
def import_show(request: HttpRequest, import_id: int) -> dict[str, Any]:
    return _out(import_visible_to(_viewer(request), import_id))


@router.put("/imports/{int:import_id}", response={200: RunOut, **problems(403, 404, 409, 422)})
def import_change(request: HttpRequest, import_id: int, body: Choices) -> dict[str, Any]:
    """A check that was made before is forgotten."""
    chosen = body.dict(exclude_none=True)
    return _out(import_choose(viewer=_viewer(request), import_id=import_id, choices=chosen))


@router.delete("/imports/{int:import_id}", response={204: None, **problems(403, 404, 409)})
def import_drop(request: HttpRequest, import_id: int) -> Any:
    """Before anything was stored; afterwards undo it."""
    import_cancel(viewer=_viewer(request), import_id=import_id)
    return Status(204, None)


@router.post("/imports/{int:import_id}/check", response={202: RunOut, **problems(403, 404, 409, 422)})
def import_checked(request: HttpRequest, import_id: int) -> Any:
    """All rows, in the background: look again until the state is checked or failed."""
    return Status(202, _out(import_check_ask(viewer=_viewer(request), import_id=import_id)))


@router.post("/imports/{int:import_id}/run", response={202: RunOut, **problems(403, 404, 409, 422)})
def import_begun(request: HttpRequest, import_id: int) -> Any:
    """Take the checked rows over, in the background: until the state is done or failed."""
    return Status(202, _out(import_run_ask(viewer=_viewer(request), import_id=import_id)))


@router.post("/imports/{int:import_id}/undo", response={202: RunOut, **problems(403, 404, 409)})
def import_undone(request: HttpRequest, import_id: int) -> Any:
    """People it added go, what it changed is as before; in the background."""
    return Status(202, _out(import_undo_ask(viewer=_viewer(request), import_id=import_id)))


@router.get("/imports/{int:import_id}/errors", response={200: RowErrors, **problems(404, 422)})
def import_error_list(request: HttpRequest, import_id: int, at: At = "") -> dict[str, Any]:
    """Rows that were refused or left out, a thousand an answer, in the order of the file."""
    begin = number_at(at)
    found = import_errors(import_visible_to(_viewer(request), import_id), ERRORS + 1, begin)
    items = [
        {"line": one.line, "column": one.column, "value": one.value, "message": said(one.reason)}
        for one in found[:ERRORS]
    ]
    return {"items": items, "next": str(begin + ERRORS) if len(found) > ERRORS else None}
