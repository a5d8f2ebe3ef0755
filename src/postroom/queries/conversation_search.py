"""Finding conversations by the words of their mails, newest first: quick for frequent words and for rare ones.

The newest conversations are looked through first. Where some of them have the words, looking on fills a page soon;
where hardly any has, the words are rare and the inverted index tells all mails that have them. What was looked at
decides, no figure of the database about its tables, which may be old.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from postroom.mail.words import account_word, query_of, space_word

#: Conversations looked through: first, then at a time, at most.
LOOK, LOOK_MORE, LOOK_MOST = 300, 1000, 12_000
#: Of a thousand conversations looked through so many must have the words, else the index is asked.
FREQUENT = 12

Place = tuple[datetime, int]
_END: Place = (datetime.max.replace(tzinfo=UTC), 2**62)

# Nested by LATERAL ... LIMIT or OFFSET 0: each piece goes by its index, whatever the planner believes.
_SOURCE = """
SELECT one.id, one.last_at
  FROM unnest(%(states)s::text[]) AS s(state), {accounts} LATERAL (
       SELECT c.id, c.last_at FROM postroom_conversation c
        WHERE c.workspace_id = %(workspace)s AND c.state = s.state AND c.merged_into_id IS NULL {shelf}
          AND (c.last_at, c.id) < (%(at)s, %(number)s)
        ORDER BY c.last_at DESC, c.id DESC LIMIT %(look)s) one
 ORDER BY one.last_at DESC, one.id DESC LIMIT %(look)s
"""
_WALK = f"""
SELECT look.id, look.last_at, has.it FROM ({_SOURCE}) look, LATERAL (
       SELECT EXISTS (SELECT FROM (SELECT w.vector FROM postroom_messagewords w
                                    WHERE w.conversation_id = look.id OFFSET 0) w
                       WHERE w.vector @@ %(query)s::tsquery) AS it OFFSET 0) has
 ORDER BY look.last_at DESC, look.id DESC
"""
_INDEX = """
WITH hit AS MATERIALIZED (
     SELECT DISTINCT w.conversation_id AS id FROM postroom_messagewords w WHERE w.vector @@ %(bound)s::tsquery)
SELECT c.id, c.last_at, true FROM hit JOIN LATERAL (
       SELECT c.id, c.last_at FROM postroom_conversation c
        WHERE c.id = hit.id AND c.workspace_id = %(workspace)s AND c.state = ANY(%(states)s)
          AND c.merged_into_id IS NULL {shelf} {among}
          AND (c.last_at, c.id) < (%(at)s, %(number)s) OFFSET 0) c ON true
 ORDER BY c.last_at DESC, c.id DESC LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Where:
    """Where to look. account_ids: None = the whole workspace. assignee_id: None = anybody's."""

    workspace_id: int
    states: Sequence[str]
    account_ids: Sequence[int] | None = None
    assignee_id: int | None = None


def found_in(
    where: Where, find: str, *, before: tuple[datetime | None, int] = (None, 0), most: int
) -> list[int]:
    """Ids of at most `most` conversations with the words, by their newest mail; [] when nothing is asked for.

    before: (last_at, id) of the conversation the last page ended with; (None, 0) for the first.
    """
    query = query_of(find)
    if not query or (where.account_ids is not None and not where.account_ids):
        return []
    search = _Search(where, query, most)
    found: list[int] = []
    for number in search.all((before[0], before[1]) if before[0] is not None else _END):
        found.append(number)
        if len(found) == most:
            break
    return found


@contextmanager
def _without(*plans: str) -> Iterator[None]:
    """Plans that go by the indexes, on tables of any size that nobody has analysed too."""
    switch = "SELECT " + ", ".join(f"set_config('enable_{plan}', %s, true)" for plan in plans)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(switch, ["off"] * len(plans))
        yield
        cursor.execute(switch, ["on"] * len(plans))


class _Search:
    def __init__(self, where: Where, query: str, most: int) -> None:
        ids = where.account_ids
        who = [space_word(where.workspace_id)] if ids is None else [account_word(one) for one in ids]
        whose = " | ".join(f"'{word}'" for word in who)
        self._values: dict[str, Any] = {
            "workspace": where.workspace_id,
            "accounts": list(ids or ()),
            "states": list(where.states),
            "assignee": where.assignee_id,
            "query": query,
            "bound": f"({query}) & ({whose})",
            "most": most,
        }
        shelf = ["AND c.assignee_id = %(assignee)s"] if where.assignee_id is not None else []
        each = [*shelf, "AND c.account_id = a.id"] if ids is not None else shelf
        accounts = "unnest(%(accounts)s::bigint[]) AS a(id)," if ids is not None else ""
        self._walk = _WALK.format(accounts=accounts, shelf=" ".join(each))
        among = "AND c.account_id = ANY(%(accounts)s)" if ids is not None else ""
        self._index = _INDEX.format(shelf=" ".join(shelf), among=among)

    def all(self, place: Place) -> Iterator[int]:
        """Every conversation with the words from `place` on, as long as one asks; of rare ones the first `most`."""
        looked, fitting, look = 0, 0, LOOK
        while looked < LOOK_MOST:
            with _without("seqscan", "bitmapscan"):
                rows = self._rows(self._walk, place, look=look)
            yield from (number for number, _at, it in rows if it)
            if len(rows) < look:
                return
            looked, fitting = looked + look, fitting + sum(it for _number, _at, it in rows)
            place = (rows[-1][1], rows[-1][0])
            if fitting * 1000 < FREQUENT * looked:
                break
            look = LOOK_MORE
        with _without("seqscan", "hashjoin", "mergejoin"):
            rows = self._rows(self._index, place)
        yield from (number for number, _at, _it in rows)

    def _rows(self, sql: str, place: Place, **more: Any) -> list[tuple[int, datetime, bool]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._values, "at": place[0], "number": place[1], **more})
            rows: list[tuple[int, datetime, bool]] = cursor.fetchall()
        return rows
