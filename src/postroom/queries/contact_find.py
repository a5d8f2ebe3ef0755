"""Which people a list of them shows: the conditions of words, lists, blocks and rights, in SQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from postroom.mail.fold import search_words
from postroom.models.profile import May
from postroom.models.search import SearchNoun
from postroom.queries.contact_list import hidden_lists, shut_lists
from postroom.queries.prepared import array_of
from postroom.queries.search_grams import things_holding
from postroom.queries.suppression_check import blocked, blocked_one
from postroom.queries.viewer import Viewer

_BLOCKED, _BLOCKED_ONE = blocked("c", "%(user)s"), blocked_one("c", "%(user)s")


@dataclass(frozen=True)
class Holding:
    """What the index of triplets says of words. ids: of all who have them and of some more; None = it does not tell."""

    ids: list[int] | None = None


def holding_of(viewer: Viewer, words: str) -> Holding:
    asked = search_words(words)
    if not asked:
        return Holding()
    return Holding(things_holding(SearchNoun.CONTACT, viewer.workspace.id, asked))


# On no hidden list, or on one that is neither hidden nor deleted. One value a person, so that the planner looks along
# the index for each row it shows; given two EXISTS, it reads the whole table of members before the first row.
SEEN = """coalesce((
    SELECT NOT bool_or(m.contact_list_id = ANY(%s::bigint[])) OR bool_or(m.contact_list_id <> ALL(%s::bigint[]))
      FROM postroom_listmember m WHERE m.contact_id = s.contact_id), true)"""


@contextmanager
def reading(only: str) -> Iterator[CursorWrapper]:
    """A cursor. Who is on no list is found along two indexes: the planner would rather hash the whole table of members,
    which takes three times as long with 300,000 people."""
    with transaction.atomic(), connection.cursor() as cursor:
        if only == "unlisted":
            cursor.execute("SET LOCAL enable_hashjoin = off")
        yield cursor
        if only == "unlisted":
            cursor.execute("SET LOCAL enable_hashjoin = on")


def where_of(
    viewer: Viewer,
    words: str,
    list_id: int,
    only: str,
    holding: Holding,
    *,
    may: May = May.VIEW,
    few: bool = False,
    near: tuple[str, list[Any]] = ("postroom_contactsearch", []),
) -> tuple[str, str, list[Any]]:
    """What stands before a SELECT from `found`, and its condition on rows `s`, with the values of both.

    holding: what `holding_of` says. few: it is asked for some thousand rows only. near: rows to look at, with values.

    With words those are looked at whom the index of triplets names; where these are many, or it cannot tell, the narrow
    table is scanned as a whole first: the planner would rather follow the order of the index, or a list, row by row,
    which takes ten times as long when few fit.
    """
    inside, where = "s.workspace_id = %s", "WHERE true"
    values: list[Any] = [*near[1], viewer.workspace.id]
    if holding.ids is not None:
        inside += " AND s.contact_id = ANY(%s::bigint[])"
        values.append(array_of(holding.ids))
    for word in search_words(words):
        inside += r" AND s.text LIKE %s"
        values.append("%" + word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%")
    kept = "MATERIALIZED" if search_words(words) else "NOT MATERIALIZED"
    found_by = f"WITH found AS {kept} (SELECT s.sort_key, s.contact_id FROM {near[0]} s WHERE {inside})"
    if list_id:
        where += (
            " AND EXISTS (SELECT 1 FROM postroom_listmember m"
            " WHERE m.contact_list_id = %s AND m.contact_id = s.contact_id)"
        )
        values.append(list_id)
    if only == "blocked":
        where += f" AND (SELECT {_BLOCKED_ONE if few else _BLOCKED} FROM postroom_contact c WHERE c.id = s.contact_id)"
        where = where.replace("%(workspace)s", str(int(viewer.workspace.id)))
        where = where.replace("%(user)s", str(int(viewer.user.id)))
    if only == "unlisted":
        where += (
            " AND NOT EXISTS (SELECT 1 FROM postroom_listmember m WHERE m.contact_id = s.contact_id"
            " AND m.contact_list_id <> ALL(%s::bigint[]))"
        )
        values.append(array_of(shut_lists(viewer, [])))
    hidden = [] if list_id else hidden_lists(viewer, may)  # who is on a list one sees is seen
    if hidden:
        where += f" AND {SEEN}"
        values += [array_of(hidden), array_of(shut_lists(viewer, hidden))]
    return found_by, where, values
