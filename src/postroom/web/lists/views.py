"""Contacts > Lists."""

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
from postroom.queries.contact_list import contact_list_visible_to, contact_lists_visible_to
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:200]
    lists = contact_lists_visible_to(request.viewer, words)
    return render(request, "lists/index.html", {"lists": lists, "words": words, **more}, status=status)


@require_POST
def new(request: ViewerRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        made = contact_list_add(viewer=request.viewer, name=name)
    except (InputError, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return _page(request, status, wrong=said(error), typed=name)
    toast(request, _("The list “%(name)s” is made. Choose people and add them.") % {"name": made.name})
    return redirect("lists")


@require_POST
def rename(request: ViewerRequest, list_id: int) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        contact_list_rename(viewer=request.viewer, list_id=list_id, name=name)
    except (InputError, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return _page(request, status, wrong_id=list_id, wrong=said(error), typed=name)
    return redirect("lists")


@require_POST
def delete(request: ViewerRequest, list_id: int) -> HttpResponse:
    name = contact_list_visible_to(request.viewer, list_id).name
    step = contact_list_delete(viewer=request.viewer, list_id=list_id)
    said = _("The list “%(name)s” is deleted. Its people are still here.") % {"name": name}
    toast(request, said, undo=f"/contacts/lists/undo/{step}/")
    return redirect("lists")


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = contact_list_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("The list “%(name)s” is back.") % {"name": back.name})
    return redirect("lists")


@require_POST
def take_off(request: ViewerRequest, list_id: int) -> HttpResponse:
    ids = [int(number) for number in request.POST.getlist("id") if number.isascii() and number.isdigit()]
    count, step = contact_list_take_off(viewer=request.viewer, list_id=list_id, contact_ids=ids)
    said = ngettext("%(n)s person is off the list.", "%(n)s people are off the list.", count)
    toast(request, said % {"n": count}, undo=f"/contacts/lists/{list_id}/undo/{step}/")
    return redirect(f"/contacts/?list={list_id}")


@require_POST
def undo_take_off(request: ViewerRequest, list_id: int, step_id: int) -> HttpResponse:
    count = contact_list_members_put_back(viewer=request.viewer, step_id=step_id)
    said = ngettext("%(n)s person is on the list again.", "%(n)s people are on the list again.", count)
    toast(request, said % {"n": count})
    return redirect(f"/contacts/?list={list_id}")
