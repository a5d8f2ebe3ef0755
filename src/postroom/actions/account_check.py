"""What the settings of a mail account may be (CM-16 to CM-25, SA-04 to SA-25)."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from postroom.errors import BadAddress, InputError
from postroom.mail.address import parse
from postroom.models.account import Account, AccountKind, ProxyKind, Security
from postroom.queries.account import mail_arrives
from postroom.queries.content import known_fields

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
_ADDRESS_IN_NAME = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
#: (port, choice) pairs that servers do not usually offer.
ODD = {
    (465, "starttls"),
    (587, "tls"),
    (25, "tls"),
    (993, "starttls"),
    (993, "none"),
    (143, "tls"),
    (465, "none"),
}
#: Contact fields that take the place of sender or recipient (SA-07, SA-11).
KEYS = ("override_from_address", "override_from_name", "override_to_address", "override_to_name")
#: Visible characters of a display name that mail programs still show whole (SA-06).
NAME_SHOWN = 78
#: Limits of the numbers a form can hold.
MOST = 10_000_000


def host_clean(host: str, field: str, *, allow_private: bool) -> str:
    """A host name (lower case, A-labels) or IP address. Raises InputError, also for a private one where not allowed.

    Names are not resolved here: that is the check's matter (CM-19).
    """
    host = host.strip().strip("[]").rstrip(".").lower()
    if not host:
        raise InputError(_("The server is missing."), field=field)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _name_clean(host, field, allow_private=allow_private)
    mapped = getattr(address, "ipv4_mapped", None) or address
    if address.is_unspecified or address.is_multicast:
        raise InputError(_("This address cannot be a mail server."), field=field)
    if not mapped.is_global and not allow_private:
        raise _private(host, field)
    return str(address)


def _name_clean(host: str, field: str, *, allow_private: bool) -> str:
    try:
        host = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        host = ""
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InputError(_("This is neither a server name nor an IP address."), field=field)
    if labels[-1].isdigit():  # 127.1, 2130706433: other ways to write an IP address
        raise InputError(_("This is neither a server name nor an IP address."), field=field)
    if labels[-1] == "localhost" and not allow_private:
        raise _private(host, field)
    return host


def _private(host: str, field: str) -> InputError:
    words = _(
        "%(host)s is inside a private network, and connections there are not allowed. "
        "The owner can allow them in Settings, Workspace."
    )
    return InputError(words % {"host": host}, field=field, code="PRIVATE_HOST")


def port_clean(port: Any, field: str) -> int:
    number = int(port) if str(port).strip().isdecimal() else 0
    if not 1 <= number <= 65535:
        raise InputError(_("A port is a number from 1 to 65535."), field=field)
    return number


def values_clean(
    given: Mapping[str, Any], *, kind: str, allow_private: bool, allow_clear_text: bool
) -> dict[str, Any]:
    """All fields of an account, made fit for storing. Raises InputError naming the first field that does not fit.

    given: every field of the model that a person sets; passwords as they will be stored.
    """
    values = dict(given)
    values["name"] = _line(values["name"], "name", 120)
    if not values["name"]:
        raise InputError(_("Give the account a name."), field="name")
    values["address"] = _address(values["address"], "address")
    values["display_name"] = _display_name(values["display_name"], "display_name", values["address"])
    _reply_to_clean(values)
    for name in KEYS:
        values[name] = _line(values[name], name, 60)
    if kind == AccountKind.PLATFORM:
        for side in ("smtp", "imap", "proxy"):
            for name in ("host", "login", "password"):
                values[f"{side}_{name}"] = ""
        values["proxy_kind"] = ""
        values["is_mailbox"] = False
    else:
        connection_clean(values, allow_private=allow_private, allow_clear_text=allow_clear_text)
    values["is_mailbox"] = bool(values["is_mailbox"] and values["imap_host"])
    values["keep_sent"] = bool(values["keep_sent"])
    values["takes_groups"] = bool(values["takes_groups"] and values["imap_host"])
    for name in LIMITS:
        values[name] = _number(values[name], name, 0)
    for many, long in (("per_span", "span_minutes"), ("pause_every", "pause_s")):
        if bool(values[many]) != bool(values[long]):
            raise InputError(_("Fill in both, or neither."), field=long if values[many] else many)
    values["connections"] = _number(values["connections"], "connections", 1, 100)
    return values


#: 0 or empty = no limit.
LIMITS = (
    *("per_minute", "per_hour", "per_day", "per_span", "span_minutes"),
    *("pause_every", "pause_s", "messages_per_connection"),
)


def _reply_to_clean(values: dict[str, Any]) -> None:
    """A Reply-To name alone would stand nowhere (SA-10)."""
    name = _display_name(values["reply_to_name"], "reply_to_name", str(values["reply_to_address"]).strip())
    address = str(values["reply_to_address"] or "").strip()
    if name and not address:
        raise InputError(
            _("Type the address for answers too, or leave both empty."), field="reply_to_address"
        )
    values["reply_to_name"] = name
    values["reply_to_address"] = _address(address, "reply_to_address") if address else ""


def keys_known(workspace_id: int, account: Account, values: Mapping[str, Any]) -> None:
    """Contact fields of the overrides are there (SA-07); one that was stored may have been removed since."""
    known = known_fields(workspace_id)
    for name in KEYS:
        if values[name] and values[name] not in known and values[name] != getattr(account, name):
            raise InputError(_("There is no such field of a contact."), field=name)


def connection_clean(values: dict[str, Any], *, allow_private: bool, allow_clear_text: bool) -> None:
    """The part of `values` that a check needs, cleaned in place."""
    sides = ("smtp", "imap") if str(values["imap_host"]).strip() else ("smtp",)
    if "imap" not in sides:
        values["imap_host"] = ""
        values["imap_login"] = values["imap_password"] = ""
        values["smtp_same_as_imap"] = False
    elif values["smtp_same_as_imap"]:
        values["smtp_login"], values["smtp_password"] = values["imap_login"], values["imap_password"]
    for side in sides:
        values[f"{side}_host"] = host_clean(
            str(values[f"{side}_host"]), f"{side}_host", allow_private=allow_private
        )
        values[f"{side}_port"] = port_clean(values[f"{side}_port"], f"{side}_port")
        if values[f"{side}_security"] not in Security.values:
            raise InputError(_("Choose one of none, STARTTLS, TLS from start."), field=f"{side}_security")
        values[f"{side}_login"] = _line(values[f"{side}_login"], f"{side}_login", 254)
        if side == "imap" or values["smtp_authenticate"]:
            _login_clean(values, side, allow_clear_text=allow_clear_text)
    _proxy_clean(values, allow_private=allow_private)


def _login_clean(values: Mapping[str, Any], side: str, *, allow_clear_text: bool) -> None:
    if not values[f"{side}_login"]:
        raise InputError(_("The user name is missing."), field=f"{side}_login")
    if not values[f"{side}_password"]:
        raise InputError(_("The password is missing."), field=f"{side}_password")
    if values[f"{side}_security"] == Security.NONE and not allow_clear_text:
        raise InputError(
            _(
                "Without encryption everybody on the way could read the password. "
                "The owner can allow it in Settings, Workspace."
            ),
            field=f"{side}_security",
            code="CLEAR_TEXT_LOGIN",
        )


def _proxy_clean(values: dict[str, Any], *, allow_private: bool) -> None:
    """What is filled in stays while no proxy is chosen; it is looked at when one is."""
    if values["proxy_kind"] not in ProxyKind.values:
        raise InputError(_("A proxy is socks5 or http."), field="proxy_kind")
    values["proxy_login"] = _line(values["proxy_login"], "proxy_login", 254)
    if values["proxy_kind"]:
        host = host_clean(str(values["proxy_host"]), "proxy_host", allow_private=allow_private)
        values["proxy_host"] = host
        values["proxy_port"] = port_clean(values["proxy_port"], "proxy_port")
    else:
        values["proxy_host"] = _line(values["proxy_host"], "proxy_host", 253)
        number = str(values["proxy_port"]).strip()
        values["proxy_port"] = port_clean(number, "proxy_port") if number else 1080


def _line(value: Any, field: str, most: int) -> str:
    text = str(value or "").strip()
    if any(ord(c) < 32 or ord(c) == 127 or c in "\u2028\u2029\x85" for c in text):
        raise InputError(_("Line breaks and control characters do not fit here."), field=field)
    if len(text) > most:
        raise InputError(_("At most %(n)s characters fit here.") % {"n": most}, field=field)
    return text


def _address(value: Any, field: str) -> str:
    try:
        return parse(str(value or "")).spec
    except BadAddress as error:
        raise BadAddress(error.message, field=field) from error


def _display_name(value: Any, field: str, address: str) -> str:
    """A name with another address in it would make readers believe that one (CM-22, SA-06)."""
    name = _line(value, field, 120)
    for found in _ADDRESS_IN_NAME.findall(name):
        if found.strip("()\"'.").lower() != address.lower():
            raise InputError(_("A name must not hold another e-mail address."), field=field)
    return name


def _number(value: Any, field: str, least: int, most: int = MOST) -> int:
    text = str(value if value not in (None, "") else 0).strip()
    if not text.isdecimal() or not least <= int(text) <= most:
        words = _("A whole number from %(least)s to %(most)s fits here.")
        raise InputError(words % {"least": least, "most": most}, field=field)
    return int(text)


def odd_ports(values: Mapping[str, Any]) -> list[str]:
    """Fields of ports that do not go with the encryption chosen; allowed, but warned."""
    sides = ("smtp", "imap") if values["imap_host"] else ("smtp",)
    return [
        f"{side}_port" for side in sides if (values[f"{side}_port"], str(values[f"{side}_security"])) in ODD
    ]


def warnings_of(account: Account) -> list[dict[str, Any]]:
    """What is allowed but probably a mistake: [{"code", "field", ...}]."""
    found: list[dict[str, Any]] = []
    if len(account.display_name) > NAME_SHOWN:
        found.append({"code": "LONG_NAME", "field": "display_name"})
    if not mail_arrives(account) and (account.kind == AccountKind.OWN or not account.reply_to_address):
        found.append({"code": "NO_MX", "field": "address"})
    if account.kind == AccountKind.PLATFORM:
        return found
    values = {
        f"{side}_{name}": getattr(account, f"{side}_{name}")
        for side in ("smtp", "imap")
        for name in ("host", "port", "security")
    }
    found += [{"code": "ODD_PORT", "field": field} for field in odd_ports(values)]
    if not account.verify_certificate:
        found.append({"code": "CERTIFICATE_UNCHECKED", "field": "verify_certificate"})
    return found
