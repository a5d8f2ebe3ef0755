"""Statements that run thousands of times: planned once a connection, with the values beside the text."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from weakref import WeakSet

from django.db import connection, transaction
from psycopg import Cursor

# The plan is kept while tables grow from nothing to millions: what suits only small ones must not get into it.
_PLANNER = {
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    **dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), "off"),
}
_SETTINGS = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', false)" for name, value in _PLANNER.items()
)
#: Connections that are set up for it.
_known: "WeakSet[Any]" = WeakSet()


def prepared(sql: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of one statement, in whatever transaction Django has open (else in one of its own).

    The plan is made without the values: only for statements that find their rows by an index whatever is asked.
    """
    connection.ensure_connection()
    link = connection.connection
    with connection.wrap_database_errors:
        if link not in _known:
            link.execute(_SETTINGS)
            link.prepare_threshold = 0
            transaction.on_commit(partial(_known.add, link))  # one that fails takes the settings back with it
        with Cursor(link) as cursor:  # Django's own write values into the text: nothing to prepare there
            found: list[tuple[Any, ...]] = cursor.execute(sql, values).fetchall()
            return found


def array_of(numbers: Iterable[float | None]) -> str:
    """As a value of a statement: thousands are written down ten times as fast as the driver does it. None = NULL."""
    return "{" + ",".join("NULL" if one is None else str(one) for one in numbers) + "}"


def array_of_texts(texts: Iterable[str]) -> str:
    """The same of texts."""
    return "{" + ",".join(map(_quoted, texts)) + "}"


def array_of_times(times: Iterable[datetime]) -> str:
    """The same of moments, each with its time zone."""
    return "{" + ",".join(f'"{one}"' for one in times) + "}"


def _quoted(text: str) -> str:
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
