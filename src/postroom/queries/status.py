"""The state of the mailer (CM-50, CM-54): what goes out a minute, what waits, and how each mailbox is read.

No figure counts deliveries: minutes and shards are counters, the rest are looks into an index, each with an end.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from postroom.models.account import REFUSALS, Account, Collector
from postroom.models.campaign import CampaignState
from postroom.models.profile import Right
from postroom.queries.account import AccountRow, account_rows, accounts_visible_to
from postroom.queries.limit import Used, limits_used
from postroom.queries.message import unmatched_visible_to
from postroom.queries.viewer import Viewer, demand

#: Accounts on one page and in one answer; beyond this a figure says "and more".
ACCOUNTS, MOST = 200, 1000
#: The picture: so many hours, one point for so many minutes.
HOURS, STEP_MINUTES = 6, 4
#: Who asked for a mailbox sees it as being read that long, until the sync daemon has begun.
ASKED = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """How the mailbox of an account is read.

    state: none (it has no reading side), off, auth_failed (off, or waiting, because the login was refused), syncing
    (taken of to_take; 0 of 0 = just begun), ok (new mails at last_at), error (code and words since, next try), idle
    (switched on, not read yet).
    """

    state: str
    is_on: bool = False
    taken: int = 0
    to_take: int = 0
    last_at: datetime | None = None
    last_new: int = 0
    new_today: int = 0
    code: str = ""
    words: str = ""
    since: datetime | None = None
    next_at: datetime | None = None
    #: Who switched it last, and when; told: who was told that it switched itself off.
    by: str = ""
    switched_at: datetime | None = None
    told: str = ""


@dataclass(frozen=True, slots=True)
class StatusRow:
    """used: the limit that is nearest to its end, None = no limit; minute: accepted in the last whole minute."""

    row: AccountRow
    used: Used | None
    minute: int
    reading: Reading
    folders: list["Folder"] = field(default_factory=list)

    @property
    def account(self) -> Account:
        return self.row.account


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a mailbox that is read whole."""

    name: str
    reading: Reading


@dataclass(frozen=True, slots=True)
class Now:
    """waiting: handed to sending and not begun; deferred: to be tried again, the first at next_at. MOST = or more."""

    waiting: int
    deferred: int
    next_at: datetime | None
    uncertain: int
    #: The only campaign that has uncertain ones, or None.
    uncertain_campaign: int | None
    unmatched: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """Messages a minute, one figure for STEP_MINUTES minutes, the oldest first; `at` are their beginnings."""

    at: list[datetime]
    accepted: list[float]
    deferred: list[float]


def mailer_status(viewer: Viewer) -> tuple[list[StatusRow], Now, Minutes]:
    """Everything the status page shows but the log. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    accounts = list(accounts_visible_to(viewer).prefetch_related("collectors__switched_by")[:ACCOUNTS])
    return status_rows(viewer, accounts), now_of(viewer), minutes_of(accounts)


def mailboxes_of(viewer: Viewer) -> list[tuple[Account, Reading]]:
    """Accounts whose mailbox is read, or was until its login was refused, with how it went."""
    accounts = accounts_visible_to(viewer).exclude(imap_host="").prefetch_related("collectors__switched_by")
    found = [(account, reading_of(account)) for account in accounts[:ACCOUNTS]]
    return [(account, reading) for account, reading in found if reading.state not in ("none", "off")]


def status_rows(viewer: Viewer, accounts: Sequence[Account]) -> list[StatusRow]:
    """accounts: ones the viewer sees, all of the workspace."""
    used, minutes = limits_used(accounts), _last_minute(accounts)
    return [
        StatusRow(
            row,
            _nearest(used.get(row.account.id, [])),
            minutes.get(row.account.id, 0),
            reading_of(row.account),
            _folders(row.account),
        )
        for row in account_rows(viewer, accounts)
    ]


def _nearest(used: Iterable[Used]) -> Used | None:
    """The limit that is fullest; of equal ones the narrowest."""
    return max(used, key=lambda one: (one.used / one.limit, -one.window_s), default=None)


def _last_minute(accounts: Sequence[Account]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT account_id, sum(accepted) FROM postroom_sendingminute
                WHERE account_id = ANY(%s) AND minute_at = date_trunc('minute', now()) - interval '1 minute'
                GROUP BY 1""",
            [[account.id for account in accounts]],
        )
        return {account_id: int(accepted) for account_id, accepted in cursor.fetchall()}


def _there(account: Account) -> list[Collector]:
    """Folders that are read, the first one of the account first."""
    there = (one for one in account.collectors.all() if one.gone_at is None and one.is_wanted)
    return sorted(there, key=lambda one: one.id)


def _folders(account: Account) -> list[Folder]:
    there = _there(account)
    if len(there) < 2:
        return []
    return [Folder(one.title or one.folder, _of_one(one)) for one in there]


def reading_of(account: Account) -> Reading:
    """Of all folders together: what is being read comes first, then trouble."""
    there = _there(account)
    if not account.imap_host or not there:
        return Reading("none")
    found = [_of_one(one) for one in there]
    syncing = [one for one in found if one.state == "syncing"]
    if len(syncing) > 1:
        head = syncing[0]
        sums = {name: sum(getattr(one, name) for one in syncing) for name in ("taken", "to_take")}
    else:
        order = ("syncing", "auth_failed", "error", "ok", "idle", "off")
        head = min(found, key=lambda one: order.index(one.state))
        sums = {"taken": head.taken, "to_take": head.to_take}
    last = max((one for one in found if one.last_at), key=lambda one: str(one.last_at), default=None)
    return Reading(
        state=head.state,
        is_on=any(one.is_on for one in found),
        last_at=last.last_at if last else None,
        last_new=sum(one.last_new for one in found),
        new_today=sum(one.new_today for one in found),
        code=head.code,
        words=head.words,
        since=head.since,
        next_at=head.next_at,
        by=head.by,
        switched_at=head.switched_at,
        told=head.told,
        **sums,
    )


