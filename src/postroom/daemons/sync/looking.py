"""Mails are taken apart in a process of its own while those before them are stored: a large mailbox uses two cores.

The process reads batches on its standard input and ends with it, so none is left when this one dies. Should it die
first, this one does the work itself.
"""

import fcntl
import logging
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import fields
from operator import attrgetter
from typing import IO, Any

from postroom.actions.mailbox_store import Looked, Mail, mails_look
from postroom.conf.garbage import collect_rarely
from postroom.mail.letter import Read
from postroom.mail.report import Recognised

log = logging.getLogger("postroom.sync")

_SIZE = struct.Struct("!Q")
_CHILD = f"import django; django.setup(); from {__name__} import main; main()"
#: Of each pipe: a batch fits in, and neither side waits for the other.
_PIPE_BYTES = 1 << 20


class Looking:
    """What `put` gives away is got back in the same order, by one thread each."""

    def __init__(self) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._works = True
        for pipe in (self._child.stdin, self._child.stdout):
            with suppress(OSError):  # the most that an ordinary user may have, all pipes together, is used up
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)  # type: ignore[arg-type]

    def put(self, mails: Sequence[Mail]) -> None:
        """Begin to look at these."""
        if self._works and self._child.stdin:
            with suppress(OSError):  # `get` notices
                _write(self._child.stdin, [(mail.uid, mail.raw) for mail in mails])

    def get(self, mails: Sequence[Mail]) -> list[Looked]:
        """`mails_look` of what was put."""
        if self._works and self._child.stdout:
            try:
                found = _read(self._child.stdout)
            except (OSError, EOFError):
                log.warning("the process that takes mails apart ended; going on without it")
                self._works = False
            else:
                return [
                    Looked(mail, Recognised(*recognised), Read(*read), words, match)
                    for mail, (recognised, read, words, match) in zip(mails, found, strict=True)
                ]
        return mails_look(mails)

    def close(self) -> None:
        self._child.kill()
        with suppress(OSError):
            self._child.communicate()


def _write(pipe: IO[bytes], value: object) -> None:
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    pipe.write(_SIZE.pack(len(data)))
    pipe.write(data)
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    head = pipe.read(_SIZE.size)
    data = pipe.read(_SIZE.unpack(head)[0]) if len(head) == _SIZE.size else b""
    if not data:
        raise EOFError
    return pickle.loads(data)


def _values(kind: type) -> Callable[[Any], tuple[Any, ...]]:
    """All of a dataclass: as a tuple it is handed over in a third of the time."""
    return attrgetter(*(field.name for field in fields(kind)))


def main() -> None:
    """The process; returns when its input ends."""
    collect_rarely(young=200_000)
    recognised_of, read_of = _values(Recognised), _values(Read)
    while True:
        try:
            mails = [Mail(uid, raw, None, frozenset()) for uid, raw in _read(sys.stdin.buffer)]
        except EOFError:
            return
        looked = mails_look(mails)
        plain = [(recognised_of(one.recognised), read_of(one.read), one.words, one.found) for one in looked]
        _write(sys.stdout.buffer, plain)
