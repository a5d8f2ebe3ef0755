"""Asking for a check of settings, and what a passed one proves (CM-28 to CM-30). The sync daemon does the check."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.account_check import connection_clean
from postroom.actions.account_letter import letter_ask
from postroom.actions.notify import PROBE, notify
from postroom.errors import Conflict, InputError
from postroom.models.account import Account, Probe, Protocol, Security
from postroom.models.profile import Right
from postroom.models.workspace import Workspace
from postroom.queries.account import account_to_edit, probe_visible_to
from postroom.queries.account_fields import SECRET, TESTED
from postroom.queries.user import private_hosts_allowed
from postroom.queries.viewer import Viewer, demand

#: A probe row lives this long; DESIGN section 6.
LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Passed:
    last_test: dict[str, Any]
    capabilities: dict[str, Any]


def fingerprint(account: Account | Mapping[str, Any]) -> str:
    """A keyed digest of the tested values, so that a check and what is stored can be compared without a secret."""
    values = [str(account[n] if isinstance(account, Mapping) else getattr(account, n)) for n in TESTED]
    return hmac.new(settings.SECRET_KEY.encode(), json.dumps(values).encode(), hashlib.sha256).hexdigest()


def moved_secrets(account: Account, values: Mapping[str, Any]) -> set[str]:
    """The passwords that would go to another host than the stored one, or there on a less safe way."""
    another_way = any(
        str(values[name]) != str(getattr(account, name)) for name in ("proxy_kind", "proxy_host")
    )
    unchecked = account.verify_certificate and not values["verify_certificate"]
    moved = {"proxy_password"} if str(values["proxy_host"]) != account.proxy_host else set()
    for side in ("smtp", "imap"):
        bare = values[f"{side}_security"] == Security.NONE != getattr(account, f"{side}_security")
        elsewhere = str(values[f"{side}_host"]) != getattr(account, f"{side}_host")
        if elsewhere or another_way or unchecked or bare:
            moved.add(f"{side}_password")
    return moved


def secrets_mine(viewer: Viewer, account: Account) -> bool:
    """Whether the stored passwords are the viewer's own: whoever takes an account over does not get to know them."""
    return (account.secrets_by_id or account.owner_id) == viewer.user.id


@transaction.atomic
def probe_ask(
    *, viewer: Viewer, values: Mapping[str, Any], account_id: int = 0, send_test: bool = False
) -> Probe:
    """Have these settings checked, saved or not; what is left out comes from the account, blank passwords too.

    send_test: when sending works, send a message to the address the viewer signs in with (needs `address`).
    Raises InputError, NotFound, NotAllowed, Conflict NO_LOGIN_ADDRESS, TooMany. One person
    has one check at a time: an earlier one is cancelled.
    """
    if account_id:
        account = account_to_edit(viewer, account_id)
    else:
        demand(viewer, Right.ACCOUNTS_ADD)
        account = Account(workspace=viewer.workspace)
    full = {name: values.get(name, "" if name in SECRET else getattr(account, name)) for name in TESTED}
    if full["protocol"] != Protocol.IMAP:  # POP3 is only for what is POP3 already (CM-02)
        full["protocol"] = account.protocol
    moved = moved_secrets(account, full)
    for name in SECRET:
        if not full[name] and getattr(account, name):
            # a stored password is shown to its own server only, unless the person asks whose it is
            if name in moved and not secrets_mine(viewer, account):
                raise InputError(_("The server has changed: type the password again."), field=name)
            full[name] = getattr(account, name)
    workspace = Workspace.objects.get(id=viewer.workspace.id)
    connection_clean(
        full, allow_private=private_hosts_allowed(), allow_clear_text=workspace.allow_clear_text_login
    )
    names = {
        name: str(values.get(name) or getattr(account, name)) for name in ("name", "address", "display_name")
    }
    letter_to = letter_ask(viewer.user.id, names) if send_test else ""
    for old in Probe.objects.filter(user=viewer.user, state__in=("waiting", "running")):
        _end(old)
    probe = Probe.objects.create(
        workspace=viewer.workspace,
        user=viewer.user,
        account=account if account_id else None,
        form=json.dumps({**full, **names, "account_id": account_id}),
        letter_to=letter_to,
        fingerprint=fingerprint(full),
    )
    notify(PROBE, probe.id)
    return probe


def probe_cancel(*, viewer: Viewer, probe_id: int) -> Probe:
    """Raises NotFound; Conflict when it has ended."""
    probe = probe_visible_to(viewer, probe_id)
    if probe.state not in ("waiting", "running"):
        raise Conflict(_("This check has ended."), code="PROBE_ENDED")
    _end(probe)
    notify(PROBE, probe.id)
    return probe


def _end(probe: Probe) -> None:
    probe.state, probe.form, probe.ended_at = "cancelled", "", timezone.now()
    probe.save(update_fields=["state", "form", "ended_at"])


def sides_ok(result: Mapping[str, Any]) -> bool:
    """Green only if both are; an account without a mailbox has one side (`ok` of the other is None)."""
    smtp, imap = result.get("smtp") or {}, result.get("imap") or {}
    return smtp.get("ok") is True and imap.get("ok") is not False


def probe_passed(viewer: Viewer, mark: str) -> Passed | None:
    """What the viewer's own newest check of exactly these settings proved; None when there is none or it failed."""
    probe = (
        Probe.objects.filter(
            workspace=viewer.workspace,
            user=viewer.user,
            state="done",
            fingerprint=mark,
            created_at__gte=timezone.now() - LIFE,
        )
        .order_by("-id")
        .first()
    )
    return proof_of(probe) if probe and sides_ok(probe.result) else None


def proof_of(probe: Probe) -> Passed:
    """What an ended check says, as an account keeps it."""
    smtp = probe.result.get("smtp") or {}
    found = smtp.get("capabilities") or {}
    at = (probe.ended_at or timezone.now()).isoformat()
    return Passed(
        last_test={"at": at, "smtp": smtp, "imap": probe.result.get("imap"), "mx": probe.result.get("mx")},
        capabilities={
            "dsn": bool(found.get("dsn")),
            "eight_bit": bool(found.get("8bitmime")),
            "smtputf8": bool(found.get("smtputf8")),
            "size": found.get("size"),
        },
    )
