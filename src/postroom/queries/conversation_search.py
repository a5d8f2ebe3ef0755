"""Finding conversations by the words of their mails, newest first: quick for frequent words and for rare ones.

The newest mails are looked through first. Where some of them have the words, looking on finds a page soon; where hardly
any has, the words are rare and the inverted index tells all that have them. The mails looked at decide which, no
figure of the database about its tables, which may be old. A shelf of few conversations is looked through whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from postroom.mail.words import account_word, query_of, space_word
from postroom.models.conversation import Conversation

#: Mails looked through at a time, and at most.
LOOK, LOOK_MOST = 1000, 40_000
#: Of a thousand newest mails so many must have the words, else the index is asked.
FREQUENT = 15
#: A shelf with at most so many conversations is looked through itself.
SHELF_SMALL = 1500
#: Mails that the index tells at a time.
TOLD = 3000

Place = tuple[datetime, int]
_END: Place = (datetime.max.replace(tzinfo=UTC), 2**62)

_WORKSPACE = """
SELECT w.message_id, w.at FROM postroom_messagewords w
 WHERE w.workspace_id = %(workspace)s AND (w.at, w.message_id) < (%(at)s, %(number)s)
 ORDER BY w.at DESC, w.message_id DESC
"""
_ACCOUNTS = """
SELECT one.* FROM unnest(%(accounts)s::bigint[]) AS a(id), LATERAL (
       SELECT w.message_id, w.at FROM postroom_messagewords w
        WHERE w.account_id = a.id AND (w.at, w.message_id) < (%(at)s, %(number)s)
        ORDER BY w.at DESC, w.message_id DESC LIMIT %(most)s) one
 ORDER BY one.at DESC, one.message_id DESC
"""
#: Nested by OFFSET 0: each mail is looked up by its number, whatever the planner believes.
_WALK = """
SELECT m.conversation_id, look.message_id, look.at FROM ({source} LIMIT %(most)s) look
  JOIN LATERAL (SELECT w.vector FROM postroom_messagewords w WHERE w.message_id = look.message_id OFFSET 0) w
       ON w.vector @@ %(query)s::tsquery
  JOIN LATERAL (SELECT conversation_id FROM postroom_message WHERE id = look.message_id OFFSET 0) m
       ON m.conversation_id IS NOT NULL
 ORDER BY look.at DESC, look.message_id DESC
"""
#: The last mail of the portion; nothing when it was the last portion.
_END_SQL = "SELECT at, message_id FROM ({source} LIMIT %(most)s) look OFFSET %(most)s - 1"
_INDEX = """
WITH hit AS MATERIALIZED (
     SELECT w.message_id, w.at FROM postroom_messagewords w WHERE w.vector @@ %(bound)s::tsquery)
SELECT m.conversation_id, h.message_id, h.at
  FROM (SELECT * FROM hit WHERE (at, message_id) < (%(at)s, %(number)s)
         ORDER BY at DESC, message_id DESC LIMIT %(most)s) h
  JOIN LATERAL (SELECT conversation_id FROM postroom_message WHERE id = h.message_id OFFSET 0) m
       ON m.conversation_id IS NOT NULL
 ORDER BY h.at DESC, h.message_id DESC
"""
_SHELF = """
SELECT m.conversation_id, m.id, w.at FROM postroom_message m
  JOIN LATERAL (SELECT at, vector FROM postroom_messagewords WHERE message_id = m.id OFFSET 0) w
       ON w.vector @@ %(query)s::tsquery AND (w.at, m.id) < (%(at)s, %(number)s)
 WHERE m.conversation_id = ANY(%(conversations)s)
 ORDER BY w.at DESC, m.id DESC
"""
_EARLIER = """
SELECT DISTINCT m.conversation_id FROM postroom_message m
  JOIN LATERAL (SELECT at, vector FROM postroom_messagewords WHERE message_id = m.id OFFSET 0) w
       ON w.vector @@ %(query)s::tsquery AND (w.at, m.id) >= (%(at)s, %(number)s)
 WHERE m.conversation_id = ANY(%(ids)s)
"""


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation, and its newest mail that has the words."""

    conversation_id: int
    message_id: int
    at: datetime


