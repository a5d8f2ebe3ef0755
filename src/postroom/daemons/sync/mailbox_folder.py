"""One folder of a mailbox, read to its end: what is new, which flags changed, what is gone."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing

from django.db import connections

from postroom.actions import collecting
from postroom.actions.collecting import Reading
from postroom.actions.mailbox import flags_found, folder_restarted, folder_seen, mails_vanished, uids_known
from postroom.actions.mailbox_store import Looked, Mail, mails_look, mails_store, mails_write
from postroom.daemons.sync.collect import CAREFUL_AFTER, SKIP_AFTER
from postroom.daemons.sync.looking import Look, Looking
from postroom.daemons.sync.words import words_of
from postroom.errors import WireError
from postroom.models.blob import Blob
from postroom.wire import imap, imap_box

log = logging.getLogger("postroom.sync")

#: Mails fetched and stored together.
BATCH = 500
#: Batches that may be on their way while one is fetched.
AHEAD = 2
#: To be taken at once, from which on a process of its own takes them apart, too.
MANY = 2000


class FolderPass:
    """One look into one folder. `reading` is the folder's own."""

    def __init__(self, mailbox: imap.Mailbox, reading: Reading, is_stopping: Callable[[], bool]) -> None:
        self._mailbox = mailbox
        self._reading = reading
        self._is_stopping = is_stopping
        self._row = reading.collector
        self._uidvalidity, self._last_uid = reading.uidvalidity, reading.last_uid
        self._came = self._new = 0
        self._failed = False

    def read(self) -> int:
        """How many mails were new."""
        folder = imap.examine(self._mailbox, self._reading.folder)
        before = self._last_uid
        restarted = self._find_place(folder)
        new = self._take(folder)
        if not self._is_stopping():
            if restarted:
                folder_restarted(folder=self._row, uidvalidity=folder.uidvalidity)
            else:
                self._follow(folder, before)
            folder_seen(collector_id=self._row.id, modseq=folder.highest_modseq, messages=folder.messages)
        return new

    def _find_place(self, folder: imap.Folder) -> bool:
        """Where to begin in a folder that was never read, or whose UIDs mean nothing any more: at the start date."""
        if folder.uidvalidity == self._uidvalidity:
            return False
        if self._uidvalidity:
            log.warning("collector %s: UIDVALIDITY changed; reading again", self._row.id)
        self._uidvalidity = folder.uidvalidity
        self._move(imap.last_uid_before(self._mailbox, folder, self._reading.take_from))
        return True

    def _take(self, folder: imap.Folder) -> int:
        """Store what is above the watermark."""
        reading = self._reading
        careful = reading.retries >= CAREFUL_AFTER
        to_take = max(0, min(folder.messages, folder.uidnext - 1 - self._last_uid))
        try:
            for new in self._stored(1 if careful else BATCH, many=to_take >= MANY):
                taken = max(new, self._came)
                collecting.collector_progress(
                    collector_id=self._row.id, taken=taken, to_take=max(taken, to_take)
                )
        except WireError as error:
            if not self._new and reading.retries >= SKIP_AFTER and reading.error_code == error.code:
                uid = int(str(error.details.get("uid", 0)))
                if uid:
                    collecting.collector_skipped(reading=reading, uid=uid, words=words_of(error))
                    self._move(uid)
            raise
        return self._new

    def _stored(self, at_most: int, *, many: bool) -> Iterator[int]:
        """Fetch while what was fetched before is taken apart and stored; how many were new so far, after each batch."""
        with ExitStack() as stack:
            apart = stack.enter_context(closing(Looking())) if many else None
            storing = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="store"))
            stack.callback(storing.submit, connections.close_all)
            waiting: deque[Future[None]] = deque()
            try:
                for batch in imap.fetch_since(self._mailbox, self._last_uid, at_most=at_most):
                    if self._is_stopping():
                        break
                    mails = self._readable(batch)
                    blobs = mails_write(mails)
                    look = apart.put(mails) if apart else mails_look
                    waiting.append(storing.submit(self._keep, batch, mails, blobs, look))
                    if len(waiting) > AHEAD:
                        waiting.popleft().result()
                        yield self._new
            finally:
                for one in waiting:
                    one.result()
        yield self._new

    def _readable(self, batch: list[imap.Fetched]) -> list[Mail]:
        for one in batch:
            if not one.raw:
                collecting.collector_skipped(
                    reading=self._reading, uid=one.uid, words="the server refuses it"
                )
        return [
            Mail(one.uid, one.raw, one.received_at, one.flags, one.header_only) for one in batch if one.raw
        ]

    def _keep(self, batch: list[imap.Fetched], mails: list[Mail], blobs: list[Blob], look: Look) -> None:
        """In their order, and none after one that failed: the watermark would pass over it."""
        if self._failed or not batch:
            return
        self._failed = True
        self._store(batch, look(mails), blobs)
        self._failed = False

    def _store(self, batch: list[imap.Fetched], looked: list[Looked], blobs: list[Blob]) -> None:
        self._new += mails_store(folder=self._row, uidvalidity=self._uidvalidity, looked=looked, blobs=blobs)
        self._came += len(batch)
        last_uid = max(one.uid for one in batch)
        if not looked or looked[-1].mail.uid != last_uid:
            self._move(last_uid)
        self._last_uid = last_uid

    def _move(self, last_uid: int) -> None:
        collecting.collector_watermark(
            collector_id=self._row.id, uidvalidity=self._uidvalidity, last_uid=last_uid
        )
        self._last_uid = last_uid

    def _follow(self, folder: imap.Folder, last_uid: int) -> None:
        """Flags and absences of what was known before this look."""
        row, uidvalidity = self._row, folder.uidvalidity
        if row.modseq and folder.highest_modseq:
            if folder.highest_modseq != row.modseq:
                changed = imap_box.flags_changed(self._mailbox, last_uid, row.modseq)
                flags_found(folder=row, uidvalidity=uidvalidity, flags=changed)
            if folder.messages != row.message_count + self._came:
                self._look_for_absent(folder, last_uid)
            return
        known = [uid for uid in uids_known(folder=row, uidvalidity=uidvalidity) if uid <= last_uid]
        gone = set(known)
        for flags in imap_box.flags_each(self._mailbox, known):
            flags_found(folder=row, uidvalidity=uidvalidity, flags=flags)
            gone -= flags.keys()
        mails_vanished(folder=row, uidvalidity=uidvalidity, uids=gone)

    def _look_for_absent(self, folder: imap.Folder, last_uid: int) -> None:
        known = [
            uid for uid in uids_known(folder=self._row, uidvalidity=folder.uidvalidity) if uid <= last_uid
        ]
        if known:
            there = imap_box.uids_there(self._mailbox, known[0], known[-1])
            mails_vanished(
                folder=self._row,
                uidvalidity=folder.uidvalidity,
                uids=[uid for uid in known if uid not in there],
            )
