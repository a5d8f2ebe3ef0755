"""`postroom doctor`: what is wrong on this machine, and what to do about it."""

import argparse
import json
import os
import platform
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from postroom.cli import boot, serve
from postroom.conf import keys, log, place
from postroom.errors import PostroomError
from postroom.host import account as accounts
from postroom.host import pgbin
from postroom.host.postgres import served_by

PACKAGE = Path(__file__).resolve().parent.parent
#: PostgreSQL stops, and mail is lost for want of a place, when the disk is full.
DISK_LEAST, DISK_GOOD = 200 * 2**20, 2 * 2**30
ASSETS = ("tabler.min.css", "plex-sans.css", "plex-mono.css", "icons.svg")


@dataclass(frozen=True)
class Finding:
    name: str
    #: ok, warn (works, but), bad (does not work)
    state: str
    words: str
    advice: str = ""


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("doctor", help="Say what is wrong here and what to do.")
    parser.add_argument("--json", action="store_true", help='print {"ok", "checks": [...]}')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """0 when nothing is bad, else 1."""
    log.setup("doctor")
    found = list(examine())
    well = all(finding.state != "bad" for finding in found)
    if args.json:
        print(json.dumps({"ok": well, "checks": [asdict(finding) for finding in found]}, ensure_ascii=False))
        return 0 if well else 1
    for finding in found:
        print(f"{finding.state.upper():<4}  {finding.name}: {finding.words}")
        if finding.advice:
            print(f"      -> {finding.advice}")
    return 0 if well else 1


def examine() -> Iterator[Finding]:
    for check in (python, settings, root, data, disk, key_file, assets, database, ports):
        try:
            yield from check()
        except PostroomError as error:
            yield Finding(check.__name__.replace("_", " "), "bad", str(error))


def python() -> Iterator[Finding]:
    well = sys.version_info >= (3, 11)
    advice = "" if well else "Install Python 3.11 or later."
    yield Finding(
        "python", "ok" if well else "bad", f"{platform.python_version()} at {sys.executable}", advice
    )


def settings() -> Iterator[Finding]:
    boot.settings()  # says what is wrong in them
    yield from ()


def _address() -> Iterator[Finding]:
    """Needs the database: the address is what the owner entered, POSTROOM_URL only until then."""
    from django.db import Error

    from postroom.queries.user import instance_url

    try:
        url = instance_url()
    except Error:  # tables are missing: said above
        url = str(boot.settings().POSTROOM_URL)
    if url.startswith("https://"):
        yield Finding("address", "ok", url)
    else:
        yield Finding(
            "address",
            "warn",
            f"{url} is not https, so mail gets no one-click unsubscribe link",
            "Put a proxy with a certificate in front (docs/recipes), then set the address under Settings, Workspace.",
        )


def root() -> Iterator[Finding]:
    if os.geteuid() != 0:
        yield Finding("account", "ok", f"runs as the ordinary user {os.geteuid()}")
        return
    account = accounts.existing()
    if account is None:
        yield Finding(
            "account", "ok", f"root; `postroom serve` makes the account {accounts.NAME} for its children"
        )
        return
    if serve.can_run_code(account):
        yield Finding("account", "ok", f"started by root; everything runs as {account.name}")
        return
    yield Finding(
        "account",
        "warn",
        f"started by root, and {account.name} cannot read the program: the daemons run as root",
        f"Install Python and Postroom where {account.name} may read them, for example below /opt, or start as a user.",
    )


def data() -> Iterator[Finding]:
    folder = place.data()
    if not folder.exists():
        yield Finding("data folder", "warn", f"{folder} is not there yet", "`postroom serve` makes it.")
        return
    account = accounts.existing() if os.geteuid() == 0 else None
    well = accounts.can(account, "-w", folder) and accounts.can(account, "-x", folder)
    who = account.name if account else "this user"
    advice = "" if well else f"Give it to {who}, or choose another with POSTROOM_DATA."
    yield Finding("data folder", "ok" if well else "bad", f"{folder}, for {who}", advice)


