"""`postroom group`: e-mail groups and their members, taking them over from elsewhere, maps for the mail server."""

import argparse
import json
from pathlib import Path
from typing import Any

from postroom.cli import boot
from postroom.errors import HostError, InputError, NotFound

SETS = (
    "KEY=VALUE, any number: SetReplyTo, Expand, RemoveAuthor, RejectAutomatic, RemoveToAndCc, EmailDisabled,"
    " FinalDelivery, SignalDisabled, IncludeExternalAuthor, VerifyToCc, Archive (yes or no), WhoMayPost (anyone,"
    " members, named, approved), SizeMax (bytes), RealName, Description"
)


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "group",
        help="E-mail groups: list, make, change, members, import, export.",
        description="Done as the person of --as, with their rights. Exit codes: 0 done, 1 some members were not"
        " taken, 2 cannot be done (stderr says why; with --json stdout holds the code).",
    )
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = _act(acts, "list", "The groups, by address.", 'print [{"id", "address", "members_count", ...}]')
    act.set_defaults(run=_run(show_all))
    act = _act(acts, "show", "One group with its options and members.", "print what the API shows of it")
    act.add_argument("address")
    act.set_defaults(run=_run(show))
    act = _act(acts, "add", "A new group.", "print what the API shows of it")
    act.add_argument("name", help="what stands before the @-sign, or all of the address")
    act.add_argument("settings", nargs="*", metavar="KEY=VALUE", help=SETS)
    act.set_defaults(run=_run(make))
    act = _act(acts, "set", "Change options of a group.", "print what the API shows of it")
    act.add_argument("address")
    act.add_argument("settings", nargs="+", metavar="KEY=VALUE", help=SETS)
    act.set_defaults(run=_run(change))
    act = _act(acts, "member", "Add members to a group.", 'print {"added", "errors"}')
    act.add_argument("address")
    act.add_argument("members", nargs="*", metavar="MEMBER", help="without @ = of the group's domain")
    act.add_argument("--file", default="", help="one or several addresses a line; - = standard input")
    act.set_defaults(run=_run(member))
    act = _act(acts, "remove", "Take members out of a group; their mailboxes stay.", 'print {"removed"}')
    act.add_argument("address")
    act.add_argument("members", nargs="+", metavar="MEMBER")
    act.set_defaults(run=_run(remove))
    act = _act(acts, "delete", "Delete a group; nobody gets its address for 30 days.", 'print {"deleted"}')
    act.add_argument("address")
    act.add_argument("--confirm", required=True, metavar="ADDRESS", help="its address once more")
    act.add_argument("--also-in-groups", action="store_true", help="though other groups have it as a member")
    act.set_defaults(run=_run(delete))
    act = _act(
        acts,
        "import",
        "Take groups over from files of CommuniGate Pro, Mailman or CSV.",
        'print [{"address", "made", "added", "here", "errors"}]',
    )
    act.add_argument("files", nargs="+", type=Path, metavar="FILE")
    act.add_argument("--format", default="auto", choices=["auto", "communigate", "mailman", "csv"])
    act.add_argument("--domain", default="", help="of the groups, where there are several")
    act.add_argument(
        "--name", default="", help="of the group; left out = as the file says, else its file name"
    )
    act.set_defaults(run=_run(take_over))
    act = acts.add_parser(
        "export",
        help="Write the maps of a mail server in front, or a group's members as CSV.",
        description="--postfix writes FOLDER/postroom_transport and FOLDER/postroom_recipients (regexp); run it"
        " again, and `postmap FOLDER/postroom_transport`, when groups change, or let Postfix ask live"
        " (POSTROOM_SOCKETMAP).",
    )
    act.add_argument("--postfix", type=Path, metavar="FOLDER")
    act.add_argument("--csv", metavar="ADDRESS", help="the members of this group, on standard output")
    act.add_argument("--as", dest="email", default="", metavar="EMAIL", help="who does it; for --csv")
    act.add_argument("--workspace", type=int, default=None)
    act.add_argument("--json", action="store_true", help='print {"transport": lines, "recipients": lines}')
    act.set_defaults(run=export)


