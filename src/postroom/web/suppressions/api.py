"""Suppressed addresses in the API: the shared list, one's own, files, promotion and the firm's policy."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import ngettext
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.suppression import suppression_enter, suppression_lift, suppression_put_back
from postroom.actions.suppression_import import suppression_import
from postroom.actions.suppression_policy import (
    promotion_of,
    promotion_undo,
    suppression_policy_save,
    suppression_promote,
)
from postroom.mail.address import canonical
from postroom.mail.suppression import Entry, EntryForm
from postroom.models.suppression import Suppression, SuppressionImport
from postroom.queries.suppression import (
    Show,
    suppression_counts,
    suppression_export,
    suppression_import_visible_to,
    suppression_page,
    suppressions_covering,
)
from postroom.queries.viewer import Viewer
from postroom.web.download import csv_answer
from postroom.web.paging import At, number_at
from postroom.web.problem import Problem, problems

router = Router(tags=["suppressions"])

Scope = Literal["shared", "personal"]
Source = Literal["", "manual", "unsubscribe", "complaint", "bounce", "import"]
EntryKind = Literal["", "address", "domain", "subdomains", "local"]
Words = Annotated[str, Field(max_length=200)]
Why = Annotated[str, Field(max_length=500)]
Number = Annotated[int, Field(ge=1, le=2**53)]
Ids = Annotated[list[Number], Field(max_length=10_000)]
#: Bad lines told in one answer; all of them are at /suppressions/imports/{id}/lines.
TOLD = 200


class EntryOut(Schema):
    """covers: address, domain, subdomains or local; why, by, at and source say who put it there, when and for what."""

    id: int
    entry: str
    covers: str
    value: str
    scope: Scope
    source: str
    why: str
    by: str
    list: int | None
    event: int | None
    at: str


class EntryPage(Schema):
    items: list[EntryOut]
    #: To go on with as `at`; None at the end.
    next: str | None
    total: int


class EntryNew(Schema):
    #: user@firm.pl, @firm.pl, @*.firm.pl or name@
    entry: Annotated[str, Field(max_length=1000)]
    why: Why = ""
    scope: Scope = "shared"


class EntryMade(Schema):
    entry: str
    is_new: bool


class BulkIn(Schema):
    entries: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(min_length=1, max_length=5000)]
    why: Why = ""
    scope: Scope = "shared"


class BadLine(Schema):
    line: int
    text: str
    message: str


class ImportOut(Schema):
    """state: running, done or failed. rejected_lines: the first of them."""

    id: int
    state: str
    lines: int
    done: int
    accepted: int
    duplicates: int
    rejected: int
    rejected_lines: list[BadLine]
    error: str


class BadLines(Schema):
    items: list[BadLine]
    next: str | None


class CheckIn(Schema):
    addresses: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=1000)]


class Covered(Schema):
    address: str
    entries: list[EntryOut]


class CoverOut(Schema):
    #: Addresses that mail from the caller does not go to, and the entries that stop it.
    items: list[Covered]


class EntryIds(Schema):
    ids: Annotated[list[Number], Field(min_length=1, max_length=10_000)]


class Lifted(Schema):
    lifted: int
    #: For POST /suppressions/undo/{undo}, within an hour.
    undo: int


class PromoteIn(Schema):
    #: Left out = all.
    ids: Ids | None = None
    #: mine, or everybody's (for those who manage the workspace).
    whose: Literal["mine", "all"] = "mine"
    #: Only say what would happen.
    preview: bool = False


class PromotionOut(Schema):
    new: int
    already: int
    undo: int | None


class PolicyIn(Schema):
    policy: Literal["shared", "personal", "both"]


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _entry(entry: Suppression) -> dict[str, Any]:
    return {
        "id": entry.id,
        "entry": Entry(EntryForm(entry.form), entry.value).text,
        "covers": entry.form,
        "value": entry.value,
        "scope": "personal" if entry.owner_id else "shared",
        "source": entry.source,
        "why": entry.why,
        "by": str(entry.by) if entry.by else "",
        "list": entry.contact_list_id,
        "event": entry.event_id,
        "at": entry.at.isoformat(timespec="milliseconds"),
    }


@router.get("/suppressions", response={200: EntryPage, **problems(422)})
def suppression_list(
    request: HttpRequest,
    scope: Scope = "shared",
    q: Words = "",
    source: Source = "",
    form: EntryKind = "",
    at: At = "",
) -> dict[str, Any]:
    """Newest first, as the firm's policy shows them. total: of the scope, whatever the filters."""
    viewer = _viewer(request)
    page = suppression_page(viewer, Show(scope == "personal", q, source, form), after=number_at(at))
    return {
        "items": [_entry(entry) for entry in page.entries],
        "next": str(page.following) if page.following else None,
        "total": suppression_counts(viewer, mine=scope == "personal")[""],
    }