def disk() -> Iterator[Finding]:
    folder = place.data()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    state = "ok" if free >= DISK_GOOD else "warn" if free >= DISK_LEAST else "bad"
    advice = "" if state == "ok" else "Make room, or move the data folder to another disk with POSTROOM_DATA."
    yield Finding("disk", state, f"{free / 2**30:.1f} GB free", advice)


def key_file() -> Iterator[Finding]:
    if not place.key_file().exists() and not place.cluster().exists() and place.is_embedded():
        yield Finding("key file", "warn", "not there yet", "`postroom serve` makes it.")
        return
    keys.load(place.key_file())
    yield Finding("key file", "ok", str(place.key_file()))


def assets() -> Iterator[Finding]:
    missing = [name for name in ASSETS if not (PACKAGE / "web/static/vendor" / name).exists()]
    words = f"{', '.join(missing)} missing" if missing else "there"
    advice = "Run `make assets` in the source folder, or install the wheel." if missing else ""
    yield Finding("browser assets", "bad" if missing else "ok", words, advice)


def database() -> Iterator[Finding]:
    if place.is_embedded():
        programs = pgbin.given(given) if (given := place.pg_bin()) else None
        if served_by(place.cluster()) is None:
            found = place.cluster() / "data/PG_VERSION"
            version = found.read_text().strip() if os.access(found, os.R_OK) else ""
            if programs and version and version != str(programs.major):
                yield Finding(
                    "database",
                    "bad",
                    f"the data is of PostgreSQL {version}, POSTROOM_PG_BIN brings {programs.major}",
                    "`postroom backup` with the old programs, `postroom restore` with the new ones.",
                )
            else:
                yield Finding("database", "warn", "embedded, not running", "Start `postroom serve`.")
            return
    yield from _running_database()


def _running_database() -> Iterator[Finding]:
    boot.django("doctor")
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        advice = (
            "Start `postroom serve`."
            if place.is_embedded()
            else "Check POSTROOM_DATABASE_URL and the server."
        )
        yield Finding("database", "bad", f"cannot be reached: {str(error).strip()}", advice)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version'), current_setting('server_version_num')::int")
        version, number = cursor.fetchone()
        cursor.execute(
            "SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off'"
        )
        unsafe = [name for (name,) in cursor.fetchall()]
    where = "embedded" if place.is_embedded() else "given"
    if number < 150000:
        yield Finding(
            "database", "bad", f"{where}, PostgreSQL {version}", "PostgreSQL 15 or later is needed."
        )
        return
    yield Finding("database", "ok", f"{where}, PostgreSQL {version}")
    if unsafe:
        yield Finding(
            "database safety", "bad", f"{', '.join(unsafe)} off: a power cut loses mail", "Switch it on."
        )
    missing = boot.unapplied()
    advice = "Run `postroom migrate`, or restart `postroom serve`." if missing else ""
    words = f"{len(missing)} migrations missing" if missing else "up to date"
    yield Finding("tables", "bad" if missing else "ok", words, advice)
    yield from _address()


def ports() -> Iterator[Finding]:
    """While we serve, somebody must answer there; else the port must be free."""
    running = served_by(place.cluster()) is not None
    found = boot.settings()
    for name, words in (
        ("POSTROOM_LISTEN", "pages"),
        ("POSTROOM_INGRESS_LISTEN", "ingress by SMTP"),
        ("POSTROOM_INGRESS_LMTP", "ingress by LMTP"),
    ):
        address = getattr(found, name)
        if address is None or address[1] == 0:  # 0: a Unix socket
            continue
        state, what, advice = (_answers if running else _free)(address, name)
        yield Finding(words, state, f"{address[0]}:{address[1]} {what}", advice)


def _answers(address: tuple[str, int], name: str) -> tuple[str, str, str]:
    try:
        socket.create_connection(address, 2).close()
    except OSError:
        return "bad", "does not answer", "See the log of `postroom serve`."
    return "ok", "answers", ""


def _free(address: tuple[str, int], name: str) -> tuple[str, str, str]:
    try:
        socket.create_connection(address, 2).close()
    except OSError:
        return "ok", "is free", ""
    if not place.is_embedded():
        return "ok", "is in use, by a part of Postroom or by another program", ""
    return "bad", "is in use by another program", f"Choose another with {name}."
