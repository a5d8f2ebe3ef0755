"""The newest conversations of a shelf, and those found by the words of their mails, newest first as well.

Of a search the newest are looked through first. Where some of them have the words, looking on fills a page soon;
where hardly any has, the words are rare and the inverted index tells all mails that have them. What was looked at
decides, no figure of the database about its tables, which may be old.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction

from postroom.mail.words import account_word, space_word, terms_of, tsquery

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
_OF_SHELF = """
       SELECT c.id, c.last_at FROM postroom_conversation c
        WHERE c.id = hit.id AND c.workspace_id = %(workspace)s AND c.state = ANY(%(states)s)
          AND c.merged_into_id IS NULL {shelf} {among}
          AND (c.last_at, c.id) < (%(at)s, %(number)s) OFFSET 0
"""
_INDEX = f"""
WITH hit AS MATERIALIZED (
     SELECT DISTINCT w.conversation_id AS id FROM postroom_messagewords w WHERE w.vector @@ %(bound)s::tsquery)
SELECT c.id, c.last_at, true FROM hit JOIN LATERAL ({_OF_SHELF}) c ON true
 ORDER BY c.last_at DESC, c.id DESC LIMIT %(most)s
"""
# Mails with the rarest words; of those that belong here the words themselves tell whether all are there.
_RARE = f"""
SELECT DISTINCT c.id, c.last_at, true
  FROM (SELECT w.conversation_id AS id, w.vector FROM postroom_messagewords w
         WHERE w.vector @@ %(bound)s::tsquery OFFSET 0) hit
  JOIN LATERAL ({_OF_SHELF}) c ON true
  JOIN LATERAL (SELECT hit.vector @@ %(query)s::tsquery AS it OFFSET 0) has ON has.it
 ORDER BY c.last_at DESC, c.id DESC LIMIT %(most)s
"""
# What part of all mails has a word or what begins with it, as far as the database noted the frequent ones.
_PARTS = """
WITH many AS MATERIALIZED (
     SELECT often.word, often.part
       FROM pg_stats s, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) AS often (word, part)
      WHERE s.schemaname = current_schema() AND s.tablename = 'postroom_messagewords' AND s.attname = 'vector')
SELECT (SELECT coalesce(sum(m.part), 0) FROM many m
         WHERE CASE WHEN a.begins THEN starts_with(m.word, a.word) ELSE m.word = a.word END)
  FROM unnest(%s::text[], %s::bool[]) WITH ORDINALITY AS a (word, begins, number) ORDER BY a.number
"""
#: A word that the database did not note as frequent has about this part of all mails at most.
_UNKNOWN = 0.002
#: To read the list of all mails with a word is worth it while it is not so many times as long as what is left without.
_WORTH = 30
#: Whose the mails are is left to the look at them when so large a part is.
_OURS = 0.3


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
    terms = terms_of(find)
    if not terms or (where.account_ids is not None and not where.account_ids):
        return []
    search = _Search(where, terms, most)
    found: list[int] = []
    for number in search.all((before[0], before[1]) if before[0] is not None else _END):
        found.append(number)
        if len(found) == most:
            break
    return found


def newest_in(where: Where, *, before: tuple[datetime | None, int] = (None, 0), most: int) -> list[int]:
    """Ids of at most `most` conversations, by their newest mail; before: as in `found_in`."""
    if where.account_ids is not None and not where.account_ids:
        return []
    values: dict[str, Any] = {
        "workspace": where.workspace_id,
        "accounts": list(where.account_ids or ()),
        "states": list(where.states),
        "assignee": where.assignee_id,
        "at": before[0] or _END[0],
        "number": before[1] if before[0] else _END[1],
        "look": most,
    }
    with _without("seqscan", "bitmapscan"), connection.cursor() as cursor:
        cursor.execute(_source(where), values)
        return [number for number, _at in cursor.fetchall()]


def _source(where: Where, sql: str = _SOURCE) -> str:
    """Of each state, and of each account where they are named, the newest."""
    shelf = ["AND c.assignee_id = %(assignee)s"] if where.assignee_id is not None else []
    if where.account_ids is None:
        return sql.format(accounts="", shelf=" ".join(shelf))
    accounts = "unnest(%(accounts)s::bigint[]) AS a(id),"
    return sql.format(accounts=accounts, shelf=" ".join([*shelf, "AND c.account_id = a.id"]))


@contextmanager
def _without(*plans: str) -> Iterator[None]:
    """Plans that go by the indexes, on tables of any size that nobody has analysed too."""
    switch = "SELECT " + ", ".join(f"set_config('enable_{plan}', %s, true)" for plan in plans)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(switch, ["off"] * len(plans))
        yield
        cursor.execute(switch, ["on"] * len(plans))


class _Search:
    def __init__(self, where: Where, terms: Sequence[tuple[str, bool]], most: int) -> None:
        ids = where.account_ids
        self._terms = terms
        self._who = [space_word(where.workspace_id)] if ids is None else [account_word(one) for one in ids]
        self._values: dict[str, Any] = {
            "workspace": where.workspace_id,
            "accounts": list(ids or ()),
            "states": list(where.states),
            "assignee": where.assignee_id,
            "query": tsquery(terms),
            "most": most,
        }
        shelf = ["AND c.assignee_id = %(assignee)s"] if where.assignee_id is not None else []
        self._walk = _source(where, _WALK)
        among = "AND c.account_id = ANY(%(accounts)s)" if ids is not None else ""
        self._index, self._rare = (sql.format(shelf=" ".join(shelf), among=among) for sql in (_INDEX, _RARE))

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
        bound, is_all = self._bound()
        with _without("seqscan", "hashjoin", "mergejoin"):
            rows = self._rows(self._index if is_all else self._rare, place, bound=bound)
        yield from (number for number, _at, _it in rows)

    def _bound(self) -> tuple[str, bool]:
        """What the index is asked for, and whether that is all that was asked.

        Beginnings are dear: the mails of each word that goes on so are gathered first. So a rare word is asked for
        alone, and the few mails that have it are looked at.
        """
        asked = [*self._terms, *((word, False) for word in self._who)]
        with connection.cursor() as cursor:
            cursor.execute(_PARTS, [[word for word, _begins in asked], [begins for _word, begins in asked]])
            parts = [float(part) for (part,) in cursor.fetchall()]
        some = sorted(zip(parts, self._terms, strict=False), key=lambda one: one[0])
        left = 1.0
        chosen: list[tuple[str, bool]] = []
        for part, term in some:
            part = max(part, _UNKNOWN)
            if chosen and part > _WORTH * left:
                continue
            left *= min(part, 1.0)
            chosen.append(term)
        query = tsquery(chosen)
        if sum(parts[len(self._terms) :]) < _OURS:
            whose = " | ".join(f"'{word}'" for word in self._who)
            query = f"({query}) & ({whose})"
        return query, len(chosen) == len(self._terms)

    def _rows(self, sql: str, place: Place, **more: Any) -> list[tuple[int, datetime, bool]]:
        with connection.cursor() as cursor:
            cursor.execute(sql, {**self._values, "at": place[0], "number": place[1], **more})
            rows: list[tuple[int, datetime, bool]] = cursor.fetchall()
        return rows
