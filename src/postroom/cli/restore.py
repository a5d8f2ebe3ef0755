"""`postroom restore FILE`: what `postroom backup` wrote, into an empty installation of this or an older version."""

import argparse
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import psycopg
from psycopg import sql

from postroom.cli import backup, boot, serve
from postroom.conf import keys, log, place
from postroom.errors import HostError
from postroom.host import account as accounts


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("restore", help="Bring back a backup, into an empty installation.")
    parser.add_argument("file", type=Path)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    log.setup("restore")
    try:
        tar = tarfile.open(args.file)  # noqa: SIM115  (closed below)
    except tarfile.TarError as error:  # its words are a page about compression
        raise HostError(f"{args.file} is no backup of `postroom backup`.") from error
    except OSError as error:
        raise HostError(f"{args.file} cannot be read: {error.strerror}.") from error
    account = accounts.needed(lambda words: None)
    serve.prepare_data(account)
    with tar:
        meta = _meta(tar, args.file)
        cluster = serve.start_cluster()
        try:
            boot.django("restore")
            _prepare(meta)
            _keys(tar)
            rows = _fill(tar, meta)
            _objects(tar, account)
            _finish(account)
        except psycopg.Error as error:
            raise HostError(
                f"The backup could not be loaded: {error}. Empty {place.data()} before another try."
            ) from error
        finally:
            if cluster is not None:
                from django.db import connections

                connections.close_all()
                cluster.stop()
    print(f"{rows} rows are back. Start `postroom serve`.")
    return 0


def _meta(tar: tarfile.TarFile, file: Path) -> dict[str, Any]:
    try:
        found = tar.extractfile("meta.json")
        meta: dict[str, Any] = json.loads(found.read()) if found else {}
    except (KeyError, ValueError, OSError, tarfile.TarError) as error:
        raise HostError(f"{file} is no complete backup: {error}.") from error
    if meta.get("format") != backup.FORMAT:
        raise HostError(f"{file} was written by a newer Postroom. Use that version or a later one.")
    return meta


def _prepare(meta: dict[str, Any]) -> None:
    """Make empty tables exactly as they were at the time of the backup."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor
    from django.db.migrations.loader import MigrationLoader

    if "django_migrations" in connection.introspection.table_names():
        raise HostError("This installation has data already. Restore into an empty folder or database.")
    executor = MigrationExecutor(connection)
    wanted = [(app, name) for app, name in meta["migrations"]]
    loader = executor.loader
    unknown = [f"{app}.{name}" for app, name in wanted if (app, name) not in loader.disk_migrations]
    if unknown:
        raise HostError(f"The backup is of a newer Postroom ({unknown[0]}). Use that version or a later one.")
    whole = [key for key, step in loader.disk_migrations.items() if step.replaces]
    if not set(whole) <= set(
        wanted
    ):  # made before those steps were drawn together: step by step to that time
        executor.loader = loader = MigrationLoader(connection, replace_migrations=False)
    known = {key for key in wanted if key in loader.graph.nodes}
    # only the last ones: to be told of an earlier step as well would mean to go back to it
    passed = {parent.key for key in known for parent in loader.graph.node_map[key].parents}
    executor.migrate(sorted(known - passed))


def _keys(tar: tarfile.TarFile) -> None:
    path = place.key_file()
    if path.exists():
        raise HostError(f"The key file {path} is there already. Restore into an empty folder.")
    found = tar.extractfile("keys.json")
    assert found is not None
    with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        out.write(found.read())
    keys.load(path)


def _fill(tar: tarfile.TarFile, meta: dict[str, Any]) -> int:
    total = 0
    with psycopg.connect(place.database_url()) as connection:
        names = [name for name in backup.tables(connection) if name in meta["tables"]]
        for (
            name
        ) in names:  # triggers would repeat what the rows already tell; migrations left rows of their own
            connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(name)))
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, names))))
        for name in names:
            found = tar.extractfile(f"tables/{name}.copy")
            assert found is not None
            with connection.cursor() as cursor:
                with cursor.copy(backup.copy_command(name, meta["tables"][name], "FROM STDIN")) as copy:
                    while block := found.read(1 << 16):
                        copy.write(block)
                total += max(cursor.rowcount, 0)
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in names:
            connection.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(name)))
            _counters(connection, name)
    return total


def _counters(connection: psycopg.Connection[Any], table: str) -> None:
    """Have the numbering of new rows go on after the highest."""
    found = connection.execute(
        "SELECT attname, pg_get_serial_sequence(%s, attname) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        [f'"{table}"', f'"{table}"'],
    ).fetchall()
    for column, sequence in found:
        if sequence is not None:
            query = sql.SQL("SELECT setval({}, coalesce(max({}), 0) + 1, false) FROM {}")
            connection.execute(query.format(sequence, sql.Identifier(column), sql.Identifier(table)))


def _objects(tar: tarfile.TarFile, account: accounts.Account | None) -> None:
    for member in tar:
        path = PurePosixPath(member.name)
        if path.parts[:1] != ("objects",) or not member.isfile() or ".." in path.parts:
            continue
        target = place.data().joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        found = tar.extractfile(member)
        assert found is not None
        with open(target, "wb") as out:
            shutil.copyfileobj(found, out)


def _finish(account: accounts.Account | None) -> None:
    """Bring the tables to this version, and give the files to the account that will serve them."""
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    if account is not None:
        chown: Callable[[Any], None] = lambda path: os.chown(path, account.uid, account.gid)  # noqa: E731
        chown(place.key_file())
        for path in (place.objects(), *place.objects().rglob("*")):
            chown(path)
