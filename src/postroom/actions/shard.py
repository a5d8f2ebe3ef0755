"""Claiming, marking and recording: the writes that keep "nothing lost, nothing doubled" (DESIGN section 4).

Every write of a delivery worker names the shard, its epoch and its step. A worker whose shard was claimed by another
finds no row and can write nothing. The states and the lettered crash windows are drawn in docs/message-states.md.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from postroom.actions.notify import SHARD, notify
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


@dataclass(frozen=True, slots=True)
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


@dataclass(slots=True)
class Result:
    """What is to be recorded of one delivery.

    state:    accepted, deferred, failed, uncertain, skipped, or "back" (never started: waits as it was).
    retry_at: for deferred and back.
    counted:  this was a try.
    gone:     the address does not exist: it is suppressed.
    doubt:    the final dot may have gone out, whatever is done about it.
    """

    delivery_id: int
    was: str
    state: str
    at: datetime
    code: int = 0
    words: str = ""
    reason: str = ""
    bounce_class: str = ""
    stage: str = ""
    retry_at: datetime | None = None
    dsn_requested: bool = False
    counted: bool = True
    gone: bool = False
    doubt: bool = False


#: Filled by _counts(); the columns of postroom_shard that count.
COUNTED = ("accepted", "failed", "deferred", "uncertain", "skipped")

_CLAIM = """
UPDATE postroom_shard s
   SET worker = %(worker)s, epoch = epoch + 1, lease_until = clock_timestamp() + make_interval(secs => %(lease)s)
 WHERE s.id = (
   SELECT s.id
     FROM postroom_shard s
     JOIN postroom_account a ON a.id = s.account_id
     LEFT JOIN postroom_campaign c ON c.id = s.campaign_id
    WHERE NOT s.is_done AND s.ready_at <= clock_timestamp()
      AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
      AND (c.id IS NULL OR c.state = 'running')
      AND a.deleted_at IS NULL AND a.status <> 'failing'
      AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
      AND NOT (coalesce(s.campaign_id, -s.account_id) = ANY(%(busy)s))
    ORDER BY s.ready_at, s.id
    LIMIT 1
    FOR UPDATE OF s SKIP LOCKED)
RETURNING s.id, s.epoch, s.step, s.workspace_id, s.account_id, s.campaign_id, s.first, s.size, s.mark, s.delivery_ids
"""

# At or below the mark of its current shard and no outcome recorded: in doubt (DESIGN 4.5).
_DOUBT_RANGE = """
UPDATE postroom_delivery d
   SET state = 'uncertain', trouble = 'uncertain', attempts = attempts + 1, state_at = clock_timestamp(),
       code = 0, words = %(words)s, reason = 'worker_lost'
 WHERE d.campaign_id = %(campaign)s AND d.position >= %(first)s AND d.position < %(first)s + %(mark)s
   AND d.retry_shard = 0 AND d.state = 'queued' AND d.retry_at IS NULL
RETURNING d.id
"""
_DOUBT_LIST = """
UPDATE postroom_delivery d
   SET state = 'uncertain', trouble = 'uncertain', attempts = d.attempts + 1, state_at = clock_timestamp(),
       code = 0, words = %(words)s, reason = 'worker_lost', retry_shard = 0,
       tries = CASE WHEN d.state = 'deferred' AND d.words <> '' THEN d.tries || jsonb_build_object(
           'at', d.state_at, 'kind', 'deferred', 'code', d.code, 'words', d.words) ELSE d.tries END
  FROM postroom_delivery was
 WHERE d.id = ANY(%(ids)s) AND was.id = d.id
   AND d.retry_shard = %(shard)s AND d.state IN ('queued', 'deferred') AND d.retry_at IS NULL
RETURNING d.id, was.state
"""
# The campaign's own policy for doubt: another try by itself, with the same Message-ID.
_RESEND = """
UPDATE postroom_delivery d
   SET state = 'deferred', trouble = 'deferred', retry_at = clock_timestamp(), retry_shard = 0, words = '',
       reason = 'doubt',
       tries = d.tries || jsonb_build_object('at', d.state_at, 'kind', 'uncertain', 'code', 0, 'words', d.words)
  FROM postroom_campaign c
 WHERE c.id = %s AND c.on_doubt = 'resend' AND d.campaign_id = c.id AND d.id = ANY(%s)
   AND d.state = 'uncertain' AND d.attempts < %s
