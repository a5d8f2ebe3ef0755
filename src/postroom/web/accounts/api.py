"""Accounts and checks of their settings in the API. No answer holds a secret."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.account import account_delete, account_save
from postroom.actions.account_check import warnings_of
from postroom.actions.account_mailbox import folder_want
from postroom.actions.account_probe import probe_ask, probe_cancel, sides_ok
from postroom.actions.discovery import discovery_ask
from postroom.errors import InputError
from postroom.models.account import Account, Collector, Discovery, Probe
from postroom.queries.account import (
    account_json,
    account_row,
    account_to_edit,
    account_visible_to,
    probe_visible_to,
    same_address,
    types_gone,
)
from postroom.queries.account_list import AccountFilter, account_page
from postroom.queries.discovery import discovery_visible_to
from postroom.queries.mailbox import folders_of
from postroom.queries.viewer import Viewer
from postroom.web.paging import number_at
from postroom.web.problem import problems

router = Router(tags=["accounts"])

#: Longer is no name, host or login; the exact limits are the actions'.
Line = Annotated[str, Field(max_length=1000)]
Number = Annotated[int, Field(ge=-1, le=2_000_000_000)]


class ConnectionIn(Schema):
    """What a check needs. A field left out keeps its stored or usual value; so does a blank password.

    use_tls (STARTTLS) and use_ssl (TLS from the start) are another way to write smtp_security; not both at once.
    """

    protocol: Line | None = None
    address: Line | None = None
    smtp_host: Line | None = None
    smtp_port: Number | None = None
    smtp_security: Line | None = None
    use_tls: bool | None = None
    use_ssl: bool | None = None
    smtp_authenticate: bool | None = None
    smtp_login: Line | None = None
    smtp_password: Line | None = None
    imap_host: Line | None = None
    imap_port: Number | None = None
    imap_security: Line | None = None
    imap_login: Line | None = None
    imap_password: Line | None = None
    smtp_same_as_imap: bool | None = None
    verify_certificate: bool | None = None
    proxy_kind: Line | None = None
    proxy_host: Line | None = None
    proxy_port: Number | None = None
    proxy_login: Line | None = None
    proxy_password: Line | None = None


class AccountIn(ConnectionIn):
    name: Line | None = None
    display_name: Line | None = None
    reply_to_address: Line | None = None
    reply_to_name: Line | None = None
    override_from: bool | None = None
    override_from_address: Line | None = None
    override_from_name: Line | None = None
    override_to: bool | None = None
    override_to_address: Line | None = None
    override_to_name: Line | None = None
    owner: Number | None = None
    #: Everybody of the workspace may send from it (SA-24).
    sharing: bool | None = None
    integration: bool | None = None
    #: Message types; 0 = none.
    type_in: Number | None = None
    type_out: Number | None = None
    signs_dkim: bool | None = None
    #: Of a POP3 account of old: mails stay on the server.
    pop3_leave: bool | None = None
    per_minute: Number | None = None
    per_hour: Number | None = None
    per_day: Number | None = None
    #: Both or neither: at most `per_span` in any `span_minutes`.
    per_span: Number | None = None
    span_minutes: Number | None = None
    #: Both or neither: after so many messages the account rests for so many seconds.
    pause_every: Number | None = None
    pause_s: Number | None = None
    connections: Number | None = None
    messages_per_connection: Number | None = None
    collector_on: bool | None = None
    collector_folder: Line | None = None
    collector_interval_s: Number | None = None
    #: All its folders are read and answered here; mail that arrived since that day is brought in.
    is_mailbox: bool | None = None
    mailbox_from: date | None = None
    #: A copy of each mail sent from here goes into its folder for sent mail.
    keep_sent: bool | None = None
    #: Mail in it to the address of a group is a posting (a catch-all mailbox).
    takes_groups: bool | None = None
    for_notices: bool | None = None


class AccountNew(AccountIn):
    #: platform: sent through the installation's own server, once it is approved.
    kind: Literal["own", "platform"] = "own"


class AccountChange(AccountIn):
    #: Of the account as it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: Number | None = None


class ProbeIn(ConnectionIn):
    #: 0 = settings of no stored account.
    account_id: Number = 0
    #: Also send a test message to the address the caller signs in with (SA-27).
    send_test: bool = False


class AccountQuery(Schema):
    """See AccountFilter."""

    q: Line = ""
    kind: Line = ""
    owner: Line = ""
    name: Line = ""
    address: Line = ""
    smtp: Line = ""
    imap: Line = ""
    login: Line = ""
    port: Line = ""
    integration: Line = ""
    legacy: Line = ""
    sort: Line = "name"
    #: What the answer before said under `next`.
    at: Annotated[str, Field(max_length=20)] = ""


#: The usual port of each choice, where none is given (CM-19/20).
PORTS = {"smtp": {"tls": 465}, "imap": {"none": 143, "starttls": 143, "tls": 993}}


def _given(body: ConnectionIn, *, new: bool) -> dict[str, Any]:
    values = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    protocol = str(values.get("protocol", "")).lower()
    if new and protocol == "pop3":
        raise InputError(
            _("New POP3 accounts cannot be made: use IMAP."), field="protocol", code="POP3_CLOSED"
        )
    _security(values)
    for side in ("smtp", "imap"):
        security = values.get(f"{side}_security", "tls" if side == "imap" else "starttls")
        if f"{side}_port" not in values and (new or f"{side}_security" in values):
            values[f"{side}_port"] = PORTS[side].get(security, 587)
    for name in ("type_in", "type_out"):
        if values.get(name) == 0:
            values[name] = None
    return values


def _security(values: dict[str, Any]) -> None:
    """The two ticks of other products, TLS and SSL, as our three-way choice (SA-21, SA-22)."""
    tls, ssl = values.pop("use_tls", None), values.pop("use_ssl", None)
    if tls is None and ssl is None:
        return
    chosen = values.get("smtp_security")
    found = "starttls" if tls else "tls" if ssl else "none"
    if (tls and ssl) or chosen not in (None, found):
        raise InputError(
            _("TLS and SSL exclude each other: choose one."), field="use_tls", code="TLS_SSL_EXCLUSIVE"
        )
    values["smtp_security"] = found


def _answer(viewer: Viewer, account: Account) -> dict[str, Any]:
    row = account_row(viewer, account)
    answer = account_json(row)
    if row.may_edit:
        answer["warnings"] = _noticed(account) + warnings_of(account)
    return answer


def _noticed(account: Account) -> list[dict[str, Any]]:
    twins = same_address(account)
    found = [{"code": "SAME_ADDRESS", "field": "address", "accounts": twins}] if twins else []
    return found + [
        {"code": "TYPE_GONE", "field": field, "name": name} for field, name in types_gone(account)
    ]


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


@router.get("/accounts", response={200: dict[str, Any], **problems(403, 404, 409, 422)})
def account_list(request: HttpRequest, asked: Query[AccountQuery]) -> dict[str, Any]:
    """Accounts of both kinds that the caller sees, 50 a page. All filters must hold; words are contained.

    kind: marketing, own. port: 993, or smtp:587. integration: yes, no. sort: name, address, created, with - backwards.
    """
    values = asked.dict()
    page = account_page(
        _viewer(request),
        AccountFilter(**{k: v for k, v in values.items() if k != "at"}),
        number_at(asked.at) or 1,
    )
    return {
        "items": [account_json(row) for row in page.rows],
        "total": page.page.paginator.count,
        "next": str(page.page.next_page_number()) if page.page.has_next() else None,
    }


@router.post("/accounts", response={201: dict[str, Any], **problems(403, 409, 422)})
def account_make(request: HttpRequest, body: AccountNew) -> Any:
    viewer = _viewer(request)
    return Status(201, _answer(viewer, account_save(viewer=viewer, values=_given(body, new=True))))


@router.get("/accounts/{int:account_id}", response={200: dict[str, Any], **problems(403, 404, 409, 422)})
def account_show(request: HttpRequest, account_id: int) -> dict[str, Any]:
    return _answer(_viewer(request), account_visible_to(_viewer(request), account_id))


@router.put("/accounts/{int:account_id}", response={200: dict[str, Any], **problems(403, 404, 409, 422)})
def account_change(request: HttpRequest, account_id: int, body: AccountChange) -> dict[str, Any]:
    viewer = _viewer(request)
    account_to_edit(viewer, account_id)
    values = _given(body, new=False)
    version = values.pop("version", None)
    return _answer(viewer, account_save(viewer=viewer, values=values, account_id=account_id, version=version))


@router.delete("/accounts/{int:account_id}", response={204: None, **problems(403, 404, 409, 422)})
def account_remove(request: HttpRequest, account_id: int) -> Any:
    """409 IN_USE lists the campaigns and collectors that need it."""
    account_delete(viewer=_viewer(request), account_id=account_id)
    return Status(204, None)


class FolderOut(Schema):
    """role: inbox, sent, drafts, junk, trash, archive or ""."""

    id: int
    name: str
    role: str
    is_wanted: bool
    messages: int
    read_at: datetime | None
    error: str


class Folders(Schema):
    items: list[FolderOut]


class FolderIn(Schema):
    #: Whether it is read.
    is_wanted: bool


def _folder(row: Collector) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.title or row.folder,
        "role": row.role,
        "is_wanted": row.is_wanted,
        "messages": row.message_count,
        "read_at": row.last_ok_at,
        "error": row.error,
    }


@router.get("/accounts/{int:account_id}/folders", response={200: Folders, **problems(403, 404, 422)})
def folder_list(request: HttpRequest, account_id: int) -> dict[str, Any]:
    """The folders of an account that is read here, as its server listed them last; the inbox first."""
    return {"items": [_folder(row) for row in folders_of(_viewer(request), account_id)]}


@router.put(
    "/accounts/{int:account_id}/folders/{int:folder_id}",
    response={200: FolderOut, **problems(403, 404, 409, 422)},
)
def folder_change(request: HttpRequest, account_id: int, folder_id: int, body: FolderIn) -> dict[str, Any]:
    """409: the inbox is always read."""
    row = folder_want(
        viewer=_viewer(request), account_id=account_id, folder_id=folder_id, is_wanted=body.is_wanted
    )
    return _folder(row)


@router.post("/accounts/probe", response={202: dict[str, Any], **problems(403, 404, 409, 422, 429)})
def probe_make(request: HttpRequest, body: ProbeIn) -> Any:
    """Checks settings, saved or not. 429: more than five test messages a minute; 409: no address to send them to."""
    values = _given(body, new=not body.account_id)
    account_id, send_test = values.pop("account_id", 0), values.pop("send_test", False)
    probe = probe_ask(viewer=_viewer(request), values=values, account_id=account_id, send_test=send_test)
    return Status(202, _probe(probe))


class SearchIn(Schema):
    address: Line


@router.post("/accounts/find", response={202: dict[str, Any], **problems(403, 422)})
def search_make(request: HttpRequest, body: SearchIn) -> Any:
    """Looks for the servers of an address: large providers, autoconfig, SRV and MX records, the usual names."""
    return Status(202, _search(discovery_ask(viewer=_viewer(request), address=body.address)))


@router.get("/accounts/find/{int:discovery_id}", response={200: dict[str, Any], **problems(403, 404, 422)})
def search_show(request: HttpRequest, discovery_id: int) -> dict[str, Any]:
    return _search(discovery_visible_to(_viewer(request), discovery_id))


def _search(found: Discovery) -> dict[str, Any]:
    """result: names of an account's fields, with source (provider, autoconfig, srv, mx, guess; "" = nothing found)."""
    return {"id": found.id, "state": found.state, "address": found.address, "result": found.result}


@router.get("/probes/{int:probe_id}", response={200: dict[str, Any], **problems(403, 404, 409, 422)})
def probe_show(request: HttpRequest, probe_id: int) -> dict[str, Any]:
    return _probe(probe_visible_to(_viewer(request), probe_id))


@router.delete("/probes/{int:probe_id}", response={200: dict[str, Any], **problems(403, 404, 409, 422)})
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
