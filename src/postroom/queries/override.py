"""Which details of a contact an account takes its sender and its addressee from."""

from postroom.mail.override import Overrides
from postroom.models.account import Account
from postroom.models.domain import Domain


def overrides_of(account: Account) -> Overrides:
    """Only what is switched on: hidden values are kept on the account and do nothing (SA-07)."""
    domains: frozenset[str] = frozenset()
    if account.override_from:
        proved = Domain.objects.filter(workspace_id=account.workspace_id, proved_at__isnull=False)
        domains = frozenset(proved.values_list("name", flat=True))
    return Overrides(
        from_address=account.override_from_address if account.override_from else "",
        from_name=account.override_from_name if account.override_from else "",
        to_address=account.override_to_address if account.override_to else "",
        to_name=account.override_to_name if account.override_to else "",
        domains=domains,
    )
