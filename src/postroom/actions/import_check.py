"""Checking all rows of an import before anything is stored: what is new, here already, refused, and who has left."""

from django.db import connection
from django.utils import timezone

from postroom.actions.import_stage import import_lock, stage_drop, stage_fill, stage_table
from postroom.errors import InputError
from postroom.models.contact import ImportRun
from postroom.queries.suppression_check import in_force_sql

# Addresses of the file that any entry of the workspace (or of the target list) covers.
_LEFT = """
WITH entry AS MATERIALIZED (
    SELECT DISTINCT form, value FROM postroom_suppression s
    WHERE workspace_id = %(workspace)s AND {in_force}
      AND (contact_list_id IS NULL OR contact_list_id = %(list)s)
), domain AS MATERIALIZED (
    SELECT d FROM (SELECT DISTINCT split_part(canonical, '@', 2) AS d FROM {table}) all_domains
    WHERE EXISTS (SELECT 1 FROM entry WHERE form = 'domain' AND value = d)
       OR EXISTS (SELECT 1 FROM entry WHERE form = 'subdomains' AND right(d, length(value) + 1) = '.' || value)
)
SELECT count(*) FROM {table}
WHERE canonical IN (SELECT value FROM entry WHERE form = 'address')
   OR split_part(canonical, '@', 1) IN (SELECT value FROM entry WHERE form = 'local')
   OR split_part(canonical, '@', 2) IN (SELECT d FROM domain)
"""


def import_check(*, import_id: int) -> None:
    """Read the whole file into the staging table and count. A job of the worker; harmless when done already."""
    with import_lock(import_id):
        run = ImportRun.objects.get(id=import_id)
        if run.state != "checking":
            return
        try:
            figures = stage_fill(run, lambda line, part: _progress(import_id, line, part))
            if figures and not figures["rows"]:
                raise InputError(
                    "The file has a heading and no rows."
                    if run.choices["has_header"]
                    else "The file is empty."
                )
        except InputError as error:
            stage_drop(import_id)
            ImportRun.objects.filter(id=import_id).update(
                state="failed", error=error.message, ended_at=timezone.now()
            )
            return
        if not figures:
            stage_drop(import_id)
            return
        existing, left, filled, last = _count(run)
        ImportRun.objects.filter(id=import_id, state="checking").update(
            state="checked",
            rows=figures["rows"],
            done=0,
            rejected=figures["rejected"],
            duplicates=figures["duplicates"],
            existing=existing,
            left_before=left,
            figures={"staged": figures["staged"], "filled": filled, "last": last},
        )


def _progress(import_id: int, line: int, part: float) -> bool:
    """Seen by the page; False when the check was cancelled."""
    return bool(
        ImportRun.objects.filter(id=import_id, state="checking").update(
            done=line, figures={"percent": min(99, int(part * 100))}
        )
    )


def _count(run: ImportRun) -> tuple[int, int, dict[str, int], int]:
    """(people here already, people who have left, filled cells by field, last line)"""
    table = stage_table(run.id)
    list_id = run.choices.get("list_id") or 0
    fields = [field for field in run.choices["mapping"].values() if field]
    plain = [field for field in fields if not field.startswith("attr:") and field != "full_name"]
    plain += [field for field in ("name", "surname") if "full_name" in fields and field not in plain]
    keys = [field for field in fields if field.startswith("attr:")]
    counts = [f"count(*) FILTER (WHERE {field} <> '')" for field in plain]
    counts += ["count(*) FILTER (WHERE attributes::jsonb ? %s)"] * len(keys)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM postroom_contact WHERE workspace_id = %s"
            f" AND canonical IN (SELECT canonical FROM {table})",
            [run.workspace_id],
        )
        existing = int(cursor.fetchone()[0])
        cursor.execute(
            _LEFT.format(table=table, in_force=in_force_sql()),
            {"workspace": run.workspace_id, "list": list_id},
        )
        left = int(cursor.fetchone()[0])
        cursor.execute(
            f"SELECT COALESCE(max(line), 0), {', '.join(counts)} FROM {table}",
            [key.removeprefix("attr:") for key in keys],
        )
        last, *filled = cursor.fetchone()
    return existing, left, dict(zip([*plain, *keys], filled, strict=True)), int(last)
