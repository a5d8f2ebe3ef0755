"""Domains in the API: adding, checking, proving; keys, bounce host and local addresses."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.domain import bounce_host_set, domain_add, domain_check_ask, domain_delete, domain_word
from postroom.actions.domain_key import key_drop, key_make, key_use
from postroom.actions.local_address import local_address_delete, local_addresses_add
from postroom.models.domain import Domain
from postroom.queries.domain import (
    addresses_of,
    bounce_host_below,
    domain_visible_to,
    domains_visible_to,
    records_of,
)
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["domains"])
#: Numbers of rows as the database holds them.
_MOST = 2**63 - 1


class DomainNew(Schema):
    name: Annotated[str, Field(max_length=1000)]


class BounceHost(Schema):
    #: A name below the domain; "" = returned mail goes to the accounts' own addresses.
    bounce_host: Annotated[str, Field(max_length=1000)]


class AddressesNew(Schema):
    addresses: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=5000)]
    #: Whose other names they are; both 0 = nobody's here.
    account_id: Annotated[int, Field(ge=0, le=_MOST)] = 0
    user_id: Annotated[int, Field(ge=0, le=_MOST)] = 0


class DnsRecordOut(Schema):
    #: proof, spf, dkim, dmarc, bounce_mx, bounce_spf
    purpose: str
    kind: str
    name: str
    value: str


class CheckOut(Schema):
    #: ok, missing, wrong, unreachable
    state: str
    code: str
    found: list[str]
    values: dict[str, str]


class KeyOut(Schema):
    id: int
    selector: str
    algorithm: str
    #: next, active, retired
    state: str
    #: What was last seen of its record; empty = not looked at yet.
    seen: dict[str, Any]
    created_at: str
    published_at: str | None
    retired_at: str | None


class DomainOut(Schema):
    id: int
    name: str
    proved: bool
    #: dns, word (of the administrator), ""
    proved_by: str
    checked_at: str | None
    #: A look at DNS is asked for and not done yet.
    checking: bool
    checks: dict[str, CheckOut]
    keys: list[KeyOut]
    records: list[DnsRecordOut]
    bounce_host: str


class AddressOut(Schema):
    #: 0 = known by itself: of a person or an account.
    id: int
    address: str
    #: user, account, alias, imported
    kind: str
    who: str


class AddressesAdded(Schema):
    added: int
    here: int


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _moment(value: Any) -> str | None:
    return value.isoformat(timespec="milliseconds") if value else None


def _out(domain: Domain) -> dict[str, Any]:
    return {
        "id": domain.id,
        "name": domain.name,
        "proved": domain.proved_at is not None,
        "proved_by": domain.proved_by,
        "checked_at": _moment(domain.checked_at),
        "checking": domain.asked.filter(state__in=("waiting", "running")).exists(),
        "checks": domain.checks,
        "keys": [
            {
                "id": key.id,
                "selector": key.selector,
                "algorithm": key.algorithm,
                "state": key.state,
                "seen": key.seen,
                "created_at": _moment(key.created_at),
                "published_at": _moment(key.published_at),
                "retired_at": _moment(key.retired_at),
            }
            for key in domain.keys.all()
        ],
        "records": [
            {"purpose": one.purpose, "kind": one.kind, "name": one.name, "value": one.value}
            for one in records_of(domain)
        ],
        "bounce_host": bounce_host_below(domain),
    }


def _read(request: HttpRequest, domain_id: int) -> dict[str, Any]:
    return _out(domain_visible_to(_viewer(request), domain_id))


@router.get("/domains", response={200: list[DomainOut], **problems(403)})
def domain_list(request: HttpRequest) -> list[dict[str, Any]]:
    """By name."""
    return [_out(one) for one in domains_visible_to(_viewer(request)).select_related("workspace")]


@router.post("/domains", response={201: DomainOut, **problems(400, 403, 409, 422)})
def domain_post(request: HttpRequest, body: DomainNew) -> Status[dict[str, Any]]:
    """409 DOMAIN_EXISTS, DOMAIN_TAKEN."""
    made = domain_add(viewer=_viewer(request), name=body.name)
    return Status(201, _read(request, made.id))


@router.get("/domains/{domain_id}", response={200: DomainOut, **problems(403, 404, 422)})
def domain_get(request: HttpRequest, domain_id: int) -> dict[str, Any]:
    return _read(request, domain_id)


@router.delete("/domains/{domain_id}", response={204: None, **problems(403, 404, 409, 422)})
def domain_del(request: HttpRequest, domain_id: int) -> Status[None]:
    """With its keys and addresses. 409 DOMAIN_IN_USE."""
    domain_delete(viewer=_viewer(request), domain_id=domain_id)
    return Status(204, None)


@router.post("/domains/{domain_id}/check", response={202: DomainOut, **problems(403, 404, 422)})
def domain_check(request: HttpRequest, domain_id: int) -> Status[dict[str, Any]]:
    """Have DNS looked at; `checking` is false again when it is done."""
    domain_check_ask(viewer=_viewer(request), domain_id=domain_id)
    return Status(202, _read(request, domain_id))


@router.post("/domains/{domain_id}/word", response={200: DomainOut, **problems(403, 404, 409, 422)})
def domain_vouch(request: HttpRequest, domain_id: int) -> dict[str, Any]:
    """The word of who administers the installation, where DNS is private. 409 DOMAIN_TAKEN."""
    domain_word(viewer=_viewer(request), domain_id=domain_id)
    return _read(request, domain_id)


@router.post("/domains/{domain_id}/keys", response={201: DomainOut, **problems(403, 404, 409, 422)})
def key_post(request: HttpRequest, domain_id: int) -> Status[dict[str, Any]]:
    """A new key; it signs once its record is seen. 409 KEY_WAITS."""
    key_make(viewer=_viewer(request), domain_id=domain_id)
    return Status(201, _read(request, domain_id))


@router.post(
    "/domains/{domain_id}/keys/{key_id}/use", response={200: DomainOut, **problems(403, 404, 409, 422)}
)
def key_vouch(request: HttpRequest, domain_id: int, key_id: int) -> dict[str, Any]:
    """Sign with the waiting key by the administrator's word. 409 DOMAIN_UNVERIFIED, KEY_IN_USE."""
    key_use(viewer=_viewer(request), domain_id=domain_id, key_id=key_id)
    return _read(request, domain_id)


