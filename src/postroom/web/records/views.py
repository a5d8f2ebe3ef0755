"""Contacts > Firms & records: what mail is about, with its timeline."""

from typing import Any

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.record_keep import (
    FILE_BYTES_MAX,
    record_add,
    record_delete,
    record_edit,
    record_file_add,
    record_file_remove,
    record_people_set,
    record_put_back,
)
from postroom.actions.record_write import record_write
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.profile import Right
from postroom.models.record import Record, RecordKind
from postroom.queries.blob import blob_open
from postroom.queries.records import (
    record_files,
    record_keys,
    record_people,
    record_timeline,
    record_visible_to,
    records_page,
)
from postroom.queries.search import people_found
from postroom.queries.viewer import Viewer, can, demand
from postroom.web.forms import add_error
from postroom.web.records.forms import BLANK, KINDS, KINDS_MANY, RecordForm, initial_of, pairs_of
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

#: Contractors a record can be given to by the form; the API knows no such end.
PARENTS = 500


def index(request: ViewerRequest) -> HttpResponse:
    words, kind = request.GET.get("q", "").strip()[:200], request.GET.get("kind", "")
    kind = kind if kind in RecordKind.values else ""
    rows, following = records_page(
        request.viewer, words=words, kind=kind, after=number(request.GET.get("at", ""), 0)
    )
    values = {
        "rows": rows,
        "following": following,
        "words": words,
        "kind": kind,
        "kinds": KINDS_MANY,
        "words_of": dict(KINDS),
        "begun": bool(request.GET.get("at")),
        "may_edit": can(request.viewer, Right.CONTACTS_EDIT),
    }
    return render(request, "records/index.html", values)


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.CONTACTS_EDIT)
    kind = request.GET.get("kind", "contractor")
    return _form(request, None, {"kind": kind, "parent": number(request.GET.get("parent", ""), None)})


def edit(request: ViewerRequest, record_id: int) -> HttpResponse:
    record = record_visible_to(request.viewer, record_id)
    demand(request.viewer, Right.CONTACTS_EDIT)
    return _form(request, record, initial_of(record))


def _form(request: ViewerRequest, record: Record | None, initial: dict[str, Any]) -> HttpResponse:
    viewer = request.viewer
    parents = _parents(viewer, record)
    form = RecordForm(request.POST or None, initial=initial, parents=parents)
    pairs = list(record.fields.items()) if record else []
    status, more = 200, dict[str, Any]()
    if request.method == "POST":
        status, pairs = 422, pairs_of(request.POST)
        if form.is_valid():
            try:
                saved = _saved(viewer, record, form, pairs)
            except (InputError, Conflict) as error:
                status = 409 if isinstance(error, Conflict) else 422
                if error.code == "STALE_VERSION" and record is not None:
                    record = record_visible_to(viewer, record.id)
                    more = {"theirs": _differences(form, pairs, record), "theirs_by": error.details["by"]}
                    # the next save is made knowing the other one
                    form.data = {**request.POST.dict(), "version": str(record.version)}
                elif error.field in form.fields:
                    add_error(form, error)
                else:
                    more = {"wrong": said(error)}
            else:
                toast(request, _("Saved."))
                return redirect("record", saved.id)
    values = {
        "form": form,
        "record": record,
        "pairs": [*pairs, *[("", "")] * BLANK],
        "keys": record_keys(viewer),
        **more,
    }
    return render(request, "records/edit.html", values, status=status)


def _parents(viewer: Viewer, record: Record | None) -> list[Record]:
    """Contractors to choose from, and the one it has."""
    found = records_page(viewer, kind="contractor", size=PARENTS)[0]
    if record is not None:
        found = [one for one in found if one.id != record.id]
        if record.parent is not None and record.parent not in found:
            found = [record.parent, *found]
    return found


def _saved(viewer: Viewer, record: Record | None, form: RecordForm, pairs: list[tuple[str, str]]) -> Record:
    if any(value and not key for key, value in pairs):
        raise InputError(_("Give the field a name."), field="fields")
    values = form.values(pairs)
    if record is None:
        return record_add(viewer=viewer, values=values)
    version = form.cleaned_data["version"] or 0
    return record_edit(viewer=viewer, record_id=record.id, version=version, values=values)


