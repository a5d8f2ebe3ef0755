"""Reading domains: what a workspace has added, which of them are proved, and the records to publish."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.db.models import Prefetch, QuerySet

from postroom.errors import NotFound
from postroom.mail.dns_records import PROOF_LABEL, below, dkim_record
from postroom.mail.spf import with_server
from postroom.models.account import Account, AccountKind
from postroom.models.domain import AddressKind, DkimKey, Domain, LocalAddress
from postroom.models.profile import Right
from postroom.models.user import User
from postroom.models.workspace import Instance
from postroom.queries.user import instance_url
from postroom.queries.viewer import Viewer, demand

#: How long the record of a retired key stays published: mail signed with it may be on its way.
KEEP_RETIRED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Record:
    """A line for DNS. purpose: proof, spf, dkim, dmarc, bounce_mx or bounce_spf; value: without quotes."""

    purpose: str
    kind: str
    name: str
    value: str


def domains_visible_to(viewer: Viewer) -> "QuerySet[Domain]":
    """By name. Raises NotAllowed."""
    demand(viewer, Right.DOMAINS_MANAGE)
    keys = Prefetch("keys", DkimKey.objects.defer("private_key").order_by("-id"))
    return Domain.objects.filter(workspace=viewer.workspace).prefetch_related(keys).order_by("name")


def domain_visible_to(viewer: Viewer, domain_id: int, *, lock: bool = False) -> Domain:
    """Raises NotFound, NotAllowed."""
    found = domains_visible_to(viewer).select_related("workspace").filter(id=domain_id)
    domain = (found.select_for_update(of=("self",)) if lock else found).first()
    if domain is None:
        raise NotFound("There is no such domain.")
    return domain


def domains_proved(workspace_id: int) -> list[str]:
    """The names this workspace has proved."""
    found = Domain.objects.filter(workspace_id=workspace_id, proved_at__isnull=False)
    return list(found.values_list("name", flat=True))


def domain_for(workspace_id: int, name: str) -> Domain | None:
    """The proved domain that stands for a name after the @-sign: itself or the nearest above; None = not this
    workspace's."""
    nearest = _nearest(name)
    return nearest if nearest is not None and nearest.workspace_id == workspace_id else None


def proved_elsewhere(workspace_id: int, name: str) -> bool:
    """Whether a name stands below a domain that another workspace has proved."""
    nearest = _nearest(name)
    return nearest is not None and nearest.workspace_id != workspace_id


def _nearest(name: str) -> Domain | None:
    labels = name.lower().split(".")
    names = [".".join(labels[begin:]) for begin in range(len(labels) - 1)]
    found = Domain.objects.filter(name__in=names, proved_at__isnull=False)
    return max(found, key=lambda domain: len(domain.name), default=None)


def address_is_ours(workspace_id: int, address: str) -> bool:
    """Whether an address lies in a domain this workspace has proved."""
    return domain_for(workspace_id, address.rpartition("@")[2]) is not None


def key_of(domain: Domain, state: str) -> DkimKey | None:
    return next((key for key in domain.keys.all() if key.state == state), None)


def public_host() -> str:
    """The name under which this installation is reached; "" when it has none that others could use."""
    host = urlsplit(instance_url()).hostname or ""
    return host if is_public_name(host) else ""


def is_public_name(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return "." in host and not host.endswith((".localhost", ".local", ".internal"))
    return False


def sending_hosts() -> list[str]:
    """Names and global addresses our relay may appear under, for SPF; [] = the relay stands where nobody sees it."""
    instance = Instance.objects.filter(id=1).first()
    if instance is None or not instance.relay_host:
        return []
    try:
        known = [instance.relay_host] if ip_address(instance.relay_host).is_global else []
    except ValueError:
        known = [instance.relay_host] if is_public_name(instance.relay_host) else []
    return known or [host for host in (public_host(),) if host]


def records_of(domain: Domain) -> list[Record]:
    """What to publish, in the order to do it; an SPF record that stands is completed, not replaced."""
    hosts = sending_hosts()
    standing = (domain.checks.get("spf") or {}).get("found") or [""]
    rows = [
        Record("proof", "TXT", f"{PROOF_LABEL}.{domain.name}", domain.token),
        Record("spf", "TXT", domain.name, with_server(str(standing[0]), hosts)),
    ]
    rows += [
        Record("dkim", "TXT", f"{key.selector}._domainkey.{domain.name}", dkim_record(key.public_key))
        for key in reversed(domain.keys.all())
        if key.state != DkimKey.State.RETIRED
    ]
    rows.append(
        Record(
            "dmarc", "TXT", f"_dmarc.{domain.name}", f"v=DMARC1; p=none; rua=mailto:postmaster@{domain.name}"
        )
    )
    bounce_host = bounce_host_below(domain)
    if bounce_host:
        rows.append(
            Record("bounce_mx", "MX", bounce_host, f"10 {public_host() or 'postroom.' + domain.name}.")
        )
        rows.append(Record("bounce_spf", "TXT", bounce_host, with_server("", hosts)))
    return rows


def bounce_host_below(domain: Domain) -> str:
    """The workspace's bounce host where it lies below this domain, else ""."""
    host = domain.workspace.bounce_host
    return host if below(host, [domain.name]) else ""


@dataclass(frozen=True, slots=True)
class AddressRow:
    """id: of the stored row, 0 for one that is there by itself. who: a person or an account, "" = nobody."""

    address: str
    kind: str
    who: str
    id: int = 0


def addresses_of(domain: Domain) -> list[AddressRow]:
    """What is known in the domain: people's and accounts' own addresses, aliases and imported names; by address."""
    ending = f"@{domain.name}"
    workspace = domain.workspace
    rows: dict[str, AddressRow] = {}
    people = User.objects.filter(memberships__workspace=workspace, is_active=True, email__iendswith=ending)
    for user in people.distinct():
        rows[user.email] = AddressRow(user.email, AddressKind.USER, str(user))
    accounts = Account.objects.filter(workspace=workspace, deleted_at=None, address__iendswith=ending)
    for account in accounts.order_by("-id"):
        rows[account.address.lower()] = AddressRow(account.address, AddressKind.ACCOUNT, account.name)
    for one in LocalAddress.objects.filter(domain=domain).select_related("user", "account"):
        who = str(one.account or one.user or "")
        rows.setdefault(one.address, AddressRow(one.address, one.kind, who, one.id))
    return [rows[address] for address in sorted(rows)]


def gone_at(key: DkimKey) -> datetime | None:
    """From when on the record of a retired key may be taken out of DNS."""
    return key.retired_at + KEEP_RETIRED if key.retired_at else None


def signed_by_us(account: Account) -> bool:
    """Whether mail of this account leaves with our signature: it goes over our relay, and its domain has a key."""
    if account.kind != AccountKind.PLATFORM:
        return False
    domain = domain_for(account.workspace_id, account.address.rpartition("@")[2])
    return domain is not None and domain.keys.filter(state=DkimKey.State.ACTIVE).exists()


@dataclass(frozen=True, slots=True)
class SigningKey:
    domain: str
    selector: str
    private_key: str


def signing_keys(workspace_id: int) -> list[SigningKey]:
    """The active keys of the workspace's proved domains."""
    keys: Iterable[DkimKey] = DkimKey.objects.filter(
        domain__workspace_id=workspace_id,
        domain__proved_at__isnull=False,
        state=DkimKey.State.ACTIVE,
    ).select_related("domain")
    return [SigningKey(key.domain.name, key.selector, key.private_key) for key in keys]
