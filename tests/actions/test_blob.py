"""The object store: bytes are there whole, or not at all."""

import hashlib
import os
from pathlib import Path

import pytest

from postroom.actions.blob import blob_write
from postroom.queries.blob import blob_path, blob_read


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
