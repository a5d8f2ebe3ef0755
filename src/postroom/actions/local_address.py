"""Addresses known to exist in one of our domains: aliases of accounts and people, names from the firm's server.

A group's address is never one of them, and what happens to them happens to their places in groups (EG-02, EG-21).
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import BadAddress, Conflict, InputError, NotFound
from postroom.mail.address import canonical
from postroom.models.account import Account
from postroom.models.domain import AddressKind, Domain, LocalAddress
from postroom.models.group import Group, GroupMember
from postroom.models.user import User
from postroom.queries.account import accounts_visible_to
from postroom.queries.domain import domain_for, domain_visible_to
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer

#: In one go.
MOST = 5000


@transaction.atomic
def local_addresses_add(
    *, viewer: Viewer, domain_id: int, text: str, account_id: int = 0, user_id: int = 0
) -> tuple[int, int]:
    """Addresses, one a line, with or without @domain. With an account or a person they are its aliases.

    Returns how many are new and how many were here. Raises NotFound, NotAllowed, InputError naming the line,
    Conflict NAME_TAKEN for the address of a group.
    """
    domain = domain_visible_to(viewer, domain_id, lock=True)
    lines = [line.strip().strip(",;") for line in text.splitlines()]
    wanted = list(dict.fromkeys(_address(line, domain) for line in lines if line))
    if not wanted:
        raise InputError(_("Write at least one address."), field="addresses")
    if len(wanted) > MOST:
        raise InputError(_("At most %(n)s addresses at a time.") % {"n": MOST}, field="addresses")
    account = accounts_visible_to(viewer).filter(id=account_id).first() if account_id else None
    user = next((one for one in users_visible_to(viewer) if one.id == user_id), None) if user_id else None
    if (account_id and account is None) or (user_id and user is None):
        raise InputError(_("There is nobody of this name here."), field="owner")
    refuse_groups(wanted, "addresses")
    here = set(
        LocalAddress.objects.filter(workspace=viewer.workspace, address__in=wanted).values_list(
            "address", flat=True
        )
    )
    kind = AddressKind.ALIAS if account or user else AddressKind.IMPORTED
    LocalAddress.objects.bulk_create(
        [
            LocalAddress(
                workspace=viewer.workspace, domain=domain, address=one, kind=kind, account=account, user=user
            )
            for one in wanted
            if one not in here
        ],
        ignore_conflicts=True,
    )
    added = len(wanted) - len(here)
    if added:
        _known_now(viewer.workspace.id, wanted)
        audit(viewer, "added addresses", "domain", domain.id, count=added)
    return added, len(here)


def _address(line: str, domain: Domain) -> str:
    try:
        found = canonical(line if "@" in line else f"{line}@{domain.name}")
    except BadAddress as error:
        raise InputError(f"{line[:80]}: {error.message}", field="addresses") from error
    if found.rpartition("@")[2] != domain.name:
        raise InputError(
            _("%(address)s is not in %(domain)s.") % {"address": found[:80], "domain": domain.name},
            field="addresses",
        )
    return found


@transaction.atomic
def local_address_delete(*, viewer: Viewer, domain_id: int, address_id: int) -> str:
    """The address that went. Raises NotFound, NotAllowed."""
    domain = domain_visible_to(viewer, domain_id)
    row = LocalAddress.objects.filter(id=address_id, domain=domain).first()
    if row is None:
        raise NotFound("There is no such address.")
    row.delete()
    audit(viewer, "deleted an address", "domain", domain.id, address=row.address)
    return row.address


def refuse_groups(addresses: Collection[str], field: str = "address") -> None:
    """addresses: canonical. Raises Conflict NAME_TAKEN (details: by) where a group has one, or had it until lately."""
    kept = Q(deleted_at=None) | Q(quarantined_until__gt=timezone.now())
    group = Group.objects.filter(kept, address__in=addresses).order_by("address").first()
    if group is not None:
        words = _("%(address)s is the address of a group.")
        if group.deleted_at:
            words = _("A group had the address %(address)s until lately; it stays free for 30 days.")
        raise Conflict(
            words % {"address": group.address},
            code="NAME_TAKEN",
            field=field,
            details={"by": "quarantine" if group.deleted_at else "group"},
        )


def _known_now(workspace_id: int, addresses: Collection[str]) -> None:
    """Members that were strangers until now turn out to be addresses of ours."""
    rows = LocalAddress.objects.filter(workspace=workspace_id, address__in=addresses)
    ids = dict(rows.values_list("address", "id"))
    members = GroupMember.objects.filter(group__workspace=workspace_id, address__in=ids)
    found = list(members.filter(local_address=None, subgroup=None))
    for member in found:
        member.local_address_id = ids[member.address]
    GroupMember.objects.bulk_update(found, ["local_address"], batch_size=1000)


def account_moved(account: Account, was: str) -> None:
    """The account's address changed: its places in groups follow it. was: the address before."""
    before, after = canonical(was), canonical(account.address)
    row = LocalAddress.objects.filter(account=account, kind=AddressKind.ACCOUNT, address=before).first()
    if before == after or row is None or _handed_on(row):
        return
    moved = GroupMember.objects.filter(local_address=row)
    known = LocalAddress.objects.filter(workspace=account.workspace_id, address=after).first()
    doubles = GroupMember.objects.filter(address=after).values("group")
    moved.filter(group__in=doubles).delete()
    moved.update(address=after, local_address=known)
    domain = domain_for(account.workspace_id, after.rpartition("@")[2])
    if known is None and domain is not None:
        row.address, row.domain = after, domain
        row.save(update_fields=["address", "domain"])
        GroupMember.objects.filter(
            group__workspace=account.workspace_id, address=after, subgroup=None
        ).update(local_address=row)
        return
    if known is not None and known.kind == AddressKind.IMPORTED:
        known.kind, known.account = AddressKind.ACCOUNT, account
        known.save(update_fields=["kind", "account"])
    row.delete()


def account_gone(viewer: Viewer, account: Account) -> None:
    """The account is deleted: its addresses leave all groups."""
    _gone(viewer, LocalAddress.objects.filter(account=account))


def person_gone(viewer: Viewer, user: User) -> None:
    """The person left the workspace: their addresses leave its groups."""
    _gone(viewer, LocalAddress.objects.filter(workspace=viewer.workspace, user=user))


def _gone(viewer: Viewer, rows: "QuerySet[LocalAddress]") -> None:
    for row in rows:
        if _handed_on(row):
            continue
        for member in row.group_members.select_related("group"):
            audit(
                viewer,
                "removed members",
                "group",
                member.group_id,
                name=member.group.address,
                count=1,
                members=[member.address],
            )
        row.delete()


def _handed_on(row: LocalAddress) -> bool:
    """Whether the address goes on existing because somebody else here has it too; the row is theirs then."""
    if row.kind not in (AddressKind.USER, AddressKind.ACCOUNT):
        return False
    accounts = Account.objects.filter(
        workspace=row.workspace_id, deleted_at=None, address__iexact=row.address
    )
    account = accounts.exclude(id=row.account_id or 0).order_by("id").first()
    users = User.objects.filter(email=row.address, memberships__workspace=row.workspace_id)
    user = users.exclude(id=row.user_id or 0).first() if account is None else None
    if account is None and user is None:
        return False
    row.account, row.user = account, user
    row.kind = AddressKind.ACCOUNT if account else AddressKind.USER
    row.save(update_fields=["account", "user", "kind"])
    return True
