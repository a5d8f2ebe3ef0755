"""`postroom sync`."""

from typing import Any

from postroom.cli import boot


def add(subparsers: Any) -> None:
    boot.add_part(subparsers, "sync", "Run the sync daemon: it reads the accounts' mailboxes.")
