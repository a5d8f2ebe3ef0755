"""Addresses known to exist in one of our domains: aliases of accounts and people, names from the firm's server."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import BadAddress, InputError, NotFound
from postroom.mail.address import canonical
from postroom.models.domain import AddressKind, Domain, LocalAddress
from postroom.queries.account import accounts_visible_to
from postroom.queries.domain import domain_visible_to
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import Viewer

#: In one go.
MOST = 5000


@transaction.atomic
def local_addresses_add(
    *, viewer: Viewer, domain_id: int, text: str, account_id: int = 0, user_id: int = 0
) -> tuple[int, int]:
    """Addresses, one a line, with or without @domain. With an account or a person they are its aliases.

    Returns how many are new and how many were here. Raises NotFound, NotAllowed, InputError naming the line.
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