@router.post("/suppressions", response={200: EntryMade, 201: EntryMade, **problems(403, 409, 422)})
def suppression_make(request: HttpRequest, body: EntryNew) -> Any:
    """In force at once. 201: new; 200: it was there. 422 BAD_ENTRY: none of the four forms."""
    entry, is_new = suppression_enter(
        viewer=_viewer(request), entry=body.entry, why=body.why, personal=body.scope == "personal"
    )
    return Status(201 if is_new else 200, {"entry": entry.text, "is_new": is_new})


@router.post("/suppressions/check", response={200: CoverOut, **problems(422)})
def suppression_check(request: HttpRequest, body: CheckIn) -> dict[str, Any]:
    """Which of these addresses an entry in force covers. 422 BAD_ADDRESS: one is none."""
    viewer = _viewer(request)
    given = {canonical(address): address for address in body.addresses}
    covered = suppressions_covering(viewer.workspace.id, given, user_id=viewer.user.id)
    return {
        "items": [
            {"address": given[address], "entries": [_entry(entry) for entry in entries]}
            for address, entries in covered.items()
        ]
    }


@router.get("/suppressions/export", response={200: None, **problems(403, 422)})
def suppression_file(
    request: HttpRequest,
    scope: Scope = "shared",
    q: Words = "",
    source: Source = "",
    form: EntryKind = "",
) -> HttpResponseBase:
    """CSV, one entry a line, safe to open in a spreadsheet; it can be imported again."""
    entries = suppression_export(_viewer(request), Show(scope == "personal", q, source, form))

    def rows() -> Any:
        names = ("entry", "covers", "source", "why", "by", "at")
        yield names
        for entry in entries:
            told = _entry(entry)
            yield [told[name] for name in names]

    return csv_answer("suppressed", rows())


@router.post(
    "/suppressions/bulk",
    response={200: ImportOut, 202: ImportOut, **problems(403, 409), 422: Problem},
)
def suppression_bulk(request: HttpRequest, body: BulkIn) -> Any:
    """Like a file with an entry a line."""
    text = "\n".join(" ".join(entry.splitlines()) for entry in body.entries) + "\n"
    return _brought_in(_viewer(request), [text.encode()], "entries.txt", body.why, body.scope)


@router.post(
    "/suppressions/import",
    response={200: ImportOut, 202: ImportOut, **problems(403, 409), 422: Problem},
)
def suppression_file_in(
    request: HttpRequest, file: File[UploadedFile], why: Why = Form(""), scope: Scope = Form("shared")
) -> Any:
    """A text file with an entry a line. 200: all good; 422 BAD_LINES: the good ones are stored, the bad ones told.

    202: a long file; look at /suppressions/imports/{id} until its state is "done".
    """
    return _brought_in(_viewer(request), file.chunks(), file.name or "", why, scope)


def _brought_in(viewer: Viewer, chunks: Any, name: str, why: str, scope: str) -> Any:
    run = kept_import(viewer, chunks, name=name, why=why, personal=scope == "personal")
    answer = _run(run)
    if run.state == "running":
        return Status(202, answer)
    if run.rejected:
        problem = {
            "code": "BAD_LINES",
            "message": ngettext(
                "%(n)s line could not be read. All others are stored.",
                "%(n)s lines could not be read. All others are stored.",
                run.rejected,
            )
            % {"n": run.rejected},
            "field": "file",
            "details": answer,
        }
        return Status(422, problem)
    return Status(200, answer)


