"""Reading exclusion sets from a page or a file on a mounted disk; nobody else goes there."""

import logging

from django.conf import settings

from postroom.actions.exclusion import TEXT_MAX
from postroom.actions.exclusion_read import (
    ReadOrder,
    file_read,
    list_demand,
    read_failed,
    read_order,
    read_store,
)
from postroom.errors import PostroomError
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
    list_demand(got.content_type)
    return got.body
