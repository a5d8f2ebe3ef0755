"""Stored passwords and keys under another key: all tables, in batches, while everything runs."""

from collections.abc import Iterator

from django.apps import apps
from django.db import connection, transaction

from postroom.conf import keys, place
from postroom.models.secret import SecretField, decrypt, renewed

#: Rows changed in one transaction.
BATCH = 200


def secrets_check() -> None:
    """Raises HostError naming the key file when what is stored was encrypted with another one."""
    for table, column in _columns():
        with connection.cursor() as cursor:
            cursor.execute(
                f'SELECT "{column}" FROM "{table}" WHERE "{column}" <> %s ORDER BY id DESC LIMIT 1', [""]
            )
            row = cursor.fetchone()
        if row:
            decrypt(row[0])


def secrets_rotate(*, finish: bool = False) -> dict[str, int]:
    """Bring every stored secret under the newest key; how many were changed, by table.

    finish: afterwards drop the older keys from the key file. Raises HostError, with nothing dropped, when a secret can
    be read with none of them.
    """
    changed: dict[str, int] = {}
    for table, column in _columns():
        changed[table] = changed.get(table, 0) + sum(_batches(table, column))
    if finish and len(keys.current().fernet_keys) > 1:
        # what a process wrote while we went through: once more, then nothing old is left
        for table, column in _columns():
            changed[table] += sum(_batches(table, column))
        keys.renew(place.key_file(), finish=True)
    return {table: count for table, count in changed.items() if count}


def _columns() -> list[tuple[str, str]]:
    """(table, column) of every SecretField."""
    return [
        (model._meta.db_table, str(field.column))
        for model in apps.get_app_config("postroom").get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, SecretField)
    ]


def _batches(table: str, column: str) -> Iterator[int]:
    last = 0
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f'SELECT id, "{column}" FROM "{table}" WHERE id > %s AND "{column}" <> %s'
                " ORDER BY id LIMIT %s FOR UPDATE",
                [last, "", BATCH],
            )
            rows = cursor.fetchall()
            new = [(renewed(stored), number) for number, stored in rows]
            different = [pair for pair, (_, stored) in zip(new, rows, strict=True) if pair[0] != stored]
            cursor.executemany(f'UPDATE "{table}" SET "{column}" = %s WHERE id = %s', different)
        yield len(different)
        if len(rows) < BATCH:
            return
        last = rows[-1][0]
