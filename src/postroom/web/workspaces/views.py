"""Settings > Workspaces: going to another of one's workspaces; for who administers the installation, all of them."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.workspace import workspace_add, workspace_limit
from postroom.errors import InputError, NotFound
from postroom.queries.member import places_of, workspace_rows
from postroom.queries.viewer import demand_administers
from postroom.web.forms import add_error
from postroom.web.toast import toast
from postroom.web.viewer import WORKSPACE, ViewerRequest
from postroom.web.workspaces.forms import LimitsForm, NewWorkspaceForm


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request, NewWorkspaceForm(initial=_usual(request)))


def _usual(request: ViewerRequest) -> dict[str, str]:
    return {"language": get_language() or "en", "time_zone": request.viewer.workspace.time_zone}


def _page(
    request: ViewerRequest,
    form: NewWorkspaceForm,
    status: int = 200,
    wrong: LimitsForm | None = None,
    wrong_id: int = 0,
) -> HttpResponse:
    demand_administers(request.viewer)
    mine = {place.id for place in places_of(request.viewer)}
    rows = []
    for one, members, taken in workspace_rows():
        first = {name: getattr(one, name) for name in LimitsForm.base_fields}
        limits = wrong if wrong and wrong_id == one.id else LimitsForm(initial=first, auto_id=f"l{one.id}_%s")
        rows.append((one, members, taken, limits, one.id in mine))
    return render(request, "people/workspaces.html", {"rows": rows, "form": form}, status=status)


@require_POST
def new(request: ViewerRequest) -> HttpResponse:
    demand_administers(request.viewer)
    form = NewWorkspaceForm(request.POST)
    if form.is_valid():
        try:
            made = workspace_add(viewer=request.viewer, **form.cleaned_data)
        except InputError as error:
            add_error(form, error, "name")
        else:
            request.session[WORKSPACE] = made.id
            toast(request, _("The workspace “%(name)s” is made. You are in it.") % {"name": made.name})
            return redirect("people")
    return _page(request, form, 422)


@require_POST
def limits(request: ViewerRequest, workspace_id: int) -> HttpResponse:
    demand_administers(request.viewer)
    form = LimitsForm(request.POST, auto_id=f"l{workspace_id}_%s")
    if not form.is_valid():
        return _page(request, NewWorkspaceForm(initial=_usual(request)), 422, form, workspace_id)
    saved = workspace_limit(viewer=request.viewer, workspace_id=workspace_id, **form.cleaned_data)
    toast(request, _("The limits of “%(name)s” are saved.") % {"name": saved.name})
    return redirect("workspaces")


@require_POST
def go(request: ViewerRequest, workspace_id: int) -> HttpResponse:
    """Work in another workspace of one's own; the session remembers it."""
    place = next((one for one in places_of(request.viewer) if one.id == workspace_id), None)
    if place is None:
        raise NotFound(_("You belong to no such workspace."))
    request.session[WORKSPACE] = workspace_id
    return redirect("/")
