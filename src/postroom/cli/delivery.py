"""`postroom delivery`."""

from typing import Any

from postroom.cli import boot


def add(subparsers: Any) -> None:
    boot.add_part(
        subparsers, "delivery", "Run one delivery process: it claims shards of campaigns and sends them."
    )
