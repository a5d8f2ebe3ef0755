"""Settings: the workspace and one's own profile."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext as _

from postroom.actions.place import place_set
from postroom.actions.user import profile_save, workspace_save
from postroom.errors import Conflict, InputError
from postroom.models.profile import Right
from postroom.queries.profile import place_of
from postroom.queries.user import (
    instance_url,
    passkeys_of,
    private_hosts_allowed,
    second_factor_on,
)
from postroom.queries.viewer import can, demand
from postroom.web.forms import add_error
from postroom.web.settings.forms import ProfileForm, WorkspaceForm
from postroom.web.settings.hub import hub
from postroom.web.status.views import live_values
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    """The hub; who may read the log finds the mailer's status there (CM-50)."""
    values: dict[str, Any] = {"groups": hub(request.viewer)}
    if can(request.viewer, Right.LOG_VIEW):
        values["status"] = live_values(request.viewer)
    return render(request, "settings/index.html", values)


def profile(request: ViewerRequest) -> HttpResponse:
    user = request.viewer.user
    if request.method == "POST":
        form = ProfileForm(request.POST, viewer=request.viewer)
        if form.is_valid():
            try:
                saved = profile_save(viewer=request.viewer, values=form.cleaned_data)
                if "place" in request.POST:
                    place_set(viewer=request.viewer, place=form.cleaned_data["place"])
            except InputError as error:
                add_error(form, error)
            else:
                with translation.override(saved.language):
                    toast(request, _("Your profile is saved."))
                return redirect("settings_profile")
    else:
        stored = {name: getattr(user, name, "") for name in ProfileForm.base_fields}
        form = ProfileForm(initial={**stored, "place": place_of(request.viewer)}, viewer=request.viewer)
    values = {
        "form": form,
        "second_factor": second_factor_on(user),
        "passkeys": passkeys_of(user),
        "can_tokens": can(request.viewer, Right.TOKENS_ADD),
    }
    return render(request, "settings/profile.html", values, status=422 if form.errors else 200)


def workspace(request: ViewerRequest) -> HttpResponse:
    viewer = request.viewer
    demand(viewer, Right.WORKSPACE_MANAGE)
    status, stale = 200, None
    if request.method == "POST":
        form = WorkspaceForm(request.POST, viewer=viewer)
        status = 422
        if form.is_valid():
            try:
                workspace_save(viewer=viewer, values=form.cleaned_data)
            except InputError as error:
                add_error(form, error)
            except Conflict as error:
                status, stale = 409, error.details
                # the next save is made knowing the other one
                form.data = {**request.POST.dict(), "version": str(stale["version"])}
            else:
                toast(request, _("The workspace is saved."))
                return redirect("settings_workspace")
    else:
        shown = {name: getattr(viewer.workspace, name, "") for name in WorkspaceForm.base_fields}
        shown["notice_account"] = str(viewer.workspace.notice_account_id or "")
        shown["blocked_files"] = " ".join(viewer.workspace.blocked_files)
        shown |= {"url": instance_url(), "allow_private_hosts": private_hosts_allowed()}
        form = WorkspaceForm(initial=shown, viewer=viewer)
    values = {"form": form, "stale": stale, "theirs": _theirs(form, stale) if stale else []}
    return render(request, "settings/workspace.html", values, status=status)


def _theirs(form: WorkspaceForm, stale: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """(label, theirs, yours) of what differs."""
    pairs = ((name, value, stale["yours"][name]) for name, value in stale["theirs"].items())
    return [(str(form.fields[name].label), theirs, yours) for name, theirs, yours in pairs if theirs != yours]
