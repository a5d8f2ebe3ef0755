"""Recording what became of a mini-batch, and moving the mark over the next one, in one commit (DESIGN 4.4)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from postroom.actions.doubt import DOUBT_REASONS, told_settle
from postroom.actions.figures import figures_add
from postroom.actions.posting_news import news_note
from postroom.actions.shard import Claim
from postroom.actions.webhook_tell import copies_tell, states_tell
from postroom.queries.prepared import array_of, array_of_texts, prepared


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
  FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(ats)s::timestamptz[], %(codes)s::int[], %(words)s::text[],
              %(reasons)s::text[], %(classes)s::text[], %(retries)s::timestamptz[], %(counted)s::int[],
              %(dsns)s::bool[]) AS u(id, state, at, code, words, reason, bounce_class, retry_at, counted, dsn)
 WHERE d.id = u.id
"""
# The same for a batch that was accepted to the last: nearly every batch.
_ACCEPT = """
UPDATE postroom_delivery d
   SET state = 'accepted', trouble = NULL, state_at = to_timestamp(u.at), code = u.code, words = u.words,
       reason = CASE d.arrival WHEN 'bounced' THEN d.reason ELSE '' END,
       bounce_class = CASE d.arrival WHEN 'bounced' THEN d.bounce_class ELSE '' END,
       retry_at = NULL, retry_shard = 0, attempts = d.attempts + 1, dsn_requested = d.dsn_requested OR u.dsn,
       tries = CASE WHEN d.state = 'deferred' AND d.words <> ''
           THEN d.tries || jsonb_build_object('at', d.state_at, 'kind', d.state, 'code', d.code, 'words', d.words)
           ELSE d.tries END
  FROM unnest(%(ids)s::bigint[], %(ats)s::float8[], %(codes)s::int[], %(words)s::text[], %(dsns)s::bool[])
       AS u(id, at, code, words, dsn)
 WHERE d.id = u.id
"""
_STEP = """
UPDATE postroom_shard s
   SET step = %(step)s,
       mark = CASE WHEN %(mark)s > s.mark AND (s.campaign_id IS NULL OR EXISTS (
           SELECT 1 FROM postroom_campaign c WHERE c.id = s.campaign_id AND c.state = 'running'))
           THEN %(mark)s ELSE s.mark END,
       is_done = s.is_done OR %(close)s,
       lease_until = CASE WHEN %(close)s OR %(release)s THEN NULL ELSE s.lease_until END,
       accepted = accepted + %(accepted)s, failed = failed + %(failed)s, deferred = deferred + %(deferred)s,
       uncertain = uncertain + %(uncertain)s, skipped = skipped + %(skipped)s
 WHERE s.id = %(shard)s AND s.epoch = %(epoch)s AND s.worker = %(worker)s AND s.step = %(step)s - 1
RETURNING s.mark, s.campaign_id IS NULL OR EXISTS (
    SELECT 1 FROM postroom_campaign c WHERE c.id = s.campaign_id AND c.state = 'running') AS running
"""


def _with_step(update: str) -> str:
    """Step and outcomes in one statement, so in one round trip and one commit; no step, no outcomes."""
    return f"""WITH stepped AS ({_STEP}), recorded AS ({update} AND EXISTS (SELECT 1 FROM stepped))
               SELECT mark, running FROM stepped"""


_STEP_ACCEPT, _STEP_RECORD = _with_step(_ACCEPT), _with_step(_RECORD)


@dataclass(slots=True)
class Stepped:
    """held: the shard is still ours. go: the campaign ran, so the mark was moved. running: the campaign runs."""

    held: bool
    go: bool
    settled: int = field(default=0)
    running: bool = True


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
    values = {
        "shard": claim.shard_id,
        "epoch": claim.epoch,
        "worker": worker,
        "step": step,
        "mark": mark,
        "close": close,
        "release": release,
        **_counts(results),
    }
    if not results:
        found = prepared(_STEP, values)
    elif claim.campaign_id is None:
        found = _step_single(claim, values, results)
    elif not claim.is_told and all(result.state == "accepted" for result in results):
        found = prepared(_STEP_ACCEPT, values | _accepted(results))
    else:
        found = _step_mixed(claim, values, results)
    if not found:
        return _step_again(claim, worker, step, results, mark)
    return Stepped(held=True, go=found[0][0] >= mark, running=found[0][1])


