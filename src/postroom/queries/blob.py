"""Reading the object store."""

import os
from collections.abc import Collection
from contextlib import suppress
from io import BytesIO
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext

from postroom.errors import NotFound
from postroom.queries.prepared import prepared


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
    wanted = set(shas)
    found = _packed(wanted) if wanted else {}
    for sha256 in wanted - found.keys():
        with suppress(FileNotFoundError):
            found[sha256] = blob_path(sha256).read_bytes()
    return found


_PACKED = """
SELECT pack, "offset", size_bytes, sha256 FROM postroom_blob
 WHERE sha256 = ANY(string_to_array(%(shas)s, E'\\n')) AND pack <> ''
 ORDER BY pack, "offset"
"""


def _packed(shas: Collection[str]) -> dict[str, bytes]:
    """Those of them that lie in packs and are there whole."""
    found = {}
    for name, pieces in groupby(prepared(_PACKED, {"shas": "\n".join(shas)}), key=itemgetter(0)):
        try:
            with pack_path(name).open("rb") as file:
                for _, offset, size_bytes, sha256 in pieces:
                    data = os.pread(file.fileno(), size_bytes, offset)
                    if len(data) == size_bytes:
                        found[sha256] = data
        except FileNotFoundError:
            continue
    return found


def _missing(sha256: str) -> NotFound:
    words = gettext("The stored object %(name)s is missing from the object store.")
    return NotFound(words % {"name": f"{sha256[:12]}…"})
