"""Statements that run thousands of times: planned once a connection, with the values beside the text."""

from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from django.db import connection

_SETTINGS = (
    "SELECT set_config('plan_cache_mode', 'force_generic_plan', false), set_config('jit', 'off', false)"
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
            _known.add(link)
        link.prepare_threshold = (
            0  # Django's own cursors write values into the text: nothing to prepare there
        )
        try:
            with link.cursor() as cursor:
                cursor.execute(sql, values)
                found: list[tuple[Any, ...]] = cursor.fetchall()
                return found
        finally:
            link.prepare_threshold = None
