"""Figures of a campaign that pages show: what came back, and how fast it goes out (DESIGN 4.9)."""

from collections.abc import Mapping

from django.db import connection

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


_MINUTE = """
INSERT INTO postroom_sendingminute AS m (account_id, worker, minute_at, accepted, deferred, failed, shards)
VALUES (%(account)s, %(worker)s, date_trunc('minute', clock_timestamp()), %(accepted)s, %(deferred)s, %(failed)s,
        ARRAY[%(shard)s]::bigint[])
ON CONFLICT (account_id, minute_at, worker) DO UPDATE
   SET accepted = m.accepted + excluded.accepted, deferred = m.deferred + excluded.deferred,
       failed = m.failed + excluded.failed,
       shards = CASE WHEN m.shards @> excluded.shards THEN m.shards ELSE m.shards || excluded.shards END
"""
_PACE = f"""
WITH noted AS ({_MINUTE})
INSERT INTO postroom_campaignpace (campaign_id, worker, slice_at, decided)
SELECT %(campaign)s, %(worker)s, to_timestamp(floor(extract(epoch FROM clock_timestamp()) / 10) * 10), %(decided)s
ON CONFLICT (campaign_id, slice_at, worker)
DO UPDATE SET decided = postroom_campaignpace.decided + excluded.decided
"""


def pace_add(
    *, campaign_id: int | None, account_id: int, shard_id: int, worker: str, decided: Mapping[str, int]
) -> None:
    """Note what was decided since the last note: for the campaign's slice of ten seconds, for the account's minute.

    decided: by state; what is deferred does not count towards the campaign's end.
    """
    counts = {name: decided.get(name, 0) for name in ("accepted", "deferred", "failed")}
    counts["failed"] += decided.get("uncertain", 0)
    settled = sum(decided.values()) - counts["deferred"]
    with connection.cursor() as cursor:
        cursor.execute(
            _PACE if campaign_id is not None and settled else _MINUTE,
            {
                **counts,
                "account": account_id,
                "campaign": campaign_id,
                "decided": settled,
                "shard": shard_id,
                "worker": worker,
            },
        )
