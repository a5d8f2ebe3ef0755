"""Waking daemons: NOTIFY, sent by the database when the transaction commits."""

from django.db import connection

#: Channels. The payload is an id as text.
SHARD = "postroom_shard"
PROBE = "postroom_probe"
COLLECT = "postroom_collect"
DOMAIN = "postroom_domain"
SUPPRESSION = "postroom_suppression"
POSTING = "postroom_posting"


def notify(channel: str, payload: int | str = "") -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [channel, str(payload)])
