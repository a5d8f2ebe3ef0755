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
    act = acts.add_parser(
        "invite", help="Invite somebody into a workspace, as the page Settings > People does."
    )
    act.add_argument("email")
    act.add_argument("--as", dest="by", required=True, metavar="EMAIL", help="who invites")
    act.add_argument("--role", default="member", choices=["owner", "admin", "member"])
    act.add_argument(
        "--profile", action="append", default=[], metavar="NAME", help="may be given several times"
    )
    act.add_argument("--workspace", type=int, default=None, help="id, where who invites belongs to several")
    act.add_argument("--json", action="store_true", help='print {"email", "mailed", "link"}')
    act.set_defaults(run=invite)
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


def invite(args: argparse.Namespace) -> int:
    """The link is printed where no mail went out."""
    boot.ready("user")
    from postroom.actions.invitation import invitation_add
    from postroom.cli.campaign import person
    from postroom.errors import NotFound
    from postroom.queries.profile import profile_rows

    viewer = person(args.by, args.workspace)
    known = {row.profile.name.casefold(): row.profile.id for row in profile_rows(viewer)}
    unknown = [name for name in args.profile if name.casefold() not in known]
    if unknown:
        raise NotFound(f"There is no profile {unknown[0]}.")
    made = invitation_add(
        viewer=viewer,
        email=args.email,
        role=args.role,
        profile_ids=[known[name.casefold()] for name in args.profile],
    )
    told = {
        "email": made.invitation.email,
        "mailed": made.mailed,
        "link": "" if made.mailed else made.link,
    }
    if args.json:
        print(json.dumps(told))
    else:
        print(told["link"] or f"The invitation is on its way to {told['email']}.")
    return 0


def switch(args: argparse.Namespace) -> int:
    boot.ready("user")
    from postroom.actions.user import user_switch

    left = user_switch(email=args.email, on=args.on)
    print(f"{args.email} can sign in again." if args.on else f"{args.email} cannot sign in any more.")
    if left:
        print(f"These mail accounts need another owner, and are not read until then: {', '.join(left)}")
    return 0
