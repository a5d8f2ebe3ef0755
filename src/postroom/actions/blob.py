"""Writing the object store: bytes are written, fsync-ed and renamed before their row can be committed."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

from postroom.actions.bulk import row_new
from postroom.models.blob import Blob
from postroom.queries.blob import blob_path, pack_path
from postroom.queries.prepared import array_of, array_of_texts, prepared

#: Objects up to this size share a file with others that are written at the same time.
SMALL_BYTES = 256 * 1024


def _fsync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _folder_made(folder: Path) -> None:
    """Make a folder two levels below the store; new levels are as durable as what is put into them."""
    if folder.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    for level in (folder, folder.parent):
        _belongs(level, folder.parent.parent)
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
    _folder_made(path.parent)
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


def blobs_write(datas: Sequence[bytes]) -> list[Blob]:
    """Put many into the store at once; their rows, in the same order, are for the caller to commit (`blobs_commit`).

    The small ones go into one file: a disk makes one file durable in the time of one, however many it holds.
    """
    shas = [hashlib.sha256(data).hexdigest() for data in datas]
    held = prepared(_HELD, {"shas": "\n".join(set(shas))})
    rows = {
        sha256: row_new(Blob, sha256=sha256, size_bytes=size, pack=pack, offset=offset)
        for sha256, size, pack, offset in held
    }
    small = {}
    for sha256, data in zip(shas, datas, strict=True):
        if sha256 in rows:
            continue
        if len(data) <= SMALL_BYTES:
            small[sha256] = data
        else:
            blob_write(data)
            rows[sha256] = Blob(sha256=sha256, size_bytes=len(data))
    if small:
        name, offset = _pack_write(list(small.values())), 0
        for sha256, data in small.items():
            rows[sha256] = row_new(Blob, sha256=sha256, size_bytes=len(data), pack=name, offset=offset)
            offset += len(data)
    return [rows[sha256] for sha256 in shas]


_HELD = """
SELECT sha256, size_bytes, pack, "offset" FROM postroom_blob
 WHERE sha256 = ANY(string_to_array(%(shas)s, E'\\n'))
"""
_COMMIT = """
INSERT INTO postroom_blob (sha256, size_bytes, pack, "offset", created_at)
SELECT n.*, now() FROM unnest(string_to_array(%s, E'\\n'), %s::bigint[], %s::text[], %s::bigint[]) AS n
    ON CONFLICT DO NOTHING
"""


def blobs_commit(blobs: Sequence[Blob]) -> None:
    """The rows of `blobs_write`, in the caller's transaction; those that are known are left as they are."""
    rows = {blob.sha256: (blob.sha256, blob.size_bytes, blob.pack, blob.offset) for blob in blobs}
    if rows:
        with connection.cursor() as cursor:
            shas, sizes, packs, offsets = zip(*rows.values(), strict=True)
            cursor.execute(
                _COMMIT, ["\n".join(shas), array_of(sizes), array_of_texts(packs), array_of(offsets)]
            )


def _pack_write(datas: Sequence[bytes]) -> str:
    """A new pack with these one after another; its name. Nobody knows the name before it is committed."""
    name = secrets.token_hex(16)
    path = pack_path(name)
    _folder_made(path.parent)
    try:
        with path.open("xb") as file:
            file.write(b"".join(datas))
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _belongs(path, path.parent.parent.parent)
    _fsync_folder(path.parent)
    return name


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
        _folder_made(path.parent)
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
