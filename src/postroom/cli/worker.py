"""`postroom worker`."""

from typing import Any

from postroom.cli import boot


def add(subparsers: Any) -> None:
    boot.add_part(subparsers, "worker", "Run the worker daemon: jobs such as imports and freezing.")
