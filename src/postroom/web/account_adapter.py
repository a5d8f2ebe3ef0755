"""How allauth behaves here: nobody signs up alone, and links begin with our own address, never with the Host header."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from postroom.queries.user import instance_url


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    #: Ours, each with what to do next; the same words whether or not somebody has the address.
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "The address or the password is wrong. Check both, or ask for a new password below."
        ),
        "invalid_login": _(
            "The address or the password is wrong. Check both, or ask for a new password below."
        ),
        "incorrect_password": _("The password is wrong. Type it again."),
        "enter_current_password": _("This is not your present password. Type it again."),
        "too_many_login_attempts": _(
            "Too many tries. Wait five minutes and try again, or ask for a new password below."
        ),
        "rate_limited": _("Too many tries. Wait a few minutes and try again."),
        "unknown_email": _("Nobody here has this address. Check it."),
        "invalid_password_reset": _("This link was used already or is too old. Ask for a new one."),
        "incorrect_code": _("This code is wrong. Take the newest one from the app."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of who gets it, not of who asked."""
        user = context.get("user")
        with translation.override(user.language if user else translation.get_language()):
            super().send_mail(template_prefix, email, context)

    def get_reset_password_from_key_url(self, key: str) -> str:
        return f"{instance_url()}/password/reset/key/{key}/"
