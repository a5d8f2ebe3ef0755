"""Contacts > People: the list, one person, what is done to a selection."""

from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.contact import (
    attribute_key_add,
    contact_add,
    contact_delete,
    contact_edit,
    contact_put_back,
)
from postroom.actions.contact_list import contact_list_add, contact_list_fill
from postroom.actions.suppression import suppression_enter
from postroom.errors import Conflict, InputError
from postroom.models.contact import Contact
from postroom.models.profile import May, Right
from postroom.queries.contact import (
    attribute_keys,
    contact_count,
    contact_deliveries,
    contact_page,
    contact_rows,
    contact_visible_to,
)
from postroom.queries.contact_find import holding_of
from postroom.queries.contact_list import contact_list_visible_to, lists_to_fill
from postroom.queries.search import people_found
from postroom.queries.sharing import may
from postroom.queries.suppression import shares
from postroom.queries.viewer import Viewer, can, demand
from postroom.web.contacts.exporting import exported
from postroom.web.contacts.forms import ContactForm, initial_of
from postroom.web.download import csv_answer
from postroom.web.forms import add_error
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

ONLY = ("blocked", "unlisted")
SORTS = ("name", "newest")


def _filters(request: ViewerRequest) -> dict[str, Any]:
    """What the address of the list page asks for; what makes no sense is left out."""
    given = request.GET
    only, list_id = given.get("only", ""), given.get("list", "")
    return {
        "words": given.get("q", "").strip()[:200],
        "only": only if only in ONLY else "",
        "list_id": number(list_id, 0),
    }


def index(request: ViewerRequest) -> HttpResponse:
    viewer, filters = request.viewer, _filters(request)
    sort = request.GET.get("sort", "")
    sort = sort if sort in SORTS else "name"
    inside = contact_list_visible_to(viewer, filters["list_id"], May.VIEW) if filters["list_id"] else None
    holding = holding_of(viewer, filters["words"])
    page = contact_page(viewer, **filters, sort=sort, at=request.GET.get("at", ""), holding=holding)
    everybody = contact_count(viewer)
    values: dict[str, Any] = {
        "page": page,
        "everybody": everybody,
        "sort": sort,
        "inside": inside,
        "found": contact_count(viewer, **filters, holding=holding) if filters["words"] else None,
        **filters,
        **_may(viewer),
        "may_take_off": inside is not None and may(viewer, inside, May.EDIT),
        "may_take_out": can(viewer, Right.CONTACTS_EXPORT)
        and (inside is None or may(viewer, inside, May.EXPORT)),
    }
    if everybody.exact:
        values["blocked"] = contact_count(viewer, only="blocked").number
        values["unlisted"] = contact_count(viewer, only="unlisted").number
    return render(request, "contacts/index.html", values)


def _may(viewer: Viewer) -> dict[str, bool]:
    """What the pages offer."""
    return {
        "may_edit": can(viewer, Right.CONTACTS_EDIT),
        "may_suppress": can(viewer, Right.SUPPRESSIONS_EDIT),
        "may_take_out": can(viewer, Right.CONTACTS_EXPORT),
    }


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.CONTACTS_EDIT)
    keys = attribute_keys(request.viewer)
    form = ContactForm(request.POST or None, keys=keys)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                contact = contact_add(viewer=request.viewer, values=form.values())
            except (InputError, Conflict) as error:
                status = _show(form, error)
            else:
                toast(request, _("%(name)s is added.") % {"name": contact})
                return redirect("contacts")
    return render(request, "contacts/person.html", {"form": form, "contact": None}, status=status)


def show(request: ViewerRequest, contact_id: int) -> HttpResponse:
    viewer = request.viewer
    contact = contact_visible_to(viewer, contact_id)
    keys = attribute_keys(viewer)
    form = ContactForm(request.POST or None, initial=initial_of(contact, keys), keys=keys)
    status, theirs, theirs_by = 200, None, ""
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                contact_edit(
                    viewer=viewer,
                    contact_id=contact.id,
                    version=form.cleaned_data["version"] or 0,
                    values=form.values(),
                )
            except (InputError, Conflict) as error:
                status = _show(form, error)
                if error.code == "STALE_VERSION":
                    contact = contact_visible_to(viewer, contact_id)
                    theirs, theirs_by = _differences(form, contact, keys), str(error.details["by"])
                    # the next save is made knowing the other one
                    form.data = {**request.POST.dict(), "version": str(contact.version)}
            else:
                toast(request, _("Saved."))
                return redirect("contact", contact.id)
    (row,) = contact_rows(viewer, [contact.id])
    values = {
        "form": form,
        "contact": contact,
        "row": row,
        "theirs": theirs,
        "theirs_by": theirs_by,
        "deliveries": contact_deliveries(viewer, contact),
        **_may(viewer),
    }
    return render(request, "contacts/person.html", values, status=status)