@transaction.atomic
def _step_single(claim: Claim, values: dict[str, Any], results: Sequence[Result]) -> list[tuple[Any, ...]]:
    """Single messages and copies of postings: somebody may want to hear of the latter (EG-11)."""
    if not claim.is_told and all(result.state == "accepted" for result in results):
        found = prepared(_STEP_ACCEPT, values | _accepted(results))
    else:
        found = _step_mixed(claim, values, results)
    if found:
        silent = [r for r in results if r.state == "accepted" and not r.dsn_requested]
        news_note([r.delivery_id for r in [*silent, *(r for r in results if r.state == "failed")]])
        if claim.is_told:
            copies_tell([r.delivery_id for r in results if r.state not in ("deferred", "back")])
    return found


@transaction.atomic
def _step_mixed(claim: Claim, values: dict[str, Any], results: Sequence[Result]) -> list[tuple[Any, ...]]:
    found = prepared(_STEP_RECORD, values | _columns(results))
    if found:
        with connection.cursor() as cursor:
            _suppress_gone(cursor, claim.workspace_id, results)
            told_settle(cursor, [r.delivery_id for r in results if r.doubt or r.state == "uncertain"])
        if claim.is_told:
            states_tell([r.delivery_id for r in results if r.state != "back"])
    return found


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


def _step_again(claim: Claim, worker: str, step: int, results: Sequence[Result], mark: int) -> Stepped:
    """The row did not match: either this very step was committed before, or the shard is another worker's now."""
    with connection.cursor() as cursor:
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


def _columns(results: Sequence[Result]) -> dict[str, list[Any]]:
    return {
        "ids": [r.delivery_id for r in results],
        "states": [r.state for r in results],
        "ats": [r.at for r in results],
        "codes": [r.code for r in results],
        "words": [r.words for r in results],
        "reasons": [r.reason for r in results],
        "classes": [r.bounce_class for r in results],
        "retries": [r.retry_at for r in results],
        "counted": [int(r.counted) for r in results],
        "dsns": [r.dsn_requested for r in results],
    }


def _accepted(results: Sequence[Result]) -> dict[str, str]:
    """Arrays as PostgreSQL reads them: the driver would look at each value."""
    return {
        "ids": array_of(r.delivery_id for r in results),
        "ats": array_of(r.at.timestamp() for r in results),
        "codes": array_of(r.code for r in results),
        "words": array_of_texts(r.words for r in results),
        "dsns": array_of(r.dsn_requested for r in results),
    }


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
              FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(ats)s::timestamptz[], %(codes)s::int[],
                          %(words)s::text[], %(reasons)s::text[], %(classes)s::text[])
                   AS u(id, state, at, code, words, reason, bounce_class)
              JOIN (SELECT id, state, retry_at, reason FROM postroom_delivery WHERE id = ANY(%(ids)s) ORDER BY id
                    FOR UPDATE)
                   AS was ON was.id = u.id
             WHERE d.id = u.id AND (was.state = 'uncertain' OR (u.state = 'accepted' AND was.state = 'deferred'
                   AND was.retry_at IS NOT NULL AND was.reason = ANY(%(doubt)s)))
            RETURNING d.campaign_id, was.state, d.state, d.id
            """,
            {**_columns(sure), "doubt": list(DOUBT_REASONS)},
        )
        changed = cursor.fetchall()
        for campaign_id, was, state, _number in changed:
            if campaign_id is not None:
                figures_add(campaign_id, {was: -1, state: 1})
        states_tell([row[3] for row in changed])
    return len(changed)
