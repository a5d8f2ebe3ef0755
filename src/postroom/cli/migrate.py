"""`postroom migrate`: bring the tables to this version. `serve` does it by itself; with many hosts one of them does."""

import argparse
import json
from typing import Any

from postroom.cli import boot
from postroom.conf import keys

#: Only one process changes tables at a time.
LOCK = 7203000


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("migrate", help="Bring the database to this version.")
    parser.add_argument("--json", action="store_true", help='print {"applied": [...], "setup_code": ""}')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    boot.django("migrate")
    keys.current()
    boot.wait_for_database()
    from django.core.management import call_command
    from django.db import connection

    from postroom.actions.setup import setup_code, setup_needed

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        missing = boot.unapplied()
        if missing:
            call_command("migrate", verbosity=0, interactive=False)
        cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    if args.json:
        code = setup_code() if setup_needed() else ""
        print(json.dumps({"applied": missing, "setup_code": code}))
    else:
        print(f"{len(missing)} migrations applied." if missing else "The database is up to date.")
    return 0
