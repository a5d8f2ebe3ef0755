"""Mails are taken apart in a process of its own while those before them are stored: a large mailbox uses two cores.

The process reads batches on its standard input and ends with it, so none is left when this one dies. Should it die
first, this one does the work itself.
"""

import logging
import pickle
import struct
import subprocess
import sys
from collections.abc import Sequence
from typing import IO, Any

from postroom.actions.mailbox_store import Looked, Mail, mails_look

log = logging.getLogger("postroom.sync")

_SIZE = struct.Struct("!Q")
_CHILD = f"import django; django.setup(); from {__name__} import main; main()"


class Looking:
    """`look` is `mails_look`. For one thread at a time."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _CHILD], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def look(self, mails: Sequence[Mail]) -> list[Looked]:
        """What they are, in the same order."""
        if self._child and self._child.stdin and self._child.stdout:
            try:
                _write(self._child.stdin, mails)
                found = _read(self._child.stdout)
            except (OSError, EOFError):
                log.warning("the process that takes mails apart ended; going on without it")
                self.close()
            else:
                return [Looked(mail, *of_it) for mail, of_it in zip(mails, found, strict=True)]
        return mails_look(mails)

    def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


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


def main() -> None:
    """The process; returns when its input ends."""
    while True:
        try:
            mails = _read(sys.stdin.buffer)
        except EOFError:
            return
        looked = mails_look(mails)
        _write(sys.stdout.buffer, [(one.recognised, one.read, one.words, one.found) for one in looked])
