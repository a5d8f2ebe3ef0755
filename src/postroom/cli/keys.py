"""`postroom keys rotate`: a new key for stored passwords, without stopping anything."""

import argparse
import json
from typing import Any

from postroom.cli import boot
from postroom.conf import keys, place


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser("keys", help="Give stored passwords a new key.")
    acts = parser.add_subparsers(metavar="ACT", required=True)
    act = acts.add_parser(
        "rotate",
        help="Make a new key, encrypt every stored password with it; keep the old key until --finish.",
    )
    act.add_argument(
        "--finish",
        action="store_true",
        help="make no new key: encrypt what is left with the newest one and drop the older keys for good",
    )
    act.add_argument("--json", action="store_true", help='print {"changed": {table: rows}, "keys": number}')
    act.set_defaults(run=rotate)


def rotate(args: argparse.Namespace) -> int:
    boot.ready("keys")
    from postroom.actions.secrets import secrets_rotate

    if not args.finish:
        keys.renew(place.key_file())
    changed = secrets_rotate(finish=args.finish)
    left = len(keys.current().fernet_keys)
    if args.json:
        print(json.dumps({"changed": changed, "keys": left}))
        return 0
    for table, count in changed.items():
        print(f"{table.removeprefix('postroom_'):<12} {count}")
    if left > 1:
        print(
            f"Done. {left} keys are in {place.key_file()}: copy the file to a safe place, also to every other"
        )
        print("machine of this installation; then `postroom keys rotate --finish` drops the older ones.")
    else:
        print(
            f"Done. Backups made before need the key file of their time; {place.key_file()} has one key now."
        )
    return 0
