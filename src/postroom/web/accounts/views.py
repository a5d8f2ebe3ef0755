"""Settings > Mail accounts: the list and one account."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.account import account_delete, account_save
from postroom.actions.account_check import NAME_SHOWN, warnings_of
from postroom.actions.account_reading import account_collect_now, collector_switch
from postroom.actions.account_state import account_resume
from postroom.errors import Conflict, InputError
from postroom.models.account import Account, AccountKind
from postroom.models.profile import Right
from postroom.queries.account import (
    account_row,
    account_to_edit,
    account_uses,
    account_visible_to,
    same_address,
    types_gone,
)
from postroom.queries.account_list import AccountFilter, account_page
from postroom.queries.mailbox import folders_of
from postroom.queries.platform import platform_domain
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import can, demand
from postroom.web.accounts.advice import panel_of
from postroom.web.accounts.filters import chips_of, filter_of
from postroom.web.accounts.finding import found_values
from postroom.web.accounts.forms import AccountForm, initial_of
from postroom.web.forms import add_error
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    asked, wrong, status = filter_of(request.GET), "", 200
    try:
        found = account_page(request.viewer, asked, request.GET.get("page", "1"))
    except InputError as error:
        wrong, status = said(error), 422
        found = account_page(request.viewer, AccountFilter(q=asked.q))
    people = users_visible_to(request.viewer)
    values = {
        "found": found,
        "rows": found.rows,
        "page": found.page,
        "asked": asked,
        "chips": chips_of(asked, people),
        "people": people,
        "wrong": wrong,
        "can_add": can(request.viewer, Right.ACCOUNTS_ADD),
    }
    return render(request, "accounts/index.html", values, status=status)


def new(request: ViewerRequest, kind: str = AccountKind.OWN) -> HttpResponse:
    demand(request.viewer, Right.ACCOUNTS_ADD)
    return _page(request, None, kind)


def edit(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_visible_to(request.viewer, account_id)
    row = account_row(request.viewer, account)
    if request.method != "POST" and not row.may_edit:
        return render(request, "accounts/show.html", {"account": account, "row": row})
    return _page(request, account_to_edit(request.viewer, account_id), account.kind)


def _page(request: ViewerRequest, account: Account | None, kind: str) -> HttpResponse:
    stale: list[tuple[str, str, str]] = []
    if request.method == "POST":
        form = AccountForm(request.POST, viewer=request.viewer, kind=kind, account=account)
        status = 422
        if form.is_valid():
            try:
                saved = account_save(
                    viewer=request.viewer,
                    values=form.values() | {"kind": kind, **_folders(request)},
                    account_id=account.id if account else 0,
                    version=form.cleaned_data["version"],
                )
                return _saved(request, saved)
            except InputError as error:
                add_error(form, error)
            except Conflict as error:
                form.add_error(None, said(error))
                status, stale = 409, _differences(form, error)
    else:
        initial = initial_of(account, request.viewer)
        if account is None:
            initial |= found_values(request.viewer, request.GET.get("found", ""))
        form = AccountForm(initial=initial, viewer=request.viewer, kind=kind, account=account)
        status = 200
    values = {"form": form, "account": account, "kind": kind, "stale": stale, **_about(request, account)}
    values["version"] = _version(form, account, stale)
    return render(request, "accounts/edit.html", values, status=status)


def _folders(request: ViewerRequest) -> dict[str, Any]:
    """The folders ticked, where the page offered any."""
    return {"mailbox_folders": request.POST.getlist("folder")} if "folders" in request.POST else {}


def _about(request: ViewerRequest, account: Account | None) -> dict[str, Any]:
    """What the page says of a stored account."""
    if account is None:
        return {}
    domain, states, _returns = platform_domain(account)
    return {
        "domain": domain,
        "domain_states": states,
        "row": account_row(request.viewer, account),
        "folders": folders_of(request.viewer, account.id) if account.is_mailbox else [],
        "panel": panel_of(account.last_test, account.smtp_host, account.imap_host),
        "checked_at": parse_datetime(str(account.last_test.get("at") or "")),
        "twins": same_address(account),
        "uses": account_uses(account),
        "gone": [name for _field, name in types_gone(account)],
        "name_shown": NAME_SHOWN,
        "no_mx": any(warning["code"] == "NO_MX" for warning in warnings_of(account)),
        "long_name": len(account.display_name) > NAME_SHOWN,
    }


def _version(form: AccountForm, account: Account | None, stale: list[Any]) -> object:
    """After a stale save was shown with both texts, the next one is meant."""
    if account and (stale or not form.is_bound):
        return account.version
    return form.data.get("version") or ""


def _differences(form: AccountForm, error: Conflict) -> list[tuple[str, str, str]]:
    """(label, theirs, yours) of what differs in a stale save; passwords are never shown."""
    theirs, yours = error.details.get("theirs"), error.details.get("yours")
    if not isinstance(theirs, dict) or not isinstance(yours, dict):
        return []
    pairs = ((name, str(value), str(yours[name])) for name, value in theirs.items())
    return [
        (str(form.fields[name].label), old, new)
        for name, old, new in pairs
        if name in form.fields and (old if old != "0" else "") != (new if new != "0" else "")
    ]


def _saved(request: ViewerRequest, saved: Account) -> HttpResponse:
    own = saved.kind == AccountKind.OWN
    words = _("%(name)s is saved.") if saved.status == "ok" else _("%(name)s is saved, but untested.")
    text = words % {"name": saved.name}
    twins = same_address(saved)
    if twins:
        more = _("%(names)s has the same address: answers may be read twice.")
        text += " " + more % {"names": ", ".join(twins)}
    warned = {warning["code"] for warning in warnings_of(saved)}
    if "ODD_PORT" in warned:
        text += " " + _("Port and encryption do not usually go together.")
    if "NO_MX" in warned:
        text += " " + _("No mail arrives at its address, by what DNS says.")
    if "LONG_NAME" in warned:
        text += " " + _("Mail programs will cut the name.")
    toast(request, text)
    return redirect("accounts") if own and saved.status == "ok" else redirect("account_edit", saved.id)


@require_POST
def delete(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_to_edit(request.viewer, account_id)
    account_delete(viewer=request.viewer, account_id=account_id)
    toast(
        request,
        _("%(name)s is deleted and its passwords are wiped. Its mails stay.") % {"name": account.name},
    )
    return redirect("accounts")


@require_POST
def resume(request: ViewerRequest, account_id: int) -> HttpResponse:
    account = account_to_edit(request.viewer, account_id)
    account_resume(account_id=account.id)
    toast(request, _("%(name)s is tried again now.") % {"name": account.name})
    return redirect("accounts")


@require_POST
def reading_off(request: ViewerRequest, account_id: int) -> HttpResponse:
    collector_switch(viewer=request.viewer, account_id=account_id, on=False)
    toast(request, _("Its mailbox is not read any more. Now it can be deleted."))
    return redirect("account_edit", account_id)


@require_POST
def to_imap(request: ViewerRequest, account_id: int) -> HttpResponse:
    """From POP3, for good (CM-04)."""
    account = account_save(viewer=request.viewer, values={"protocol": "imap"}, account_id=account_id)
    toast(request, _("%(name)s is an IMAP account now. Check its server and port.") % {"name": account.name})
    return redirect("account_edit", account_id)


@require_POST
def collect(request: ViewerRequest, account_id: int) -> HttpResponse:
    account_collect_now(viewer=request.viewer, account_id=account_id)
    toast(request, _("The mailbox is read now."))
    return redirect("accounts")
