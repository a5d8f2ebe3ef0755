"""Claiming and loading: half of the writes that keep "nothing lost, nothing doubled" (DESIGN section 4).

Every write of a delivery worker names the shard, its epoch and its step. A worker whose shard was claimed by another
finds no row and can write nothing. The states and the lettered crash windows are drawn in docs/message-states.md.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from postroom.actions.doubt import doubt_note
from postroom.actions.journal import journal_read
from postroom.actions.webhook_tell import copies_tell, states_tell
from postroom.queries.prepared import prepared
from postroom.queries.suppression_check import SUPPRESSED


@dataclass(frozen=True, slots=True)
class Claim:
    """A shard held by this worker. delivery_ids: None for a range of positions beginning at `first`."""

    shard_id: int
    epoch: int
    step: int
    workspace_id: int
    account_id: int
    campaign_id: int | None
    first: int
    size: int
    mark: int
    delivery_ids: list[int] | None
    #: A webhook is told what becomes of these.
    is_told: bool = False


@dataclass(slots=True)  # not frozen: that would double its cost
class Row:
    """A delivery as loaded for one try. index: its place in the shard, 0-based. suppressed: a skip reason or ""."""

    index: int
    id: int
    address: str
    canonical: str
    name: str
    fields: dict[str, Any]
    state: str
    attempts: int
    queued_at: datetime
    message_id: int | None
    suppressed: str


# What is claimed is chosen in a WITH: as a part of the join it may be asked again for every row, each time finding the
# next shard, since one that this statement has changed is passed over. Nobody would work on those.
_CLAIM = """
WITH was AS MATERIALIZED (
   SELECT s.id, s.worker
     FROM postroom_shard s
     JOIN postroom_account a ON a.id = s.account_id
     LEFT JOIN postroom_campaign c ON c.id = s.campaign_id
    WHERE NOT s.is_done AND s.ready_at <= clock_timestamp()
      AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
      AND (c.id IS NULL OR c.state = 'running')
      AND a.deleted_at IS NULL AND a.status <> 'failing' AND a.approval IN ('', 'approved')
      AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
      AND NOT (coalesce(s.campaign_id, -s.account_id) = ANY(%(busy)s))
    ORDER BY s.ready_at, s.id
    LIMIT 1
    FOR UPDATE OF s SKIP LOCKED)
UPDATE postroom_shard s
   SET worker = %(worker)s, epoch = epoch + 1, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
  FROM was
 WHERE s.id = was.id
RETURNING was.worker,
  s.id, s.epoch, s.step, s.workspace_id, s.account_id, s.campaign_id, s.first, s.size, s.mark, s.delivery_ids,
  EXISTS (SELECT 1 FROM postroom_webhook w WHERE w.workspace_id = s.workspace_id AND w.is_on
    AND (s.campaign_id IS NULL OR EXISTS (SELECT 1 FROM unnest(w.events) e WHERE starts_with(e, 'campaign.'))))
"""


@transaction.atomic
def shard_claim(*, worker: str, lease: timedelta, busy: Sequence[int]) -> Claim | None:
    """Take the oldest open shard nobody holds; None when there is none.

    busy: campaign ids (or minus the account id, for single messages) this worker already has a lane for.
    Rows that a dead worker left in doubt become `uncertain` here, in the claiming transaction; what its journal says
    it never began waits for another try, and what the server had taken is accepted.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"worker": worker, "lease": lease.total_seconds(), "busy": list(busy)})
        found = cursor.fetchone()
        if found is None:
            return None
        claim = Claim(*found[1:])
        if claim.mark and claim.epoch > 1:
            doubtful = doubt_note(cursor, claim, journal_read(found[0]))
            if claim.is_told:
                states_tell(doubtful)
                if claim.campaign_id is None:
                    copies_tell(doubtful)
    return claim


_json = json.JSONDecoder().raw_decode
_moment = datetime.fromtimestamp
_COLUMNS = """d.id, d.address, d.canonical, d.name, d.fields::text, d.state, d.attempts,
       extract(epoch FROM coalesce(d.queued_at, d.state_at, now()))::float8, d.message_id, coalesce(sup.reason, '')"""
_LOAD_RANGE = f"""
SELECT d.position - %(first)s::int, {_COLUMNS}
  FROM postroom_delivery d
  JOIN postroom_campaign c ON c.id = d.campaign_id
  {SUPPRESSED}
 WHERE d.campaign_id = %(campaign)s
   AND d.position >= %(first)s::int + %(begin)s::int AND d.position < %(first)s::int + %(end)s::int
   AND d.state = 'queued' AND d.retry_at IS NULL AND d.retry_shard = 0
 ORDER BY d.position
"""
_LOAD_LIST = f"""
SELECT ids.n - 1 + %(begin)s::int, {_COLUMNS}
  FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS ids(id, n)
  JOIN postroom_delivery d ON d.id = ids.id
  LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
  {SUPPRESSED}
 WHERE d.retry_shard = %(shard)s AND d.state IN ('queued', 'deferred') AND d.retry_at IS NULL
 ORDER BY ids.n
"""


def shard_load(claim: Claim, begin: int, end: int) -> list[Row]:
    """The rows of the shard from `begin` to before `end` that wait for a try, with the suppression check."""
    values: dict[str, Any] = {"workspace": claim.workspace_id, "begin": begin}
    if claim.delivery_ids is None:
        end = min(end, claim.size)
        values |= {"campaign": claim.campaign_id, "first": claim.first, "end": end}
        rows = prepared(_LOAD_RANGE, values)
    else:
        values |= {"ids": claim.delivery_ids[begin:end], "shard": claim.shard_id}
        rows = prepared(_LOAD_LIST, values)
    return [
        Row(
            at,
            id,
            address,
            canonical,
            name,
            _json(fields)[0],
            state,
            tries,
            _moment(queued, UTC),
            message,
            reason,
        )
        for at, id, address, canonical, name, fields, state, tries, queued, message, reason in rows
    ]


def shard_recheck(claim: Claim, rows: Sequence[Row]) -> dict[int, str]:
    """Delivery id -> skip reason, for rows loaded more than a moment ago (DESIGN 4.4)."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT d.id, sup.reason FROM postroom_delivery d
                LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
                {SUPPRESSED} WHERE d.id = ANY(%(ids)s) AND sup.reason IS NOT NULL""",
            {"ids": [row.id for row in rows], "workspace": claim.workspace_id},
        )
        return dict(cursor.fetchall())


def leases_renew(*, worker: str, lease: timedelta, shard_ids: Sequence[int]) -> None:
    """Keep what this worker works on for another lease, and say that it lives. A lease that ran out stays lost.

    shard_ids: those it has a lane for. One claimed in a commit whose answer was lost is not among them and goes free.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_shard SET lease_until = clock_timestamp() + make_interval(secs => %s)"
            " WHERE worker = %s AND id = ANY(%s) AND NOT is_done AND lease_until > clock_timestamp()",
            [lease.total_seconds(), worker, list(shard_ids)],
        )
        cursor.execute(
            "UPDATE postroom_connectionlease SET lease_until = clock_timestamp() + make_interval(secs => %s)"
            " WHERE worker = %s AND lease_until > clock_timestamp()",
            [lease.total_seconds(), worker],
        )
        cursor.execute(
            "INSERT INTO postroom_worker (name, started_at, seen_until)"
            " VALUES (%s, clock_timestamp(), clock_timestamp() + make_interval(secs => %s))"
            " ON CONFLICT (name) DO UPDATE SET seen_until = excluded.seen_until",
            [worker, lease.total_seconds()],
        )
