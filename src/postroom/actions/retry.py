"""Another try is a new shard (DESIGN 4.6): what is due goes, with others of the same account, into a retry shard."""

from django.db import connection, transaction

from postroom.actions.notify import SHARD, notify

_DUE = """
SELECT d.id, d.workspace_id, coalesce(c.account_id, m.account_id), d.campaign_id
  FROM postroom_delivery d
  LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
  LEFT JOIN postroom_message m ON m.id = d.message_id
  JOIN postroom_account a ON a.id = coalesce(c.account_id, m.account_id)
 WHERE d.retry_at IS NOT NULL AND d.retry_at <= clock_timestamp() AND d.state IN ('queued', 'deferred')
   AND (c.id IS NULL OR c.state = 'running')
   AND a.deleted_at IS NULL AND a.status <> 'failing' AND a.approval IN ('', 'approved')
   AND (a.paused_until IS NULL OR a.paused_until <= clock_timestamp())
 ORDER BY d.retry_at, d.id
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
