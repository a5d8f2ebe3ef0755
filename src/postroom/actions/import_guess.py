"""Looking into an uploaded file, through the child process that reads it."""

import json
import os
from contextlib import closing
from pathlib import Path
from typing import Any

from postroom.actions.import_stage import child_frames
from postroom.errors import InputError
from postroom.mail.fold import fold
from postroom.models.contact import AttributeKey, ImportRun
from postroom.queries.blob import blob_open

FILE_MAX = 2 << 30
_OTHER_FILES = (
    (
        b"PK\x03\x04",
        "This is a spreadsheet or a ZIP archive. In the spreadsheet choose “Save as”, CSV UTF-8.",
    ),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel file. Open it and choose “Save as”, CSV UTF-8."),
    (b"%PDF", "This is a PDF. Export the addresses as CSV from the program that made it."),
    (b"\x1f\x8b", "This file is compressed. Unpack it first."),
    (b"{\\rtf", "This is a text document. Save the addresses as CSV."),
    (b"<", "This is a web page or XML. Save the addresses as CSV."),
)


def import_guess(file: Path) -> dict[str, Any]:
    """Choices to begin with: encoding, separator, has_header, mapping. Raises InputError for what is no CSV."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        start = stream.read(64)
        if not start.strip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0"):
            raise InputError("The file is empty.", code="FILE_BROKEN", field="file")
        if size > FILE_MAX:
            raise InputError("The file is larger than 2 GB. Split it.", code="FILE_BROKEN", field="file")
        for magic, words in _OTHER_FILES:
            if start.startswith(magic):
                raise InputError(words, code="FILE_BROKEN", field="file")
        os.lseek(stream.fileno(), 0, os.SEEK_SET)  # the child reads from where the file stands
        return dict(_ask({"mode": "preview"}, stream)["choices"])


def import_preview(run: ImportRun) -> dict[str, Any]:
    """The first rows of the file, read as chosen: {"choices", "rows", "whole", "unreadable", "names", "columns"}.

    columns: [{"name", "samples", "filled", "valid"?}]; mapping is guessed again where the choices hold none.
    Raises InputError when nothing can be read so.
    """
    keys = AttributeKey.objects.filter(workspace=run.workspace_id)
    known = {fold(key.label): f"attr:{key.key}" for key in keys}
    with blob_open(run.file_id) as stream:
        return _ask({"mode": "preview", **run.choices, "known": known}, stream)


def _ask(task: dict[str, Any], stream: Any) -> dict[str, Any]:
    with closing(child_frames(task, stream)) as frames:
        for frame in frames:
            if frame.kind == "P":
                return dict(json.loads(frame.data))
    raise InputError("The file cannot be read.", code="FILE_BROKEN", field="file")
