"""`postroom account`: the mail accounts of this installation, a check of one, deleting one."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from postroom.cli import boot
from postroom.errors import NotFound

#: A check has 30 s; a busy daemon may begin it later.
CHECK_SECONDS = 60.0


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("account", help="List, check and delete mail accounts.")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = acts.add_parser("list", help="Which accounts there are, and how they do.")
    act.add_argument("--workspace", type=int, default=None, help="id; only of this one")
    _with_json(act, 'print [{"id", "name", "address", "kind", "owner", "workspace", "status"}]')
    act.set_defaults(run=show_all)
    act = acts.add_parser("show", help="One account, without its passwords.")
    act.add_argument("id", type=int)
    _with_json(act, "print what the API shows of it")
    act.set_defaults(run=show)
    act = acts.add_parser(
        "check", help="Test its stored settings, as the button Check settings. Exit code 1: something failed."
    )
    act.add_argument("id", type=int)
    _with_json(act, 'print {"ok", "smtp", "imap"}')
    act.set_defaults(run=check)
    act = acts.add_parser("delete", help="Delete it and wipe its passwords; its mails stay.")
    act.add_argument("id", type=int)
    _with_json(act, 'print {"deleted": id}')
    act.set_defaults(run=delete)
    act = acts.add_parser(
        "import-legacy",
        help="Bring in POP3 accounts used before, from a CSV file. Exit code 1: some rows were refused.",
        description="Columns: name, address, owner (address of a user), pop3_host, pop3_port, security (none, starttls,"
        " tls), login, password, smtp_host, smtp_port, smtp_security, smtp_login (empty: as for reading, -: no"
        " sign-in), smtp_password. New POP3 accounts cannot be made in any other way.",
    )
    act.add_argument("file")
    act.add_argument("--workspace", type=int, required=True, metavar="ID")
    _with_json(
        act, 'print {"made", "refused", "rows": [{"line", "name", "address", "account_id", "code", ...}]}'
    )
    act.set_defaults(run=import_legacy)


def _with_json(act: argparse.ArgumentParser, words: str) -> None:
    act.add_argument("--json", action="store_true", help=words)


def show_all(args: argparse.Namespace) -> int:
    boot.ready("account")
    from postroom.queries.account import accounts_all

    rows = accounts_all(workspace_id=args.workspace)
    if args.json:
        _print(rows)
        return 0
    for row in rows:
        print(f"{row['id']:>6}  {row['status']:<12} {row['kind']:<9} {row['address']:<40} {row['name']}")
    return 0


def show(args: argparse.Namespace) -> int:
    boot.ready("account")
    from postroom.queries.account import account_for_host, account_json, account_row

    viewer, account = account_for_host(args.id)
    values = account_json(account_row(viewer, account))
    if args.json:
        _print(values)
        return 0
    for name, value in values.items():
        print(f"{name:<24} {value}")
    return 0


def check(args: argparse.Namespace) -> int:
    boot.ready("account")
    from postroom.actions.account_probe import probe_ask, probe_cancel, sides_ok
    from postroom.errors import HostError
    from postroom.queries.account import account_for_host

    viewer, account = account_for_host(args.id)
    probe = probe_ask(viewer=viewer, values={}, account_id=account.id)
    until = time.monotonic() + CHECK_SECONDS
    while probe.state in ("waiting", "running"):
        if time.monotonic() > until:
            probe_cancel(viewer=viewer, probe_id=probe.id)
            raise HostError("Nobody has done the check. Is `postroom sync` running?")
        time.sleep(0.2)
        probe.refresh_from_db()
    ok = sides_ok(probe.result)
    sides = {name: probe.result.get(name) for name in ("smtp", "imap")}
    if args.json:
        _print({"ok": ok, **sides})
        return 0 if ok else 1
    for name, side in sides.items():
        if side and side.get("code") != "not_set":
            print(f"{name}: {'works' if side.get('ok') else side.get('message') or side.get('code')}")
            if side.get("words"):
                print(f"      {side['words']}")
    return 0 if ok else 1


def delete(args: argparse.Namespace) -> int:
    boot.ready("account")
    from postroom.actions.account import account_delete
    from postroom.queries.account import account_for_host

    viewer, account = account_for_host(args.id)
    account_delete(viewer=viewer, account_id=account.id)
    if args.json:
        _print({"deleted": account.id})
    else:
        print(f"{account.name} <{account.address}> is deleted and its passwords are wiped.")
    return 0


def import_legacy(args: argparse.Namespace) -> int:
    boot.ready("account")
    from postroom.actions.account_legacy import accounts_import_legacy
    from postroom.queries.account import viewer_for_host

    source = Path(args.file)
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    rows = accounts_import_legacy(viewer=viewer_for_host(args.workspace), raw=source.read_bytes())
    made = sum(bool(row.account_id) for row in rows)
    refused = len(rows) - made
    if args.json:
        _print({"made": made, "refused": refused, "rows": [asdict(row) for row in rows]})
        return 1 if refused else 0
    for row in rows:
        if not row.account_id:
            print(f"line {row.line}: {row.name} <{row.address}> {row.field}: {row.message}", file=sys.stderr)
    print(f"{made} accounts came in, {refused} rows were refused.")
    return 1 if refused else 0


def _print(values: object) -> None:
    json.dump(values, sys.stdout, ensure_ascii=False, default=str)
    print()
