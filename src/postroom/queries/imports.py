"""Reading imports: the list of them, one, its report, one row of its file as it will be stored."""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Q

from postroom.errors import NotFound
from postroom.models.contact import ContactList, ImportRowError, ImportRun
from postroom.models.profile import May
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer


def imports_visible_to(viewer: Viewer, limit: int = 100, before: int = 0) -> list[ImportRun]:
    """The newest imports: one's own, and those into lists whose people one sees. before: only older than this one."""
    found = ImportRun.objects.filter(_seen(viewer)).exclude(state="cancelled")
    if before:
        found = found.filter(id__lt=before)
    return list(found.select_related("user", "target_list", "file").order_by("-id")[:limit])


def _seen(viewer: Viewer) -> Q:
    home = Q(workspace=viewer.workspace)
    if viewer.manages:
        return home
    lists = ContactList.objects.filter(shared_with(viewer, ContactList, May.VIEW))
    others = Q(target_list=None) & ~Q(state__in=("new", "checking", "checked", "failed"))
    return home & (Q(user=viewer.user) | Q(target_list__in=lists) | others)


def import_visible_to(viewer: Viewer, import_id: int) -> ImportRun:
    """Raises NotFound."""
    found = ImportRun.objects.filter(_seen(viewer), id=import_id)
    run = found.select_related("user", "target_list", "file").first()
    if run is None:
        raise NotFound("This import is not here.")
    return run


def import_errors(run: ImportRun, limit: int = 20, begin: int = 0) -> list[ImportRowError]:
    """The first rows that were refused or left out, in the order of the file. begin: how many come before."""
    return list(run.row_errors.order_by("line", "id")[begin : begin + limit])


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
