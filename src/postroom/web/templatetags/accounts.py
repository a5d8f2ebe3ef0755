"""`{% load accounts %}`: {{ "LOGIN_REFUSED"|stopped }} -> "Stopped at sign-in"."""

from django import template

from postroom.web.accounts.advice import ADVICE

register = template.Library()


@register.filter
def stopped(code: str) -> str:
    """Where a connection stopped, in a few words; "" for a code without any."""
    return str(ADVICE[code.lower()][0]) if code.lower() in ADVICE else ""
