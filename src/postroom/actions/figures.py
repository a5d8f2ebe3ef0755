"""Figures of a campaign that pages show: what came back, and how fast it goes out (DESIGN 4.9)."""

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
