"""Rows of postings that were sent on: what changed in them, and a delivery for each copy; one statement for many."""

import json
from collections.abc import Iterable, Sequence

from django.db import connection

from postroom.models.group import Posting
from postroom.queries.prepared import array_of

_SAVE = """
UPDATE postroom_posting p
   SET state = u.state, reason = u.reason, options = u.options, message_id = u.message, first_id = u.first,
       outside_author = u.outside_author, front = u.front, cuts = u.cuts
  FROM jsonb_to_recordset(%s::jsonb) AS u(id bigint, state text, reason text, options jsonb, message bigint,
       first bigint, outside_author text, front text, cuts int[])
 WHERE p.id = u.id
"""


def postings_sent_on(postings: Iterable[Posting]) -> None:
    """What sending on changes, of all in one statement."""
    rows = [
        {
            "id": one.id,
            "state": one.state,
            "reason": one.reason,
            "options": one.options,
            "message": one.message_id,
            "first": one.first_id,
            "outside_author": one.outside_author,
            "front": one.front,
            "cuts": one.cuts,
        }
        for one in postings
    ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_SAVE, [json.dumps(rows)])


_ROWS = """
INSERT INTO postroom_delivery (workspace_id, message_id, position, address, canonical, name, fields, state, reason,
    attempts, queued_at, code, words, bounce_class, dsn_requested, tries, retry_shard, arrival, reading)
SELECT %(workspace)s, u.message::bigint, 0, u.address, u.address, coalesce(u.name, ''), u.fields::jsonb, 'queued', '',
       0, clock_timestamp(), 0, '', '', false, '[]', %(shard)s, 'unknown', 'none'
  FROM unnest(string_to_array(%(messages)s, E'\\n'), string_to_array(%(addresses)s, E'\\n'),
              string_to_array(%(names)s, E'\\n'), string_to_array(%(fields)s, E'\\n'))
       WITH ORDINALITY AS u(message, address, name, fields, n)
 ORDER BY u.n
RETURNING id
"""
_SHARD = """
INSERT INTO postroom_shard (id, workspace_id, account_id, campaign_id, first, size, delivery_ids, mark,
    epoch, step, worker, ready_at, is_done, accepted, failed, deferred, uncertain, skipped)
VALUES (%s, %s, %s, NULL, 0, %s, %s::bigint[], 0, 0, 0, '', clock_timestamp(), false, 0, 0, 0, 0, 0)
"""


def copies_queue(
    workspace_id: int, account_id: int, rows: Sequence[tuple[int, str, str, str]], *, held: bool
) -> None:
    """Deliveries with their shard; held ones wait without one."""
    messages, addresses, names, fields = zip(*rows, strict=True)
    columns = {  # as one text each: the driver would look at every value of a list
        "messages": "\n".join(map(str, messages)),
        "addresses": "\n".join(addresses),
        "names": "\n".join([name.replace("\n", " ") for name in names]),
        "fields": "\n".join(fields),
    }
    with connection.cursor() as cursor:
        shard = 0
        if not held:
            cursor.execute("SELECT nextval(pg_get_serial_sequence('postroom_shard', 'id'))")
            shard = cursor.fetchone()[0]
        cursor.execute(_ROWS, {"workspace": workspace_id, "shard": shard, **columns})
        ids = [row[0] for row in cursor.fetchall()]
        if not held:
            cursor.execute(_SHARD, [shard, workspace_id, account_id, len(ids), array_of(ids)])
