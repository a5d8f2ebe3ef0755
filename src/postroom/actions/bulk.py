"""New rows written with COPY, the fastest way into a table: a fifth of the time of bulk_create."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg.types.json import Jsonb


def rows_number(rows: Sequence[models.Model]) -> None:
    """Give new rows of one model their ids, before they are stored."""
    if rows:
        model = type(rows[0])
        key = model._meta.pk
        for row, number in zip(rows, _numbers(model._meta.db_table, str(key.column), len(rows)), strict=True):
            row.pk = number


def rows_copy(rows: Sequence[models.Model]) -> None:
    """Store rows of one model, and set the ids of those without. IntegrityError when one cannot be: then none is.

    All columns are written; signals are not sent.
    """
    if not rows:
        return
    model = type(rows[0])
    table, columns, getters = _plan(model)
    if rows[0].pk is None:
        rows_number(rows)
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row([value(row) for value in getters])
    for row in rows:
        row._state.adding, row._state.db = False, "default"


def _numbers(table: str, column: str, count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
            [table, column, count],
        )
        return [number for (number,) in cursor.fetchall()]


@cache
def _plan(model: type[models.Model]) -> tuple[str, str, list[Callable[[Any], Any]]]:
    fields = model._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    return model._meta.db_table, columns, [_getter(field) for field in fields]


def _getter(field: "models.Field[Any, Any]") -> Callable[[Any], Any]:
    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda row: Jsonb(getattr(row, name))
    if getattr(field, "auto_now_add", False) or getattr(field, "auto_now", False):
        return lambda row: field.pre_save(row, add=True)
    if isinstance(field, ArrayField):
        return lambda row: list(getattr(row, name))
    return lambda row: getattr(row, name)
