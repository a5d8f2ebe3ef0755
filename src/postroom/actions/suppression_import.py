"""Suppressed addresses from a file: a stream; good lines stored, bad ones told with number and reason (SX-03)."""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.blob import blob_put_file
from postroom.actions.job import enqueue
from postroom.actions.notify import SUPPRESSION, notify
from postroom.actions.suppression import scope_owner, why_clean
from postroom.errors import InputError, NotFound
from postroom.mail.suppression import parse_entry
from postroom.models.suppression import SuppressionImport, SuppressionLineError
from postroom.queries.blob import blob_open
from postroom.queries.viewer import Viewer

#: Lines of one file, and its size.
LINES_MAX = 1_000_000
BYTES_MAX = 64 << 20
#: A file of at most so many lines is read while the person waits; a longer one by the worker.
AT_ONCE = 5000
#: Bad lines that are kept with their words; all are counted.
KEPT = 20_000
_LINE_MAX = 1000

_INSERT = """
INSERT INTO postroom_suppression (workspace_id, form, value, owner_id, source, why, by_id, at)
SELECT %s, form, value, %s, 'import', %s, %s, now() FROM unnest(%s::text[], %s::text[]) AS given (form, value)
ON CONFLICT DO NOTHING
"""


def suppression_import(
    *, viewer: Viewer, file: Path, file_name: str, why: str = "", personal: bool = False
) -> SuppressionImport:
    """Bring in a file with an entry a line. The file is taken over (moved). A long one is read by the worker.

    Raises InputError (field "file") for an empty or too long one, and what scope_owner raises.
    """
    owner = scope_owner(viewer, personal=personal)
    size = file.stat().st_size
    if not size:
        raise InputError(gettext("The file is empty."), field="file")
    if size > BYTES_MAX:
        raise InputError(
            gettext("The file is larger than %(n)s MB. Split it.") % {"n": BYTES_MAX >> 20}, field="file"
        )
    lines = _count(file)
    if lines > LINES_MAX:
        words = gettext("At most %(n)s lines can be brought in at once.")
        raise InputError(words % {"n": LINES_MAX}, field="file")
    name = Path(file_name.replace("\0", "")).name[:255] or "entries.txt"
    with transaction.atomic():
        run = SuppressionImport.objects.create(
            workspace=viewer.workspace,
            owner=owner,
            user=viewer.user,
            file=blob_put_file(file),
            file_name=name,
            why=why_clean(why) or name,
            lines=lines,
        )
        if lines > AT_ONCE:
            enqueue("suppression_import", import_id=run.id)
    if lines <= AT_ONCE:
        suppression_import_run(import_id=run.id)
        run.refresh_from_db()
    return run


def suppression_import_run(*, import_id: int) -> None:
    """Store the entries, some thousand lines a transaction; goes on where an earlier run was cut off."""
    run = SuppressionImport.objects.get(id=import_id)
    try:
        with blob_open(run.file_id) as raw:
            mark = raw.read(2)
            raw.seek(0)
            encoding = "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
            lines = iter(io.TextIOWrapper(raw, encoding=encoding, errors="replace"))
            done = sum(1 for _ in islice(lines, run.done))
            while chunk := list(islice(lines, AT_ONCE)):
                if not _store(import_id, done, chunk):
                    return
                done += len(chunk)
    except NotFound as error:
        _end(import_id, "failed", error.message)
    else:
        _end(import_id, "done")


def _end(import_id: int, state: str, error: str = "") -> None:
    SuppressionImport.objects.filter(id=import_id, state="running").update(
        state=state, error=error, ended_at=timezone.now()
    )


@transaction.atomic
def _store(import_id: int, done: int, lines: list[str]) -> bool:
    """One portion. False when somebody else has done it."""
    run = SuppressionImport.objects.select_for_update().get(id=import_id)
    if run.state != "running" or run.done != done:
        return False
    forms, values, bad = [], [], []
    for number, text in _cells(lines, done):
        try:
            entry = parse_entry(text)
        except InputError as error:
            bad.append(
                SuppressionLineError(
                    run=run, line=number, text=text[:100].replace("\0", "␀"), reason=error.message[:300]
                )
            )
        else:
            forms.append(str(entry.form))
            values.append(entry.value)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [run.workspace_id, run.owner_id, run.why, run.user_id, forms, values])
        new = cursor.rowcount
    SuppressionLineError.objects.bulk_create(bad[: max(0, KEPT - run.rejected)], batch_size=1000)
    run.accepted += new
    run.duplicates += len(forms) - new
    run.rejected += len(bad)
    run.done = done + len(lines)
    run.lines = max(run.lines, run.done)
    run.save(update_fields=["accepted", "duplicates", "rejected", "done", "lines"])
    notify(SUPPRESSION, run.workspace_id)
    return True


def _cells(lines: list[str], done: int) -> Iterator[tuple[int, str]]:
    """(number of the line, its first cell), without empty lines and what follows a "#". Our own export is read too."""
    for number, line in enumerate(lines, start=done + 1):
        whole = line[:_LINE_MAX].split("#", 1)[0].strip()
        cell = whole.split(";", 1)[0].split("\t", 1)[0].strip().strip('"').rstrip(",").strip('"')
        if cell.startswith("'@"):  # the export's guard against formulas
            cell = cell[1:]
        is_heading = number == 1 and ";" in whole and "@" not in cell
        if cell and not is_heading:
            yield number, cell


def _count(file: Path) -> int:
    """Lines of the file, the last one also without its end."""
    lines, last = 0, b"\n"
    with file.open("rb") as raw:
        while chunk := raw.read(1 << 20):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")