"""
#: A doubt that comes again and again may be a copy each time: after so many tries it waits for a person.
DOUBT_TRIES = 3
#: Reasons of a deferred row that waits for another try only because of doubt: the policy's, a person's.
DOUBT_REASONS = ("doubt", "decided")
# A signed report that came before the doubt was noted. A failure speaks of this try only when there was no other.
_TOLD = """
UPDATE postroom_delivery d
   SET state = told.state, trouble = NULLIF(told.state, 'accepted'), state_at = clock_timestamp(), code = 0,
       words = told.words, reason = told.reason, retry_at = NULL, retry_shard = 0,
       tries = d.tries || jsonb_build_object('at', d.state_at, 'kind', 'uncertain', 'code', d.code, 'words', d.words)
  FROM (SELECT DISTINCT ON (was.id) was.id, was.state AS was,
               CASE r.kind WHEN 'failure' THEN 'failed' ELSE 'accepted' END AS state,
               CASE r.kind WHEN 'failure' THEN left(r.words, 2000) ELSE '' END AS words,
               CASE r.kind WHEN 'failure' THEN r.reason ELSE '' END AS reason
          FROM postroom_eventreport r JOIN postroom_delivery was ON was.id = r.delivery_id
         WHERE r.delivery_id = ANY(%s) AND r.strength = 'signed' AND was.state IN ('uncertain', 'deferred')
           AND (r.kind IN ('delivered', 'relayed', 'expanded', 'deleted')
             OR (r.kind = 'read' AND was.reading <> 'heuristic')
             OR (r.kind = 'failure' AND was.attempts = 1))
         ORDER BY was.id, r.id) told
 WHERE d.id = told.id
RETURNING d.campaign_id, told.was, d.state
"""
_LOST = "The sending process ended before the answer of the server was recorded."


@transaction.atomic
def shard_claim(*, worker: str, lease: timedelta, busy: Sequence[int]) -> Claim | None:
    """Take the oldest open shard nobody holds; None when there is none.

    busy: campaign ids (or minus the account id, for single messages) this worker already has a lane for.
    Rows that a dead worker left in doubt become `uncertain` here, in the claiming transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"worker": worker, "lease": lease.total_seconds(), "busy": list(busy)})
        found = cursor.fetchone()
        if found is None:
            return None
        claim = Claim(*[found[i] for i in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)])
        if claim.mark and claim.epoch > 1:
            _doubt(cursor, claim)
    return claim


def _doubt(cursor: Any, claim: Claim) -> None:
    deferred = 0
    if claim.delivery_ids is None:
        cursor.execute(
            _DOUBT_RANGE,
            {"campaign": claim.campaign_id, "first": claim.first, "mark": claim.mark, "words": _LOST},
        )
        ids = [row[0] for row in cursor.fetchall()]
    else:
        marked = claim.delivery_ids[: claim.mark]
        cursor.execute(_DOUBT_LIST, {"ids": marked, "shard": claim.shard_id, "words": _LOST})
        rows = cursor.fetchall()
        ids = [row[0] for row in rows]
        deferred = sum(1 for row in rows if row[1] == "deferred")
    if not ids:
        return
    told_settle(cursor, ids)
    cursor.execute(_RESEND, [claim.campaign_id, ids, DOUBT_TRIES])
    again = cursor.rowcount
    cursor.execute(
        "UPDATE postroom_shard SET uncertain = uncertain + %s, deferred = deferred + %s WHERE id = %s",
        [len(ids) - again, again - deferred, claim.shard_id],
    )


def told_settle(cursor: Any, doubtful: Sequence[int]) -> None:
    """Settle doubt just noted about deliveries of which a signed report has spoken already; counts in the figures."""
    if not doubtful:
        return
    cursor.execute(_TOLD, [list(doubtful)])
    for campaign_id, was, state in cursor.fetchall():
        if campaign_id is not None:
            figures_add(campaign_id, {was: -1, state: 1})


_COLUMNS = """d.id, d.address, d.canonical, d.name, d.fields, d.state, d.attempts,
       coalesce(d.queued_at, d.state_at, now()), d.message_id, coalesce(sup.reason, '')"""
