"""How allauth behaves here: nobody signs up alone, and links begin with our own address, never with the Host header."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest

from postroom.queries.user import instance_url


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        return f"{instance_url()}/password/reset/key/{key}/"
