"""What an account may send, read from its row, its workspace's and what was taken lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from postroom.mail.limit import SLICES, Limits, windows_of
from postroom.models.account import Account, AccountRest


def limits_of(account: Account) -> Limits:
    """account: with its workspace."""
    firm = account.workspace
    return Limits(
        windows=windows_of(
            account.per_minute, account.per_hour, account.per_day, account.per_span, account.span_minutes
        ),
        workspace_id=firm.id,
        workspace_windows=windows_of(firm.per_minute, firm.per_hour, firm.per_day),
        pause=(account.pause_every, account.pause_s),
    )


@dataclass(frozen=True, slots=True)
class Used:
    """A window and how much of it is used now. whose: "account" or "workspace"."""

    whose: str
    window_s: int
    limit: int
    used: int

    @property
    def is_full(self) -> bool:
        return self.used >= self.limit


def limits_used(accounts: Sequence[Account]) -> dict[int, list[Used]]:
    """Every limit that holds for each of these accounts, the narrowest window first; two statements for all.

    accounts: with their workspaces, all of one.
    """
    if not accounts:
        return {}
    firm = accounts[0].workspace_id
    own = _taken("postroom_limitbucket", "account_id", [account.id for account in accounts])
    shared = _taken("postroom_workspacebucket", "workspace_id", [firm])
    found = {}
    for account in accounts:
        limits = limits_of(account)
        found[account.id] = [
            *(Used("account", s, n, own.get((account.id, s), 0)) for s, n in limits.windows),
            *(Used("workspace", s, n, shared.get((firm, s), 0)) for s, n in limits.workspace_windows),
        ]
    return found


def _taken(table: str, column: str, keys: list[int]) -> dict[tuple[int, int], int]:
    """Tokens taken in the windows that end now, by (key, window)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT {column}, window_s, sum(taken) FROM {table} WHERE {column} = ANY(%s)
                 AND slice_at > extract(epoch FROM clock_timestamp()) / (window_s / {SLICES}.0) - {SLICES}
                 GROUP BY 1, 2""",
            [keys],
        )
        return {(key, window_s): int(taken) for key, window_s, taken in cursor.fetchall()}


def rests_until(accounts: Sequence[Account]) -> dict[int, datetime]:
    """The ends of the pauses owners asked for after every so many messages, by account; may lie in the past."""
    rests = AccountRest.objects.filter(account__in=accounts, until__isnull=False)
    return {account_id: until for account_id, until in rests.values_list("account_id", "until") if until}
