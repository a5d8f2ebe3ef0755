"""Contacts > Lists."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.contact_list import (
    contact_list_add,
    contact_list_delete,
    contact_list_members_put_back,
    contact_list_put_back,
    contact_list_rename,
    contact_list_take_off,
)
from postroom.errors import Conflict, InputError
from postroom.models.profile import Right
from postroom.queries.contact_list import contact_list_visible_to, contact_lists_visible_to
from postroom.queries.sharing import rights_on, share_counts
from postroom.queries.viewer import can
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

PER_PAGE = 50


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    viewer = request.viewer
    words = request.GET.get("q", "").strip()[:200]
    page = Paginator(contact_lists_visible_to(viewer, words), PER_PAGE).get_page(request.GET.get("page"))
    rights = rights_on(viewer, page.object_list)
    values = {
        "page": page,
        "rows": [(one, rights[one.id]) for one in page.object_list],
        "counts": share_counts(page.object_list),
        "words": words,
        "may_edit": can(viewer, Right.CONTACTS_EDIT),
        "may_take_out": can(viewer, Right.CONTACTS_EXPORT),
        **more,
    }
    return render(request, "lists/index.html", values, status=status)


@require_POST
def new(request: ViewerRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        made = contact_list_add(viewer=request.viewer, name=name)
    except (InputError, Conflict) as error:
        return _page(request, _status(error), wrong=said(error), typed=name)
    toast(request, _("The list “%(name)s” is made. Choose people and add them.") % {"name": made.name})
    return redirect("lists")


@require_POST
def rename(request: ViewerRequest, list_id: int) -> HttpResponse:
    name, text = request.POST.get("name", ""), request.POST.get("version", "")
    version = number(text, None)
    try:
        contact_list_rename(viewer=request.viewer, list_id=list_id, name=name, version=version)
    except (InputError, Conflict) as error:
        return _page(request, _status(error), wrong_id=list_id, wrong=said(error), typed=name)
    return redirect("lists")


def _status(error: InputError | Conflict) -> int:
    return 409 if isinstance(error, Conflict) else 422


@require_POST
def delete(request: ViewerRequest, list_id: int) -> HttpResponse:
    name = contact_list_visible_to(request.viewer, list_id).name
    step = contact_list_delete(viewer=request.viewer, list_id=list_id)
    words = _("The list “%(name)s” is deleted. Its people are still here.") % {"name": name}
    toast(request, words, undo=f"/contacts/lists/undo/{step}/")
    return redirect("lists")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = contact_list_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("The list “%(name)s” is back.") % {"name": back.name})
    return redirect("lists")


@require_POST
def take_off(request: ViewerRequest, list_id: int) -> HttpResponse:
    ids = numbers(request.POST.getlist("id"))
    count, step = contact_list_take_off(viewer=request.viewer, list_id=list_id, contact_ids=ids)
    words = ngettext("%(n)s person is off the list.", "%(n)s people are off the list.", count)
    toast(request, words % {"n": count}, undo=f"/contacts/lists/{list_id}/undo/{step}/")
    return redirect(f"/contacts/?list={list_id}")


@require_POST
def undo_take_off(request: ViewerRequest, list_id: int, step_id: int) -> HttpResponse:
    count = contact_list_members_put_back(viewer=request.viewer, step_id=step_id)
    words = ngettext("%(n)s person is on the list again.", "%(n)s people are on the list again.", count)
    toast(request, words % {"n": count})
    return redirect(f"/contacts/?list={list_id}")
