"""Whether mail that comes straight to us is from whom it says: signatures and SPF, within a few seconds."""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings

from postroom.actions.incoming import Envelope
from postroom.mail.letterhead import head_of
from postroom.mail.posting import Proof
from postroom.mail.proof import Looked, author_looked
from postroom.wire.dns import Resolver, drive

log = logging.getLogger("postroom.ingress")

#: DNS may take so long for one mail, all questions together.
LOOK_S = 5.0
#: Mails looked at at once; and those that may wait for it, of which the last would wait for 20 s at worst.
_THREADS = 8
_MOST = 32


class Authors:
    """In threads of their own: DNS that is slow for a domain holds up nobody who asks for another."""

    def __init__(self) -> None:
        self._resolver = Resolver(settings.POSTROOM_DNS)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="authors")
        self._open = 0

    async def look(self, mail: Envelope) -> Looked | None:
        """None: too many are waiting."""
        if self._open >= _MOST:
            return None
        self._open += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._look, mail)
        finally:
            self._open -= 1

    def _look(self, mail: Envelope) -> Looked:
        try:
            asking = author_looked(
                mail.raw,
                head_of(mail.raw),
                mail_from=mail.mail_from,
                client=mail.client,
                helo=mail.helo,
                now=int(time.time()),
            )
            return drive(asking, self._resolver, within_s=LOOK_S)
        except Exception:
            log.exception("the author of a mail cannot be looked at")
            return Looked(Proof.UNKNOWN, "")

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)
