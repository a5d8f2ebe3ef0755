"""Sending postings on: as soon as they are stored, and what an earlier run left; and telling what became of copies."""

import asyncio
import logging
import time

from django.conf import settings
from django.db import Error as DatabaseError

from postroom.actions.notify import POSTING
from postroom.actions.posting_fan import posting_fault, postings_fan, postings_waiting
from postroom.actions.posting_news import news_tell
from postroom.daemons.bridge import listen
from postroom.daemons.ingress.desk import Inbox
from postroom.mail.arc_chain import Chain, chain_checked
from postroom.mail.dns_records import State, dmarc
from postroom.wire.dns import Resolver, drive

log = logging.getLogger("postroom.ingress")

#: Postings that share a commit.
_AT_ONCE = 25
#: After what was sent on or told, so long is waited for more: in a storm, each round costs more than what is in it.
_GATHER_S = 0.1
#: How long the answer of DNS about a domain is believed, and how long one is waited for.
_DNS_S, _ASK_S = 300.0, 5.0


class Policies:
    """DMARC policies of authors' domains, and whether seals hold; asked in the thread that needs to know."""

    def __init__(self) -> None:
        self._resolver = Resolver(settings.POSTROOM_DNS)
        self._known: dict[str, tuple[float, str]] = {}

    def __call__(self, domain: str) -> str:
        at, policy = self._known.get(domain, (0.0, ""))
        if time.monotonic() - at < _DNS_S and at:
            return policy
        found = drive(dmarc(domain), self._resolver, within_s=_ASK_S)
        policy = found.values.get("policy", "") if found.state is State.OK else ""
        if len(self._known) > 10_000:
            self._known.clear()
        self._known[domain] = (time.monotonic(), policy)
        return policy

    def sealed(self, raw: bytes) -> Chain:
        """Where DNS does not tell in time, the mail goes on without a seal of ours."""
        return drive(chain_checked(raw), self._resolver, within_s=_ASK_S)


class Fan:
    """One loop sends on, one tells; what is in the database is the truth, so both begin where an earlier run ended."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._policies = Policies()
        self._news = asyncio.Event()

    async def send(self) -> None:
        """For ever."""
        while True:
            self._inbox.posted.clear()
            try:
                ids = await self._inbox.in_thread(postings_waiting)
                went = [await self._some(ids[at : at + _AT_ONCE]) for at in range(0, len(ids), _AT_ONCE)]
            except (DatabaseError, OSError) as error:
                log.warning("no posting can be sent on: %s", error)
                await asyncio.sleep(1)
                continue
            if not any(went):
                await self._wait(self._inbox.posted)
            else:
                await asyncio.sleep(_GATHER_S)

    async def tell(self) -> None:
        """For ever."""
        while True:
            self._news.clear()
            told = 0
            try:
                told = await self._inbox.in_thread(news_tell)
            except (DatabaseError, OSError) as error:
                log.warning("nobody can be told what became of postings: %s", error)
            except Exception:
                log.exception("news of postings cannot be told")
            if not told:
                await self._wait(self._news)
            await asyncio.sleep(_GATHER_S)

    async def hear(self) -> None:
        """For ever: other processes say that there is work."""
        async for _ in listen([POSTING]):
            self._inbox.posted.set()
            self._news.set()

    async def _wait(self, event: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(settings.POSTROOM_POLL_SECONDS):
                await event.wait()
        except TimeoutError:
            return

    async def _some(self, ids: list[int]) -> int:
        try:
            return await self._inbox.in_thread(postings_fan, ids, self._policies, self._policies.sealed)
        except (DatabaseError, OSError):
            raise
        except Exception as error:
            log.exception("%d postings cannot be sent on", len(ids))
            if len(ids) > 1:
                return sum([await self._some([posting_id]) for posting_id in ids])
            await self._inbox.in_thread(posting_fault, ids[0], type(error).__name__)
            return 0
