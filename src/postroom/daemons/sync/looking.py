"""Mails are taken apart in a process of its own while those before them are stored: a large mailbox uses two cores.

The process reads batches on its standard input and ends with it, so none is left when this one dies. Until it has
begun, and should it die first, this one does the work itself.
"""

import fcntl
import logging
import pickle
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from queue import SimpleQueue
from typing import IO, Any

from postroom.actions.mailbox_store import Looked, Mail, mails_look
from postroom.conf.garbage import collect_rarely
from postroom.mail.letter import Read
from postroom.mail.report import Recognised

log = logging.getLogger("postroom.sync")

_SIZE = struct.Struct("!Q")
_CHILD = f"import django; django.setup(); from {__name__} import main; main()"
#: Of each pipe: a batch of some megabytes goes through in few turns.
_PIPE_BYTES = 1 << 20
#: What `mails_look` does, done wherever it is done.
Look = Callable[[Sequence[Mail]], list[Looked]]


class Looking:
    """What is put is got back in the same order; one thread puts, one gets."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        #: It has begun and takes batches; cleared when it ended.
        self.is_there = threading.Event()
        self._found: SimpleQueue[list[Any] | None] = SimpleQueue()
        self._listening = threading.Thread(target=self._listen, name="looked", daemon=True)
        self._listening.start()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):  # the most that an ordinary user may have, all pipes together, is used up
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[arg-type]

    def put(self, mails: Sequence[Mail]) -> Look:
        """Begin to look at these; what gives the result of `mails_look`."""
        if not (self.is_there.is_set() and self._child.stdin):
            return mails_look
        with suppress(OSError):  # `_got` notices
            _write(self._child.stdin, [(mail.uid, mail.raw) for mail in mails])
        return self._got

    def _listen(self) -> None:
        """Take what it found as it comes, so that it never waits for those who ask."""
        pipe = self._child.stdout
        with suppress(OSError, EOFError, ValueError):
            while pipe:
                found = _read(pipe)
                if self.is_there.is_set():
                    self._found.put(found)
                self.is_there.set()  # the first word says only that
        self.is_there.clear()
        self._found.put(None)

    def _got(self, mails: Sequence[Mail]) -> list[Looked]:
        found = self._found.get()
        if found is None:
            log.warning("the process that takes mails apart ended; going on without it")
            self._found.put(None)
            return mails_look(mails)
        return [
            Looked(mail, Recognised(*recognised), Read(*read), words, match)
            for mail, (recognised, read, words, match) in zip(mails, found, strict=True)
        ]

    def close(self) -> None:
        self._child.kill()
        self._listening.join()
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._child.wait()


def _write(pipe: IO[bytes], value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_SIZE.size)
    size = _SIZE.unpack(head)[0] if len(head) == _SIZE.size else -1
    data = pipe.read(size) if size > 0 else b""
    if len(data) != size:
        raise EOFError
    return pickle.loads(data)


def _values(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """All of a dataclass: as a tuple it is handed over in a third of the time."""
    return attrgetter(*(field.name for field in fields(kind)))


def main() -> None:
    """The process; returns when its input ends."""
    collect_rarely(young=200_000)
    recognised_of, read_of = _values(Recognised), _values(Read)
    _write(sys.stdout.buffer, None)
    while True:
        try:
            mails = [Mail(uid, raw, None, frozenset()) for uid, raw in _read(sys.stdin.buffer)]
        except EOFError:
            return
        looked = mails_look(mails)
        plain = [(recognised_of(one.recognised), read_of(one.read), one.words, one.found) for one in looked]
        _write(sys.stdout.buffer, plain)
