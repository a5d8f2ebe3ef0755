"""Writing the object store: bytes are written, fsync-ed and renamed before their row can be committed."""

import hashlib
import os
import tempfile
from pathlib import Path

from postroom.models.blob import Blob
from postroom.queries.blob import blob_path


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder(path: Path) -> None:
    """Make the folder of an object; new levels are as durable as what is put into them."""
    if path.parent.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    for level in (path.parent, path.parent.parent):
        _belongs(level, path.parent.parent.parent)
        _fsync_folder(level.parent)


def _belongs(path: Path, store: Path) -> None:
    """What root puts into the store (a command by hand) belongs to the account of the daemons, as the store does."""
    if os.geteuid() == 0:
        owner = store.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _row(sha256: str, size_bytes: int) -> Blob:
    Blob.objects.bulk_create([Blob(sha256=sha256, size_bytes=size_bytes)], ignore_conflicts=True)
    return Blob(sha256=sha256, size_bytes=size_bytes)


def blob_write(data: bytes) -> str:
    """Put bytes into the store without a row; returns their SHA-256. For callers that write many rows at once."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = blob_path(sha256)
    if path.exists():
        return sha256
    _folder(path)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".new-", delete=False) as file:
        partial = Path(file.name)
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            _belongs(partial, path.parent.parent.parent)
            partial.rename(path)
        except BaseException:
            partial.unlink(missing_ok=True)  # a full disk is not made fuller by each mail that comes again
            raise
    _fsync_folder(path.parent)
    return sha256


def blob_put(data: bytes) -> Blob:
    """Store bytes and their row."""
    return _row(blob_write(data), len(data))


def blob_put_file(source: Path) -> Blob:
    """Take a file over into the store (moved when on the same file system) and make its row."""
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
        os.fsync(file.fileno())
        size = file.tell()
    path = blob_path(digest.hexdigest())
    if not path.exists():
        _folder(path)
        partial = path.parent / f".new-{os.getpid()}-{path.name[:16]}"
        try:
            source.rename(partial)
        except OSError:
            with source.open("rb") as old, partial.open("wb") as new:
                while chunk := old.read(1 << 20):
                    new.write(chunk)
                new.flush()
                os.fsync(new.fileno())
        _belongs(partial, path.parent.parent.parent)
        partial.rename(path)
        _fsync_folder(path.parent)
    return _row(digest.hexdigest(), size)
