"""Reading imports: the list of them, one, its report, one row of its file as it will be stored."""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from postroom.errors import NotFound
from postroom.models.contact import ImportRowError, ImportRun
from postroom.queries.viewer import Viewer


def imports_visible_to(viewer: Viewer, limit: int = 100) -> list[ImportRun]:
    """The newest imports."""
    found = ImportRun.objects.filter(workspace=viewer.workspace).exclude(state="cancelled")
    return list(found.select_related("user", "target_list", "file").order_by("-id")[:limit])


def import_visible_to(viewer: Viewer, import_id: int) -> ImportRun:
    """Raises NotFound."""
    found = ImportRun.objects.filter(workspace=viewer.workspace, id=import_id)
    run = found.select_related("user", "target_list", "file").first()
    if run is None:
        raise NotFound("This import is not here.")
    return run


def import_errors(run: ImportRun, limit: int = 20) -> list[ImportRowError]:
    """The first rows that were refused or left out, in the order of the file."""
    return list(run.row_errors.order_by("line", "id")[:limit])


def import_report(run: ImportRun) -> Iterator[ImportRowError]:
    """All of them, read in portions."""
    yield from run.row_errors.order_by("line", "id").iterator(chunk_size=2000)


def import_row(run: ImportRun, line: int) -> dict[str, Any] | None:
    """A row of the checked file as it will be stored: the first at or after this line; None when there is none."""
    table = f"import_stage_{run.id}"
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(
            "SELECT line, email, name, surname, salutation, company, kind, language, attributes::jsonb::text"
            f" FROM {table} WHERE line >= %s ORDER BY line LIMIT 1",
            [line],
        )
        row = cursor.fetchone()
        if row is None:
            return None
        names = [column.name for column in cursor.description]
    return dict(zip(names, row, strict=True))
