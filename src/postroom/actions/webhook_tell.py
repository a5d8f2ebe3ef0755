"""What happened to mail is queued for the webhooks of its workspace, in the transaction that records it.

One statement a batch, whatever it holds; where there is no webhook it finds none and writes nothing.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from postroom.models.message import Message

# What each call says. Texts of mails are not told: who is told of one asks the API for it, with a token and its rights.
_TELL = """
INSERT INTO postroom_webhookcall
       (webhook_id, event, body, tries, next_at, code, words, is_given_up, created_at)
SELECT w.id, told.name, jsonb_build_object(
         'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'delivery', d.id, 'address', d.address, 'state', d.state, 'reason', d.reason, 'code', d.code,
         'words', left(d.words, 2000), 'bounce_class', d.bounce_class, 'arrival', d.arrival, 'reading', d.reading,
         'campaign', d.campaign_id, 'message', d.message_id, 'message_id', coalesce(m.message_id, ''),
         'key', coalesce(m.send_key, ''), 'record', m.record_id),
       0, clock_timestamp(), 0, '', false, clock_timestamp()
  FROM postroom_webhook w
  JOIN postroom_delivery d ON d.workspace_id = w.workspace_id AND d.id = ANY(%(ids)s::bigint[])
  JOIN unnest(%(ids)s::bigint[], %(events)s::text[]) AS u(id, event) ON u.id = d.id
  LEFT JOIN postroom_message m ON m.id = d.message_id
 CROSS JOIN LATERAL (SELECT CASE WHEN d.message_id IS NULL THEN 'campaign.' ELSE 'message.' END
                            || CASE u.event WHEN '' THEN d.state ELSE u.event END AS name) told
 WHERE w.is_on AND (d.message_id IS NULL OR m.purpose = 'single') AND right(told.name, 7) <> '.queued'
   AND (told.name = ANY(w.events) OR (w.events = '{}' AND d.message_id IS NOT NULL))
 ORDER BY w.id, d.id
"""
_RECEIVED = """
INSERT INTO postroom_webhookcall
       (webhook_id, event, body, tries, next_at, code, words, is_given_up, created_at)
SELECT w.id, 'message.received', jsonb_build_object(
         'at', to_char(coalesce(m.at, m.created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'message', m.id, 'message_id', m.message_id, 'in_reply_to', m.in_reply_to, 'account', m.account_id,
         'from_address', m.from_address, 'subject', m.subject, 'is_automatic', m.is_automatic,
         'conversation', m.conversation_id, 'campaign', m.campaign_id, 'delivery', m.delivery_id,
         'record', coalesce(m.record_id, c.record_id)),
       0, clock_timestamp(), 0, '', false, clock_timestamp()
  FROM postroom_webhook w
  JOIN postroom_message m ON m.workspace_id = w.workspace_id AND m.id = ANY(%(ids)s::bigint[])
  LEFT JOIN postroom_conversation c ON c.id = m.conversation_id
 WHERE w.is_on AND (w.events = '{}' OR 'message.received' = ANY(w.events))
 ORDER BY w.id, m.id
"""
# What became of a posting. copies: of its members; none before they were made.
_POSTING = """
INSERT INTO postroom_webhookcall
       (webhook_id, event, body, tries, next_at, code, words, is_given_up, created_at)
SELECT w.id, told.name, jsonb_build_object(
         'at', to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'posting', p.id, 'group', g.id, 'address', g.address, 'state', p.state, 'reason', p.reason,
         'from_address', p.author, 'subject', p.subject, 'message_id', p.msgid, 'copies', c.made,
         'accepted', c.accepted, 'failed', c.made - c.accepted - c.waiting),
       0, clock_timestamp(), 0, '', false, clock_timestamp()
  FROM unnest(%(ids)s::bigint[], %(events)s::text[]) AS u(id, event)
  JOIN postroom_posting p ON p.id = u.id
  JOIN postroom_group g ON g.id = p.group_id
  JOIN postroom_webhook w ON w.workspace_id = g.workspace_id
 CROSS JOIN LATERAL (SELECT 'posting.' || u.event AS name) told
 CROSS JOIN LATERAL (SELECT count(*) AS made, count(*) FILTER (WHERE d.state = 'accepted') AS accepted,
                            count(*) FILTER (WHERE d.state IN ('queued', 'deferred')) AS waiting
                       FROM postroom_delivery d WHERE d.message_id = p.message_id) c
 WHERE w.is_on AND told.name = ANY(w.events)
 ORDER BY w.id, p.id
"""
_COPIES_WANTED = """
SELECT 1 FROM postroom_webhook WHERE is_on AND events && ARRAY['posting.delivered', 'posting.undelivered']::varchar[]
 LIMIT 1
"""
# Locked first: of two processes that record the last two copies the second sees what the first wrote.
_COPIES_LOCK = """
SELECT p.id FROM postroom_posting p
 WHERE p.message_id IN (SELECT d.message_id FROM postroom_delivery d WHERE d.id = ANY(%(ids)s::bigint[]))
 ORDER BY p.id FOR NO KEY UPDATE
"""
_COPIES_DONE = """
SELECT p.id, CASE WHEN bool_and(d.state = 'accepted') THEN 'delivered' ELSE 'undelivered' END
  FROM postroom_posting p JOIN postroom_delivery d ON d.message_id = p.message_id
 WHERE p.id = ANY(%(ids)s::bigint[])
 GROUP BY p.id
HAVING NOT bool_or(d.state IN ('queued', 'deferred'))
"""


def deliveries_tell(told: Collection[tuple[int, str]]) -> None:
    """told: (delivery id, name of OF_DELIVERY; "" = the state that it has now). Call where that was just written."""
    if told:
        values = {"ids": [number for number, _ in told], "events": [event for _, event in told]}
        _run(_TELL, values)


def states_tell(delivery_ids: Sequence[int]) -> None:
    """The states that these deliveries have just reached."""
    deliveries_tell([(number, "") for number in delivery_ids])


def received_tell(messages: Sequence[Message]) -> None:
    """Mails for people that came in now; not what a mailbox held before it was connected."""
    if messages:
        _run(_RECEIVED, {"ids": [message.id for message in messages]})


def postings_tell(told: Collection[tuple[int, str]]) -> None:
    """told: (posting id, name of OF_POSTING). Call where that was just written."""
    if told:
        _run(_POSTING, {"ids": [number for number, _ in told], "events": [event for _, event in told]})


def copies_tell(delivery_ids: Sequence[int]) -> None:
    """The postings whose last copies these were; call where the outcomes of copies were just written."""
    with connection.cursor() as cursor:
        cursor.execute(_COPIES_WANTED)
        if not delivery_ids or not cursor.fetchone():
            return
        cursor.execute(_COPIES_LOCK, {"ids": list(delivery_ids)})
        cursor.execute(_COPIES_DONE, {"ids": [number for (number,) in cursor.fetchall()]})
        postings_tell(cursor.fetchall())


def _run(sql: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM postroom_webhook WHERE is_on LIMIT 1")
        if cursor.fetchone():
            cursor.execute(sql, values)
