"""What the log is told of an account's connections: when they are opened and closed, and when a limit holds it back."""

import time
from datetime import datetime

from postroom.actions.log import Note, log_note
from postroom.daemons.bridge import Bridge
from postroom.queries.sending import SendingAccount
from postroom.wire.smtp import SmtpCourier

#: A server that closes after each message, or a limit of a few a minute, must not fill the log.
CONNECTED_S, HELD_S = 60.0, 900.0


class Diary:
    """Of one account in one delivery process. Refusals and rests are written where they are decided."""

    def __init__(self, bridge: Bridge, account: SendingAccount) -> None:
        self.accepted = 0
        self._bridge, self._account = bridge, account
        self._is_open = False
        self._connected_at = self._held_at = float("-inf")

    async def connected(self, courier: SmtpCourier, took_s: float) -> None:
        now = time.monotonic()
        if self._is_open and now - self._connected_at < CONNECTED_S:
            return
        self._is_open, self._connected_at = True, now
        facts, server = courier.tls, courier.server
        secured = facts.version if facts else "no encryption"
        words = f"Connected to {server.host}:{server.port}, {secured}."
        await self._note("connection", words, round(took_s * 1000))

    async def closed(self) -> None:
        if self._is_open:
            self._is_open = False
            accepted, self.accepted = self.accepted, 0
            await self._note("connection", f"Connections closed; messages accepted: {accepted}.")

    async def held_back(self, until: datetime | None) -> None:
        now = time.monotonic()
        if now - self._held_at >= HELD_S:
            self._held_at = now
            goes_on = f" It goes on at {until:%H:%M:%S} UTC." if until else ""
            await self._note("limit", f"A limit of the account is used up.{goes_on}")

    async def _note(self, stage: str, words: str, duration_ms: int | None = None) -> None:
        account = self._account
        note = Note(account.workspace_id, account.id, "out", stage, words, duration_ms=duration_ms)
        await self._bridge.call(log_note, note)
