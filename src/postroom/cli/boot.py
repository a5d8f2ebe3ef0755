"""What every command does before it touches the database. Not a command itself."""

import argparse
import importlib
import logging
import os
import time
from collections.abc import Callable
from typing import Any

from postroom.conf import keys, log
from postroom.errors import HostError, PostroomError

#: A part may be started a little before its database: on another host, or while that one restarts.
DATABASE_SECONDS = 30.0


def settings() -> Any:
    """The settings, checked, without loading any table."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "postroom.conf.settings")
    from django.conf import settings as found

    found.DATABASES  # noqa: B018  (reads the module now, so that a wrong variable is told at once)
    return found


def django(part: str) -> None:
    """Log as `part` and load Django. No query is made."""
    log.setup(part)
    settings()
    import django as package

    package.setup()


def ready(part: str) -> None:
    """Load Django, with a database that is up, holds our tables, and whose secrets our keys can read.

    Raises HostError.
    """
    django(part)
    keys.current()
    wait_for_database()
    missing = unapplied()
    if missing:
        raise HostError(
            f"The database lacks {len(missing)} migrations of this version."
            " Run `postroom migrate`, or start `postroom serve`, which does so."
        )
    from postroom.actions.secrets import secrets_check

    secrets_check()


def part(name: str, work: Callable[[], int]) -> int:
    """Run `work` as a part of `serve`: what keeps it from working is a line of the log; then the code is 2."""
    try:
        ready(name)
        return work()
    except PostroomError as error:
        logging.getLogger("postroom").error("%s", error)
        return 2


def wait_for_database(seconds: float = DATABASE_SECONDS) -> None:
    from django.db import OperationalError, connection

    until = time.monotonic() + seconds
    while True:
        try:
            connection.ensure_connection()
            return
        except OperationalError as error:
            if time.monotonic() > until:
                raise HostError(
                    f"The database cannot be reached: {str(error).strip()} `postroom doctor` says more."
                ) from error
            time.sleep(0.5)


def unapplied() -> list[str]:
    """Names of migrations that the database lacks."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, backwards in plan]


def add_part(subparsers: Any, name: str, words: str) -> None:
    """The command that runs one daemon, the way `serve` runs it as a child."""

    def run(args: argparse.Namespace) -> int:
        return part(name, lambda: int(importlib.import_module(f"postroom.daemons.{name}.main").run()))

    parser = subparsers.add_parser(name, help=words, description=f"{words} SIGTERM ends it cleanly.")
    parser.set_defaults(run=run)
