"""`postroom ingress`."""

from typing import Any

from postroom.cli import boot


def add(subparsers: Any) -> None:
    boot.add_part(
        subparsers, "ingress", "Run the ingress daemon: it takes mail for the bounce domain by SMTP and LMTP."
    )
