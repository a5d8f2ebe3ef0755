"""Tests of account settings that pages ask for: both sides always, told stage by stage (CM-28, CM-29)."""

import asyncio
import logging
import threading
import time
from typing import Any

from django.conf import settings
from django.db import connections

from postroom.actions.probing import ProbeOrder, probe_end, probe_tell, probes_claim, probes_wipe
from postroom.daemons.bridge import AWAY
from postroom.mail.dns_records import mx
from postroom.wire.dns import Resolver, drive
from postroom.wire.letter import Letter
from postroom.wire.probe import ProbeSide, probe_imap, probe_pop3, probe_smtp
from postroom.wire.server import Proxy, Security, Server

log = logging.getLogger("postroom.sync")

#: Tests at a time in this process; others wait their turn.
MOST = 8
TELL_SECONDS = 0.2
WIPE_SECONDS = 30.0
#: For asking where mail to the account's address goes.
DNS_SECONDS = 5.0


class Probes:
    """The tests that run in this process."""

    def __init__(self) -> None:
        self._running: list[Probing] = []
        self._wipe_at = 0.0

    def look(self) -> None:
        """Begin what waits; call at least twice a second."""
        self._running = [one for one in self._running if one.is_alive()]
        for order in probes_claim(most=MOST - len(self._running)):
            one = Probing(order)
            one.start()
            self._running.append(one)
        if time.monotonic() > self._wipe_at:
            self._wipe_at = time.monotonic() + WIPE_SECONDS
            probes_wipe()

    def stop(self) -> None:
        """End the tests at once; each writes what it has."""
        for one in self._running:
            one.cancel()
        for one in self._running:
            one.join(3.0)


class Probing(threading.Thread):
    """One test. The sides run in threads of their own; only this one speaks to the database."""

    def __init__(self, order: ProbeOrder) -> None:
        super().__init__(name=f"probe-{order.probe_id}", daemon=True)
        self.order = order
        self._cancelled = threading.Event()
        self._result: dict[str, Any] = {}

    def cancel(self) -> None:
        self._cancelled.set()

    def run(self) -> None:
        try:
            self._probe()
        except AWAY as error:  # the row is ended by probes_wipe
            log.warning("probe %s: the database is away: %s", self.order.probe_id, error)
        except Exception:
            log.exception("probe %s", self.order.probe_id)
        finally:
            self.cancel()
            connections.close_all()

    def _probe(self) -> None:
        sides = [threading.Thread(target=side, daemon=True) for side in (self._smtp, self._imap)]
        address = threading.Thread(target=self._address, daemon=True)
        for side in (*sides, address):
            side.start()
        while any(side.is_alive() for side in sides) and not self._cancelled.is_set():
            for side in sides:
                side.join(TELL_SECONDS / 2)
            if not probe_tell(probe_id=self.order.probe_id, result=dict(self._result)):
                self.cancel()
        for side in sides:
            side.join(1.0)
        address.join(DNS_SECONDS)
        result = {name: _ended(name, self._result.get(name)) for name in ("smtp", "imap")}
        if "mx" in self._result:
            result["mx"] = self._result["mx"]
        tried = (result["smtp"].get("capabilities") or {}).get("tag")
        if tried:
            code = "" if tried == "sent" else tried
            result["tag"] = {"address": str(self.order.form["address"]), "code": code}
        probe_end(probe_id=self.order.probe_id, result=result)
        words = ", ".join(f"{name} {side['code'] or 'ok'}" for name, side in result.items())
        log.info("probe %s: %s", self.order.probe_id, words)

    def _note(self, side: ProbeSide) -> None:
        if not self._cancelled.is_set():
            # the reading side has one place, whatever it speaks
            self._result["imap" if side.side == "pop3" else side.side] = side.to_json()

    def _smtp(self) -> None:
        server = server_of(self.order, "smtp")
        if self._may_ask("smtp", server):
            asyncio.run(self._smtp_until_cancelled(server))

    async def _smtp_until_cancelled(self, server: Server) -> None:
        letter = Letter(*self.order.letter) if self.order.letter else None
        tag = Letter(*self.order.tag) if self.order.tag else None
        task = asyncio.create_task(probe_smtp(server, self._note, letter=letter, tag=tag))
        while not task.done():
            await asyncio.wait({task}, timeout=TELL_SECONDS / 2)
            if self._cancelled.is_set():
                task.cancel()

    def _imap(self) -> None:
        server = server_of(self.order, "imap")
        if not server.host:
            self._note(ProbeSide("imap", [], ok=None, code="not_set"))
        elif self._may_ask("imap", server):
            probe = probe_pop3 if self.order.form.get("protocol") == "pop3" else probe_imap
            probe(server, self._note, stop=self._cancelled)

    def _address(self) -> None:
        """Whether mail to the account's address goes somewhere: returned mail and answers do (SA-09, SA-15)."""
        domain = str(self.order.form.get("address") or "").rpartition("@")[2]
        if domain:
            found = drive(mx(domain), Resolver(settings.POSTROOM_DNS), within_s=DNS_SECONDS)
            self._result["mx"] = {"domain": domain, **found.to_json()}

    def _may_ask(self, name: str, server: Server) -> bool:
        """Whether to go on: a password goes over the wire in clear text only where that is allowed (CM-21)."""
        clear = server.security is Security.NONE and server.authenticate and bool(server.password)
        if clear and not self.order.allow_clear_text_login:
            words = "Without encryption the password could be read on its way. Choose STARTTLS or TLS."
            self._note(ProbeSide(name, [], ok=False, code="clear_text_login", message=words))
            return False
        return True


def _ended(name: str, side: dict[str, Any] | None) -> dict[str, Any]:
    """What a side came to; a test that was ended from outside did not pass."""
    if side is None:
        side = ProbeSide(name, []).to_json()
    if side["ok"] is None and side["code"] != "not_set":
        side = {
            **side,
            "ok": False,
            "code": "cancelled",
            "message": "The test was ended before it was through.",
        }
    return side


PROXY_FIELDS = ("kind", "host", "port", "login", "password")


def server_of(order: ProbeOrder, side: str) -> Server:
    """The server that the form describes; `side` is smtp or imap."""
    form = order.form
    login_side = "imap" if form.get("smtp_same_as_imap") else side
    return Server(
        host=str(form.get(f"{side}_host") or "").strip(),
        port=int(form.get(f"{side}_port") or 0),
        security=Security(form.get(f"{side}_security") or Security.TLS),
        login=str(form.get(f"{login_side}_login") or ""),
        password=str(form.get(f"{login_side}_password") or ""),
        authenticate=side == "imap" or bool(form.get("smtp_authenticate", True)),
        verify_certificate=bool(form.get("verify_certificate", True)),
        allow_private=order.allow_private,
        proxy=Proxy.of({name: form.get(f"proxy_{name}") or "" for name in PROXY_FIELDS}),
    )
