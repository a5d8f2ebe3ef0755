"""The firm's own sign-in server (OpenID Connect): it opens logins that exist or were invited, and makes none."""

from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext as _

from postroom.actions.invitation import invited_user


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """The address counts only when the server says that it is verified: anybody may type a foreign one."""
        if sociallogin.is_existing:
            return
        addresses = [one.email for one in sociallogin.email_addresses if one.verified]
        user = next(filter(None, (invited_user(email=address) for address in addresses)), None)
        if user is None:
            words = _(
                "Your sign-in server knows you, but nobody here has invited this address. Ask the owner of the "
                "workspace for an invitation."
            )
            values = {"title": _("No login here"), "message": words}
            raise ImmediateHttpResponse(render(request, "errors/error.html", values, status=403))
        sociallogin.connect(request, user)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **more: Any) -> None:
        values = {
            "title": _("Signing in did not work"),
            "message": _(
                "The sign-in server gave no answer that can be used. Try again, or use your password."
            ),
        }
        raise ImmediateHttpResponse(render(request, "errors/error.html", values, status=403))