def _show(form: ContactForm, error: InputError | Conflict) -> int:
    if error.field and f"attr_{error.field}" in form.fields:
        error.field = f"attr_{error.field}"
    add_error(form, error)
    return 409 if isinstance(error, Conflict) else 422


def _differences(form: ContactForm, contact: Contact, keys: list[Any]) -> list[tuple[str, str]]:
    """(label, what is stored now) of the fields where it is not what this person typed."""
    stored = initial_of(contact, keys)
    return [
        (str(field.label), str(stored.get(name, "")) or "–")
        for name, field in form.fields.items()
        if name != "version" and str(form.cleaned_data.get(name, "")) != str(stored.get(name, ""))
    ]


def pick(request: ViewerRequest) -> HttpResponse:
    """Options of a picker of people: those who fit the words."""
    words = request.GET.get("q", "").strip()[:200]
    return render(request, "contacts/pick.html", {"people": people_found(request.viewer, words, 20)})


def fill(request: ViewerRequest) -> HttpResponse:
    """The lists on which the people chosen may be put: asked for when somebody wants to, as a firm has thousands."""
    demand(request.viewer, Right.CONTACTS_EDIT)
    words = request.GET.get("find_list", "").strip()[:200]
    lists, more = lists_to_fill(request.viewer, words)
    return render(request, "contacts/fill.html", {"lists": lists, "more": more, "words": words})


@require_POST
def act(request: ViewerRequest) -> HttpResponseBase:
    """What the bar below the list does to the people chosen."""
    viewer = request.viewer
    ids = numbers(request.POST.getlist("id"))
    if not ids:
        raise InputError(_("Choose somebody first."))
    what = request.POST.get("act", "")
    asked = request.POST.get("back", "")
    back = redirect(asked if _own(asked) else "contacts")
    if what == "export":
        return csv_answer(_("people"), exported(viewer, ids=ids))
    if what == "list":
        chosen = request.POST.get("list", "")
        if chosen == "new":
            target = contact_list_add(viewer=viewer, name=request.POST.get("new_list", ""))
        else:
            target = contact_list_visible_to(viewer, number(chosen, 0))
        count = contact_list_fill(viewer=viewer, list_id=target.id, contact_ids=ids)
        said = ngettext("%(n)s person is new on “%(list)s”.", "%(n)s people are new on “%(list)s”.", count)
        toast(request, said % {"n": count, "list": target.name})
    elif what == "suppress":
        rows = contact_rows(viewer, ids)
        mine, why = not shares(viewer), request.POST.get("why", "")
        for row in rows:
            suppression_enter(viewer=viewer, entry=row.contact.email, why=why, personal=mine)
        said = ngettext(
            "%(n)s person is suppressed. No mail goes to them.",
            "%(n)s people are suppressed. No mail goes to them.",
            len(rows),
        )
        if mine:
            said = ngettext(
                "%(n)s person is on your own list. No mail from you goes to them.",
                "%(n)s people are on your own list. No mail from you goes to them.",
                len(rows),
            )
        toast(request, said % {"n": len(rows)})
    elif what == "delete":
        count, step = contact_delete(viewer=viewer, ids=ids)
        said = ngettext("%(n)s person is deleted.", "%(n)s people are deleted.", count) % {"n": count}
        toast(request, said, undo=f"/contacts/undo/{step}/")
    else:
        raise InputError(_("This is not one of the acts."))
    return back


def _own(path: str) -> bool:
    return path.startswith("/contacts/") and path.isprintable() and "//" not in path and "\\" not in path


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    count = contact_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, ngettext("%(n)s person is back.", "%(n)s people are back.", count) % {"n": count})
    return redirect("contacts")


@require_POST
def field_new(request: ViewerRequest) -> HttpResponse:
    key = attribute_key_add(viewer=request.viewer, label=request.POST.get("label", ""))
    toast(request, _("Everybody now has the field “%(label)s”.") % {"label": key.label})
    back = request.POST.get("back", "")
    return redirect(back if _own(back) else "contacts")


def export(request: ViewerRequest) -> HttpResponseBase:
    return csv_answer(_("people"), exported(request.viewer, **_filters(request)))
