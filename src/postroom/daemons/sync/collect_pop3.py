"""Reading one mailbox by POP3, for accounts of old: what is new by its UIDL is taken once (CM-03).

Mails are removed from the server only where the account says so, and only after they are safe here.
"""

import logging
import time
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings

from postroom.actions import collecting
from postroom.actions.event import events_process
from postroom.actions.pop_mail import pop_mails_known, pop_mails_none, pop_mails_pass, pop_mails_store
from postroom.daemons.sync.collect import CAREFUL_AFTER, SKIP_AFTER, Run, server_of
from postroom.daemons.sync.words import words_of
from postroom.errors import WireError
from postroom.mail.identity import arrived_at
from postroom.wire import pop3
from postroom.wire.imap import BATCH_BYTES, BATCH_MESSAGES

log = logging.getLogger("postroom.sync")

Mails = list[tuple[int, str]]


class PopRun(Run):
    """A pass over the mailbox; there is no waiting for mail in POP3."""

    def _read(self) -> None:
        events_process(collecting.events_left(collector_id=self.reading.collector_id))
        begun = time.monotonic()
        collecting.collector_begun(collector_id=self.reading.collector_id)
        box = pop3.open_pop3(server_of(self.reading))
        words = f"Connected to {self.reading.host}:{self.reading.port}."
        took_ms = round((time.monotonic() - begun) * 1000)
        collecting.collector_note(reading=self.reading, words=words, duration_ms=took_ms)
        try:
            new = self._take_new(box)
            if not self._stopping:
                collecting.collector_done(reading=self.reading, new=new)
        finally:
            pop3.close(box)  # only now the server removes what was deleted

    def _take_new(self, box: pop3.PopBox) -> int:
        """Store and look at everything new; how many mails."""
        mails = pop3.uidls(box)
        account_id = self.reading.account_id
        if pop_mails_none(account_id=account_id):
            mails = self._pass_old(box, mails)
        known = pop_mails_known(account_id=account_id, uidls=[uidl for _, uidl in mails])
        if not self.reading.leave:
            for number, uidl in mails:
                if known.get(uidl):  # taken, but its removal was lost with a connection
                    pop3.delete(box, number)
        fresh = [(number, uidl) for number, uidl in mails if uidl not in known]
        new = 0
        for batch in self._batches(box, fresh):
            if self._stopping:
                break
            try:
                new += self._keep_mails(box, batch)
                collecting.collector_progress(
                    collector_id=self.reading.collector_id, taken=new, to_take=len(fresh)
                )
            except WireError as error:
                if not new and self.reading.retries >= SKIP_AFTER and self.reading.error_code == error.code:
                    self._pass(batch[:1], words_of(error))
                raise
        return new

    def _batches(self, box: pop3.PopBox, mails: Mails) -> Iterator[Mails]:
        """Mails that fit into memory together; one by one after failures."""
        most = 1 if self.reading.retries >= CAREFUL_AFTER else BATCH_MESSAGES
        batch: Mails = []
        size = 0
        for number, uidl in mails:
            octets = box.sizes.get(number, 0)
            if batch and (len(batch) == most or size + octets > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((number, uidl))
            size += octets
        if batch:
            yield batch

    def _keep_mails(self, box: pop3.PopBox, batch: Mails) -> int:
        fetched = [(number, uidl, pop3.fetch(box, number)) for number, uidl in batch]
        refused = [(number, uidl) for number, uidl, raw in fetched if not raw]
        self._pass(refused, "the server refuses it")
        items = [(uidl, raw) for _, uidl, raw in fetched if raw]
        ids = pop_mails_store(reading=self.reading, items=items) if items else []
        if not self.reading.leave:
            for number, _, raw in fetched:
                if raw:
                    pop3.delete(box, number)
        events_process(ids)
        return len(ids)

    def _pass(self, mails: Mails, words: str) -> None:
        if not mails:
            return
        for number, _ in mails:
            collecting.collector_skipped(reading=self.reading, uid=number, words=words)
        pop_mails_pass(reading=self.reading, uidls=[uidl for _, uidl in mails])

    def _pass_old(self, box: pop3.PopBox, mails: Mails) -> Mails:
        """At the first reading: pass over what came long before; the rest. Servers list mails in order of arrival."""
        begin = self.reading.take_from - timedelta(days=settings.POSTROOM_COLLECT_LOOK_BACK_DAYS)
        low, high = 0, len(mails)
        while low < high:
            middle = (low + high) // 2
            at = arrived_at(pop3.header(box, mails[middle][0]))
            low, high = (middle + 1, high) if at is not None and at < begin else (low, middle)
        if low:
            log.info("collector %s: %d old mails are passed over", self.reading.collector_id, low)
            pop_mails_pass(reading=self.reading, uidls=[uidl for _, uidl in mails[:low]])
        return mails[low:]
