"""Settings > Message types: the list, one after another named, given to profiles, deleted."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.message_type import type_add, type_delete, type_put_back, type_rename
from postroom.errors import Conflict, InputError
from postroom.models.profile import Right
from postroom.queries.message_type import TypeUses, type_uses, type_visible_to, types_visible_to
from postroom.queries.sharing import share_counts
from postroom.queries.viewer import can, demand
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

PER_PAGE = 50


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    demand(request.viewer, Right.TYPES_MANAGE)
    words, number = request.GET.get("q", "").strip()[:200], request.GET.get("id", "").strip()[:20]
    try:
        rows = types_visible_to(request.viewer, words=words, number=number)
    except InputError as error:
        rows, status = [], 422
        more["wrong_number"] = said(error)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    values = {
        "page": page,
        "any": bool(rows or words or number),
        "counts": share_counts(page.object_list),
        "words": words,
        "number": number,
        "can_manage": can(request.viewer, Right.TYPES_MANAGE),
        **more,
    }
    return render(request, "types/index.html", values, status=status)


@require_POST
def new(request: ViewerRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        made = type_add(viewer=request.viewer, name=name)
    except (InputError, Conflict) as error:
        return _page(request, _status(error), wrong=said(error), typed=name)
    toast(request, _("“%(name)s” is made. Now choose who may use it.") % {"name": made.name})
    return redirect("type", made.id)


def rename(request: ViewerRequest, type_id: int) -> HttpResponse:
    """One type: its name, and who may choose it once it has a number."""
    demand(request.viewer, Right.TYPES_MANAGE)
    found = type_visible_to(request.viewer, type_id)
    typed, wrong, status, version = found.name, "", 200, found.version
    if request.method == "POST":
        typed, text = request.POST.get("name", ""), request.POST.get("version", "")
        version = number(text, 0)
        try:
            type_rename(viewer=request.viewer, type_id=type_id, version=version, name=typed)
        except (InputError, Conflict) as error:
            wrong, status = said(error), _status(error)
            if error.code == "STALE_VERSION":
                version = type_visible_to(request.viewer, type_id).version
        else:
            toast(request, _("Saved."))
            return redirect("type", type_id)
    counts = share_counts([found])
    values = {
        "type": found,
        "typed": typed,
        "wrong": wrong,
        "version": version,
        "uses": type_uses(found),
        "counts": counts,
        "nobody": found.visibility != "workspace" and not counts.get(found.id),
    }
    return render(request, "types/edit.html", values, status=status)


@require_POST
def delete(request: ViewerRequest, type_id: int) -> HttpResponse:
    demand(request.viewer, Right.TYPES_MANAGE)
    found = type_visible_to(request.viewer, type_id)
    chosen = request.POST.get("reassign_to", "")
    other = number(chosen, 0)
    try:
        step = type_delete(viewer=request.viewer, type_id=type_id, reassign_to=other)
    except Conflict as error:
        if error.code != "IN_USE":
            raise
        return _ask(request, found.id, type_uses(found))
    said_ = _("“%(name)s” is deleted. Old mails keep the label.") % {"name": found.name}
    toast(request, said_, undo=f"/settings/types/undo/{step}/")
    return redirect("types")


def _ask(request: ViewerRequest, type_id: int, uses: TypeUses) -> HttpResponse:
    """Which type takes its place where it is still used."""
    others = [one for one in types_visible_to(request.viewer) if one.id != type_id]
    values = {"type": type_visible_to(request.viewer, type_id), "uses": uses, "others": others}
    return render(request, "types/in_use.html", values, status=409)


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = type_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("“%(name)s” is back.") % {"name": back.name})
    return redirect("types")


def _status(error: InputError | Conflict) -> int:
    return 409 if isinstance(error, Conflict) else 422
