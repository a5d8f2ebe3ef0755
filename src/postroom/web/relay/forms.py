"""The form of the firm's own mail server."""

from django import forms
from django.utils.translation import gettext_lazy as _

SECURITY = [
    ("starttls", _("STARTTLS")),
    ("tls", _("TLS")),
    ("none", _("None")),
]


class RelayForm(forms.Form):
    relay_host = forms.CharField(
        label=_("Server"),
        required=False,
        max_length=253,
        help_text=_("Empty: there is none, and marketing accounts cannot send."),
        widget=forms.TextInput(attrs={"autocapitalize": "off", "spellcheck": "false"}),
    )
    relay_port = forms.IntegerField(label=_("Port"), min_value=1, max_value=65535)
    relay_security = forms.ChoiceField(label=_("Encryption"), choices=SECURITY, widget=forms.RadioSelect)
    relay_login = forms.CharField(
        label=_("User"),
        required=False,
        max_length=254,
        help_text=_("Empty: the server knows this machine and asks for no password."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "off"}),
    )
    relay_password = forms.CharField(
        label=_("Password"),
        required=False,
        max_length=1000,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    relay_verify_certificate = forms.BooleanField(label=_("Verify its certificate"), required=False)
