"""`postroom backup FILE`: everything in one file, whatever version of PostgreSQL serves it.

A tar: meta.json (migrations and tables), tables/NAME.copy (COPY's text), objects/ and keys.json. The tables are of one
moment; mail stored later than that moment may be in objects/ too, which does no harm. Keep the file safe: it holds
the keys to the stored passwords.
"""

import argparse
import contextlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from postroom.conf import log, place
from postroom.errors import HostError
from postroom.host.postgres import Cluster, served_by

FORMAT = 1


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("backup", help="Write everything into one file.")
    parser.add_argument("file", type=Path, help="a .tar file that does not exist yet")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    log.setup("backup")
    if args.file.exists():
        raise HostError(f"{args.file} is there already. Choose another name; nothing is ever overwritten.")
    half = args.file.with_name(f"{args.file.name}.part")
    try:
        with (
            database() as connection,
            open(os.open(half, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as out,
        ):
            rows = write(connection, out)
            out.flush()
            os.fsync(out.fileno())
        half.rename(args.file)
    except OSError as error:
        raise HostError(f"{args.file} cannot be written: {error.strerror}.") from error
    finally:
        half.unlink(missing_ok=True)
    print(f"{args.file}: {rows} rows, {args.file.stat().st_size / 2**20:.1f} MB")
    return 0


@contextlib.contextmanager
def database() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the database; the embedded server is started for it when nobody serves it now."""
    cluster = None
    if place.is_embedded() and served_by(place.cluster()) is None:
        if not place.cluster().exists():
            raise HostError(f"There is no database in {place.data()}. POSTROOM_DATA names another folder.")
        cluster = Cluster(place.cluster(), pg_bin=place.pg_bin())
        cluster.start()
    try:
        with psycopg.connect(place.database_url(), connect_timeout=10) as connection:
            yield connection
    finally:
        if cluster is not None:
            cluster.stop()


def write(connection: psycopg.Connection[Any], out: Any) -> int:
    """Everything as a tar into `out`; the number of rows."""
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    applied = connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    names = tables(connection)
    meta: dict[str, Any] = {"format": FORMAT, "migrations": applied, "tables": {}}
    total = 0
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in names:
            with tempfile.TemporaryFile() as spool, connection.cursor() as cursor:
                meta["tables"][name] = columns = _columns(connection, name)
                with cursor.copy(copy_command(name, columns, "TO STDOUT")) as copy:
                    for block in copy:
                        spool.write(block)
                total += max(cursor.rowcount, 0)
                _add(tar, f"tables/{name}.copy", spool)
        for path in sorted(place.objects().rglob("*")) if place.objects().exists() else []:
            if path.is_file():
                tar.add(path, f"objects/{path.relative_to(place.objects())}", recursive=False)
        tar.add(place.key_file(), "keys.json")
        _add(tar, "meta.json", io.BytesIO(json.dumps(meta).encode()))
    return total


def tables(connection: psycopg.Connection[Any]) -> list[str]:
    """Our tables, each after those it points to (as far as that can be)."""
    names = [
        name
        for (name,) in connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            " AND tablename <> 'django_migrations' ORDER BY 1"
        )
    ]
    links = connection.execute(
        "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND NOT condeferrable"
    ).fetchall()
    ordered: list[str] = []
    while names:
        free = [n for n in names if not any(a == n and b != n and b in names for a, b in links)] or names
        ordered += free
        names = [name for name in names if name not in free]
    return ordered


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    """Stored columns; generated ones are computed again."""
    return [
        name
        for (name,) in connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
            [f'"{table}"'],
        )
    ]


def copy_command(table: str, columns: list[str], rest: str) -> sql.Composed:
    return sql.SQL("COPY {} ({}) {}").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns)), sql.SQL(rest)
    )


def _add(tar: tarfile.TarFile, name: str, file: Any) -> None:
    info = tarfile.TarInfo(name)
    info.mode = 0o600
    info.size = file.seek(0, io.SEEK_END)
    file.seek(0)
    tar.addfile(info, file)
