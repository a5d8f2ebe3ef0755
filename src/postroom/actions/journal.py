"""What a delivery process has begun to hand over, kept where `kill -9` does not reach it (docs/message-states.md).

A ring of delivery ids in a file mapped into memory: what was written there stays with the system when the process is
gone. Whoever takes its shard over learns which of the marked messages never left, and has them sent; without the
journal (another host, a restart of the machine, a file that is missing) all of them are in doubt, as ever.
"""

import fcntl
import logging
import mmap
import os
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings

from postroom.models.delivery import Shard

log = logging.getLogger("postroom.delivery")

#: Entries; far more than can be marked and without an outcome at once.
ENTRIES = 1 << 16
_HEAD = 64
_SIZE = _HEAD + 8 * ENTRIES
_TOOK = 1 << 63
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def _boot() -> bytes:
    """Of this run of the machine; what is written to memory does not outlast it. b"" = nobody knows."""
    try:
        return _BOOT.read_bytes().strip()[: _HEAD - 1]
    except OSError:
        return b""


def _path(worker: str) -> Path:
    return Path(settings.POSTROOM_DATA) / "journal" / worker.replace("/", "_")


class Journal:
    """Of one delivery process. `begin` is called at the last moment before a message can be complete at the server."""

    def __init__(self, worker: str) -> None:
        self._at = 0
        self._map: mmap.mmap | bytearray = bytearray(_SIZE)
        self._file: IO[bytes] | None = None
        path = _path(worker)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("x+b")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # held while the process lives
            self._file.write(_boot().ljust(_SIZE, b"\0"))
            self._file.flush()
            self._map = mmap.mmap(self._file.fileno(), _SIZE)
        except OSError as error:
            log.warning("no journal of what is begun can be kept, so a crash leaves more in doubt: %s", error)

    def begin(self, delivery_id: int) -> None:
        struct.pack_into("<Q", self._map, _HEAD + 8 * self._at, delivery_id)
        self._at = (self._at + 1) % ENTRIES

    def took(self, delivery_id: int) -> None:
        """The server answered 2yz to the final dot."""
        self.begin(delivery_id | _TOOK)

    def close(self) -> None:
        """The file stays for whoever takes over a shard that is not done."""
        was, self._map = self._map, bytearray(_SIZE)
        if isinstance(was, mmap.mmap):
            was.close()
        if self._file is not None:
            self._file.close()


def journal_read(worker: str) -> dict[int, bool] | None:
    """What a process that is gone had begun, by delivery id: whether the server had taken it. None: nobody knows."""
    if not worker or worker.partition(":")[0] != socket.gethostname()[:40]:
        return None
    try:
        with _path(worker).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # refused while it lives, however long it sleeps
            raw = file.read()
    except OSError:
        return None
    boot = _boot()
    if len(raw) != _SIZE or not boot or raw[:_HEAD].rstrip(b"\0") != boot:
        return None
    entries = struct.unpack_from(f"<{ENTRIES}Q", raw, _HEAD)
    begun = dict.fromkeys((entry for entry in entries if entry and not entry & _TOOK), False)
    return begun | dict.fromkeys((entry ^ _TOOK for entry in entries if entry & _TOOK), True)


def journals_forget() -> None:
    """Files of processes that are gone and whose shards are done or another's."""
    for path in (Path(settings.POSTROOM_DATA) / "journal").glob("*"):
        with suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not Shard.objects.filter(worker=path.name, is_done=False).exists():
                os.unlink(path)
