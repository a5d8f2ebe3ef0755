"""The staging table of an import: checked rows of the file, one address each, ready to be taken over by set.

Unlogged: after a crash of the database it is empty, which is noticed, and the file is read again.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import IO, Any

from django.db import connection, transaction

from postroom.actions.import_child import STAGED
from postroom.errors import InputError
from postroom.models.contact import ImportRowError, ImportRun
from postroom.queries.blob import blob_open

#: Rows of one COPY, after which progress is seen by everybody.
COPY_ROWS = 40_000
ERRORS_MAX = 100_000
_FRAME_MAX = 64 << 20
_LOCK = 7203100
_CHILD = "import sys; from postroom.actions.import_child import main; sys.exit(main())"


@dataclass(frozen=True)
class Frame:
    """One piece of what the child says: kind R, E, D or P; line: the last one read."""

    kind: str
    line: int
    data: bytes


def stage_table(import_id: int) -> str:
    return f"import_stage_{int(import_id)}"


@contextmanager
def import_lock(import_id: int) -> Iterator[None]:
    """One process at a time works on an import. Waits for one that is about to end; held by the session."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", [_LOCK, import_id])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, import_id])


def child_frames(task: dict[str, Any], file: IO[bytes]) -> Generator[Frame, None, None]:
    """What the child says of the file. Raises InputError when the file cannot be read, or not within its limits."""
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", _CHILD, json.dumps(task)],
        stdin=file,
        stdout=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name in {"PATH", "PYTHONPATH", "LANG"}},
    )
    out = process.stdout
    assert out is not None
    ended = False
    try:
        while head := out.readline(100):
            kind, line, length = head.decode("ascii").split()
            if int(length) > _FRAME_MAX:
                break
            frame = Frame(kind, int(line), out.read(int(length)))
            if kind == "X":
                raise InputError(frame.data.decode(), code="FILE_BROKEN", field="file")
            ended = kind in "DP"
            yield frame
    finally:
        out.close()
        process.kill()
        process.wait()
    if not ended:
        raise InputError(
            "The file could not be read within the limits of memory and time. Split it, or save it again as CSV.",
            code="FILE_BROKEN",
            field="file",
        )


def stage_fill(run: ImportRun, progress: Callable[[int, float], bool]) -> dict[str, int]:
    """Read the file into a new staging table, leave out repeated addresses, note what was refused.

    progress: told the line and the part of the file read so far (0 to 1); False stops.
    Returns {"rows", "rejected", "duplicates", "staged"}; {} when stopped.
    """
    table = stage_table(run.id)
    columns = ", ".join(f'"{name}" text NOT NULL' for name in STAGED[1:])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
        cursor.execute(f"CREATE UNLOGGED TABLE {table} (line integer NOT NULL, {columns})")
    ImportRowError.objects.filter(import_run=run).delete()
    end: dict[str, int] = {}
    task = {**run.choices, "errors_max": ERRORS_MAX}
    with blob_open(run.file_id) as file, closing(child_frames(task, file)) as frames:
        size = os.fstat(file.fileno()).st_size or 1
        while True:
            line, end = _copy_part(run, table, frames)
            # The child's standard input is this very file: its position is how far it has come.
            if not progress(line, os.lseek(file.fileno(), 0, os.SEEK_CUR) / size):
                return {}
            if end:
                break
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(f"CREATE INDEX ON {table} USING brin (line) WITH (pages_per_range = 16)")
        cursor.execute(f"ANALYZE {table}")
        duplicates = _drop_repeated(run, table)
    staged = end["rows"] - end["rejected"] - duplicates
    return {"rows": end["rows"], "rejected": end["rejected"], "duplicates": duplicates, "staged": staged}


def _copy_part(run: ImportRun, table: str, frames: Iterator[Frame]) -> tuple[int, dict[str, int]]:
    """COPY about COPY_ROWS rows; (last line, the child's figures once it has ended)."""
    line = rows = 0
    end: dict[str, int] = {}
    problems: list[ImportRowError] = []
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for frame in frames:
                line = frame.line
                if frame.kind == "R":
                    copy.write(frame.data)
                    rows += frame.data.count(b"\n")
                elif frame.kind == "E":
                    problems += _problems(run, json.loads(frame.data))
                elif frame.kind == "D":
                    end = json.loads(frame.data)
                if rows >= COPY_ROWS or len(problems) >= COPY_ROWS:
                    break
        ImportRowError.objects.bulk_create(problems, batch_size=5000)
    return line, end


def _problems(run: ImportRun, found: list[list[Any]]) -> list[ImportRowError]:
    return [
        ImportRowError(
            import_run=run, line=line, column=column, value=value.replace("\0", "␀"), reason=reason
        )
        for line, column, value, reason in found
    ]


def _drop_repeated(run: ImportRun, table: str) -> int:
    """The first row of an address stays; the others are noted and counted."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH twice AS (
                SELECT canonical, min(line) AS first FROM {table} GROUP BY canonical HAVING count(*) > 1
            ), gone AS (
                DELETE FROM {table} AS s USING twice
                WHERE s.canonical = twice.canonical AND s.line <> twice.first
                RETURNING s.line, s.email, twice.first
            ), noted AS (
                INSERT INTO postroom_importrowerror (import_run_id, line, "column", value, reason)
                SELECT %s, line, '', email, 'The same address as in line ' || first || '.'
                FROM gone ORDER BY line LIMIT %s
            )
            SELECT count(*) FROM gone
            """,
            [run.id, ERRORS_MAX],
        )
        return int(cursor.fetchone()[0])


def stage_count(import_id: int) -> int:
    """Rows of the staging table; -1 when there is none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [stage_table(import_id)])
        if not cursor.fetchone()[0]:
            return -1
        cursor.execute(f"SELECT count(*) FROM {stage_table(import_id)}")
        return int(cursor.fetchone()[0])


def stage_drop(import_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {stage_table(import_id)}")
