"""Settings: what stands below one's own letters."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from postroom.actions.signature import signatures_save
from postroom.errors import InputError
from postroom.queries.signature import signatures_of
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def signature(request: ViewerRequest) -> HttpResponse:
    """One field for all accounts, one for each account that is to have its own."""
    rows = [(account, html) for account, html in signatures_of(request.viewer)]
    trouble = ""
    if request.method == "POST":
        typed = {
            account.id if account else None: request.POST.get(f"signature-{account.id if account else 0}", "")
            for account, _html in rows
        }
        try:
            signatures_save(viewer=request.viewer, texts=typed)
        except InputError as error:
            trouble, rows = said(error), [(one, typed[one.id if one else None]) for one, _html in rows]
        else:
            toast(request, _("Your signature is saved."))
            return redirect("settings_signature")
    return render(
        request,
        "messages/signature.html",
        {"rows": rows, "trouble": trouble},
        status=422 if trouble else 200,
    )
