"""Settings > Firm's mail server: what platform accounts send through; for who administers the installation."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.relay import FIELDS, relay_of, relay_probe, relay_save
from postroom.errors import InputError
from postroom.web.accounts.checks import panel
from postroom.web.forms import add_error
from postroom.web.relay.forms import RelayForm
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def edit(request: ViewerRequest) -> HttpResponse:
    instance = relay_of(request.viewer)
    if request.method == "POST":
        form = RelayForm(request.POST)
        if form.is_valid():
            try:
                relay_save(viewer=request.viewer, values=form.cleaned_data)
            except InputError as error:
                add_error(form, error)
            else:
                toast(request, _("The firm's mail server is saved."))
                return redirect("relay")
    else:
        shown = {name: getattr(instance, name) for name in FIELDS if name != "relay_password"}
        form = RelayForm(initial=shown)
    values = {"form": form, "has_password": bool(instance.relay_password)}
    return render(request, "relay/edit.html", values, status=422 if form.errors else 200)


@require_POST
def check(request: ViewerRequest) -> HttpResponse:
    relay_of(request.viewer)
    form = RelayForm(request.POST)
    faults = []
    if form.is_valid():
        try:
            return panel(request, relay_probe(viewer=request.viewer, values=form.cleaned_data))
        except InputError as error:
            add_error(form, error)
    for name, texts in form.errors.items():
        known = name in form.fields
        label = form.fields[name].label if known else ""
        faults += [(form[name].id_for_label if known else "account", label, str(text)) for text in texts]
    return render(request, "accounts/probe_wrong.html", {"faults": faults})
