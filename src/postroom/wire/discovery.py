"""Doing what mail/discovery.py asks: DNS, documents, a greeting; blocking, all of it bounded in time.

Only encrypted documents are got, and only by name; what cannot be had is an empty answer.
"""

import asyncio
import time
from dataclasses import replace

from postroom.errors import PostroomError
from postroom.mail.autoconfig import DOCUMENT_MAX
from postroom.mail.discovery import Discovered, Page, Seeking, Try
from postroom.mail.dns_records import Question
from postroom.wire.dns import Resolver
from postroom.wire.http import http_get
from postroom.wire.probe import probe_imap, probe_smtp
from postroom.wire.server import Security, Server

#: One document, one greeting.
PAGE_S, TRY_S = 4.0, 3.0


def seek(seeking: Seeking, resolver: Resolver, *, allow_private: bool, within_s: float) -> Discovered:
    """Answer it until it is through; after `within_s` nothing more is found."""
    until = time.monotonic() + within_s
    answer: object = None
    try:
        while True:
            asked = seeking.send(answer)
            left = until - time.monotonic()
            if isinstance(asked, Question):
                answer = resolver.ask(asked, within_s=left)
            elif isinstance(asked, Page):
                answer = _page(asked, allow_private, min(PAGE_S, left))
            else:
                answer = left > 0 and _greets(asked, allow_private, min(TRY_S, left))
    except StopIteration as end:
        found: Discovered = end.value
        return found


def _page(asked: Page, allow_private: bool, within_s: float) -> bytes:
    if within_s <= 0:
        return b""
    try:
        return http_get(
            asked.url, allow_private=allow_private, most_bytes=DOCUMENT_MAX, timeout_s=within_s
        ).body
    except PostroomError:
        return b""


def _greets(asked: Try, allow_private: bool, within_s: float) -> bool:
    """Whether the side's protocol is spoken there, with a good certificate. Nobody signs in."""
    server = Server(
        host=asked.place.host,
        port=asked.place.port,
        security=Security(asked.place.security),
        authenticate=False,
        allow_private=allow_private,
    )
    if asked.side == "smtp":
        side = asyncio.run(probe_smtp(server, stage_s=within_s, total_s=within_s))
    else:
        side = probe_imap(replace(server), stage_s=within_s, total_s=within_s)
    # without a login no folder can be looked at: what matters is that all before it went well
    return all(stage.state == "ok" for stage in side.stages if stage.name not in ("ehlo", "inbox"))