def _of_one(one: Collector) -> Reading:
    state = "ok" if one.last_ok_at else "idle"
    if one.refusals and one.error_code and (one.refusals >= REFUSALS or one.is_on):
        state = "auth_failed"
    elif not one.is_on:
        state = "off"
    elif one.error_code:
        state = "error"
    if one.is_on and _is_read(one):
        state = "syncing"
    return Reading(
        state=state,
        is_on=one.is_on,
        taken=one.taken,
        to_take=one.to_take,
        last_at=one.last_ok_at,
        last_new=one.last_new,
        new_today=one.day_new if one.day == timezone.localdate() else 0,
        code=one.error_code,
        words=one.error,
        since=one.error_since,
        next_at=one.next_run_at if one.is_on else None,
        by=str(one.switched_by) if one.switched_by else "",
        switched_at=one.switched_at,
        told=one.told_to,
    )


def _is_read(one: Collector) -> bool:
    """It is being read, or somebody has just asked for it."""
    now = timezone.now()
    if one.begun_at and one.lease_until and one.lease_until > now:
        return True
    return one.next_run_at is None and one.asked_at is not None and one.asked_at > now - ASKED


_WAITING = """
SELECT coalesce(sum(greatest(s.size - s.mark, 0)), 0)
  FROM postroom_shard s LEFT JOIN postroom_campaign c ON c.id = s.campaign_id
 WHERE NOT s.is_done AND s.workspace_id = %(workspace)s AND (c.id IS NULL OR c.state = ANY(%(going)s))
"""
# For campaigns and for single messages each a look into an index that begins with the campaign.
_OF_CAMPAIGNS = """
  FROM (SELECT id FROM postroom_campaign WHERE workspace_id = %(workspace)s AND deleted_at IS NULL
           AND state <> 'draft' ORDER BY id DESC LIMIT 500) AS c"""
_TROUBLE = f"""
SELECT c.id, found.n {_OF_CAMPAIGNS}, LATERAL (
    SELECT count(*) AS n FROM (
        SELECT FROM postroom_delivery d WHERE d.campaign_id = c.id AND d.trouble = %(trouble)s LIMIT {MOST}
    ) AS few) AS found WHERE found.n > 0
UNION ALL
SELECT NULL, count(*) FROM (
    SELECT FROM postroom_delivery d
     WHERE d.campaign_id IS NULL AND d.trouble = %(trouble)s AND d.workspace_id = %(workspace)s LIMIT {MOST}
  ) AS few HAVING count(*) > 0
"""
_NEXT = f"""
SELECT min(at) FROM (
  SELECT found.at {_OF_CAMPAIGNS}, LATERAL (
    SELECT d.retry_at AS at FROM postroom_delivery d
     WHERE d.campaign_id = c.id AND d.retry_at IS NOT NULL ORDER BY d.retry_at LIMIT 1) AS found
  UNION ALL
  (SELECT d.retry_at FROM postroom_delivery d
    WHERE d.campaign_id IS NULL AND d.retry_at IS NOT NULL AND d.workspace_id = %(workspace)s
    ORDER BY d.retry_at LIMIT 1)) AS firsts
"""


def now_of(viewer: Viewer) -> Now:
    """What waits in the whole workspace. Each figure has an end: MOST means "or more"."""
    going = [CampaignState.RUNNING, CampaignState.WAITING_FOR_SLOT]
    values: dict[str, Any] = {"workspace": viewer.workspace.id, "going": [str(one) for one in going]}
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, values)
        waiting = int(cursor.fetchone()[0])
        cursor.execute(_TROUBLE, {**values, "trouble": "deferred"})
        deferred = sum(n for _, n in cursor.fetchall())
        next_at = None
        if deferred:
            cursor.execute(_NEXT, values)
            next_at = cursor.fetchone()[0]
        cursor.execute(_TROUBLE, {**values, "trouble": "uncertain"})
        uncertain = cursor.fetchall()
    campaigns = [campaign_id for campaign_id, _ in uncertain]
    return Now(
        waiting=waiting,
        deferred=deferred,
        next_at=next_at,
        uncertain=sum(n for _, n in uncertain),
        uncertain_campaign=campaigns[0] if len(campaigns) == 1 else None,
        unmatched=unmatched_visible_to(viewer).order_by()[:MOST].count(),
    )


def minutes_of(accounts: Sequence[Account]) -> Minutes:
    """The last HOURS, minutes without any message too."""
    step_s = STEP_MINUTES * 60
    # counted back from the end of this minute: the newest point is no half step
    end = (int(timezone.now().timestamp()) // 60 + 1) * 60
    begin = end - HOURS * 3600
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT floor((extract(epoch FROM minute_at) - %(begin)s) / %(step)s)::bigint,
                      sum(accepted), sum(deferred)
                 FROM postroom_sendingminute
                WHERE account_id = ANY(%(accounts)s) AND minute_at >= to_timestamp(%(begin)s)
                GROUP BY 1""",
            {"step": step_s, "accounts": [account.id for account in accounts], "begin": begin},
        )
        found = {int(at): (int(accepted), int(deferred)) for at, accepted, deferred in cursor.fetchall()}
    moments = range(begin, end, step_s)
    sums = {at: found.get(number, (0, 0)) for number, at in enumerate(moments)}
    return Minutes(
        at=[datetime.fromtimestamp(at, timezone.get_current_timezone()) for at in moments],
        accepted=[sums[at][0] / STEP_MINUTES for at in moments],
        deferred=[sums[at][1] / STEP_MINUTES for at in moments],
    )
