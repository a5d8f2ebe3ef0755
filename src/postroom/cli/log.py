"""`postroom log`: the mailer's log; older logs are taken in."""

import argparse
import json
import sys
from contextlib import ExitStack
from typing import Any

from postroom.cli import boot
from postroom.errors import HostError


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("log", help="Find lines of the mailer's log, take older logs in.")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = acts.add_parser(
        "import",
        help="Take a log in: one that was exported here, or of Postfix (syslog). A line is taken once.",
        description="Knows lines of our own exports (JSON lines, CSV), what `postroom serve` writes to stderr, and"
        " Postfix's syslog with either form of time; times without zone are the workspace's. Exit code 1: no line of"
        " the file could be read.",
    )
    act.add_argument("file", metavar="FILE", help="- = standard input")
    _with_workspace(act, 'print {"lines", "new", "known", "other", "unreadable"}')
    act.set_defaults(run=take_in)
    act = acts.add_parser("show", help="Lines of the log, newest first.")
    act.add_argument("find", nargs="?", default="", help="an address, a Message-ID or a queue id")
    act.add_argument("--trouble", action="store_true", help="only what went wrong")
    act.add_argument("--most", type=int, default=100, metavar="N", help="so many lines (100)")
    _with_workspace(act, "print a JSON line each, as an export has them")
    act.set_defaults(run=show)


def _with_workspace(act: argparse.ArgumentParser, words: str) -> None:
    act.add_argument("--workspace", type=int, default=1, metavar="ID", help="whose log (1)")
    act.add_argument("--json", action="store_true", help=words)


def take_in(args: argparse.Namespace) -> int:
    boot.ready("log")
    from postroom.actions.log_import import log_import
    from postroom.queries.account import viewer_for_host

    viewer = viewer_for_host(args.workspace)
    with ExitStack() as stack:
        try:
            lines = sys.stdin.buffer if args.file == "-" else stack.enter_context(open(args.file, "rb"))
        except OSError as error:
            raise HostError(f"{args.file} cannot be read: {error.strerror}.") from error
        counts = log_import(viewer=viewer, lines=lines, name=args.file.rpartition("/")[2] or args.file)
    if args.json:
        print(json.dumps(counts.to_json()))
    else:
        print(
            f"{counts.lines} lines: {counts.new} new, {counts.known} known, {counts.other} about no mail, "
            f"{counts.unreadable} unreadable."
        )
    return 1 if counts.lines and counts.unreadable == counts.lines else 0


def show(args: argparse.Namespace) -> int:
    boot.ready("log")
    from postroom.queries.account import viewer_for_host
    from postroom.queries.log import log_lines
    from postroom.queries.log_line import LogFilter

    viewer = viewer_for_host(args.workspace)
    for line in log_lines(viewer, LogFilter(find=args.find, trouble=args.trouble), most=max(1, args.most)):
        if args.json:
            print(json.dumps(line.to_json(), ensure_ascii=False))
        else:
            about = " ".join(part for part in (line.account_address, line.stage, line.address) if part)
            print(f"{line.at:%Y-%m-%d %H:%M:%S} {line.level:<8} {about}  {line.words}")
    return 0
