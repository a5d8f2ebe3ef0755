"""The object store: bytes are there whole, or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from postroom.actions.blob import SMALL_BYTES, blob_write, blobs_commit, blobs_write
from postroom.errors import NotFound
from postroom.queries.blob import blob_open, blob_path, blob_read, blobs_read


def test_what_could_not_be_written_leaves_nothing_behind(settings, tmp_path, monkeypatch):
    settings.POSTROOM_OBJECTS = tmp_path

    blob_path(hashlib.sha256(b"x" * 1000).hexdigest()).parent.mkdir(parents=True)

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            blob_write(b"x" * 1000)
    assert not [path for path in Path(tmp_path).rglob("*") if path.is_file()]
    sha256 = blob_write(b"x" * 1000)
    assert blob_path(sha256).is_file()
    assert blob_read(sha256) == b"x" * 1000


@pytest.mark.django_db
def test_small_ones_written_together_lie_in_one_file_and_are_read_like_any(settings, tmp_path):
    settings.POSTROOM_OBJECTS = tmp_path
    large, small = b"x" * (SMALL_BYTES + 1), [b"a", b"", b"bb" * 500, b"a"]
    rows = blobs_write([*small, large])
    blobs_commit(rows)
    assert [row.sha256 for row in rows] == [hashlib.sha256(data).hexdigest() for data in (*small, large)]
    assert len([path for path in Path(tmp_path).rglob("*") if path.is_file()]) == 2
    assert [blob_read(row.sha256) for row in rows] == [*small, large]
    assert blobs_read([row.sha256 for row in rows]) == dict(
        zip([row.sha256 for row in rows], [*small, large], strict=True)
    )
    with blob_open(rows[2].sha256) as file:
        assert file.read(3) == b"bbb"


@pytest.mark.django_db
def test_what_is_stored_already_is_not_written_again_and_a_lost_pack_is_named(settings, tmp_path):
    settings.POSTROOM_OBJECTS = tmp_path
    blobs_commit(blobs_write([b"one", b"two"]))
    again = blobs_write([b"two", b"three"])
    blobs_commit(again)
    packs = [path for path in (tmp_path / "packs").rglob("*") if path.is_file()]
    assert len(packs) == 2
    assert [blob_read(row.sha256) for row in again] == [b"two", b"three"]
    for pack in packs:
        pack.unlink()
    with pytest.raises(NotFound):
        blob_read(again[0].sha256)


@pytest.mark.django_db
def test_a_pack_that_could_not_be_written_leaves_nothing_behind(settings, tmp_path, monkeypatch):
    settings.POSTROOM_OBJECTS = tmp_path

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            blobs_write([b"one", b"two"])
    assert not [path for path in Path(tmp_path).rglob("*") if path.is_file()]
    assert [row.size_bytes for row in blobs_write([b"one", b"two"])] == [3, 3]
