"""Carrying out in a mailbox what people did here, in order; each change may be done again after a kill."""

import logging
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from postroom.actions import mailbox_change
from postroom.actions.mailbox_change import FLAGS, TRIES, Change
from postroom.daemons.sync.words import words_of
from postroom.errors import HostUnreachable, NotFound, TlsFailed, WireError, WireTimeout
from postroom.queries.blob import blob_read
from postroom.queries.mailbox import sent_folder
from postroom.wire import imap, imap_box

log = logging.getLogger("postroom.sync")

_CONNECTION = (HostUnreachable, WireTimeout, TlsFailed)
#: Google's servers file what goes out, and show a mail in all its folders under one name.
_FILES_ITSELF = "X-GM-EXT-1"
_GONE = "The mail is no longer there."


def carry_out(mailbox: imap.Mailbox, *, account_id: int, is_stopping: Callable[[], bool]) -> None:
    """Do what is due. A change that the server refuses waits for its next try, and others of the same mail behind it.

    Raises the WireError by which the connection was lost.
    """
    changes = mailbox_change.changes_due(account_id=account_id)
    hands = _Hands(mailbox, account_id)
    waiting: set[int] = set()
    for change in changes:
        if is_stopping():
            return
        if change.key in waiting:
            continue
        mailbox_change.change_begun(change)
        try:
            if change.tries >= TRIES:
                raise WireError("It failed too often.", code="TRIES")
            hands.do(change)
        except _CONNECTION:
            raise
        except (WireError, NotFound) as error:
            words = words_of(error) if isinstance(error, WireError) else error.message
            log.warning("account %s: change %s (%s): %s", account_id, change.id, change.action, words)
            mailbox_change.change_failed(change, words=words)
            waiting.add(change.key)


class _Hands:
    """The folder that is open for changes, and what can be done in it."""

    def __init__(self, mailbox: imap.Mailbox, account_id: int) -> None:
        self._mailbox = mailbox
        self._account_id = account_id
        self._open = ""

    def do(self, change: Change) -> None:
        if change.action == "append":
            self._append(change)
            return
        if change.is_gone:
            mailbox_change.change_done(change, words=_GONE)
            return
        self._select(change)
        if change.action in FLAGS:
            flag, on, _ = FLAGS[change.action]
            imap_box.flags_set(self._mailbox, change.uid, flag, on=on)
            mailbox_change.change_done(change)
        elif change.uid not in imap_box.uids_there(self._mailbox, change.uid, change.uid):
            mailbox_change.change_done(change, words=_GONE)
        elif change.action == "delete":
            imap_box.delete(self._mailbox, change.uid)
            mailbox_change.change_done(change)
        else:
            self._move(change)

    def _select(self, change: Change) -> None:
        if self._open != change.folder:
            self._open = ""
            self._told: dict[bytes, Any] = imap_box.select(self._mailbox, change.folder, readonly=False)
            self._open = change.folder
        if int(self._told.get(b"UIDVALIDITY") or 0) != change.uidvalidity:
            raise WireError("The folder has to be read again first.", code="UIDVALIDITY")

    def _move(self, change: Change) -> None:
        if change.tries and "MOVE" not in self._mailbox.capabilities and change.known_as:
            # a daemon that was killed may have copied it already
            self._open = ""
            imap_box.select(self._mailbox, change.to_folder)
            if found := imap_box.with_message_id(self._mailbox, change.known_as):
                self._select(change)
                imap_box.delete(self._mailbox, change.uid)
                mailbox_change.change_done(change, new_uid=found[-1])
                return
            self._select(change)
        uid = imap_box.move(self._mailbox, change.uid, change.to_folder)
        mailbox_change.change_done(change, new_uid=uid)

    def _append(self, change: Change) -> None:
        """A copy for the folder of sent mail, unless one lies there: the server's, or that of a daemon killed since."""
        state, sha256, message_id = mailbox_change.sent_mail(change)
        if state == "open":
            mailbox_change.change_postponed(change)
            return
        if state == "none":
            mailbox_change.change_done(change, words="It was never sent.")
            return
        folder_id, folder = self._sent()
        self._open = ""
        imap_box.select(self._mailbox, folder)
        if uids := imap_box.with_message_id(self._mailbox, message_id):
            mailbox_change.change_done(change, new_uid=uids[-1], folder_id=folder_id)
        elif _FILES_ITSELF in self._mailbox.capabilities:
            mailbox_change.change_done(change, words="The server files it.")
        else:
            uid = imap_box.append(self._mailbox, folder, blob_read(sha256), at=timezone.now())
            mailbox_change.change_done(change, new_uid=uid, folder_id=folder_id)

    def _sent(self) -> tuple[int, str]:
        """(number of its row, or 0; name) of the folder for sent mail; made where there is none."""
        if known := sent_folder(self._account_id):
            return known
        listed = imap_box.folders(self._mailbox)
        name = next((one.name for one in listed if one.role == "sent"), "")
        if not name:
            imap_box.create(self._mailbox, name := "Sent")
        return 0, name
