"""Reading the object store."""

from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext

from postroom.errors import NotFound


def blob_path(sha256: str) -> Path:
    """Where the object of this SHA-256 lies (two levels of folders)."""
    return Path(settings.POSTROOM_OBJECTS) / sha256[:2] / sha256[2:4] / sha256


def blob_open(sha256: str) -> BinaryIO:
    """The object, open for reading. Raises NotFound when the store does not hold it."""
    try:
        return blob_path(sha256).open("rb")
    except FileNotFoundError as error:
        words = gettext("The stored object %(name)s is missing from the object store.")
        raise NotFound(words % {"name": f"{sha256[:12]}…"}) from error


def blob_read(sha256: str) -> bytes:
    """The whole object in memory."""
    with blob_open(sha256) as file:
        return file.read()
