"""Accounts and checks of their settings in the API. No answer holds a secret."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status

from postroom.actions.account import account_delete, account_save
from postroom.actions.account_check import odd_ports
from postroom.actions.account_probe import probe_ask, probe_cancel, sides_ok
from postroom.errors import InputError
from postroom.models.account import Account, Probe
from postroom.queries.account import (
    account_json,
    account_visible_to,
    accounts_visible_to,
    probe_visible_to,
    same_address,
)
from postroom.queries.viewer import Viewer

router = Router(tags=["accounts"])


class ConnectionIn(Schema):
    """What a check needs. A field left out keeps its stored or usual value; so does a blank password."""

    protocol: str | None = None
    address: str | None = None
    smtp_host: str | None = None
    smtp_port: int | None = None
    smtp_security: str | None = None
    smtp_authenticate: bool | None = None
    smtp_login: str | None = None
    smtp_password: str | None = None
    imap_host: str | None = None
    imap_port: int | None = None
    imap_security: str | None = None
    imap_login: str | None = None
    imap_password: str | None = None
    smtp_same_as_imap: bool | None = None
    verify_certificate: bool | None = None


class AccountIn(ConnectionIn):
    name: str | None = None
    display_name: str | None = None
    owner: int | None = None
    signs_dkim: bool | None = None
    per_minute: int | None = None
    per_hour: int | None = None
    per_day: int | None = None
    connections: int | None = None
    collector_on: bool | None = None
    collector_folder: str | None = None
    collector_interval_s: int | None = None
    for_notices: bool | None = None
    #: Of the account as it was read; a stale one is refused with 409 STALE_VERSION.
    version: int | None = None


class ProbeIn(ConnectionIn):
    #: 0 = settings of no stored account.
    account_id: int = 0


#: The usual port of each choice, where none is given (CM-19/20).
PORTS = {"smtp": {"tls": 465}, "imap": {"none": 143, "starttls": 143, "tls": 993}}


def _given(body: ConnectionIn, *, new: bool) -> dict[str, Any]:
    values = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    protocol = str(values.pop("protocol", "imap")).lower()
    if protocol == "pop3":
        raise InputError(
            _("New POP3 accounts cannot be made: use IMAP."), field="protocol", code="POP3_CLOSED"
        )
    if protocol != "imap":
        raise InputError(_("The protocol is imap."), field="protocol")
    for side in ("smtp", "imap"):
        security = values.get(f"{side}_security", "tls" if side == "imap" else "starttls")
        if f"{side}_port" not in values and (new or f"{side}_security" in values):
            values[f"{side}_port"] = PORTS[side].get(security, 587)
    return values


def _answer(account: Account) -> dict[str, Any]:
    warnings = []
    twins = same_address(account)
    if twins:
        warnings.append({"code": "SAME_ADDRESS", "field": "address", "accounts": twins})
    ports = {
        n: getattr(account, n) for s in ("smtp", "imap") for n in (f"{s}_port", f"{s}_security", f"{s}_host")
    }
    warnings += [{"code": "ODD_PORT", "field": field} for field in odd_ports(ports)]
    if not account.verify_certificate:
        warnings.append({"code": "CERTIFICATE_UNCHECKED", "field": "verify_certificate"})
    return {**account_json(account), "warnings": warnings}


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


@router.get("/accounts")
def account_list(request: HttpRequest) -> dict[str, Any]:
    return {"items": [_answer(account) for account in accounts_visible_to(_viewer(request))]}


@router.post("/accounts", response={201: dict[str, Any]})
def account_make(request: HttpRequest, body: AccountIn) -> Any:
    values = _given(body, new=True)
    values.pop("version", None)
    account = account_save(viewer=_viewer(request), values=values)
    return Status(201, _answer(account))


@router.get("/accounts/{int:account_id}")
def account_show(request: HttpRequest, account_id: int) -> dict[str, Any]:
    return _answer(account_visible_to(_viewer(request), account_id))


@router.put("/accounts/{int:account_id}")
def account_change(request: HttpRequest, account_id: int, body: AccountIn) -> dict[str, Any]:
    account_visible_to(_viewer(request), account_id)
    values = _given(body, new=False)
    version = values.pop("version", None)
    account = account_save(viewer=_viewer(request), values=values, account_id=account_id, version=version)
    return _answer(account)


@router.delete("/accounts/{int:account_id}", response={204: None})
def account_remove(request: HttpRequest, account_id: int) -> Any:
    account_delete(viewer=_viewer(request), account_id=account_id)
    return Status(204, None)


@router.post("/accounts/probe", response={202: dict[str, Any]})
def probe_make(request: HttpRequest, body: ProbeIn) -> Any:
    values = _given(body, new=not body.account_id)
    account_id = values.pop("account_id", 0)
    return Status(202, _probe(probe_ask(viewer=_viewer(request), values=values, account_id=account_id)))


@router.get("/probes/{int:probe_id}")
def probe_show(request: HttpRequest, probe_id: int) -> dict[str, Any]:
    return _probe(probe_visible_to(_viewer(request), probe_id))


@router.delete("/probes/{int:probe_id}")
def probe_stop(request: HttpRequest, probe_id: int) -> dict[str, Any]:
    return _probe(probe_cancel(viewer=_viewer(request), probe_id=probe_id))


def _probe(probe: Probe) -> dict[str, Any]:
    """state: waiting, running, done or cancelled; ok: None until done, then whether both sides passed."""
    return {
        "id": probe.id,
        "state": probe.state,
        "ok": sides_ok(probe.result) if probe.state == "done" else None,
        "smtp": probe.result.get("smtp"),
        "imap": probe.result.get("imap"),
    }
