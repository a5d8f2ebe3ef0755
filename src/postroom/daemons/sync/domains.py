"""Looks at the DNS of domains that pages ask for. Only this process asks DNS about them (DESIGN section 2)."""

import logging
import threading
import time

from django.conf import settings
from django.db import connections

from postroom.actions.domain_checking import DomainOrder, check_end, checks_claim, checks_sweep
from postroom.daemons.bridge import AWAY
from postroom.mail.dns_records import Asking, Finding, Question, dkim_key, dmarc, mx, proof
from postroom.mail.spf import spf
from postroom.wire.dns import Resolver, drive

log = logging.getLogger("postroom.sync")

#: Checks at a time in this process.
MOST = 8
#: All questions of one check together.
CHECK_SECONDS = 30.0
SWEEP_SECONDS = 60.0


class Domains:
    """The checks that run in this process."""

    def __init__(self) -> None:
        self._running: list[threading.Thread] = []
        self._sweep_at = 0.0

    def look(self) -> None:
        """Begin what waits; call at least twice a second."""
        self._running = [one for one in self._running if one.is_alive()]
        for order in checks_claim(most=MOST - len(self._running)):
            one = threading.Thread(target=check, args=(order,), name=f"domain-{order.check_id}", daemon=True)
            one.start()
            self._running.append(one)
        if time.monotonic() > self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            checks_sweep()

    def stop(self) -> None:
        """Wait a moment for those that are nearly through; the others are asked for again."""
        until = time.monotonic() + 3.0
        for one in self._running:
            one.join(max(0.0, until - time.monotonic()))


def check(order: DomainOrder) -> None:
    """One check, from its questions to its row."""
    try:
        findings, keys = drive(look_at(order), Resolver(settings.POSTROOM_DNS), within_s=CHECK_SECONDS)
        check_end(check_id=order.check_id, findings=findings, keys=keys)
        log.info("domain %s: %s", order.name, ", ".join(f"{k} {f.state}" for k, f in findings.items()))
    except AWAY as error:  # the row is ended by checks_sweep
        log.warning("domain %s: the database is away: %s", order.name, error)
    except Exception:
        log.exception("domain %s", order.name)
    finally:
        connections.close_all()


def look_at(order: DomainOrder) -> Asking[tuple[dict[str, Finding], dict[int, Finding]]]:
    """All that is asked about a domain; the proof first."""
    findings = {"proof": (yield from proof(order.name, order.token))}
    keys = {}
    for key_id, selector, public_key in order.keys:
        keys[key_id] = yield from dkim_key(order.name, selector, public_key)
    servers = yield from _addresses(order.servers)
    findings["spf"] = yield from spf(order.name, servers)
    findings["dmarc"] = yield from dmarc(order.name)
    findings["mx"] = yield from mx(order.name)
    if order.bounce_host:
        findings["bounce_mx"] = yield from mx(order.bounce_host)
        findings["bounce_spf"] = yield from spf(order.bounce_host, servers)
    return findings, keys


def _addresses(hosts: tuple[str, ...]) -> Asking[list[str]]:
    """The IPv4 addresses of our relay, else its IPv6 ones; a host given as an address is one."""
    found: list[str] = []
    for host in hosts:
        if ":" in host or host.replace(".", "").isdecimal():
            found.append(host)
            continue
        answer = yield Question("A", host)
        if not answer.values:
            answer = yield Question("AAAA", host)
        found += answer.values
    return found[:4]
