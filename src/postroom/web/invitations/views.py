"""The page behind the link of an invitation. Works once; who has no login chooses a name and a password."""

from typing import Any

from django import forms
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext_lazy

from postroom.actions.invitation import invitation_accept, invitation_of
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.models.profile import Invitation
from postroom.models.user import User
from postroom.queries.user import user_exists
from postroom.web.errors import error_page
from postroom.web.forms import add_error
from postroom.web.said import said
from postroom.web.viewer import WORKSPACE


class JoinForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        help_text=gettext_lazy(
            "At least 8 characters. A short sentence is easy to remember and hard to guess."
        ),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "minlength": "8"}, render_value=False
        ),
    )


@login_not_required
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    try:
        invitation = invitation_of(secret)
    except Conflict as error:
        return _no_store(error_page(request, 410, said(error)))
    user = request.user if isinstance(request.user, User) else None
    if user is None:
        translation.activate(invitation.workspace.language)
        request.LANGUAGE_CODE = invitation.workspace.language
    form = JoinForm(request.POST or None)
    status = 200
    if request.method == "POST" and (user is not None or form.is_valid()):
        try:
            joined = invitation_accept(
                secret=secret, user=user, **({} if user else _given(form.cleaned_data))
            )
        except InputError as error:
            add_error(form, error, "password")
        except NotAllowed as error:
            return error_page(request, 403, said(error))
        else:
            return _in(request, invitation, user, joined)
    if form.errors and user is None:
        status = 422
    values = {
        "invitation": invitation,
        "form": form,
        "secret": secret,
        "known": user is None and user_exists(invitation.email),
        "fits": user is not None and user.email == invitation.email,
        "other": user is not None and user.email != invitation.email,
    }
    return _no_store(render(request, "people/join.html", values, status=status))


def _given(values: dict[str, Any]) -> dict[str, str]:
    return {"name": values["name"], "password": values["password"]}


def _in(request: HttpRequest, invitation: Invitation, user: User | None, joined: User) -> HttpResponse:
    if user is None:
        login(request, joined, backend="allauth.account.auth_backends.AuthenticationBackend")
    request.session[WORKSPACE] = invitation.workspace_id
    return redirect("/")


def _no_store(answer: HttpResponse) -> HttpResponse:
    """The address is a secret: no cache keeps it, no other site is told of it."""
    answer.headers["Cache-Control"] = "no-store"
    # not "no-referrer": a browser would then send the form with "Origin: null", which is refused
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
