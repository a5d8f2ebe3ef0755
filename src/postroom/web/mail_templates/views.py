"""Templates: the list, one with its preview, copies."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.template import (
    TemplateValues,
    template_add,
    template_copy,
    template_default_save,
    template_delete,
    template_edit,
    template_put_back,
)
from postroom.errors import BadTemplate, Conflict, InputError, PostroomError
from postroom.mail.fields import CATALOGUE, GROUPS, RECORD_ANY, RECORD_FIELDS
from postroom.models.contact import Contact
from postroom.models.profile import May, Right
from postroom.models.template import Template
from postroom.queries.contact import attribute_keys, contact_visible_to
from postroom.queries.draft_file import files_bring
from postroom.queries.records import any_record, record_keys
from postroom.queries.search import people_found
from postroom.queries.sharing import may, rights_on, share_counts
from postroom.queries.template import (
    default_profiles,
    defaults_of,
    template_visible_to,
    templates_visible_to,
)
from postroom.queries.template_preview import TemplatePreview, template_preview
from postroom.queries.viewer import Viewer, can, demand
from postroom.web.forms import add_error
from postroom.web.mail_page import mail_page
from postroom.web.mail_templates.forms import TemplateForm
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

PER_PAGE = 50


def index(request: ViewerRequest) -> HttpResponse:
    viewer, words = request.viewer, request.GET.get("q", "").strip()[:200]
    page = Paginator(templates_visible_to(viewer, words), PER_PAGE).get_page(request.GET.get("page"))
    rights, defaults = rights_on(viewer, page.object_list), defaults_of(list(page.object_list))
    values = {
        "page": page,
        "rows": [(one, rights[one.id], defaults.get(one.id, [])) for one in page.object_list],
        "counts": share_counts(page.object_list),
        "words": words,
        "may_edit": can(viewer, Right.TEMPLATES_EDIT),
    }
    return render(request, "library/index.html", values)


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.TEMPLATES_EDIT)
    form = TemplateForm(request.POST or None)
    status, more = 200, dict[str, Any]()
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                made = template_add(viewer=request.viewer, values=form.values())
            except (InputError, Conflict) as error:
                status, more = _show(form, error)
            else:
                toast(request, _("Saved."))
                return redirect("template", made.id)
    return _page(request, form, status, **more)


def edit(request: ViewerRequest, template_id: int) -> HttpResponse:
    viewer = request.viewer
    found = template_visible_to(viewer, template_id, May.VIEW)
    if request.method != "POST" and not _changes(viewer, found):
        return _read(request, found)
    initial = {name: getattr(found, name) for name in ("name", "subject", "html", "text", "version")}
    form = TemplateForm(request.POST or None, initial=initial)
    status, more = 200, dict[str, Any]()
    if request.method == "POST":
        status = 422
        if form.is_valid():
            version = form.cleaned_data["version"] or 0
            try:
                template_edit(viewer=viewer, template_id=template_id, version=version, values=form.values())
            except (InputError, Conflict) as error:
                status, more = _show(form, error)
                if error.code == "STALE_VERSION":
                    found = template_visible_to(viewer, template_id)
                    more["theirs"], more["theirs_by"] = found, error.details.get("by", "")
                    # the next save is made knowing the other one
                    form.data = {**request.POST.dict(), "version": str(found.version)}
            else:
                toast(request, _("Saved."))
                return redirect("template", template_id)
    return _page(request, form, status, template=found, **more)


def _changes(viewer: Viewer, template: Template) -> bool:
    return can(viewer, Right.TEMPLATES_EDIT) and may(viewer, template, May.EDIT)


def _read(request: ViewerRequest, template: Template) -> HttpResponse:
    """What somebody sees who may not change it: the text, and a way to a copy of one's own."""
    people = people_found(request.viewer, "", 20)
    values = {
        "template": template,
        "people": people,
        "person": _person(request, people),
        "may_copy": can(request.viewer, Right.TEMPLATES_EDIT),
        "files": files_bring(template),
    }
    return render(request, "library/read.html", values)


def _show(form: TemplateForm, error: InputError | Conflict) -> tuple[int, dict[str, Any]]:
    if error.code != "STALE_VERSION":
        add_error(form, error)
    unknown = error.details.get("unknown") if isinstance(error, BadTemplate) else None
    return (409 if isinstance(error, Conflict) else 422), ({"unknown": unknown} if unknown else {})


