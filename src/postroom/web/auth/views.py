"""What allauth's pages need to know of ours."""

from typing import Any

from allauth.account.views import PasswordResetView
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.session import session_close, sessions_close_others
from postroom.queries.session import sessions_of
from postroom.queries.user import notices_go_out
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


class OurPasswordResetView(PasswordResetView):  # type: ignore[misc]
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """can_mail: whether a notice account exists; without one the page says so instead of pretending."""
        return {**super().get_context_data(**kwargs), "can_mail": notices_go_out()}

    def form_valid(self, form: Any) -> HttpResponse:
        if not notices_go_out():
            return redirect("account_reset_password")
        answer: HttpResponse = super().form_valid(form)
        return answer


password_reset = OurPasswordResetView.as_view()


def account_page(request: HttpRequest) -> HttpResponse:
    """Where allauth sends people to see to their address."""
    return redirect("/settings/profile/")


@login_not_required
def sign_in_failed(request: HttpRequest) -> HttpResponse:
    """The firm's own sign-in server was left, or said no."""
    words = _("The sign-in server did not let you in. Try again, or use your password.")
    return render(request, "errors/error.html", {"title": _("Signing in did not work"), "message": words})


def sessions(request: ViewerRequest) -> HttpResponse:
    """Where one is signed in; POST ends all other sessions."""
    here = request.session.session_key or ""
    if request.method == "POST":
        sessions_close_others(user=request.viewer.user, but=here)
        toast(request, _("All other sessions are ended."))
        return redirect("usersessions_list")
    rows = sessions_of(request.viewer.user, here)
    return render(request, "account/sessions.html", {"rows": rows, "others": len(rows) > 1})


@require_POST
def session_end(request: ViewerRequest, session_id: int) -> HttpResponse:
    session_close(user=request.viewer.user, session_id=session_id)
    toast(request, _("This session is ended."))
    return redirect("usersessions_list")
