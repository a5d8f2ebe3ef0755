"""Reading a whole mailbox over one connection: the inbox is watched (IDLE), its other folders looked into by turns.

What people here did to mails is carried out first. Folders are opened with EXAMINE to be read, so that reading changes
nothing; a folder that cannot be read keeps none of the others.
"""

import logging
import time
from dataclasses import replace
from datetime import timedelta

from django.conf import settings

from postroom.actions import collecting
from postroom.actions.collecting import Reading
from postroom.actions.event import events_process
from postroom.actions.mailbox import Found, folders_found, folders_to_read
from postroom.daemons.sync.collect import IDLE_MOST, SOON, Run, server_of
from postroom.daemons.sync.mailbox_changes import carry_out
from postroom.daemons.sync.mailbox_folder import FolderPass
from postroom.daemons.sync.words import words_of
from postroom.errors import WireError
from postroom.wire import imap, imap_box

log = logging.getLogger("postroom.sync")

#: Failures that are of one folder, or of one mail in it; after all others the connection is gone.
OF_ONE_FOLDER = ("FOLDER_MISSING", "FOLDER_NAME", "FOLDER_READONLY")


class MailboxRun(Run):
    """The reading of one mailbox with all its folders by one thread."""

    def _read(self) -> None:
        events_process(collecting.events_left(collector_id=self.reading.collector_id))
        begun = time.monotonic()
        collecting.collector_begun(collector_id=self.reading.collector_id)
        mailbox = imap.open_mailbox(server_of(self.reading))
        self._connected(mailbox, time.monotonic() - begun)
        self._round_at = 0.0
        try:
            pause = SOON
            while not self._stopping:
                new = self._look(mailbox)
                if not self.reading.use_idle or "IDLE" not in mailbox.capabilities:
                    return
                pause = SOON if new else min(pause * 2, self.reading.interval, IDLE_MOST)
                left = timedelta(seconds=max(self._round_at - time.monotonic(), 0.0))
                if not self._stopping and self._idle(mailbox, min(pause, left)):
                    pause = SOON
        finally:
            imap.close(mailbox)

    def _look(self, mailbox: imap.Mailbox) -> int:
        """Carry out what is to be changed, read the inbox and, when it is their turn, the others; how much is new."""
        carry_out(mailbox, account_id=self.reading.account_id, is_stopping=lambda: self._stopping)
        readings = folders_to_read(main=self.reading)
        first = readings[0]
        self.reading = first
        everything = time.monotonic() >= self._round_at or first.collector.asked_at is not None
        if everything:
            self._list(mailbox)
            readings = folders_to_read(main=self.reading)
        new = self._one(mailbox, first)
        for reading in readings[1:] if everything else ():
            if self._stopping:
                return new
            new += self._other(mailbox, reading)
        if everything:
            seconds = min(self.reading.interval.total_seconds(), settings.POSTROOM_FOLDERS_SECONDS)
            self._round_at = time.monotonic() + seconds
            imap.examine(mailbox, first.folder)  # what IDLE watches
        return new

    def _list(self, mailbox: imap.Mailbox) -> None:
        found = [Found(one.name, one.title, one.role, one.is_view) for one in imap_box.folders(mailbox)]
        for title in folders_found(main=self.reading, found=found):
            words = f"The folder {title[:60]}… has too long a name and is passed over."
            collecting.collector_note(reading=self.reading, words=words)

    def _one(self, mailbox: imap.Mailbox, reading: Reading) -> int:
        """Read one folder to its end."""
        new = FolderPass(mailbox, reading, lambda: self._stopping).read()
        if not self._stopping:
            collecting.collector_done(reading=reading, new=new)
            if reading.collector_id == self.reading.collector_id:
                self.reading = replace(self.reading, retries=0)
        return new

    def _other(self, mailbox: imap.Mailbox, reading: Reading) -> int:
        """Read a folder beside the inbox, if anything happened in it. Its own troubles stay its own."""
        try:
            if self._is_quiet(mailbox, reading):
                collecting.collector_done(reading=reading, new=0)
                return 0
            return self._one(mailbox, reading)
        except WireError as error:
            collecting.collector_failed(reading=reading, code=error.code, words=words_of(error))
            if error.code not in OF_ONE_FOLDER:
                raise
            return 0

    def _is_quiet(self, mailbox: imap.Mailbox, reading: Reading) -> bool:
        """Whether a folder is as it was left; only a server with CONDSTORE can say so."""
        row = reading.collector
        if not row.modseq or not row.uidvalidity:
            return False
        now = imap_box.status(mailbox, reading.folder)
        return (now.uidvalidity, now.highest_modseq, now.messages) == (
            row.uidvalidity,
            row.modseq,
            row.message_count,
        ) and now.uidnext - 1 <= row.last_uid
