"""Recording what became of a mini-batch, and moving the mark over the next one, in one commit (DESIGN 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from postroom.actions.doubt import DOUBT_REASONS, told_settle
from postroom.actions.figures import figures_add
from postroom.actions.shard import Claim


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
