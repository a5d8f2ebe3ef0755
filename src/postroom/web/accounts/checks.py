"""Check settings: asks for a probe and shows it while the sync daemon works on it."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from postroom.actions.account_probe import probe_ask, probe_cancel, sides_ok
from postroom.errors import InputError
from postroom.models.account import AccountKind, Probe
from postroom.queries.account import account_to_edit, probe_visible_to
from postroom.web.accounts.advice import panel_of
from postroom.web.accounts.forms import AccountForm
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.viewer import ViewerRequest


@require_POST
def ask(request: ViewerRequest, account_id: int = 0) -> HttpResponse:
    account = account_to_edit(request.viewer, account_id) if account_id else None
    form = AccountForm(request.POST, viewer=request.viewer, kind=AccountKind.OWN, account=account)
    needed = {"smtp_host", "smtp_port", "smtp_security", "imap_port", "imap_security"}
    form.is_valid()
    wrong = {name: [str(text) for text in texts] for name, texts in form.errors.items() if name in needed}
    if not wrong:
        for name in form.fields:
            form.cleaned_data.setdefault(name, form.data.get(name, ""))
        try:
            probe = probe_ask(
                viewer=request.viewer,
                values=form.values(),
                account_id=account_id,
                send_test=bool(form.cleaned_data["send_test"]),
            )
            return panel(request, probe)
        except InputError as error:
            wrong = {error.field: [said(error)]}
    faults = [
        (form[name].id_for_label, form.fields[name].label, text)
        for name, texts in wrong.items()
        for text in texts
    ]
    return render(request, "accounts/probe_wrong.html", {"faults": faults})


def show(request: ViewerRequest, probe_id: int) -> HttpResponse:
    probe = probe_visible_to(request.viewer, probe_id)
    return unchanged(request, _version(probe)) or panel(request, probe)


@require_POST
def cancel(request: ViewerRequest, probe_id: int) -> HttpResponse:
    return panel(request, probe_cancel(viewer=request.viewer, probe_id=probe_id))


def panel(request: ViewerRequest, probe: Probe) -> HttpResponse:
    shown = panel_of(probe.result)
    mx = probe.result.get("mx") or {}
    values = {
        "no_mx_domain": mx.get("domain") if mx.get("state") in ("missing", "wrong") else "",
        "probe": probe,
        "panel": shown,
        "version": _version(probe),
        "live": probe.state in ("waiting", "running"),
        "green": probe.state == "done" and sides_ok(probe.result),
        "waits_long": probe.state == "waiting" and timezone.now() - probe.created_at > timedelta(seconds=5),
        "seconds": (probe.ended_at - probe.created_at).total_seconds() if probe.ended_at else None,
    }
    return render(request, "accounts/probe.html", values)


def _version(probe: Probe) -> str:
    """Changes with every stage."""
    marks = [probe.state]
    for side in probe.result.values():
        marks += [stage["state"][:2] for stage in side.get("stages", [])]
    return "".join(marks)
