"""Reading one mailbox: what is new is stored as it is, then looked at.

The folder is opened with EXAMINE; nothing in it changes.
"""

import logging
import threading
import time
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import connections

from postroom.actions import collecting
from postroom.actions.collecting import Reading
from postroom.actions.event import event_store_imap, events_process
from postroom.actions.pop_mail import pop_mails_met
from postroom.daemons.bridge import AWAY
from postroom.daemons.sync.mailbox_changes import carry_out
from postroom.daemons.sync.words import words_of
from postroom.errors import LoginRefused, PostroomError, WireError
from postroom.wire import imap
from postroom.wire.server import Proxy, Security, Server

log = logging.getLogger("postroom.sync")

#: RFC 2177 section 3: an IDLE is renewed before 29 minutes.
IDLE_MOST = timedelta(minutes=25)
#: After new mail the next look comes soon, then ever later: more may follow, and an EXISTS may have come too early.
SOON = timedelta(seconds=2)
#: Failures in a row after which mails are fetched one by one, and after which the one at fault is passed over.
CAREFUL_AFTER, SKIP_AFTER = 3, 6


class Run:
    """The reading of one mailbox by one thread, and the strings by which the daemon holds it."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading
        #: Set while it only waits for mail.
        self.waiting = threading.Event()
        self.ended = threading.Event()
        #: To be claimed anew when it has ended: its settings changed, or the database went away meanwhile.
        self.again = False
        self._wake = threading.Event()
        self._stopping = False

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stopping = True
        self._wake.set()

    def look_now(self) -> None:
        self._wake.set()

    def collect(self) -> None:
        """The body of the thread; raises nothing."""
        reading = self.reading
        try:
            try:
                self._read()
            except WireError as error:
                self._failed(error.code, words_of(error), refused=isinstance(error, LoginRefused))
            except PostroomError as error:  # e.g. the key that would decrypt the password is missing
                self._failed(error.code, str(error))
        except AWAY as error:
            log.warning("collector %s: the database is away: %s", reading.collector_id, error)
            self.again = True
        except Exception:
            log.exception("collector %s", reading.collector_id)
            self._broken()
        finally:
            connections.close_all()
            self.ended.set()

    def _read(self) -> None:
        events_process(collecting.events_left(collector_id=self.reading.collector_id))
        begun = time.monotonic()
        collecting.collector_begun(collector_id=self.reading.collector_id)
        mailbox = imap.open_mailbox(server_of(self.reading))
        self._connected(mailbox, time.monotonic() - begun)
        try:
            pause = SOON
            while True:
                # of this account only copies of what was sent are filed; nothing else in it changes
                carry_out(mailbox, account_id=self.reading.account_id, is_stopping=lambda: self._stopping)
                new = self._take(mailbox)
                if self._stopping:
                    return
                collecting.collector_done(reading=self.reading, new=new)
                self.reading = replace(self.reading, retries=0)
                if not self.reading.use_idle or "IDLE" not in mailbox.capabilities:
                    return
                pause = SOON if new else min(pause * 2, self.reading.interval, IDLE_MOST)
                if self._idle(mailbox, pause):
                    pause = SOON
                if self._stopping:
                    return
        finally:
            imap.close(mailbox)

    def _connected(self, mailbox: imap.Mailbox, took_s: float) -> None:
        server, secured = mailbox.server, mailbox.tls.version if mailbox.tls else "no encryption"
        words = f"Connected to {server.host}:{server.port}, {secured}."
        collecting.collector_note(reading=self.reading, words=words, duration_ms=round(took_s * 1000))

    def _idle(self, mailbox: imap.Mailbox, pause: timedelta) -> bool:
        connections.close_all()  # a mailbox that waits holds no connection of the database
        self.waiting.set()
        try:
            return imap.idle_wait(mailbox, pause.total_seconds(), stop=self._wake)
        finally:
            self.waiting.clear()
            if not self._stopping:
                self._wake.clear()

    def _take(self, mailbox: imap.Mailbox) -> int:
        """Store and look at everything new; how many mails."""
        folder = imap.examine(mailbox, self.reading.folder)
        self._find_place(mailbox, folder)
        new = 0
        to_take = max(0, min(folder.messages, folder.uidnext - 1 - self.reading.last_uid))
        careful = self.reading.retries >= CAREFUL_AFTER
        try:
            for batch in imap.fetch_since(
                mailbox, self.reading.last_uid, at_most=1 if careful else imap.BATCH_MESSAGES
            ):
                if self._stopping:
                    break
                if batch:
                    new += self._keep(batch)
                    collecting.collector_progress(
                        collector_id=self.reading.collector_id, taken=new, to_take=max(new, to_take)
                    )
        except WireError as error:
            if not new and self.reading.retries >= SKIP_AFTER and self.reading.error_code == error.code:
                self._skip(int(str(error.details.get("uid", 0))), words_of(error))
            raise
        return new

    def _skip(self, uid: int, words: str) -> None:
        """A mail over which the server breaks down again and again must not keep the others."""
        if uid:
            collecting.collector_skipped(reading=self.reading, uid=uid, words=words)
            self._move(self.reading.uidvalidity, uid)

    def _find_place(self, mailbox: imap.Mailbox, folder: imap.Folder) -> None:
        """Where to go on. After a new UIDVALIDITY all is read again that came since the beginning, as at first.

        What is known is left out then.
        """
        reading = self.reading
        if folder.uidvalidity == reading.uidvalidity:
            return
        if reading.uidvalidity:
            log.warning("collector %s: UIDVALIDITY changed; reading again", reading.collector_id)
        begin = reading.take_from - timedelta(days=settings.POSTROOM_COLLECT_LOOK_BACK_DAYS)
        self._move(folder.uidvalidity, imap.last_uid_before(mailbox, folder, begin))

    def _move(self, uidvalidity: int, last_uid: int) -> None:
        collecting.collector_watermark(
            collector_id=self.reading.collector_id, uidvalidity=uidvalidity, last_uid=last_uid
        )
        self.reading = replace(self.reading, uidvalidity=uidvalidity, last_uid=last_uid)

    def _keep(self, batch: list[imap.Fetched]) -> int:
        reading = self.reading
        for one in batch:
            if not one.raw:
                collecting.collector_skipped(reading=reading, uid=one.uid, words="the server refuses it")
        items = [(one.uid, one.raw) for one in batch if one.raw]
        known = collecting.taken_before(reading=reading, uidvalidity=reading.uidvalidity, items=items)
        if reading.was_pop3:
            known |= pop_mails_met(account_id=reading.account_id, items=items)
        fresh = [item for item in items if item[0] not in known]
        ids = []
        if fresh:
            ids = event_store_imap(collector=reading.collector, uidvalidity=reading.uidvalidity, items=fresh)
        self._move(reading.uidvalidity, max(one.uid for one in batch))
        if ids:
            events_process(ids)
        return len(ids)

    def _failed(self, code: str, words: str, *, refused: bool = False) -> None:
        wait = collecting.collector_failed(reading=self.reading, code=code, words=words, refused=refused)
        log.warning("collector %s: %s %s; next try in %s", self.reading.collector_id, code, words, wait)

    def _broken(self) -> None:
        try:
            self._failed("BROKEN", "An error inside Postroom; its log says more.")
        except AWAY:
            log.warning("collector %s: the database is away", self.reading.collector_id)
            self.again = True


def server_of(reading: Reading) -> Server:
    return Server(
        host=reading.host,
        port=reading.port,
        security=Security(reading.security),
        login=reading.login,
        password=reading.password,
        verify_certificate=reading.verify_certificate,
        allow_private=reading.allow_private,
        proxy=Proxy.of(reading.proxy),
    )
