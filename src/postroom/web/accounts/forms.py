"""The forms of one account and of a check of its settings."""

import json
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from postroom.models.account import Account
from postroom.queries.account import collector_of
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer

SECURITY = [("none", _("None")), ("starttls", "STARTTLS"), ("tls", _("TLS from start"))]
#: What a port is while nobody typed one (CM-19/20); and the pairs that are usually a mistake.
PORTS = {
    "smtp": {"none": 587, "starttls": 587, "tls": 465},
    "imap": {"none": 143, "starttls": 143, "tls": 993},
}
ODD = {
    "smtp": {"starttls": [465], "tls": [25, 587], "none": [465]},
    "imap": {"starttls": [993], "none": [993], "tls": [143]},
}


def _text(
    label: Any, hint: Any = "", *, required: bool = True, most: int = 254, **attrs: Any
) -> forms.CharField:
    return forms.CharField(
        label=label, help_text=hint, required=required, max_length=most, widget=forms.TextInput(attrs=attrs)
    )


def _port(side: str) -> forms.CharField:
    attrs = {
        "class": "num",
        "inputmode": "numeric",
        "data-port-of": f"{side}_security",
        "data-ports": json.dumps(PORTS[side]),
        "data-odd": json.dumps(ODD[side]),
    }
    return forms.CharField(
        label=_("Port"), max_length=5, required=side == "smtp", widget=forms.TextInput(attrs=attrs)
    )


def _secret() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def _switch(label: Any, hint: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=hint, required=False)


def _limit(label: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=8,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric", "placeholder": _("no limit")}),
    )


class AccountForm(forms.Form):
    """All of an account. The rules are in actions/account_check.py; here are labels, hints and choices."""

    name = _text(_("Name of the account"), _("As you and your colleagues see it."), most=120)
    address = _text(_("E-mail address"), autocomplete="off", inputmode="email", spellcheck="false")
    display_name = _text(
        _("Name of this mailbox"), _("Readers see it beside the address."), required=False, most=120
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)

    smtp_host = _text(_("SMTP server"), autocomplete="off", spellcheck="false", autocapitalize="off")
    smtp_port = _port("smtp")
    smtp_security = forms.ChoiceField(label=_("Encryption"), choices=SECURITY, widget=forms.RadioSelect)
    smtp_authenticate = _switch(_("The server asks for user and password"))
    smtp_login = _text(
        _("User"), required=False, autocomplete="off", spellcheck="false", autocapitalize="off"
    )
    smtp_password = _secret()

    reads = _switch(_("Read the mailbox of this account"))
    imap_host = _text(
        _("IMAP server"), required=False, autocomplete="off", spellcheck="false", autocapitalize="off"
    )
    imap_port = _port("imap")
    imap_security = forms.ChoiceField(label=_("Encryption"), choices=SECURITY, widget=forms.RadioSelect)
    same = _switch(_("Same user and password as for sending"))
    imap_login = _text(
        _("User"), required=False, autocomplete="off", spellcheck="false", autocapitalize="off"
    )
    imap_password = _secret()
    collector_on = _switch(_("Collect returned mail, receipts and answers from it"))
    collector_folder = _text(_("Folder"), required=False)
    collector_interval = forms.CharField(
        label=_("Look every … minutes"),
        required=False,
        max_length=5,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric"}),
    )

    verify_certificate = _switch(_("Check the server's certificate"))
    signs_dkim = _switch(_("This server signs outgoing mail (DKIM)"))
    for_notices = _switch(_("Postroom sends its own notices from this account, such as password resets"))
    per_minute = _limit(_("A minute"))
    per_hour = _limit(_("An hour"))
    per_day = _limit(_("A day"))
    connections = forms.CharField(
        label=_("Connections"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric"}),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, viewer: Viewer, account: Account | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(str(user.id), str(user)) for user in users_visible_to(viewer)]
        if not viewer.manages:
            del self.fields["owner"], self.fields["for_notices"]
        for side in ("smtp", "imap"):
            if account and getattr(account, f"{side}_password"):
                self.fields[f"{side}_password"].widget.attrs["placeholder"] = _("Stored, not shown")

    def values(self) -> dict[str, Any]:
        """For actions/account.py. Fields of a switched-off part are left as they are stored or empty."""
        data = self.cleaned_data
        values = {name: value for name, value in data.items() if name not in {"reads", "same", "version"}}
        if not data["smtp_authenticate"]:
            values["smtp_login"] = values["smtp_password"] = ""
        values["smtp_same_as_imap"] = bool(data["same"] and data["reads"] and data["smtp_authenticate"])
        if not data["reads"]:
            values |= {"imap_host": "", "collector_on": False}
        elif values["smtp_same_as_imap"]:
            values["imap_login"], values["imap_password"] = data["smtp_login"], data["smtp_password"]
        values["imap_port"] = data["imap_port"] or PORTS["imap"][data["imap_security"]]
        values["connections"] = data["connections"] or 4
        minutes = values.pop("collector_interval") or "15"
        values["collector_interval_s"] = int(minutes) * 60 if minutes.isdecimal() else 0
        return values


def initial_of(account: Account | None, viewer: Viewer) -> dict[str, Any]:
    if account is None:
        return {
            "owner": str(viewer.user.id),
            "smtp_security": "starttls",
            "smtp_port": 587,
            "smtp_authenticate": True,
            "reads": True,
            "imap_security": "tls",
            "imap_port": 993,
            "same": True,
            "collector_on": True,
            "collector_folder": "INBOX",
            "collector_interval": 15,
            "verify_certificate": True,
            "connections": 4,
            "for_notices": viewer.workspace.notice_account_id is None,
        }
    collector = collector_of(account)
    values: dict[str, Any] = {
        name: getattr(account, name)
        for name in AccountForm.base_fields
        if hasattr(account, name) and "password" not in name
    }
    for name in ("per_minute", "per_hour", "per_day"):
        values[name] = values[name] or ""
    return values | {
        "owner": str(account.owner_id),
        "reads": bool(account.imap_host),
        "same": account.smtp_same_as_imap,
        "collector_on": bool(collector and collector.is_on),
        "collector_folder": collector.folder if collector else "INBOX",
        "collector_interval": collector.interval_s // 60 if collector else 15,
        "for_notices": viewer.workspace.notice_account_id == account.id,
    }
