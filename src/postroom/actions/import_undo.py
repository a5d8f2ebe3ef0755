"""Taking an import back: who it added goes, what it changed returns, unless something has happened since."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from postroom.actions.import_run import search_write
from postroom.actions.import_stage import import_lock
from postroom.models.contact import ImportRun

# People the import added. Who was mailed, changed, or put on another list since, stays.
_ADDED = """
SELECT c.id, CASE
    WHEN EXISTS (SELECT 1 FROM postroom_delivery d WHERE d.contact_id = c.id) THEN 'mailed'
    WHEN c.version > 1 THEN 'changed'
    WHEN EXISTS (SELECT 1 FROM postroom_listmember m
                 WHERE m.contact_id = c.id AND m.import_run_id IS DISTINCT FROM %(run)s) THEN 'listed'
    ELSE '' END AS why
FROM postroom_contact c
WHERE c.id BETWEEN %(first)s AND %(last)s AND c.workspace_id = %(workspace)s AND c.import_run_id = %(run)s
"""

_RESTORE = """
WITH old AS (
    SELECT contact_id, before FROM postroom_importundo WHERE import_run_id = %(run)s
)
UPDATE postroom_contact c SET
    name = before ->> 'name', surname = before ->> 'surname', salutation = before ->> 'salutation',
    company = before ->> 'company', language = before ->> 'language', kind = before ->> 'kind',
    attributes = before -> 'attributes', version = c.version + 1, updated_at = now()
FROM old WHERE c.id = old.contact_id AND c.version = (before ->> 'version')::integer
RETURNING c.id, c.name, c.surname, c.company, c.email
"""


def import_undo(*, import_id: int) -> None:
    """Take a finished import back, all of it or nothing. A job of the worker; harmless when done already."""
    with import_lock(import_id), transaction.atomic():
        run = ImportRun.objects.select_for_update().get(id=import_id)
        if run.state != "undoing":
            return
        values = {
            "run": run.id,
            "workspace": run.workspace_id,
            "list": run.target_list_id,
            "first": run.figures.get("first_id", 0),
            "last": run.figures.get("last_id", -1),
        }
        figures = _take_back(values)
        run.figures["undone"] = figures
        run.state, run.ended_at = "undone", timezone.now()
        run.save(update_fields=["state", "figures", "ended_at"])


def _take_back(values: dict[str, Any]) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS import_gone")
        cursor.execute(f"CREATE TEMPORARY TABLE import_gone ON COMMIT DROP AS {_ADDED}", values)
        cursor.execute("ANALYZE import_gone")
        cursor.execute(
            "SELECT count(*) FILTER (WHERE why = ''), count(*) FILTER (WHERE why = 'mailed'),"
            " count(*) FILTER (WHERE why = 'changed'), count(*) FILTER (WHERE why = 'listed') FROM import_gone"
        )
        removed, mailed, changed, listed = cursor.fetchone()
        # Places on the list first: of those who go, and of those who were here before. Who stays, stays on it.
        cursor.execute(
            "DELETE FROM postroom_listmember m WHERE m.contact_list_id = %(list)s AND m.import_run_id = %(run)s"
            " AND NOT EXISTS (SELECT 1 FROM import_gone g WHERE g.id = m.contact_id AND g.why <> '')",
            values,
        )
        cursor.execute(
            "UPDATE postroom_contactlist SET size = greatest(0, size - %s),"
            " deleted_at = CASE WHEN size <= %s AND %s THEN now() ELSE deleted_at END WHERE id = %s",
            [cursor.rowcount, cursor.rowcount, _made_list(values["run"]), values["list"]],
        )
        gone = "(SELECT id FROM import_gone WHERE why = '')"
        cursor.execute(f"DELETE FROM postroom_contactsearch WHERE contact_id IN {gone}")
        cursor.execute(f"DELETE FROM postroom_importundo WHERE contact_id IN {gone}")
        cursor.execute(f"DELETE FROM postroom_contact WHERE id IN {gone}")
        cursor.execute(_RESTORE, values)
        restored = cursor.fetchall()
        search_write(restored)
        cursor.execute("SELECT count(*) FROM postroom_importundo WHERE import_run_id = %(run)s", values)
        kept = int(cursor.fetchone()[0]) - len(restored)
        cursor.execute("DELETE FROM postroom_importundo WHERE import_run_id = %(run)s", values)
    return {
        "removed": removed,
        "restored": len(restored),
        "mailed": mailed,
        "changed": changed,
        "listed": listed,
        "kept_changes": kept,
    }


def _made_list(run_id: int) -> bool:
    """Whether the import made its list itself: then an empty one goes too."""
    return bool(ImportRun.objects.get(id=run_id).choices.get("new_list"))