_LOAD_RANGE = f"""
SELECT d.position - %(first)s, {_COLUMNS}
  FROM postroom_delivery d
  JOIN postroom_campaign c ON c.id = d.campaign_id
  {SUPPRESSED}
 WHERE d.campaign_id = %(campaign)s
   AND d.position >= %(first)s + %(begin)s AND d.position < %(first)s + %(end)s
   AND d.state = 'queued' AND d.retry_at IS NULL AND d.retry_shard = 0
 ORDER BY d.position
"""
_LOAD_LIST = f"""
SELECT ids.n - 1, {_COLUMNS}
  FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS ids(id, n)
  JOIN postroom_delivery d ON d.id = ids.id
  LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
  {SUPPRESSED}
 WHERE d.retry_shard = %(shard)s AND d.state IN ('queued', 'deferred') AND d.retry_at IS NULL
 ORDER BY ids.n
"""


def shard_load(claim: Claim, begin: int, end: int) -> list[Row]:
    """The rows of the shard from `begin` to before `end` that wait for a try, with the suppression check."""
    with connection.cursor() as cursor:
        if claim.delivery_ids is None:
            values: dict[str, Any] = {
                "campaign": claim.campaign_id,
                "first": claim.first,
                "begin": begin,
                "end": min(end, claim.size),
                "workspace": claim.workspace_id,
            }
            cursor.execute(_LOAD_RANGE, values)
            offset = 0
        else:
            ids = claim.delivery_ids[begin:end]
            cursor.execute(
                _LOAD_LIST, {"ids": ids, "shard": claim.shard_id, "workspace": claim.workspace_id}
            )
            offset = begin
        return [
            Row(
                index=row[0] + offset,
                id=row[1],
                address=row[2],
                canonical=row[3],
                name=row[4],
                fields=row[5] if isinstance(row[5], dict) else json.loads(row[5] or "{}"),
                state=row[6],
                attempts=row[7],
                queued_at=row[8],
                message_id=row[9],
                suppressed=row[10],
            )
            for row in cursor.fetchall()
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


_RECORD = """
UPDATE postroom_delivery d
   SET state = CASE u.state WHEN 'back' THEN d.state ELSE u.state END,
       trouble = CASE WHEN u.state = 'back' THEN d.trouble WHEN u.state = 'accepted' THEN NULL ELSE u.state END,
       state_at = CASE u.state WHEN 'back' THEN d.state_at ELSE u.at END,
       code = CASE u.state WHEN 'back' THEN d.code ELSE u.code END,
       words = CASE u.state WHEN 'back' THEN d.words ELSE u.words END,
       -- the reason of a report that was quicker than the answer stays
       reason = CASE WHEN u.state = 'back' OR u.reason = '' AND d.arrival = 'bounced' THEN d.reason ELSE u.reason END,
       bounce_class = CASE WHEN u.state = 'back' OR u.bounce_class = '' AND d.arrival = 'bounced'
           THEN d.bounce_class ELSE u.bounce_class END,
       retry_at = u.retry_at,
       retry_shard = 0,
       attempts = d.attempts + u.counted,
       dsn_requested = d.dsn_requested OR u.dsn,
       tries = CASE WHEN u.state <> 'back' AND d.state = 'deferred' AND d.words <> ''
           THEN d.tries || jsonb_build_object('at', d.state_at, 'kind', d.state, 'code', d.code, 'words', d.words)
           ELSE d.tries END
  FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::text[],
              %s::timestamptz[], %s::int[], %s::bool[])
       AS u(id, state, at, code, words, reason, bounce_class, retry_at, counted, dsn)
 WHERE d.id = u.id
"""


@dataclass(slots=True)
class Stepped:
    """held: the shard is still ours. go: the campaign ran, so the mark was moved. running: the campaign runs."""

    held: bool
    go: bool
    settled: int = field(default=0)
    running: bool = True


@transaction.atomic
def shard_step(
    claim: Claim,
    *,
    worker: str,
    step: int,
    results: Sequence[Result],
    mark: int,
    close: bool = False,
    release: bool = False,
) -> Stepped:
    """Record the results of what was sent and move the mark over what is sent next, in one commit.

    step:    the number of this step in the shard; a step whose commit answer was lost may be tried again.
    mark:    new mark; only moved while the campaign runs (`go`).
    close:   nothing more is to come: the shard is done.
    release: give the lease back, the rest is for another worker.
    """
    counts = _counts(results)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE postroom_shard s
               SET step = %(step)s,
                   mark = CASE WHEN %(mark)s > s.mark AND (s.campaign_id IS NULL OR EXISTS (
                       SELECT 1 FROM postroom_campaign c WHERE c.id = s.campaign_id AND c.state = 'running'))
                       THEN %(mark)s ELSE s.mark END,
                   is_done = s.is_done OR %(close)s,
                   lease_until = CASE WHEN %(close)s OR %(release)s THEN NULL ELSE s.lease_until END,
                   accepted = accepted + %(accepted)s, failed = failed + %(failed)s,
                   deferred = deferred + %(deferred)s, uncertain = uncertain + %(uncertain)s,
                   skipped = skipped + %(skipped)s
             WHERE s.id = %(shard)s AND s.epoch = %(epoch)s AND s.worker = %(worker)s AND s.step = %(step)s - 1
            RETURNING s.mark, s.campaign_id IS NULL OR EXISTS (
                SELECT 1 FROM postroom_campaign c WHERE c.id = s.campaign_id AND c.state = 'running')
            """,
            {
                "shard": claim.shard_id,
                "epoch": claim.epoch,
                "worker": worker,
                "step": step,
                "mark": mark,
                "close": close,
                "release": release,
                **counts,
            },
        )
        found = cursor.fetchone()
        if found is None:
            return _step_again(cursor, claim, worker, step, results, mark)
        if results:
            cursor.execute(_RECORD, _columns(results))
            _suppress_gone(cursor, claim.workspace_id, results)
            told_settle(cursor, [r.delivery_id for r in results if r.doubt or r.state == "uncertain"])
    return Stepped(held=True, go=found[0] >= mark, running=found[1])


def _suppress_gone(cursor: Any, workspace_id: int, results: Sequence[Result]) -> None:
    """A server that says at once "no such address" has said what a returned mail would say (BC-04)."""
    gone = [r for r in results if r.state == "failed" and r.gone]
    if gone:
        cursor.execute(
            """INSERT INTO postroom_suppression (workspace_id, form, value, source, why, at)
               SELECT DISTINCT ON (d.canonical) %s, 'address', d.canonical, 'bounce', u.words, now()
                 FROM unnest(%s::bigint[], %s::text[]) AS u(id, words) JOIN postroom_delivery d ON d.id = u.id
                WHERE d.campaign_id IS NOT NULL
               ON CONFLICT DO NOTHING""",
            [workspace_id, [r.delivery_id for r in gone], [f"{r.code} {r.words}" for r in gone]],
        )


def _step_again(
    cursor: Any, claim: Claim, worker: str, step: int, results: Sequence[Result], mark: int
) -> Stepped:
    """The row did not match: either this very step was committed before, or the shard is another worker's now."""
    cursor.execute(
        "SELECT mark FROM postroom_shard WHERE id = %s AND epoch = %s AND worker = %s AND step = %s",
        [claim.shard_id, claim.epoch, worker, step],
    )
    done = cursor.fetchone()
    if done is not None:
        return Stepped(held=True, go=done[0] >= mark)
    return Stepped(held=False, go=False, settled=late_settle(results))


def _counts(results: Sequence[Result]) -> dict[str, int]:
    counts = dict.fromkeys(COUNTED, 0)
    for result in results:
        if result.state == "back":
            continue
        counts[result.state] += 1
        if result.was in counts:
            counts[result.was] -= 1
    return counts


def _columns(results: Sequence[Result]) -> list[list[Any]]:
    return [
        [r.delivery_id for r in results],
        [r.state for r in results],
        [r.at for r in results],
        [r.code for r in results],
        [r.words for r in results],
        [r.reason for r in results],
        [r.bounce_class for r in results],
        [r.retry_at for r in results],
        [int(r.counted) for r in results],
        [r.dsn_requested for r in results],
    ]


def late_settle(results: Sequence[Result]) -> int:
    """Answers that a stale worker read after its shard was taken over: they settle doubt, nothing else. How many.

    An acceptance also stops the next try of what waits for one because of doubt.
    """
    sure = [r for r in results if r.state in ("accepted", "failed")]
    if not sure:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE postroom_delivery d
               SET state = u.state, trouble = NULLIF(u.state, 'accepted'), state_at = u.at, code = u.code,
                   words = u.words, reason = u.reason, bounce_class = u.bounce_class, retry_at = NULL
              FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::int[], %s::text[], %s::text[], %s::text[])
                   AS u(id, state, at, code, words, reason, bounce_class)
              JOIN (SELECT id, state, retry_at, reason FROM postroom_delivery WHERE id = ANY(%s) ORDER BY id FOR UPDATE)
                   AS was ON was.id = u.id
             WHERE d.id = u.id AND (was.state = 'uncertain' OR (u.state = 'accepted' AND was.state = 'deferred'
                   AND was.retry_at IS NOT NULL AND was.reason = ANY(%s)))
            RETURNING d.campaign_id, was.state, d.state
            """,
            [*_columns(sure)[:7], [r.delivery_id for r in sure], list(DOUBT_REASONS)],
        )
        changed = cursor.fetchall()
        for campaign_id, was, state in changed:
            if campaign_id is not None:
                figures_add(campaign_id, {was: -1, state: 1})
    return len(changed)


#: Figure rows a campaign; reports of different deliveries seldom meet in one.
LANES = 8


def figures_add(campaign_id: int, changes: dict[str, int], *, lane: int = 0) -> None:
    """Add to the figures of a campaign that do not belong to a shard."""
    names = [name for name, change in changes.items() if change]
    if not names:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE postroom_campaignfigures SET {', '.join(f'{name} = {name} + %s' for name in names)}"
            " WHERE campaign_id = %s AND lane = %s",
            [*[changes[name] for name in names], campaign_id, lane % LANES],
        )


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


_DUE = """
SELECT d.id, d.workspace_id, coalesce(c.account_id, m.account_id), d.campaign_id
  FROM postroom_delivery d
  LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
  LEFT JOIN postroom_message m ON m.id = d.message_id
  JOIN postroom_account a ON a.id = coalesce(c.account_id, m.account_id)
 WHERE d.retry_at IS NOT NULL AND d.retry_at <= clock_timestamp() AND d.state IN ('queued', 'deferred')
   AND (c.id IS NULL OR c.state = 'running')
   AND a.status <> 'failing' AND a.deleted_at IS NULL
   AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
 ORDER BY d.retry_at
 LIMIT %s
 FOR UPDATE OF d SKIP LOCKED
