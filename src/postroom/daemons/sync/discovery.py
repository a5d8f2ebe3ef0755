"""Looks for the servers of addresses that pages ask about (DESIGN section 2: a page talks to nobody outside)."""

import logging
import threading

from django.conf import settings
from django.db import connections

from postroom.actions.discovery import DiscoveryOrder, discoveries_claim, discovery_end
from postroom.daemons.bridge import AWAY
from postroom.mail.discovery import Discovered, discover
from postroom.wire.discovery import seek
from postroom.wire.dns import Resolver

log = logging.getLogger("postroom.sync")

#: Searches at a time in this process, and the time of one.
MOST = 4
SEARCH_SECONDS = 40.0


class Discoveries:
    """The searches that run in this process."""

    def __init__(self) -> None:
        self._running: list[threading.Thread] = []

    def look(self) -> None:
        """Begin what waits; call at least twice a second."""
        self._running = [one for one in self._running if one.is_alive()]
        for order in discoveries_claim(most=MOST - len(self._running)):
            one = threading.Thread(target=_search, args=(order,), daemon=True)
            one.start()
            self._running.append(one)


def _search(order: DiscoveryOrder) -> None:
    found = Discovered()
    try:
        found = seek(
            discover(order.address),
            Resolver(settings.POSTROOM_DNS),
            allow_private=order.allow_private,
            within_s=SEARCH_SECONDS,
        )
        log.info("servers of %s: %s", order.address.rpartition("@")[2], found.source or "none found")
    except Exception:
        log.exception("search %s", order.discovery_id)
    try:
        discovery_end(discovery_id=order.discovery_id, result=found.to_json())
    except AWAY as error:
        log.warning("search %s: the database is away: %s", order.discovery_id, error)
    finally:
        connections.close_all()
