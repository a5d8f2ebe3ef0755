"""Where mail to an address goes that the ingress is asked about: a return path of ours, a group, the office, nobody."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q
from django.utils import timezone

from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.models.account import Account, AccountKind, AccountStatus, Approval
from postroom.models.domain import Domain
from postroom.models.group import Group
from postroom.models.workspace import Workspace
from postroom.queries.matching import ingress_purpose
from postroom.queries.prepared import prepared

#: RFC 5321 section 4.5.1 and RFC 2142: addresses of every domain whose mail is taken.
OFFICE = ("postmaster", "abuse")


class Way(StrEnum):
    #: It carries a token of ours: a report, an answer, somebody who leaves.
    TOKEN = "token"
    GROUP = "group"
    #: A group, with e-mail switched off (EG-10).
    DISABLED = "disabled"
    #: A group through which nothing can leave at the moment.
    STUCK = "stuck"
    OFFICE = "office"
    #: A group that was deleted lately (EG-22), or nothing at all.
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Route:
    """group_id: of a group; workspace_id: whose it is, None where the token tells."""

    way: Way
    group_id: int = 0
    workspace_id: int | None = None


# A group and whether any account will do (`group_account`): asked for every recipient, so in one prepared statement.
_FIT = "a.deleted_at IS NULL AND a.approval IN ('', 'approved')"
_GROUP = f"""
SELECT g.id, g.workspace_id, g.email_disabled,
       EXISTS (SELECT 1 FROM postroom_account a WHERE a.id = g.account_id AND {_FIT})
    OR EXISTS (SELECT 1 FROM postroom_account a
                WHERE a.workspace_id = g.workspace_id AND a.kind = 'platform' AND a.status <> 'failing' AND {_FIT})
    OR EXISTS (SELECT 1 FROM postroom_workspace w JOIN postroom_account a ON a.id = w.notice_account_id
                WHERE w.id = g.workspace_id AND {_FIT})
  FROM postroom_group g JOIN postroom_domain d ON d.id = g.domain_id
 WHERE g.address = %(address)s AND g.deleted_at IS NULL AND d.proved_at IS NOT NULL
"""


def route_of(address: str) -> Route:
    """address: an envelope recipient, in any case."""
    if ingress_purpose(address)[1] is not None:
        return Route(Way.TOKEN)
    try:
        wanted = canonical(address)
    except BadAddress:
        return Route(Way.NOBODY)
    for group_id, workspace_id, disabled, can_send in prepared(_GROUP, {"address": wanted}):
        way = Way.GROUP if can_send else Way.STUCK
        return Route(Way.DISABLED if disabled else way, group_id, workspace_id)
    local, _, domain = wanted.partition("@")
    if local in OFFICE:
        owner = _owner(domain)
        if owner is not None:
            return Route(Way.OFFICE, workspace_id=owner)
    return Route(Way.NOBODY)


def _owner(domain: str) -> int | None:
    """The workspace that proved the domain, or whose returns go there."""
    found = Domain.objects.filter(name=domain, proved_at__isnull=False).values_list("workspace_id", flat=True)
    return found.first() or Workspace.objects.filter(bounce_host=domain).values_list("id", flat=True).first()


_USABLE = Q(deleted_at=None, approval__in=(Approval.NONE, Approval.APPROVED))


def group_account(group: Group) -> Account | None:
    """Through which account its copies leave: its own, else one over the firm's relay, else that of notices.

    None: there is none, so nothing may be taken.
    """
    if group.account is not None and _usable(group.account):
        return group.account
    relays = Account.objects.filter(
        _USABLE, workspace_id=group.workspace_id, kind=AccountKind.PLATFORM
    ).exclude(status=AccountStatus.FAILING)
    ending = f"@{group.address.rpartition('@')[2]}"
    found = sorted(relays, key=lambda one: (not one.address.lower().endswith(ending), one.id))
    if found:
        return found[0]
    notice = group.workspace.notice_account
    return notice if notice is not None and _usable(notice) else None


def _usable(account: Account) -> bool:
    return account.deleted_at is None and account.approval in (Approval.NONE, Approval.APPROVED)


def group_addresses(domain: str | None = None) -> Iterator[str]:
    """The addresses of all groups that take mail, for the maps of a mail server in front; in one domain or all."""
    found = Group.objects.filter(deleted_at=None, domain__proved_at__isnull=False, email_disabled=False)
    if domain is not None:
        found = found.filter(domain__name=domain)
    return found.order_by("address").values_list("address", flat=True).iterator()


def return_hosts() -> list[str]:
    """The hosts of return paths: all mail to them is ours."""
    hosts = Workspace.objects.exclude(bounce_host="").values_list("bounce_host", flat=True)
    return sorted(set(hosts))


def is_quarantined(address: str) -> bool:
    """Whether a group had the address until lately."""
    return Group.objects.filter(
        address=address, deleted_at__isnull=False, quarantined_until__gt=timezone.now()
    ).exists()
