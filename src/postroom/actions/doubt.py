"""Messages in doubt: at or below the mark of their shard and no outcome recorded (DESIGN 4.5)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from postroom.actions.figures import figures_add

if TYPE_CHECKING:
    from postroom.actions.shard import Claim

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


def doubt_note(cursor: Any, claim: "Claim", journal: Mapping[int, bool] | None = None) -> list[int]:
    """Rows of a shard just claimed that its last worker left in doubt become `uncertain`; their ids.

    journal: what that worker had begun, and whether the server had taken it (actions/journal.py); None: unknown.
    """
    if journal is not None:
        _known_settle(cursor, claim, journal)
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
        return []
    told_settle(cursor, ids)
    cursor.execute(_RESEND, [claim.campaign_id, ids, DOUBT_TRIES])
    again = cursor.rowcount
    cursor.execute(
        "UPDATE postroom_shard SET uncertain = uncertain + %s, deferred = deferred + %s WHERE id = %s",
        [len(ids) - again, again - deferred, claim.shard_id],
    )
    return ids


# What lies at or below the mark without an outcome, of a range or a list.
_MARKED = {
    True: "d.campaign_id = %(campaign)s AND d.position >= %(first)s AND d.position < %(first)s + %(mark)s"
    " AND d.retry_shard = 0 AND d.state = 'queued' AND d.retry_at IS NULL",
    False: "d.id = ANY(%(ids)s) AND d.retry_shard = %(shard)s AND d.state IN ('queued', 'deferred')"
    " AND d.retry_at IS NULL",
}
_TOOK = """
UPDATE postroom_delivery d
   SET state = 'accepted', trouble = NULL, attempts = d.attempts + 1, state_at = clock_timestamp(), code = 250,
       words = %(words)s, retry_shard = 0,
       reason = CASE d.arrival WHEN 'bounced' THEN d.reason ELSE '' END,
       tries = CASE WHEN d.state = 'deferred' AND d.words <> '' THEN d.tries || jsonb_build_object(
           'at', d.state_at, 'kind', 'deferred', 'code', d.code, 'words', d.words) ELSE d.tries END
  FROM postroom_delivery was
 WHERE was.id = d.id AND d.id = ANY(%(took)s) AND {marked}
RETURNING was.state
"""
_NOT_BEGUN = """
UPDATE postroom_delivery d SET retry_at = clock_timestamp(), retry_shard = 0
 WHERE NOT (d.id = ANY(%(begun)s)) AND {marked}
"""
_READ = "The server took it; the sending process ended before that was recorded."


def _known_settle(cursor: Any, claim: "Claim", journal: Mapping[int, bool]) -> None:
    """What the journal tells of the rows in doubt: taken ones are accepted, those never begun wait for another try."""
    marked = _MARKED[claim.delivery_ids is None]
    values = {
        "campaign": claim.campaign_id,
        "first": claim.first,
        "mark": claim.mark,
        "ids": (claim.delivery_ids or [])[: claim.mark],
        "shard": claim.shard_id,
        "words": _READ,
        "took": [number for number, took in journal.items() if took],
        "begun": list(journal),
    }
    cursor.execute(_TOOK.format(marked=marked), values)
    took = cursor.fetchall()
    deferred = sum(1 for (state,) in took if state == "deferred")
    if took:
        cursor.execute(
            "UPDATE postroom_shard SET accepted = accepted + %s, deferred = deferred - %s WHERE id = %s",
            [len(took), deferred, claim.shard_id],
        )
    cursor.execute(_NOT_BEGUN.format(marked=marked), values)


def told_settle(cursor: Any, doubtful: Sequence[int]) -> None:
    """Settle doubt just noted about deliveries of which a signed report has spoken already; counts in the figures."""
    if not doubtful:
        return
    cursor.execute(_TOLD, [list(doubtful)])
    for campaign_id, was, state in cursor.fetchall():
        if campaign_id is not None:
            figures_add(campaign_id, {was: -1, state: 1})


_DECIDE = """
UPDATE postroom_delivery
   SET tries = tries || jsonb_build_object('at', state_at, 'kind', 'uncertain', 'code', code, 'words', words,
                                           'by', %(by)s::text, 'decided', %(decided)s::text),
       state = CASE WHEN %(again)s THEN 'deferred' ELSE 'accepted' END,
       trouble = CASE WHEN %(again)s THEN 'deferred' END,
       state_at = clock_timestamp(), words = '', code = 0, reason = 'decided',
       retry_at = CASE WHEN %(again)s THEN clock_timestamp() END, retry_shard = 0
 WHERE id = ANY(%(ids)s)
"""
#: send_again -> what the history says of a person's decision.
DECIDED = {True: "send again", False: "counted as accepted"}


def decision_write(cursor: Any, ids: Sequence[int], *, by: str, send_again: bool) -> None:
    """A person settles doubt about these deliveries, which the caller has locked: another try, or counted as taken."""
    values = {"ids": list(ids), "by": by, "decided": DECIDED[send_again], "again": send_again}
    cursor.execute(_DECIDE, values)
