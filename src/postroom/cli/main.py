"""The command `postroom`: finds the commands in this folder and turns our exceptions into a word and an exit code.

Each module with `add(subparsers)` is a command; it imports what it needs only when it runs, so that a command without
a database never loads Django. Exit codes: 0 done, 1 the answer is "no", 2 cannot be done (stderr says why).
"""

import argparse
import importlib
import os
import pkgutil
import sys
from importlib.metadata import version

from postroom import cli
from postroom.errors import PostroomError


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="postroom", description="A firm's post room in one program.")
    parser.add_argument("--version", action="version", version=f"postroom {version('postroom')}")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in sorted(pkgutil.iter_modules(cli.__path__), key=lambda found: found.name):
        if module.name != "main":
            add = getattr(importlib.import_module(f"{cli.__name__}.{module.name}"), "add", None)
            if add is not None:
                add(subparsers)
    args = parser.parse_args(argv)
    try:
        return int(args.run(args) or 0)
    except PostroomError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has gone; Python would complain at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        if (
            type(error).__name__ == "OperationalError"
        ):  # of Django or psycopg, neither of which is loaded here
            return _refuse(
                f"The database cannot be reached: {str(error).strip()}\n`postroom doctor` says more."
            )
        raise


def _refuse(words: str) -> int:
    sys.stderr.write(f"postroom: {words}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
