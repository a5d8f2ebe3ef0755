"""What allauth's pages need to know of ours."""

from typing import Any

from allauth.account.views import PasswordResetView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from postroom.queries.user import notices_go_out


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
