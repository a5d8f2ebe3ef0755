"""Settings > Approvals: the operator's word on accounts that send through the firm's own server."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.account_approval import account_approve, account_reject, account_submit, account_suspend
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.models.account import Approval
from postroom.queries.platform import accounts_to_approve, platform_domain
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    return _page(request)


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    accounts = list(accounts_to_approve(request.viewer))
    waiting = [(one, *platform_domain(one)) for one in accounts if one.approval == Approval.PENDING]
    others = [one for one in accounts if one.approval != Approval.PENDING]
    others.sort(key=lambda one: one.approval_at or one.created_at, reverse=True)
    values = {"waiting": waiting, "others": others, **more}
    return render(request, "approvals/index.html", values, status=status)


@require_POST
def submit(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_submit(viewer=request.viewer, account_id=account_id)
    words = (
        _("%(name)s is approved: it may send.") if account.approval == Approval.APPROVED else _("Handed in.")
    )
    toast(request, words % {"name": account.name})
    return redirect("account_edit", account_id)


@require_POST
def approve(request: ViewerRequest, account_id: int) -> HttpResponse:
    seen = request.POST.get("version", "")
    version = number(seen, None)
    try:
        account = account_approve(viewer=request.viewer, account_id=account_id, version=version)
    except Conflict as error:
        return _page(request, 409, wrong=said(error))
    except NotAllowed as error:
        if error.code != "OWN_ACCOUNT":
            raise
        return _page(request, 403, wrong=said(error))
    toast(request, _("%(name)s is approved: it may send.") % {"name": account.name})
    return redirect("approvals")


@require_POST
def reject(request: ViewerRequest, account_id: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        account = account_reject(viewer=request.viewer, account_id=account_id, reason=reason)
    except InputError as error:
        return _page(request, 422, wrong_id=account_id, wrong_reason=said(error))
    except Conflict as error:
        return _page(request, 409, wrong=said(error))
    toast(request, _("%(name)s is rejected; its owner reads why.") % {"name": account.name})
    return redirect("approvals")


@require_POST
def suspend(request: ViewerRequest, account_id: int) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        account = account_suspend(viewer=request.viewer, account_id=account_id, reason=reason)
    except InputError as error:
        return _page(request, 422, wrong_id=account_id, wrong_reason=said(error))
    except Conflict as error:
        return _page(request, 409, wrong=said(error))
    toast(request, _("%(name)s is suspended and its campaigns are paused.") % {"name": account.name})
    return redirect("approvals")