"""


@transaction.atomic
def retries_gather(*, limit: int = 5000, size: int = 1000) -> int:
    """Put what is due for another try into retry shards, one or more for each account and campaign. How many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(7203002)")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_DUE, [limit])
        heaps: dict[tuple[int, int, int | None], list[int]] = {}
        for delivery_id, workspace_id, account_id, campaign_id in cursor.fetchall():
            heaps.setdefault((workspace_id, account_id, campaign_id), []).append(delivery_id)
        for (workspace_id, account_id, campaign_id), ids in heaps.items():
            for begin in range(0, len(ids), size):
                retry_shard_make(workspace_id, account_id, campaign_id, ids[begin : begin + size])
    return sum(map(len, heaps.values()))


def retry_shard_make(workspace_id: int, account_id: int, campaign_id: int | None, ids: list[int]) -> None:
    """A shard of given deliveries; from now on it, and not their old shard, is where they are tried."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO postroom_shard (workspace_id, account_id, campaign_id, first, size, delivery_ids, mark,
                   epoch, step, worker, ready_at, is_done, accepted, failed, deferred, uncertain, skipped)
               VALUES (%s, %s, %s, 0, %s, %s, 0, 0, 0, '', clock_timestamp(), false, 0, 0, 0, 0, 0) RETURNING id""",
            [workspace_id, account_id, campaign_id, len(ids), ids],
        )
        shard_id = cursor.fetchone()[0]
        cursor.execute(
            "UPDATE postroom_delivery SET retry_shard = %s, retry_at = NULL WHERE id = ANY(%s)",
            [shard_id, ids],
        )
    notify(SHARD)


def pace_add(*, campaign_id: int, worker: str, decided: int) -> None:
    """Note that so many recipients were decided in this slice of ten seconds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO postroom_campaignpace (campaign_id, worker, slice_at, decided)
               VALUES (%s, %s, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / 10) * 10), %s)
               ON CONFLICT (campaign_id, slice_at, worker)
               DO UPDATE SET decided = postroom_campaignpace.decided + excluded.decided""",
            [campaign_id, worker, decided],
        )
