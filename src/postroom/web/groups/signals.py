"""Signals: sent from a group's page, shown on the open pages of its members."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.signal import signal_seen, signal_send
from postroom.errors import InputError
from postroom.queries.group import group_one
from postroom.queries.signal import signals_waiting
from postroom.web.groups.members import members_shown
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


@require_POST
def send(request: ViewerRequest, group_id: int) -> HttpResponse:
    text = request.POST.get("text", "")
    try:
        _signal, told = signal_send(viewer=request.viewer, group_id=group_id, text=text)
    except InputError as error:
        group = group_one(request.viewer, group_id)
        return members_shown(request, group, 422, wrong_signal=said(error), typed_signal=text[:1000])
    words = ngettext("The signal goes to %(n)s person.", "The signal goes to %(n)s people.", told)
    toast(request, words % {"n": told} if told else _("Nobody of this group works here, so nobody is told."))
    return redirect("group", group_id)


def waiting(request: ViewerRequest) -> HttpResponse:
    """What every open page asks for. Nothing is put away by being shown."""
    found = signals_waiting(request.viewer)
    version = "-".join(str(one.id) for one in found) or "none"
    return unchanged(request, version) or render(
        request, "components/signals.html", {"signals": found, "signals_version": version}
    )


@require_POST
def seen(request: ViewerRequest, copy_id: int) -> HttpResponse:
    """Put one away; the others are shown on."""
    signal_seen(viewer=request.viewer, copy_id=copy_id)
    found = signals_waiting(request.viewer)
    version = "-".join(str(one.id) for one in found) or "none"
    return render(request, "components/signals.html", {"signals": found, "signals_version": version})
