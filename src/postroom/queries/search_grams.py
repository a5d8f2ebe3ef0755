"""Which things may hold the words, however many there are: by the index of their triplets of letters."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from postroom.mail.grams import LENGTH, grams
from postroom.models.search import SearchNoun

#: Of more the order of the list is the better way: a page of it is full soon.
MOST = 20_000
#: While more than so many wait to be written down, the texts are read instead.
DUE_MOST = 20_000

# What a tenth of all things has tells little and is long to read through: it is left out where something else is asked.
_ASK = """
WITH common AS (
    SELECT many.gram
      FROM pg_stats s, unnest(s.most_common_elems::text::int[], s.most_common_elem_freqs) AS many (gram, part)
     WHERE s.schemaname = current_schema() AND s.tablename = 'postroom_searchgrams' AND s.attname = 'grams'
       AND many.part > 0.1)
SELECT (SELECT coalesce(sum(last - first + 1), 0) FROM postroom_searchdue WHERE noun = %(noun)s),
       coalesce(nullif(ARRAY(SELECT unnest(%(grams)s::int[]) EXCEPT SELECT gram FROM common), '{}'), %(grams)s::int[])
"""
_FIND = """
SELECT thing_id FROM postroom_searchgrams WHERE grams @> %s::int[] AND noun = %s LIMIT %s
"""
_WAITING = """
SELECT generate_series(first, last) FROM postroom_searchdue WHERE noun = %s
"""


def mark_of(noun: SearchNoun, workspace_id: int) -> int:
    """Stands among the triplets of every thing of a noun in a workspace."""
    return -(workspace_id << 2 | noun)


def things_holding(noun: SearchNoun, workspace_id: int, words: Sequence[str]) -> list[int] | None:
    """Ids of all things that hold all the words, and of some that do not; None when those are many, or not known.

    words: of fewer than three letters they tell nothing.
    """
    asked = [word for word in words if len(word) >= LENGTH]
    if not asked:
        return None
    with transaction.atomic(), connection.cursor() as cursor:
        given: dict[str, Any] = {"noun": noun, "grams": grams(" ".join(asked), mark_of(noun, workspace_id))}
        cursor.execute(_ASK, given)
        due, telling = cursor.fetchone()
        if due > DUE_MOST:
            return None
        switch = (
            "SELECT set_config('enable_seqscan', %(on)s, true), set_config('enable_indexscan', %(on)s, true)"
        )
        cursor.execute(switch, {"on": "off"})
        cursor.execute(_FIND, [telling, noun, MOST + 1])
        found = [number for (number,) in cursor.fetchall()]
        cursor.execute(switch, {"on": "on"})
        if len(found) > MOST:
            return None
        cursor.execute(_WAITING, [noun])
        return sorted({*found, *(number for (number,) in cursor.fetchall())})
