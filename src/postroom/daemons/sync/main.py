"""The sync daemon: reads mailboxes, tests account settings, and asks DNS about domains, as pages want it.

One loop claims what is due, renews leases and listens for NOTIFY; each mailbox has a thread of its own. The database
may go away and come back at any time: what was taken stays taken, and the rest is claimed anew.
"""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterable
from datetime import timedelta

import psycopg
from django.conf import settings
from django.db import close_old_connections, connection

from postroom.actions import collecting, mailbox_change
from postroom.actions.notify import COLLECT, DOMAIN, PROBE
from postroom.conf.garbage import collect_rarely
from postroom.daemons.bridge import AWAY, conninfo
from postroom.daemons.sync.collect import Run
from postroom.daemons.sync.collect_pop3 import PopRun
from postroom.daemons.sync.discovery import Discoveries
from postroom.daemons.sync.domains import Domains
from postroom.daemons.sync.mailbox import MailboxRun
from postroom.daemons.sync.probes import Probes
from postroom.daemons.sync.webhooks import Webhooks

log = logging.getLogger("postroom.sync")

#: How long a stop waits for the mailboxes that are being read.
STOP_SECONDS = 10.0
#: Probes are looked for at least that often, should a NOTIFY be missed (DESIGN 2).
TURN_SECONDS = 0.5


def run() -> int:
    """Work until SIGTERM or SIGINT."""
    collect_rarely()
    daemon = Sync()
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: daemon.stop())
    daemon.work()
    return 0


class Sync:
    """All that one sync process does; `work` returns after `stop`."""

    def __init__(self) -> None:
        self.holder = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._stop = threading.Event()
        self._lease = timedelta(seconds=settings.POSTROOM_LEASE_SECONDS)
        self._runs: dict[int, Run] = {}
        self._probes = Probes()
        self._domains = Domains()
        self._discoveries = Discoveries()
        self._webhooks = Webhooks()
        self._renew_at = 0.0
        self._look_at = 0.0
        self._asked: set[int] = set()

    def stop(self) -> None:
        """May be called from a signal handler."""
        self._stop.set()

    def work(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except (*AWAY, psycopg.Error) as error:
                log.warning("The database is away: %s", (str(error).splitlines() or [""])[0])
                connection.close()
                self._stop.wait(0.5)
            except Exception:
                log.exception("an error in the loop of the sync daemon; it goes on")
                self._stop.wait(2.0)
        self._end()

    def _listen(self) -> None:
        with psycopg.connect(conninfo(), autocommit=True) as link:
            for channel in (PROBE, COLLECT, DOMAIN):
                link.execute(f"LISTEN {channel}".encode())
            while not self._stop.is_set():
                self._turn()
                for note in link.notifies(timeout=TURN_SECONDS, stop_after=1):
                    self._heard(note.channel, note.payload)

    def _heard(self, channel: str, payload: str) -> None:
        if channel == COLLECT and payload.isdecimal():
            running = self._runs.get(int(payload))
            if running is None:
                self._asked.add(int(payload))
            elif running.waiting.is_set():
                running.look_now()
            else:
                running.again = True
            self._renew_at = 0.0  # it may have been switched off: that must not wait
        self._look_at = 0.0

    def _turn(self) -> None:
        """What is to be done now; every call is short."""
        close_old_connections()
        now = time.monotonic()
        self._probes.look()
        self._domains.look()
        self._discoveries.look()
        self._webhooks.look()
        self._forget_ended()
        if now >= self._renew_at and self._runs:
            self._renew(list(self._runs))
            self._renew_at = now + settings.POSTROOM_LEASE_RENEW_SECONDS
        if now >= self._look_at:
            self._look_at = now + settings.POSTROOM_POLL_SECONDS
            self._claim()

    def _forget_ended(self) -> None:
        ended = [key for key, running in self._runs.items() if running.ended.is_set()]
        if ended:
            collecting.collectors_release(holder=self.holder, ids=ended)
            for key in ended:
                if self._runs.pop(key).again:
                    self._asked.add(key)

    def _renew(self, ids: Iterable[int]) -> None:
        """A mailbox that was switched off, changed or taken by another daemon is let go."""
        held = collecting.collectors_renew(holder=self.holder, lease=self._lease, ids=list(ids))
        for key, running in self._runs.items():
            if held.get(key) != running.reading.version:
                running.stop()
                running.again = True

    def _claim(self) -> None:
        for number in mailbox_change.collectors_with_changes():
            running = self._runs.get(number)
            if running is None:
                self._asked.add(number)
            elif running.waiting.is_set():
                running.look_now()
        free = settings.POSTROOM_COLLECT_THREADS - len(self._runs)
        claimed = collecting.collectors_claim(
            holder=self.holder, lease=self._lease, most=free, ids=self._asked
        )
        self._asked.clear()
        if len(claimed) == free:
            # There may be more: mailboxes that only wait for mail (IDLE) must not keep others from being read.
            for running in [one for one in self._runs.values() if one.waiting.is_set()][:4]:
                running.stop()
        for found in claimed:
            begin = PopRun if found.protocol == "pop3" else MailboxRun if found.is_mailbox else Run
            running = self._runs[found.collector_id] = begin(found)
            threading.Thread(
                target=running.collect, name=f"collect-{found.collector_id}", daemon=True
            ).start()

    def _end(self) -> None:
        until = time.monotonic() + STOP_SECONDS
        for running in self._runs.values():
            running.stop()
        self._probes.stop()
        self._domains.stop()
        self._webhooks.stop()
        for running in self._runs.values():
            running.ended.wait(max(0.0, until - time.monotonic()))
        try:
            collecting.collectors_release(holder=self.holder, ids=list(self._runs), stopping=True)
        except AWAY:
            log.warning("The database is away; the leases run out by themselves.")
