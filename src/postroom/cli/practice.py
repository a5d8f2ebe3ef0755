"""`postroom practice`: the practice post office by itself."""

import argparse
from typing import Any

from postroom.errors import HostError


def add(subparsers: Any) -> None:
    parser = subparsers.add_parser(
        "practice",
        help="Run the practice post office of the demo by itself.",
        description="A mail server that delivers nothing and answers as real ones do: reports, bounces, read receipts,"
        " vacation notes. What it does is written in the recipient's address, behind the last plus:"
        " anna+full@example.com has a full mailbox. SIGTERM ends it.",
    )
    parser.add_argument("--listen", type=_at, default=("127.0.0.1", 2525), metavar="HOST:PORT")
    parser.add_argument(
        "--ingress",
        type=_at,
        default=("127.0.0.1", 8026),
        metavar="HOST:PORT",
        help="where all that it writes is sent, by SMTP (default 127.0.0.1:8026)",
    )
    parser.add_argument(
        "--control",
        type=_at,
        default=("127.0.0.1", 2526),
        metavar="HOST:PORT",
        help='says a JSON line for each line "summary" or "everything"',
    )
    parser.add_argument(
        "--haste", type=float, default=1.0, help="factor on the pauses before people answer (default 1)"
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, help="about so many letters a second; 0 = no bound"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from postroom.practice import main

    try:
        return main.run(
            listen=args.listen, ingress=args.ingress, control=args.control, haste=args.haste, rate=args.rate
        )
    except OSError as error:
        raise HostError(
            f"The practice post office cannot open its ports: {error.strerror or error}."
        ) from error


def _at(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError("HOST:PORT is expected")
    return host.strip("[]"), int(port)
