"""`postroom user`: who signs in here, a new login, switching one off, the one-time link for a new password."""

import argparse
import json
from typing import Any

from postroom.cli import boot


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("user", help="List and make logins, print a link for a new password.")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = acts.add_parser("list", help="Who signs in here.")
    act.add_argument(
        "--json", action="store_true", help='print [{"email", "name", "role", "workspace", "active"}]'
    )
    act.set_defaults(run=show)
    act = acts.add_parser("create", help="Make a login and print the link for its password.")
    act.add_argument("email")
    act.add_argument("--name", default="")
    act.add_argument("--role", default="member", choices=["owner", "admin", "member"])
    act.add_argument(
        "--workspace", type=int, default=None, help="id of the workspace, where there are several"
    )
    act.add_argument("--json", action="store_true", help='print {"email", "link"}')
    act.set_defaults(run=create)
    act = acts.add_parser("link", help="Print a link with which somebody chooses a new password, once.")
    act.add_argument("email")
    act.add_argument("--json", action="store_true", help='print {"email", "link"}')
    act.set_defaults(run=link)
    for word, on in (("off", False), ("on", True)):
        act = acts.add_parser(word, help="Switch a login on again." if on else "Switch a login off.")
        act.add_argument("email")
        act.set_defaults(run=switch, on=on)


def show(args: argparse.Namespace) -> int:
    boot.ready("user")
    from postroom.queries.user import users_all

    rows = [
        {"email": user.email, "name": user.name, "role": role, "workspace": firm, "active": user.is_active}
        for user, firm, role in users_all()
    ]
    if args.json:
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        off = "" if row["active"] else "  (switched off)"
        print(f"{row['email']:<40} {row['role']:<7} {row['workspace']}{off}")
    return 0


def create(args: argparse.Namespace) -> int:
    boot.ready("user")
    from postroom.actions.user import user_create

    user_create(email=args.email, name=args.name, role=args.role, workspace_id=args.workspace)
    return link(args)


def link(args: argparse.Namespace) -> int:
    boot.ready("user")
    from postroom.actions.user import user_link

    found = user_link(email=args.email)
    print(json.dumps({"email": args.email.strip().lower(), "link": found}) if args.json else found)
    return 0


def switch(args: argparse.Namespace) -> int:
    boot.ready("user")
    from postroom.actions.user import user_switch

    left = user_switch(email=args.email, on=args.on)
    print(f"{args.email} can sign in again." if args.on else f"{args.email} cannot sign in any more.")
    if left:
        print(f"These mail accounts need another owner, and are not read until then: {', '.join(left)}")
    return 0
