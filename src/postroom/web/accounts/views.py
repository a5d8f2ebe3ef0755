"""Settings > Mail accounts: the list and one account."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.account import account_collect_now, account_delete, account_save, collector_switch
from postroom.actions.account_check import odd_ports
from postroom.actions.account_state import account_resume
from postroom.errors import Conflict, InputError
from postroom.models.account import Account
from postroom.queries.account import account_row, account_rows, account_uses, account_visible_to, same_address
from postroom.web.accounts.advice import panel_of
from postroom.web.accounts.forms import AccountForm, initial_of
from postroom.web.forms import add_error
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    find, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    rows = account_rows(request.viewer, find=find)
    counts = {name: sum(name in (row.sending.state, row.reading.state) for row in rows) for name in STATES}
    shown = [row for row in rows if not state or state in (row.sending.state, row.reading.state)]
    chips = [(name, count) for name, count in counts.items() if count]
    values = {"rows": shown, "all": len(rows), "chips": chips, "find": find, "state": state}
    return render(request, "accounts/index.html", values)


STATES = ("ok", "untested", "failing", "paused")


def new(request: ViewerRequest) -> HttpResponse:
    return _page(request, None)


def edit(request: ViewerRequest, account_id: int) -> HttpResponse:
    return _page(request, account_visible_to(request.viewer, account_id))


def _page(request: ViewerRequest, account: Account | None) -> HttpResponse:
    if request.method == "POST":
        form = AccountForm(request.POST, viewer=request.viewer, account=account)
        if form.is_valid():
            saved = _save(request, form, account)
            if saved:
                return redirect("account_edit", saved.id) if saved.status != "ok" else redirect("accounts")
        status = 422
    else:
        form = AccountForm(
            initial=initial_of(account, request.viewer), viewer=request.viewer, account=account
        )
        status = 200
    values = {
        "form": form,
        "account": account,
        "version": form.data.get("version") if form.is_bound else (account.version if account else ""),
        "row": account_row(account) if account else None,
        "panel": panel_of(account.last_test, account.smtp_host, account.imap_host) if account else None,
        "checked_at": parse_datetime(str(account.last_test.get("at") or "")) if account else None,
        "twins": same_address(account) if account else [],
        "uses": account_uses(account) if account else [],
    }
    return render(request, "accounts/edit.html", values, status=status)


def _save(request: ViewerRequest, form: AccountForm, account: Account | None) -> Account | None:
    values = form.values()
    try:
        saved = account_save(
            viewer=request.viewer,
            values=values,
            account_id=account.id if account else 0,
            version=form.cleaned_data["version"],
        )
    except InputError as error:
        add_error(form, error)
        return None
    except Conflict as error:
        form.add_error(None, said(error))
        return None
    words = _("%(name)s is saved.") if saved.status == "ok" else _("%(name)s is saved, but untested.")
    text = words % {"name": saved.name}
    twins = same_address(saved)
    if twins:
        more = _("%(names)s has the same address: answers may be read twice.")
        text += " " + more % {"names": ", ".join(twins)}
    if odd_ports(
        {**values, "smtp_port": saved.smtp_port, "imap_port": saved.imap_port, "imap_host": saved.imap_host}
    ):
        text += " " + _("Port and encryption do not usually go together.")
    toast(request, text)
    return saved


@require_POST
def delete(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_visible_to(request.viewer, account_id)
    account_delete(viewer=request.viewer, account_id=account_id)
    toast(
        request,
        _("%(name)s is deleted and its passwords are wiped. Its mails stay.") % {"name": account.name},
    )
    return redirect("accounts")


@require_POST
def resume(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_visible_to(request.viewer, account_id)
    account_resume(account_id=account.id)
    toast(request, _("%(name)s is tried again now.") % {"name": account.name})
    return redirect("accounts")


@require_POST
def reading_off(request: ViewerRequest, account_id: int) -> HttpResponse:
    collector_switch(viewer=request.viewer, account_id=account_id, on=False)
    toast(request, _("Its mailbox is not read any more. Now it can be deleted."))
    return redirect("account_edit", account_id)


@require_POST
def collect(request: ViewerRequest, account_id: int) -> HttpResponse:
    account_collect_now(viewer=request.viewer, account_id=account_id)
    toast(request, _("The mailbox is read now."))
    return redirect("accounts")
