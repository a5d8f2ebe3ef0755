"""The forms of one account and of a check of its settings."""

import json
import re
from typing import Any

from django import forms
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from postroom.actions.account_check import LIMITS
from postroom.mail.fields import CONTACT_FIELDS
from postroom.models.account import Account, AccountKind
from postroom.models.message_type import MessageType
from postroom.models.profile import Right, Visibility
from postroom.queries.account import collector_of
from postroom.queries.account_fields import SECRET
from postroom.queries.content import known_fields
from postroom.queries.message_type import types_to_choose
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer, can
from postroom.web.typed import number

#: Fields that an account on the firm's own server does not have.
OWN_ONLY = re.compile(
    r"smtp_|imap_|proxy_|collector_|reads$|same$|verify_certificate$|signs_dkim$|send_test$|pop3_|is_mailbox$|mailbox_from$|keep_sent$|takes_groups$|type_in$|connections$|messages_per_"
)
PROXIES = [("", _("None")), ("socks5", "SOCKS5"), ("http", "HTTP CONNECT")]
SECURITY = [("none", _("None")), ("starttls", "STARTTLS"), ("tls", _("TLS from start"))]
#: What a port is while nobody typed one (CM-19/20); and the pairs that are usually a mistake.
PORTS = {
    "smtp": {"none": 587, "starttls": 587, "tls": 465},
    "imap": {"none": 143, "starttls": 143, "tls": 993},
    "pop3": {"none": 110, "starttls": 110, "tls": 995},
}
ODD = {
    "smtp": {"starttls": [465], "tls": [25, 587], "none": [465]},
    "imap": {"starttls": [993], "none": [993], "tls": [143]},
    "pop3": {"starttls": [995], "none": [995], "tls": [110]},
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


def _secret(label: Any = _("Password")) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def _switch(label: Any, hint: Any = "") -> forms.BooleanField:
    return forms.BooleanField(label=label, help_text=hint, required=False)


def _choice(label: Any, hint: Any = "") -> forms.ChoiceField:
    return forms.ChoiceField(label=label, help_text=hint, required=False)


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
    reply_to_address = _text(
        _("Answers go to"),
        _("Empty: to the address above."),
        required=False,
        autocomplete="off",
        inputmode="email",
        spellcheck="false",
    )
    reply_to_name = _text(_("Name beside it"), required=False, most=120)
    override_from = _switch(
        _("Sender taken from the contact"),
        _("Each reader may see another sender, where the contact has one."),
    )
    override_from_address = _choice(_("Field with the sender's address"))
    override_from_name = _choice(_("Field with the sender's name"))
    override_to = _switch(
        _("Recipient taken from the contact"),
        _("Mail goes to another address of the contact, where there is one."),
    )
    override_to_address = _choice(_("Field with the recipient's address"))
    override_to_name = _choice(_("Field with the recipient's name"))
    type_in = _choice(_("Type of incoming mail"))
    type_out = _choice(_("Type of outgoing mail"))
    integration = _switch(
        _("For other programs"),
        _("Programs, processes and notices send from it; people only when it is given to them by name."),
    )
    sharing = _switch(
        _("Everybody in the firm may send from it"),
        _("Its settings and passwords stay with you and the managers."),
    )

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
    is_mailbox = _switch(
        _("Read and answer this mailbox here"),
        _("All its folders are brought in; what is read, flagged or moved here is so in the mailbox too."),
    )
    mailbox_from = forms.DateField(
        label=_("Bring in mail since"),
        help_text=_("Empty: of the last 30 days. Connecting changes nothing in the mailbox."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    keep_sent = _switch(_("File a copy of each mail sent from here in the folder for sent mail"))
    takes_groups = _switch(
        _("This mailbox takes mail for groups"),
        _("What was sent to the address of a group goes to its members."),
    )
    pop3_remove = _switch(
        _("Remove mails from the server once they are read"),
        _("Otherwise they stay there, as the mail program left them."),
    )
    collector_folder = _text(_("Folder"), required=False)
    collector_interval = forms.CharField(
        label=_("Look every … minutes"),
        required=False,
        max_length=5,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric"}),
    )

    proxy_kind = forms.ChoiceField(
        label=_("Proxy"), choices=PROXIES, required=False, widget=forms.RadioSelect
    )
    proxy_host = _text(
        _("Proxy server"), required=False, autocomplete="off", spellcheck="false", autocapitalize="off"
    )
    proxy_port = forms.CharField(
        label=_("Port"),
        max_length=5,
        required=False,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric"}),
    )
    proxy_login = _text(_("User of the proxy"), required=False, autocomplete="off", spellcheck="false")
    proxy_password = _secret(_("Password of the proxy"))
    send_test = forms.BooleanField(required=False)

    verify_certificate = _switch(_("Check the server's certificate"))
    signs_dkim = _switch(_("This server signs outgoing mail (DKIM)"))
    for_notices = _switch(_("Postroom sends its own notices from this account, such as password resets"))
    per_minute = _limit(_("A minute"))
    per_hour = _limit(_("An hour"))
    per_day = _limit(_("A day"))
    per_span = _limit(_("In another time"))
    span_minutes = _limit(_("Of so many minutes"))
    pause_every = _limit(_("Rest after so many messages"))
    pause_s = _limit(_("For so many seconds"))
    connections = forms.CharField(
        label=_("Connections"),
        required=False,
        max_length=3,
        widget=forms.TextInput(attrs={"class": "num", "inputmode": "numeric"}),
    )
    messages_per_connection = _limit(_("Messages a connection"))
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, viewer: Viewer, kind: str, account: Account | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if kind == AccountKind.PLATFORM:
            self.fields = {name: one for name, one in self.fields.items() if not OWN_ONLY.match(name)}
        self.reading = account.protocol if account else "imap"
        if self.reading == "pop3" and "imap_host" in self.fields:
            self.fields["imap_host"].label = translate("POP3 server")
            attrs = {"data-ports": json.dumps(PORTS["pop3"]), "data-odd": json.dumps(ODD["pop3"])}
            self.fields["imap_port"].widget.attrs |= attrs
            for name in ("is_mailbox", "mailbox_from", "keep_sent", "takes_groups"):
                self.fields.pop(name, None)
        else:
            self.fields.pop("pop3_remove", None)
        self._choices("owner", [(str(user.id), str(user)) for user in users_visible_to(viewer)])
        if not can(viewer, Right.ACCOUNTS_MANAGE):
            del self.fields["owner"]
        if not viewer.manages:
            del self.fields["for_notices"]
        self._contact_fields(viewer, account)
        self._types(viewer, account)
        for name in SECRET:
            if account and name in self.fields and getattr(account, name):
                self.fields[name].widget.attrs["placeholder"] = _("Stored, not shown")

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        found = self.fields[name]
        assert isinstance(found, forms.ChoiceField)
        found.choices = choices

    def _contact_fields(self, viewer: Viewer, account: Account | None) -> None:
        """Fields of contacts for the overrides; one that was removed since stays as long as it is stored."""
        labels = {one.key: translate(one.label) for one in CONTACT_FIELDS}
        known = {key: labels.get(key, key) for key in known_fields(viewer.workspace.id)}
        for name in (n for n in self.fields if n.startswith("override_") and n.count("_") == 2):
            stored = getattr(account, name) if account else ""
            gone = {} if not stored or stored in known else {stored: translate("%s (removed)") % stored}
            offered = sorted((known | gone).items(), key=lambda pair: str(pair[1]).casefold())
            self._choices(name, [("", _("None")), *offered])

    def _types(self, viewer: Viewer, account: Account | None) -> None:
        """Types the viewer may choose; a deleted one is not offered, the page says that it is gone (CM-24)."""
        offered = {one.id: one.name for one in types_to_choose(viewer)}
        for name in (one for one in ("type_in", "type_out") if one in self.fields):
            stored = getattr(account, name) if account else None
            here = offered | ({stored.id: stored.name} if stored and not stored.deleted_at else {})
            self._choices(name, [("", _("None")), *((str(n), word) for n, word in here.items())])

    def values(self) -> dict[str, Any]:
        """For actions/account.py. Fields of a switched-off part are left as they are stored or empty."""
        data = self.cleaned_data
        skipped = {"reads", "same", "version", "send_test", "collector_interval"}
        values = {name: value for name, value in data.items() if name not in skipped}
        if self.kind == AccountKind.PLATFORM:
            return values
        values["connections"] = data["connections"] or 4
        if not data["smtp_authenticate"]:
            values["smtp_login"] = values["smtp_password"] = ""
        values["smtp_same_as_imap"] = bool(data["same"] and data["reads"] and data["smtp_authenticate"])
        if values.get("is_mailbox"):
            values["collector_on"] = True
        if not data["reads"]:
            values |= {"imap_host": "", "collector_on": False, "is_mailbox": False}
        elif values["smtp_same_as_imap"]:
            values["imap_login"], values["imap_password"] = data["smtp_login"], data["smtp_password"]
        values["imap_port"] = data["imap_port"] or PORTS[self.reading][data["imap_security"]]
        if "pop3_remove" in data:
            values["pop3_leave"] = not values.pop("pop3_remove")
        values["proxy_port"] = data["proxy_port"] or 1080
        minutes = data["collector_interval"] or "15"
        values["collector_interval_s"] = number(minutes, 0) * 60
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
            "keep_sent": True,
            "verify_certificate": True,
            "connections": 4,
            "proxy_kind": "",
            "proxy_port": 1080,
            "send_test": True,
            "for_notices": viewer.workspace.notice_account_id is None,
        }
    collector = collector_of(account)
    values: dict[str, Any] = {
        name: getattr(account, name)
        for name in AccountForm.base_fields
        if hasattr(account, name) and "password" not in name
    }
    for name in LIMITS:
        values[name] = values[name] or ""
    return values | {
        "owner": str(account.owner_id),
        "sharing": account.visibility == Visibility.WORKSPACE,
        "type_in": _type_id(account.type_in),
        "type_out": _type_id(account.type_out),
        "send_test": True,
        "reads": bool(account.imap_host),
        "same": account.smtp_same_as_imap,
        "pop3_remove": not account.pop3_leave,
        "collector_on": bool(collector and collector.is_on),
        "collector_folder": collector.folder if collector else "INBOX",
        "collector_interval": collector.interval_s // 60 if collector else 15,
        "mailbox_from": collector.take_from.date() if collector and account.is_mailbox else None,
        "for_notices": viewer.workspace.notice_account_id == account.id,
    }


def _type_id(kept: MessageType | None) -> str:
    return str(kept.id) if kept and not kept.deleted_at else ""