def _page(request: ViewerRequest, form: TemplateForm, status: int, **values: Any) -> HttpResponse:
    people = people_found(request.viewer, "", 20)
    person = _person(request, people)
    fields = [
        (_(label), [(one.key, _(one.label)) for one in CATALOGUE if one.group == group])
        for group, label in GROUPS.items()
        if group != "record"
    ]
    keys = attribute_keys(request.viewer)
    if keys:
        fields.insert(1, (_("Own fields"), [(key.key, key.label) for key in keys]))
    fields = [*fields[:-1], *_of_records(request.viewer), fields[-1]]
    values |= {"form": form, "fields": fields, "people": people, "person": person}
    template = values.get("template")
    if template is not None:
        chosen = {one.id for one in defaults_of([template]).get(template.id, [])}
        values |= {"files": files_bring(template), "may_add": True}
        values["defaults"] = [(one, one.id in chosen) for one in default_profiles(request.viewer)]
    return render(request, "library/edit.html", values, status=status)


def _of_records(viewer: Viewer) -> list[tuple[str, list[tuple[str, str]]]]:
    """The group of the fields that records of the workspace have; none while there is no record."""
    if not any_record(viewer):
        return []
    known = [(one.key, _(one.label)) for one in RECORD_FIELDS]
    own = [(f"{RECORD_ANY}{key}", key) for key in record_keys(viewer)]
    return [(_(GROUPS["record"]), [*known, *own])]


def _person(request: ViewerRequest, people: list[Contact]) -> Contact | None:
    chosen = request.POST.get("person") or request.GET.get("person", "")
    contact_id = number(chosen, None)
    if contact_id is not None:
        return contact_visible_to(request.viewer, contact_id)
    return people[0] if people else None


@require_POST
def preview(request: ViewerRequest) -> HttpResponse:
    """What is in the form now, for the chosen person: subject, what is missing, and a frame."""
    source, person = _typed(request), _person(request, [])
    shown, wrong = _filled(request, source, person)
    values = {"shown": shown, "source": source, "wrong": wrong, "person": person}
    return render(request, "library/preview.html", values)


@require_POST
def frame(request: ViewerRequest) -> HttpResponse:
    """The message alone, as sent, for the sandboxed frame of the preview: posted there by the page."""
    shown, wrong = _filled(request, _typed(request), _person(request, []))
    return mail_page(shown.html, shown.text) if shown else mail_page("", wrong)


def _typed(request: ViewerRequest) -> TemplateValues:
    return TemplateValues("-", *(request.POST.get(name, "") for name in ("subject", "html", "text")))


def _filled(
    request: ViewerRequest, source: TemplateValues, person: Contact | None
) -> tuple[TemplatePreview | None, str]:
    """The preview, or what is wrong."""
    try:
        return template_preview(request.viewer, source, person), ""
    except PostroomError as error:
        return None, said(error)


@require_POST
def copy(request: ViewerRequest, template_id: int) -> HttpResponse:
    name = template_visible_to(request.viewer, template_id).name
    made = template_copy(viewer=request.viewer, template_id=template_id, name=name)
    toast(request, _("“%(name)s” is a copy. Change it as you like.") % {"name": made.name})
    return redirect("template", made.id)


@require_POST
def default(request: ViewerRequest, template_id: int) -> HttpResponse:
    """The profiles whose mails begin with this template."""
    profiles = numbers(request.POST.getlist("profile"))
    cleared = template_default_save(viewer=request.viewer, template_id=template_id, profile_ids=profiles)
    for profile, other in cleared:
        words = _("“%(other)s” is no longer the default template of %(profile)s.")
        toast(request, words % {"other": other.name, "profile": profile.name})
    if not cleared:
        toast(request, _("Saved."))
    return redirect("template", template_id)


@require_POST
def delete(request: ViewerRequest, template_id: int) -> HttpResponse:
    name = template_visible_to(request.viewer, template_id).name
    step = template_delete(viewer=request.viewer, template_id=template_id)
    toast(request, _("“%(name)s” is deleted.") % {"name": name}, undo=f"/templates/undo/{step}/")
    return redirect("templates")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    found = template_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("“%(name)s” is back.") % {"name": found.name})
    return redirect("templates")
