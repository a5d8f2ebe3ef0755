"""`postroom import FILE --list NAME --json`: bring people in from a CSV file, as the pages do, without asking."""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from postroom.cli import boot
from postroom.errors import InputError, NotFound

_FIGURES = ("rows", "added", "updated", "unchanged", "duplicates", "rejected", "left_before")


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "import",
        help="Bring people in from a CSV file.",
        description="Alphabet, separator and columns are guessed; what is guessed wrong is given. Exit code 0 when"
        " people came in (refused rows are told), 2 when the file cannot be used.",
    )
    parser.add_argument("file")
    parser.add_argument(
        "--list", default="", metavar="NAME", help="put everybody on this list, made when absent"
    )
    parser.add_argument("--existing", default="fill", choices=["fill", "replace", "leave"])
    parser.add_argument("--encoding", default="", help="as utf-8, cp1250; else guessed")
    parser.add_argument("--separator", default="", help="one sign, or tab; else guessed")
    parser.add_argument(
        "--column",
        action="append",
        default=[],
        metavar="N=FIELD",
        help='as 3=email; "3=" leaves the column out',
    )
    parser.add_argument("--workspace", type=int, default=None, help="id, where there are several")
    parser.add_argument(
        "--json", action="store_true", help='print {"import_id", "list_id", "rows", "added", "updated", ...}'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    boot.ready("import")
    from postroom.actions import imports
    from postroom.actions.import_check import import_check
    from postroom.actions.import_run import import_run
    from postroom.models.profile import May
    from postroom.queries.contact_list import contact_lists_visible_to
    from postroom.queries.imports import import_errors, import_visible_to

    viewer = _owner(args.workspace)
    source = Path(args.file)
    if not source.is_file():
        raise NotFound(f"There is no file {source}.")
    with tempfile.TemporaryDirectory(prefix="postroom-import-") as folder:
        copy = shutil.copy(source, Path(folder) / "file")  # the store takes the file it is given
        made = imports.import_start(viewer=viewer, file=Path(copy), file_name=source.name)
    lists = {one.name.casefold(): one.id for one in contact_lists_visible_to(viewer, may=May.EDIT)}
    choices: dict[str, Any] = {
        "existing": args.existing,
        "list_id": lists.get(args.list.strip().casefold(), 0),
        "new_list": args.list,
        "mapping": {**made.choices["mapping"], **_columns(args.column)},
    }
    if args.encoding:
        choices["encoding"] = args.encoding
    if args.separator:
        choices["separator"] = "\t" if args.separator == "tab" else args.separator
    imports.import_choose(viewer=viewer, import_id=made.id, choices=choices)
    imports.import_check_ask(viewer=viewer, import_id=made.id)
    import_check(import_id=made.id)
    checked = import_visible_to(viewer, made.id)
    if checked.state != "checked":
        raise InputError(checked.error or "The file could not be checked.")
    imports.import_run_ask(viewer=viewer, import_id=made.id)
    import_run(import_id=made.id)
    done = import_visible_to(viewer, made.id)
    if done.state != "done":
        raise InputError(done.error or "The import did not end. `postroom worker` goes on with it.")
    figures = {name: getattr(done, name) for name in _FIGURES}
    if args.json:
        print(json.dumps({"import_id": done.id, "list_id": done.target_list_id, **figures}))
        return 0
    print(", ".join(f"{name} {number}" for name, number in figures.items()))
    for error in import_errors(done):
        sys.stderr.write(f"line {error.line}: {error.column} {error.value!r}: {error.reason}\n")
    return 0


def _columns(given: list[str]) -> dict[str, str]:
    columns = {}
    for pair in given:
        number, equals, field = pair.partition("=")
        if not equals or not number.isdigit() or number == "0":
            raise InputError(f"--column {pair} cannot be used: N=FIELD is expected, as 3=email.")
        columns[str(int(number) - 1)] = field
    return columns


def _owner(workspace_id: int | None) -> Any:
    """The import is made in the name of the workspace's owner."""
    from postroom.queries.user import users_all
    from postroom.queries.viewer import viewer_of

    owners = [viewer_of(user, workspace_id) for user, _, role in users_all() if role == "owner"]
    found = {viewer.workspace.id: viewer for viewer in owners if viewer is not None}
    if not found:
        raise NotFound("There is no owner yet. Open the first page and set Postroom up.")
    if len(found) > 1:
        raise InputError(f"There are several workspaces; choose one with --workspace: {sorted(found)}.")
    return next(iter(found.values()))
