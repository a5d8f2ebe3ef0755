"""Settings > Sending: what holds campaigns back - limits of accounts and of the firm, and slots."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.sending import firm_limits_save, slots_save
from postroom.errors import InputError
from postroom.models.profile import Right
from postroom.queries.account import accounts_visible_to
from postroom.queries.limit import limits_used
from postroom.queries.slot import runs_waiting, slots_now
from postroom.queries.viewer import administers, can
from postroom.web.forms import add_error
from postroom.web.sending.forms import FirmForm, SlotsForm
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    form = FirmForm(request.POST)
    if form.is_valid():
        try:
            firm_limits_save(viewer=request.viewer, **form.cleaned_data)
        except InputError as error:
            add_error(form, error)
        else:
            toast(request, _("The limits of the firm are saved."))
            return redirect("sending")
    return _page(request, 422, firm=form)


@require_POST
def slots(request: ViewerRequest) -> HttpResponse:
    form = SlotsForm(request.POST)
    if not form.is_valid():
        return _page(request, 422, instance=form)
    slots_save(viewer=request.viewer, **form.cleaned_data)
    toast(request, _("Saved. Campaigns that wait begin by themselves."))
    return redirect("sending")


def _page(
    request: ViewerRequest,
    status: int = 200,
    *,
    firm: FirmForm | None = None,
    instance: SlotsForm | None = None,
) -> HttpResponse:
    viewer = request.viewer
    now = slots_now()
    accounts = list(accounts_visible_to(viewer)[:200])
    used = limits_used(accounts)
    first = {name: getattr(viewer.workspace, name) for name in FirmForm.base_fields}
    values = {
        "accounts": [(account, used[account.id]) for account in accounts],
        "firm": firm or FirmForm(initial=first),
        "instance": instance or SlotsForm(initial={"parallel_runs": now.configured}),
        "slots": now,
        "waiting": runs_waiting(viewer),
        "can_firm": can(viewer, Right.WORKSPACE_MANAGE),
        "can_instance": administers(viewer),
    }
    return render(request, "sending/index.html", values, status=status)
