"""Single messages whose account was deleted while they waited: nobody waits for ever."""

from django.db import connection, transaction

_WORDS = "Its mail account was deleted before it left."
_WAITING = """
UPDATE postroom_delivery d
   SET state = CASE d.state WHEN 'queued' THEN 'skipped' ELSE 'failed' END,
       trouble = CASE d.state WHEN 'queued' THEN 'skipped' ELSE 'failed' END,
       reason = 'cancelled', code = 0, words = %s, state_at = clock_timestamp(), retry_at = NULL
  FROM postroom_message m JOIN postroom_account a ON a.id = m.account_id AND a.deleted_at IS NOT NULL
 WHERE m.id = d.message_id AND d.campaign_id IS NULL AND d.retry_at IS NOT NULL
   AND d.state IN ('queued', 'deferred')
"""
_SHARDS = """
SELECT s.id FROM postroom_shard s JOIN postroom_account a ON a.id = s.account_id AND a.deleted_at IS NOT NULL
 WHERE s.campaign_id IS NULL AND NOT s.is_done AND (s.lease_until IS NULL OR s.lease_until < clock_timestamp())
   FOR UPDATE OF s SKIP LOCKED
"""
# At or below the mark it may have left: in doubt, as everywhere (DESIGN 4.5).
_CLOSE = """
WITH left_over AS (
  SELECT d.id, CASE WHEN ids.n <= s.mark THEN 'uncertain' WHEN d.state = 'queued' THEN 'skipped'
                    ELSE 'failed' END AS state
    FROM postroom_shard s, unnest(s.delivery_ids) WITH ORDINALITY AS ids(id, n), postroom_delivery d
   WHERE s.id = ANY(%(shards)s) AND d.id = ids.id AND d.retry_shard = s.id AND d.retry_at IS NULL
     AND d.state IN ('queued', 'deferred')),
closed AS (UPDATE postroom_shard SET is_done = true, epoch = epoch + 1 WHERE id = ANY(%(shards)s))
UPDATE postroom_delivery d
   SET state = u.state, trouble = u.state, code = 0, words = %(words)s, state_at = clock_timestamp(),
       retry_shard = 0, reason = CASE u.state WHEN 'uncertain' THEN 'worker_lost' ELSE 'cancelled' END
  FROM left_over u WHERE d.id = u.id
"""


@transaction.atomic
def messages_drop() -> None:
    """Close what waits of single messages of deleted accounts; what a process still holds ends first."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [_WORDS])
        cursor.execute(_SHARDS)
        shards = [row[0] for row in cursor.fetchall()]
        if shards:
            cursor.execute(_CLOSE, {"shards": shards, "words": _WORDS})