def _act(acts: Any, name: str, words: str, says: str) -> argparse.ArgumentParser:
    act: argparse.ArgumentParser = acts.add_parser(name, help=words, description=words)
    act.add_argument("--as", dest="email", required=True, metavar="EMAIL", help="who does it")
    act.add_argument("--workspace", type=int, default=None, help="id, for who belongs to several")
    act.add_argument("--json", action="store_true", help=says)
    return act


def _run(work: Any) -> Any:
    """The command; with --json a refusal is told on stdout as the API tells it, too."""

    def run(args: argparse.Namespace) -> int:
        boot.ready("group")
        from postroom.cli.campaign import person
        from postroom.errors import PostroomError
        from postroom.web.errors import error_json

        try:
            return int(work(args, person(args.email, args.workspace)))
        except PostroomError as error:
            if args.json:
                _print(error_json(error))
            raise

    return run


def _print(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False))


def show_all(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.queries.group import group_rows, options_of

    rows: list[Any] = list(group_rows(viewer))
    if args.json:
        _print(
            [
                {"id": one.id, "address": one.address, "members_count": one.member_count, **options_of(one)}
                for one in rows
            ]
        )
        return 0
    for one in rows:
        print(f"{one.member_count:>7}  {one.address}{'  (closed for mail)' if one.email_disabled else ''}")
    return 0


def show(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.queries.group import group_named

    return _told(args, viewer, group_named(viewer, args.address))


def _told(args: argparse.Namespace, viewer: Any, group: Any) -> int:
    from postroom.web.groups.api import whole

    shown = whole(viewer, group)
    if args.json:
        _print(shown)
        return 0
    for key, value in shown.items():
        if key != "Members":
            print(f"{key:<22} {value}")
    for address in shown["Members"] or ():
        print(f"  {address}")
    return 0


def make(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group import group_make

    name, _, domain = args.name.partition("@")
    number = _domain(viewer, domain)
    made = group_make(viewer=viewer, domain_id=number, name=name, **_settings(args.settings))
    return _told(args, viewer, made)


def _domain(viewer: Any, name: str) -> int:
    """0 = the only one."""
    from postroom.queries.group import domains_for_groups

    if not name:
        return 0
    found = [one.id for one in domains_for_groups(viewer) if one.name == name.lower()]
    if not found:
        raise NotFound(f"{name} is no proved domain of this workspace.")
    return found[0]


def _settings(words: list[str]) -> dict[str, Any]:
    from postroom.queries.group import MORE, OPTIONS

    columns = {key.lower(): column for key, column in {**OPTIONS, **MORE}.items()}
    found: dict[str, Any] = {}
    for word in words:
        key, sign, value = word.partition("=")
        column = columns.get(key.lower())
        if not sign or column is None:
            raise InputError(f"{word} is no KEY=VALUE of a group; `postroom group set --help` names them.")
        if column in ("who_may_post", "size_max", "real_name", "description"):
            found[column] = value
            continue
        if value.lower() not in ("yes", "no", "true", "false", "on", "off", "1", "0"):
            raise InputError(f"{key} is yes or no.")
        found[column] = value.lower() in ("yes", "true", "on", "1")
    return found


def change(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group import group_save
    from postroom.queries.group import group_named

    group = group_named(viewer, args.address)
    return _told(args, viewer, group_save(viewer=viewer, group_id=group.id, **_settings(args.settings)))


def member(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group_member import members_add
    from postroom.queries.group import group_named

    group = group_named(viewer, args.address)
    text = "\n".join([*args.members, _text(args.file) if args.file else ""])
    added = members_add(viewer=viewer, group_id=group.id, text=text, most=200_000)
    errors = [_error(one) for one in added.errors]
    if args.json:
        _print({"added": [one.address for one in added.members], "errors": errors})
    else:
        print(f"{len(added.members)} new members in {group.address}.")
        for one in errors:
            print(f"  line {one['line']}, {one['text']}: {one['message']}")
    return 1 if errors else 0


def _error(one: Any) -> dict[str, Any]:
    return {"line": one.line, "text": one.text, "code": one.code, "message": one.message}


def _text(name: str) -> str:
    import sys

    if name == "-":
        return sys.stdin.read()
    return _read(Path(name))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return path.read_bytes().decode("latin-1")
    except OSError as error:
        raise HostError(f"{path} cannot be read: {error.strerror}.") from error


def remove(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group_member import members_remove
    from postroom.queries.group import group_named

    group = group_named(viewer, args.address)
    wanted = [one.lower() if "@" in one else f"{one}@{group.domain.name}".lower() for one in args.members]
    ids = group.members.filter(address__in=wanted).values_list("id", flat=True)
    count, _ = members_remove(viewer=viewer, group_id=group.id, member_ids=list(ids))
    _print({"removed": count}) if args.json else print(f"{count} members removed; their mailboxes stay.")
    return 0


def delete(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group import group_delete
    from postroom.queries.group import group_named

    group = group_named(viewer, args.address)
    group_delete(viewer=viewer, group_id=group.id, confirm=args.confirm, also_in_groups=args.also_in_groups)
    _print({"deleted": group.address}) if args.json else print(f"{group.address} is deleted.")
    return 0


def take_over(args: argparse.Namespace, viewer: Any) -> int:
    from postroom.actions.group_import import groups_import
    from postroom.mail.group_file import group_files
    from postroom.queries.group import domains_for_groups

    number = _domain(viewer, args.domain)
    domains = domains_for_groups(viewer)
    if not number and len(domains) == 1:
        number = domains[0].id
    files = []
    for path in args.files:
        found = group_files(_read(path), args.format)
        for one in found:
            one.name = args.name or one.name or path.name.split(".")[0].partition("@")[0]
        files += found
    taken = groups_import(viewer=viewer, domain_id=number, files=files)
    if args.json:
        _print(
            [
                {
                    "address": one.group.address,
                    "made": one.made,
                    "added": one.added,
                    "here": one.here,
                    "errors": [_error(error) for error in one.errors],
                }
                for one in taken
            ]
        )
    else:
        for done in taken:
            print(f"{done.group.address}: {done.added} members added, {done.here} were here.")
            for error in done.errors:
                print(f"  line {error.line}, {error.text}: {error.message}")
    return 1 if any(one.errors for one in taken) else 0


def export(args: argparse.Namespace) -> int:
    boot.ready("group")
    if args.csv:
        return _csv(args)
    if args.postfix is None:
        raise InputError("Say what to write: --postfix FOLDER or --csv ADDRESS.")
    from postroom.queries.group_map import next_hop, recipient_lines, transport_lines

    if not next_hop():
        raise HostError("The ingress listens nowhere: set POSTROOM_INGRESS_LMTP first.")
    counts = {}
    for name, file, lines in (
        ("transport", "postroom_transport", list(transport_lines())),
        ("recipients", "postroom_recipients", list(recipient_lines())),
    ):
        target = args.postfix / file
        new = target.with_name(f".{file}.new")
        try:
            args.postfix.mkdir(parents=True, exist_ok=True)
            new.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            new.replace(target)
        except OSError as error:
            raise HostError(f"{target} cannot be written: {error.strerror}.") from error
        counts[name] = len(lines)
    if args.json:
        _print(counts)
    else:
        print(f"{counts['transport']} lines of transport, {counts['recipients']} recipients.")
    return 0


def _csv(args: argparse.Namespace) -> int:
    import csv
    import sys

    from postroom.cli.campaign import person
    from postroom.mail.csvfile import defused
    from postroom.queries.group import group_named, kind_of

    group = group_named(person(args.email, args.workspace), args.csv)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["group", "address", "name", "kind", "state"])
    for one in group.members.select_related("subgroup").order_by("address"):
        cells = [group.address, one.address, one.name, kind_of(one), one.state]
        writer.writerow([defused(cell) for cell in cells])
    return 0
