"""What an account may send, read from its row, its workspace's and what was taken lately."""

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


def limits_used(account: Account) -> list[Used]:
    """Every limit that holds for this account, the narrowest window first."""
    limits = limits_of(account)
    asked = [("account", account.id, *window) for window in limits.windows]
    asked += [("workspace", limits.workspace_id, *window) for window in limits.workspace_windows]
    found = []
    with connection.cursor() as cursor:
        for whose, key, window_s, limit in asked:
            table, column = (
                ("postroom_limitbucket", "account_id")
                if whose == "account"
                else ("postroom_workspacebucket", "workspace_id")
            )
            cursor.execute(
                f"""SELECT coalesce(sum(taken), 0) FROM {table} WHERE {column} = %s AND window_s = %s
                     AND slice_at > extract(epoch FROM clock_timestamp()) / (window_s / {SLICES}.0) - {SLICES}""",
                [key, window_s],
            )
            found.append(Used(whose, window_s, limit, int(cursor.fetchone()[0])))
    return found


def rests_until(account: Account) -> datetime | None:
    """The end of the pause its owner asked for after every so many messages; may lie in the past."""
    return AccountRest.objects.filter(account=account).values_list("until", flat=True).first()