@router.delete("/domains/{domain_id}/keys/{key_id}", response={204: None, **problems(403, 404, 409, 422)})
def key_del(request: HttpRequest, domain_id: int, key_id: int) -> Status[None]:
    """Only one that waits. 409 KEY_IN_USE."""
    key_drop(viewer=_viewer(request), domain_id=domain_id, key_id=key_id)
    return Status(204, None)


@router.put(
    "/domains/{domain_id}/bounce-host", response={200: DomainOut, **problems(400, 403, 404, 409, 422)}
)
def bounce_host_put(request: HttpRequest, domain_id: int, body: BounceHost) -> dict[str, Any]:
    """409 DOMAIN_UNVERIFIED."""
    bounce_host_set(viewer=_viewer(request), domain_id=domain_id, host=body.bounce_host)
    return _read(request, domain_id)


@router.get("/domains/{domain_id}/addresses", response={200: list[AddressOut], **problems(403, 404, 422)})
def address_list(request: HttpRequest, domain_id: int) -> list[dict[str, Any]]:
    rows = addresses_of(domain_visible_to(_viewer(request), domain_id))
    return [{"id": row.id, "address": row.address, "kind": row.kind, "who": row.who} for row in rows]


@router.post("/domains/{domain_id}/addresses", response={201: AddressesAdded, **problems(400, 403, 404, 422)})
def address_post(request: HttpRequest, domain_id: int, body: AddressesNew) -> Status[dict[str, int]]:
    """Full addresses, or what stands before the @-sign; those that are here already are counted, not refused."""
    added, here = local_addresses_add(
        viewer=_viewer(request),
        domain_id=domain_id,
        text="\n".join(" ".join(one.split()) for one in body.addresses),
        account_id=body.account_id,
        user_id=body.user_id,
    )
    return Status(201, {"added": added, "here": here})


@router.delete("/domains/{domain_id}/addresses/{address_id}", response={204: None, **problems(403, 404, 422)})
def address_del(request: HttpRequest, domain_id: int, address_id: int) -> Status[None]:
    local_address_delete(viewer=_viewer(request), domain_id=domain_id, address_id=address_id)
    return Status(204, None)