def _differences(form: RecordForm, pairs: list[tuple[str, str]], record: Record) -> list[tuple[str, str]]:
    """(label, what is stored now) where it is not what this person typed."""
    stored = initial_of(record)
    found = []
    for name, field in form.fields.items():
        now = stored.get(name)
        if name != "version" and str(form.cleaned_data.get(name) or "") != str(now or ""):
            shown = record.parent.name if name == "parent" and record.parent else now
            found.append((str(field.label), str(shown or "–")))
    typed = dict(pairs)
    keys = sorted({*typed, *record.fields})
    return found + [
        (key, record.fields.get(key, "–")) for key in keys if typed.get(key, "") != record.fields.get(key, "")
    ]


def show(request: ViewerRequest, record_id: int) -> HttpResponse:
    return _show(request, record_visible_to(request.viewer, record_id))


def _show(request: ViewerRequest, record: Record, status: int = 200, **more: Any) -> HttpResponse:
    viewer = request.viewer
    timeline = record_timeline(viewer, record, before=number(request.GET.get("before", ""), 0))
    children = records_page(viewer, parent_id=record.id)[0] if record.kind == "contractor" else []
    values = {
        "record": record,
        "kind_word": dict(KINDS)[record.kind],
        "words_of": dict(KINDS),
        "timeline": timeline,
        "people": record_people(viewer, record),
        "found": people_found(viewer, "", 20),
        "files": record_files(record),
        "children": children,
        "may_edit": can(viewer, Right.CONTACTS_EDIT),
        **more,
    }
    return render(request, "records/show.html", values, status=status)


@require_POST
def write(request: ViewerRequest, record_id: int) -> HttpResponse:
    """A draft about it, with the files that were ticked."""
    files = numbers(request.POST.getlist("file"))
    draft = record_write(viewer=request.viewer, record_id=record_id, file_ids=files)
    return redirect("draft", draft.id)


@require_POST
def delete(request: ViewerRequest, record_id: int) -> HttpResponse:
    name = record_visible_to(request.viewer, record_id).name
    step = record_delete(viewer=request.viewer, record_id=record_id)
    words = _("“%(name)s” is deleted. Its mail is still here.") % {"name": name}
    toast(request, words, undo=reverse("record_undo", args=[step]))
    return redirect("records")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = record_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("“%(name)s” is back.") % {"name": back.name})
    return redirect("record", back.id)


@require_POST
def people(request: ViewerRequest, record_id: int) -> HttpResponse:
    """Add a contact person (`person`), or take one off (`off`)."""
    record = record_visible_to(request.viewer, record_id)
    off, more = number(request.POST.get("off", ""), 0), numbers(request.POST.getlist("person"))
    kept = [one.id for one in record_people(request.viewer, record) if one.id != off]
    record_people_set(viewer=request.viewer, record_id=record.id, people=[*kept, *more])
    return redirect("record", record.id)


@require_POST
def attach(request: ViewerRequest, record_id: int) -> HttpResponse:
    viewer, added = request.viewer, 0
    record = record_visible_to(viewer, record_id)
    demand(viewer, Right.CONTACTS_EDIT)
    for one in request.FILES.getlist("files"):
        try:
            if (one.size or 0) > FILE_BYTES_MAX:
                words = _("%(name)s is larger than %(max)s MB and was not added.")
                raise InputError(words % {"name": one.name, "max": FILE_BYTES_MAX // 1_000_000})
            data, name, kind = b"".join(one.chunks()), one.name or "", one.content_type or ""
            record_file_add(viewer=viewer, record_id=record.id, name=name, content_type=kind, data=data)
        except InputError as error:
            return _show(request, record, 422, wrong_file=said(error))
        added += 1
    if added:
        toast(request, ngettext("%(n)s file is added.", "%(n)s files are added.", added) % {"n": added})
    return redirect("record", record.id)


def file(request: ViewerRequest, record_id: int, file_id: int) -> FileResponse:
    """A download; nothing of it is shown in the browser."""
    record = record_visible_to(request.viewer, record_id)
    found = record.files.filter(id=file_id).first()
    if found is None:
        raise NotFound("This file is not here any more.")
    answer = FileResponse(blob_open(found.blob_id), as_attachment=True, filename=found.name)
    answer.headers["Content-Type"] = "application/octet-stream"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@require_POST
def detach(request: ViewerRequest, record_id: int, file_id: int) -> HttpResponse:
    record_file_remove(viewer=request.viewer, record_id=record_id, file_id=file_id)
    toast(request, _("The file is no longer kept with the record."))
    return redirect("record", record_id)
