"""How fast returned mail is recognised, on one core: `python -m bench.recognise --dir FOLDER --json`.

Every .eml of the folder is read into memory first, then recognised again and again for at least two seconds of
processor time (what else runs on the machine does not count). `exceptions` counts the mails that raised instead of
giving an answer, without the net of `recognise`.
"""

import argparse
import json
import time
from contextlib import suppress
from pathlib import Path

from postroom.mail.recognise import read

_SECONDS = 2.0


def measure(folder: Path) -> dict[str, float | int]:
    mails = [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]
    exceptions = 0
    for raw in mails:
        try:
            read(raw)
        except Exception:
            exceptions += 1
    done, began, spent = 0, time.process_time(), 0.0
    while mails and spent < _SECONDS:
        for raw in mails:
            with suppress(Exception):  # counted above
                read(raw)
        done += len(mails)
        spent = time.process_time() - began
    rate = round(done / spent, 1) if done else 0.0
    return {"messages": len(mails), "messages_per_second": rate, "exceptions": exceptions}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.recognise", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    figures = measure(args.dir)
    if args.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name}: {figure}")


if __name__ == "__main__":
    main()
