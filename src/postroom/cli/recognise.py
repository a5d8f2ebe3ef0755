"""`postroom recognise FILE... --json`: what is each of these mails? One line a file."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from postroom.mail.recognise import Recognised, recognise


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = subparsers.add_parser(
        "recognise",
        help="say what returned mail is: who failed and why, receipts, complaints, automatic answers",
    )
    _arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0, or 1 when a file could not be read (its line then has an "error")."""
    unread = 0
    for name in args.files:
        try:
            raw = Path(name).read_bytes()
        except OSError as problem:
            unread += 1
            error = problem.strerror or str(problem)
            line: dict[str, Any] = {"file": name, "kind": "other", "reports": [], "error": error}
        else:
            line = as_line(name, recognise(raw))
        print(json.dumps(line, ensure_ascii=False) if args.json else _words(line))
    return 1 if unread else 0


def as_line(name: str, found: Recognised) -> dict[str, Any]:
    """The JSON object of one file."""
    return {
        "file": name,
        "kind": found.kind.value,
        "reports": [
            {
                "recipient": report.recipient,
                "action": report.action,
                "status": report.status,
                "smtp_code": report.smtp_code,
                "reason": report.reason,
                "class": report.bounce_class.value,
                "permanent": report.permanent,
                "message_id": report.message_id,
                "envelope_id": report.envelope_id,
            }
            for report in found.reports
        ],
    }


def _words(line: dict[str, Any]) -> str:
    told = [f"{line['file']}: {line['kind']}"]
    if "error" in line:
        told.append(f"  cannot be read: {line['error']}")
    for report in line["reports"]:
        codes = " ".join(text for text in (report["smtp_code"], report["status"]) if text)
        given_up = ", may be given up" if report["permanent"] else ""
        told.append(
            f"  {report['recipient'] or '(nobody named)'}: {report['reason']} {codes}".rstrip() + given_up
        )
    return "\n".join(told)


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="a mail as it came in (.eml)")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


if __name__ == "__main__":
    alone = argparse.ArgumentParser(prog="postroom recognise", description=__doc__)
    _arguments(alone)
    given = alone.parse_args()
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(given.run(given))
