"""The first visit: who owns this Postroom, which firm it serves, how it is reached."""

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation

from postroom.actions.setup import setup_check, setup_finish, setup_needed
from postroom.errors import InputError, NotAllowed
from postroom.web.forms import add_error
from postroom.web.setup.forms import LANGUAGES, SetupForm


@login_not_required
def setup(request: HttpRequest) -> HttpResponse:
    # "speak" is a button of the form, which keeps what was typed; "spoken" what it was before
    chosen = request.POST.get("speak", "")
    language = chosen or request.POST.get("spoken", "") or request.GET.get("language", "")
    if language in dict(LANGUAGES):
        translation.activate(language)
        request.LANGUAGE_CODE = language
    if not setup_needed():
        return render(request, "setup/over.html", status=410)
    code = request.POST.get("code") or request.GET.get("code", "")
    try:
        setup_check(code)
    except NotAllowed:
        return render(request, "setup/code.html", {"code": code}, status=403 if code else 200)
    if chosen:
        form = SetupForm(initial={**request.POST.dict(), "language": translation.get_language()})
        form.fields["password"].widget.render_value = True  # typed a moment ago
    elif request.method == "POST":
        form = SetupForm(request.POST)
        if form.is_valid():
            answer = _finish(request, form, code)
            if answer:
                return answer
    else:
        form = SetupForm(
            initial={
                "language": translation.get_language() or "en",
                "time_zone": "Europe/Warsaw",
                "url": request.build_absolute_uri("/").rstrip("/"),
                "private": "no",
            }
        )
    first = {"name", "email", "password"}
    wrong = set(form.errors)
    step = 2 if wrong and not wrong & first else 1
    values = {"form": form, "code": code, "step": step, "languages": LANGUAGES}
    answer = render(request, "setup/setup.html", values, status=422 if wrong else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _finish(request: HttpRequest, form: SetupForm, code: str) -> HttpResponse | None:
    values = form.cleaned_data
    try:
        user = setup_finish(
            code=code,
            email=values["email"],
            name=values["name"],
            password=values["password"],
            workspace_name=values["workspace_name"],
            language=values["language"],
            time_zone=values["time_zone"],
            url=values["url"],
            allow_private_hosts=values["private"] == "yes",
        )
    except InputError as error:
        add_error(form, error, "email")
        return None
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("setup_account")


def account(request: HttpRequest) -> HttpResponse:
    """The third step: a first mail account, now or later."""
    return render(request, "setup/account.html")
