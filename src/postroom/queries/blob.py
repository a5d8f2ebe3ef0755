"""Reading the object store."""

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import groupby
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext

from postroom.errors import NotFound
from postroom.models.blob import Blob


def blob_path(sha256: str) -> Path:
    """Where the object of this SHA-256 lies (two levels of folders)."""
    return Path(settings.POSTROOM_OBJECTS) / sha256[:2] / sha256[2:4] / sha256


def pack_path(name: str) -> Path:
    """Where the pack of this name lies."""
    return Path(settings.POSTROOM_OBJECTS) / "packs" / name[:2] / name


def blob_open(sha256: str) -> BinaryIO:
    """The object, open for reading. Raises NotFound when the store does not hold it."""
    try:
        return blob_path(sha256).open("rb")
    except FileNotFoundError:
        found = _packed([sha256]).get(sha256)
        if found is None:
            raise _missing(sha256) from None
        return BytesIO(found)


def blob_read(sha256: str) -> bytes:
    """The whole object in memory."""
    with blob_open(sha256) as file:
        return file.read()


def blobs_read(shas: Collection[str]) -> dict[str, bytes]:
    """Many objects with one statement. Raises NotFound when the store does not hold one."""
    found = blobs_found(shas)
    for sha256 in shas:
        if sha256 not in found:
            raise _missing(sha256)
    return found


def blobs_found(shas: Collection[str]) -> dict[str, bytes]:
    """Those of these objects that the store holds, with one statement."""
    found: dict[str, bytes] = {}
    for sha256 in set(shas):
        with suppress(FileNotFoundError):
            found[sha256] = blob_path(sha256).read_bytes()
    if left := [sha256 for sha256 in set(shas) if sha256 not in found]:
        found |= _packed(left)
    return found


def _packed(shas: Sequence[str]) -> dict[str, bytes]:
    """Those of them that lie in packs and are there whole."""
    rows = Blob.objects.filter(sha256__in=shas).exclude(pack="").order_by("pack", "offset")
    found = {}
    for name, pieces in groupby(rows, key=lambda row: row.pack):
        try:
            with pack_path(name).open("rb") as file:
                for row in pieces:
                    data = os.pread(file.fileno(), row.size_bytes, row.offset)
                    if len(data) == row.size_bytes:
                        found[row.sha256] = data
        except FileNotFoundError:
            continue
    return found


def _missing(sha256: str) -> NotFound:
    words = gettext("The stored object %(name)s is missing from the object store.")
    return NotFound(words % {"name": f"{sha256[:12]}…"})
