"""The firm's own mail server, through which platform accounts send: set and checked by who runs the installation."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.account_check import host_clean, port_clean
from postroom.actions.audit import audit
from postroom.actions.notify import PROBE, notify
from postroom.errors import InputError
from postroom.models.account import Account, AccountKind, AccountStatus, Probe, Security
from postroom.models.workspace import Instance
from postroom.queries.viewer import Viewer, demand_administers

FIELDS = (
    "relay_host",
    "relay_port",
    "relay_security",
    "relay_login",
    "relay_password",
    "relay_verify_certificate",
)


def relay_of(viewer: Viewer) -> Instance:
    """Raises NotAllowed."""
    demand_administers(viewer)
    return Instance.objects.filter(id=1).first() or Instance(id=1)


def relay_clean(values: Mapping[str, Any], stored: Instance) -> dict[str, Any]:
    """Fit to be stored; "" as host = there is none. A blank password is the stored one, for the same server only.

    Raises InputError.
    """
    host = str(values.get("relay_host") or "").strip()
    clean: dict[str, Any] = {
        "relay_host": host_clean(host, "relay_host", allow_private=True) if host else "",
        "relay_port": port_clean(values.get("relay_port"), "relay_port"),
        "relay_security": str(values.get("relay_security")),
        "relay_login": str(values.get("relay_login") or "").strip(),
        "relay_password": str(values.get("relay_password") or ""),
        "relay_verify_certificate": bool(values.get("relay_verify_certificate")),
    }
    if clean["relay_security"] not in Security.values:
        raise InputError(_("Choose TLS, STARTTLS or none."), field="relay_security")
    if len(clean["relay_login"]) > 254 or any(ord(sign) < 32 for sign in clean["relay_login"]):
        raise InputError(_("The user name cannot be used."), field="relay_login")
    if clean["relay_login"] and not clean["relay_password"]:
        if stored.relay_password and clean["relay_host"] != stored.relay_host:
            raise InputError(_("The server has changed: type the password again."), field="relay_password")
        clean["relay_password"] = stored.relay_password
    if not clean["relay_login"]:
        clean["relay_password"] = ""
    return clean


@transaction.atomic
def relay_save(*, viewer: Viewer, values: Mapping[str, Any]) -> Instance:
    """values: FIELDS. Accounts that this server had refused are tried again. Raises NotAllowed, InputError."""
    instance = relay_of(viewer)
    for name, value in relay_clean(values, instance).items():
        setattr(instance, name, value)
    instance.save()
    Account.objects.filter(kind=AccountKind.PLATFORM).exclude(status=AccountStatus.OK).update(
        status=AccountStatus.OK, status_reason="", status_since=timezone.now(), paused_until=None, troubles=0
    )
    audit(viewer, "changed the firm's mail server", "instance", instance.id, host=instance.relay_host)
    return instance


@transaction.atomic
def relay_probe(*, viewer: Viewer, values: Mapping[str, Any]) -> Probe:
    """Have these settings checked, saved or not; shown as a check of an account is. Raises NotAllowed, InputError."""
    clean = relay_clean(values, relay_of(viewer))
    if not clean["relay_host"]:
        raise InputError(_("The server is missing."), field="relay_host")
    Probe.objects.filter(user=viewer.user, state__in=("waiting", "running")).update(
        state="cancelled", form="", ended_at=timezone.now()
    )
    form = {
        "relay": True,
        "smtp_host": clean["relay_host"],
        "smtp_port": clean["relay_port"],
        "smtp_security": clean["relay_security"],
        "smtp_authenticate": bool(clean["relay_login"]),
        "smtp_login": clean["relay_login"],
        "smtp_password": clean["relay_password"],
        "verify_certificate": clean["relay_verify_certificate"],
        "imap_host": "",
        "imap_port": 993,
        "imap_security": "tls",
        "address": viewer.user.email,
    }
    probe = Probe.objects.create(workspace=viewer.workspace, user=viewer.user, form=json.dumps(form))
    notify(PROBE, probe.id)
    return probe