def found_in(
    *,
    workspace_id: int,
    account_ids: Sequence[int] | None,
    find: str,
    rows: "QuerySet[Conversation]",
    before: tuple[datetime | None, int],
    size: int,
) -> tuple[list[Hit], bool]:
    """At most `size` conversations of `rows` with the words, newest mail found first, and whether there are more.

    account_ids: where to look; None = the whole workspace. rows: which may be shown.
    before: (time, number) of the mail the last page ended with.
    """
    query = query_of(find)
    if not query or (account_ids is not None and not account_ids):
        return [], False
    search = _Search(workspace_id, account_ids, query, rows)
    begin: Place = (before[0], before[1]) if before[0] is not None else _END
    found: dict[int, Hit] = {}
    with _planned():
        for hits in search.hits(begin):
            search.shown(hits, found, begin)
            if len(found) > size:
                break
    page = list(found.values())
    return page[:size], len(page) > size


@contextmanager
def _planned() -> Iterator[None]:
    """Plans that go by the indexes, on tables of any size that nobody has analysed too."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
        yield
        cursor.execute("SELECT set_config('enable_seqscan', 'on', true)")


class _Search:
    def __init__(
        self,
        workspace_id: int,
        account_ids: Sequence[int] | None,
        query: str,
        rows: "QuerySet[Conversation]",
    ) -> None:
        self._rows = rows.order_by().select_related(None)
        self._values: dict[str, Any] = {
            "workspace": workspace_id,
            "accounts": list(account_ids or ()),
            "query": query,
        }
        self._source = _WORKSPACE if account_ids is None else _ACCOUNTS
        everything = [space_word(workspace_id)]
        who = everything if account_ids is None else [account_word(one) for one in account_ids]
        whose = " | ".join(f"'{word}'" for word in who)
        self._values["bound"] = f"({query}) & ({whose})"

    def hits(self, begin: Place) -> Iterator[list[Hit]]:
        """Mails with the words from `begin` on, newest first, in portions."""
        few = list(self._rows.values_list("id", flat=True)[: SHELF_SMALL + 1])
        if len(few) <= SHELF_SMALL:
            yield self._run(_SHELF, begin, conversations=few)
            return
        looked, place = 0, begin
        while looked < LOOK_MOST:
            hits = self._run(_WALK.format(source=self._source), place, most=LOOK)
            yield hits
            looked += LOOK
            end = self._run_one(_END_SQL.format(source=self._source), place, most=LOOK)
            if end is None:
                return
            place = end
            if len(hits) < FREQUENT:
                break
        yield from self._told(place)

    def _told(self, place: Place) -> Iterator[list[Hit]]:
        while hits := self._run(_INDEX, place, most=TOLD):
            yield hits
            if len(hits) < TOLD:
                return
            place = (hits[-1].at, hits[-1].message_id)

    def _run(self, sql: str, place: Place, **more: Any) -> list[Hit]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._values, "at": place[0], "number": place[1], **more})
            return [Hit(*row) for row in cursor.fetchall()]

    def _run_one(self, sql: str, place: Place, **more: Any) -> Place | None:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._values, "at": place[0], "number": place[1], **more})
            row = cursor.fetchone()
        return (row[0], row[1]) if row else None

    def shown(self, hits: list[Hit], found: dict[int, Hit], begin: Place) -> None:
        """Add the first hit of each conversation that may be shown and was not on an earlier page."""
        first: dict[int, Hit] = {}
        for hit in hits:
            if hit.conversation_id not in found:
                first.setdefault(hit.conversation_id, hit)
        if not first:
            return
        allowed = set(self._rows.filter(id__in=list(first)).values_list("id", flat=True))
        if begin != _END:
            allowed -= self._before(allowed, begin)
        found.update((number, hit) for number, hit in first.items() if number in allowed)

    def _before(self, conversations: set[int], begin: Place) -> set[int]:
        with connection.cursor() as cursor:
            cursor.execute(
                _EARLIER, {**self._values, "at": begin[0], "number": begin[1], "ids": list(conversations)}
            )
            return {row[0] for row in cursor.fetchall()}