def kept_import(viewer: Viewer, chunks: Any, *, name: str, why: str, personal: bool) -> SuppressionImport:
    """What was uploaded, on the disk of the object store, handed to the action."""
    folder = Path(settings.POSTROOM_DATA) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as copy:
        for chunk in chunks:
            copy.write(chunk)
    path = Path(copy.name)
    try:
        return suppression_import(viewer=viewer, file=path, file_name=name, why=why, personal=personal)
    finally:
        path.unlink(missing_ok=True)


def _run(run: SuppressionImport) -> dict[str, Any]:
    names = ("id", "state", "lines", "done", "accepted", "duplicates", "rejected", "error")
    bad = run.line_errors.order_by("line")[:TOLD]
    return {
        **{name: getattr(run, name) for name in names},
        "rejected_lines": [{"line": one.line, "text": one.text, "message": one.reason} for one in bad],
    }


@router.get("/suppressions/imports/{int:import_id}", response={200: ImportOut, **problems(404)})
def suppression_import_show(request: HttpRequest, import_id: int) -> dict[str, Any]:
    return _run(suppression_import_visible_to(_viewer(request), import_id))


@router.get("/suppressions/imports/{int:import_id}/lines", response={200: BadLines, **problems(404, 422)})
def suppression_import_lines(request: HttpRequest, import_id: int, at: At = "") -> dict[str, Any]:
    """The lines that could not be read, a thousand an answer."""
    run = suppression_import_visible_to(_viewer(request), import_id)
    found = list(run.line_errors.filter(line__gt=number_at(at)).order_by("line")[:1001])
    shown = found[:1000]
    return {
        "items": [{"line": one.line, "text": one.text, "message": one.reason} for one in shown],
        "next": str(shown[-1].line) if len(found) > 1000 else None,
    }


@router.post("/suppressions/lift", response={200: Lifted, **problems(403, 404, 422)})
def suppression_away(request: HttpRequest, body: EntryIds) -> dict[str, int]:
    """Mail may go there again."""
    count, step = suppression_lift(viewer=_viewer(request), ids=body.ids)
    return {"lifted": count, "undo": step}


@router.post("/suppressions/undo/{int:step_id}", response={200: dict[str, int], **problems(409)})
def suppression_back(request: HttpRequest, step_id: int) -> dict[str, int]:
    return {"back": suppression_put_back(viewer=_viewer(request), step_id=step_id)}


@router.post("/suppressions/promote", response={200: PromotionOut, **problems(403, 404, 409, 422)})
def promote(request: HttpRequest, body: PromoteIn) -> dict[str, Any]:
    """Make personal entries everybody's."""
    viewer, of_all = _viewer(request), body.whose == "all"
    if body.preview:
        found = promotion_of(viewer, body.ids, of_all=of_all)
        return {"new": found.new, "already": found.already, "undo": None}
    done, step = suppression_promote(viewer=viewer, ids=body.ids, of_all=of_all)
    return {"new": done.new, "already": done.already, "undo": step}


@router.post("/suppressions/promote/undo/{int:step_id}", response={200: dict[str, int], **problems(409)})
def promote_undo(request: HttpRequest, step_id: int) -> dict[str, int]:
    return {"back": promotion_undo(viewer=_viewer(request), step_id=step_id)}


@router.get("/suppressions/policy", response={200: PolicyIn, **problems()})
def policy_show(request: HttpRequest) -> dict[str, str]:
    return {"policy": _viewer(request).workspace.suppression_policy}


@router.put("/suppressions/policy", response={200: PolicyIn, **problems(403, 422)})
def policy_save(request: HttpRequest, body: PolicyIn) -> dict[str, str]:
    """Hides entries, never deletes any; what is hidden is not in force."""
    suppression_policy_save(viewer=_viewer(request), policy=body.policy)
    return {"policy": body.policy}
