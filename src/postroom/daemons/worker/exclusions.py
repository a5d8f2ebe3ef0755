"""Reading exclusion sets from a page or a file on a mounted disk; nobody else goes there."""

import logging
from pathlib import Path

from django.conf import settings

from postroom.actions.exclusion import TEXT_MAX
from postroom.actions.exclusion_read import ReadOrder, read_failed, read_order, read_store
from postroom.errors import InputError, PostroomError
from postroom.wire.http import http_get

log = logging.getLogger("postroom.worker")

TIMEOUT_S = 60.0


def exclusion_read(exclusion_id: int) -> None:
    """Get the new copy and store it, or store in words why not."""
    order = read_order(exclusion_id)
    if order is None:
        return
    try:
        raw = _read(order)
    except PostroomError as error:
        log.info("exclusion set %s was not read: %s", exclusion_id, error.code)
        read_failed(exclusion_id=exclusion_id, error=error.message)
        return
    mark = raw[:2]
    text = raw.decode("utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    read_store(exclusion_id=exclusion_id, text=text)


def _read(order: ReadOrder) -> bytes:
    if order.source == "file":
        return file_read(settings.POSTROOM_EXCLUSION_FOLDER, order.place, most_bytes=TEXT_MAX)
    got = http_get(order.place, allow_private=order.allow_private, most_bytes=TEXT_MAX, timeout_s=TIMEOUT_S)
    if "html" in got.content_type.lower():
        raise InputError("There is a web page at this address, not a list of addresses.")
    return got.body


def file_read(folder: Path | None, place: str, *, most_bytes: int) -> bytes:
    """A plain file below the folder; no way leads out of it, also not over a link. Raises InputError."""
    if folder is None:
        raise InputError("The administrator has set no folder for such files: POSTROOM_EXCLUSION_FOLDER.")
    try:
        home = folder.resolve(strict=True)
        path = (home / place).resolve(strict=True)
        if not path.is_relative_to(home) or not path.is_file():
            raise InputError("There is no such file in the folder for exclusion sets.")
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
    except (OSError, ValueError):
        raise InputError("There is no such file in the folder for exclusion sets.") from None
    if len(raw) > most_bytes:
        raise InputError("The file is too large.")
    return raw
