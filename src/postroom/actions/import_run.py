"""Taking the rows of a checked import over: in parts, each a transaction that also moves the mark.

Killed at any moment, the import is where the last part ended and goes on from there; no part is ever half there.
"""

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from postroom.actions.import_stage import import_lock, stage_count, stage_drop, stage_fill, stage_table
from postroom.errors import InputError
from postroom.mail.fold import contact_search_text, contact_sort_key
from postroom.models.contact import ImportRun

#: Lines of the file taken over in one transaction.
PART_LINES = 50_000

_ADD = """
WITH part AS MATERIALIZED (
    SELECT * FROM {table} WHERE line > %(after)s AND line <= %(upto)s
), fresh AS (
    INSERT INTO postroom_contact (workspace_id, kind, email, canonical, name, surname, salutation, company,
        language, attributes, import_run_id, version, created_at, updated_at)
    SELECT %(workspace)s, COALESCE(NULLIF(kind, ''), 'other'), email, canonical, name, surname, salutation,
        company, language, attributes::jsonb, %(run)s, 1, now(), now() FROM part
    {conflict} RETURNING id, canonical
), searched AS (
    INSERT INTO postroom_contactsearch (contact_id, workspace_id, text, sort_key)
    SELECT fresh.id, %(workspace)s, part.text, part.sort_key FROM fresh JOIN part USING (canonical)
), listed AS (
    INSERT INTO postroom_listmember (contact_list_id, contact_id, import_run_id, added_at)
    SELECT %(list)s, id, %(run)s, now() FROM fresh WHERE %(list)s IS NOT NULL
)
SELECT (SELECT count(*) FROM part), count(*), min(id), max(id) FROM fresh
"""

_PASS_OVER = "ON CONFLICT (workspace_id, canonical) DO NOTHING"

# Who was here before: what the file would change, by column. An empty cell of the file never empties anything.
_TEXTS = ("name", "surname", "salutation", "company", "language")
_FILL = "CASE WHEN c.{0} = '' THEN p.{0} ELSE c.{0} END"
_REPLACE = "CASE WHEN p.{0} = '' THEN c.{0} ELSE p.{0} END"
_CHANGE = """
WITH changed AS (
    SELECT c.id, c.version, {new_texts}, {new_kind} AS kind, {new_attributes} AS attributes,
        jsonb_build_object({old_texts}, 'kind', c.kind, 'attributes', c.attributes) AS before
    FROM {table} p JOIN postroom_contact c ON c.workspace_id = %(workspace)s AND c.canonical = p.canonical
    WHERE p.line > %(after)s AND p.line <= %(upto)s AND c.import_run_id IS DISTINCT FROM %(run)s
      AND (({new_values}), ({new_kind})::text, {new_attributes})
          IS DISTINCT FROM (({old_values}), c.kind::text, c.attributes)
    FOR UPDATE OF c
), noted AS (
    INSERT INTO postroom_importundo (import_run_id, contact_id, before)
    SELECT %(run)s, id, before || jsonb_build_object('version', version + 1) FROM changed
)
UPDATE postroom_contact c SET {assign}, kind = changed.kind, attributes = changed.attributes,
    version = c.version + 1, updated_at = now()
FROM changed WHERE c.id = changed.id RETURNING c.id, c.name, c.surname, c.company, c.email
"""

# What is there wins, unless it is empty.
_FILL_ATTRIBUTES = """(p.attributes::jsonb || COALESCE((SELECT jsonb_object_agg(key, value)
    FROM jsonb_each(c.attributes) WHERE value <> '""'), '{}'::jsonb))"""


def import_run(*, import_id: int) -> None:
    """Take the checked rows over, from where an earlier try ended. A job of the worker; harmless when done already."""
    with import_lock(import_id):
        run = ImportRun.objects.get(id=import_id)
        if run.state != "running":
            return
        if stage_count(run.id) != run.figures.get("staged"):
            try:
                stage_fill(run, lambda line, part: True)
            except InputError as error:
                ImportRun.objects.filter(id=run.id).update(state="failed", error=error.message)
                return
        while _part(import_id):
            pass
        stage_drop(import_id)
        with (
            connection.cursor() as cursor
        ):  # pages are read by plan at once, not when the database gets round to it
            cursor.execute("ANALYZE postroom_contact, postroom_contactsearch, postroom_listmember")


def _part(import_id: int) -> bool:
    """One part; False when the import is done."""
    with transaction.atomic(), connection.cursor() as cursor:
        run = ImportRun.objects.select_for_update().get(id=import_id)
        if run.state != "running":
            return False
        values = {
            "after": run.done,
            "upto": run.done + PART_LINES,
            "workspace": run.workspace_id,
            "run": run.id,
            "list": run.target_list_id,
        }
        table = stage_table(run.id)
        rows, fresh, first_id, last_id = _add(run, table, values)
        members, changed = fresh, 0
        if fresh < rows:
            changed = _change(run, table, values)
            members += _list_old(table, values) if run.target_list_id else 0
        if run.target_list_id:
            cursor.execute(
                "UPDATE postroom_contactlist SET size = size + %s WHERE id = %s",
                [members, run.target_list_id],
            )
        if fresh:  # where to look for them, should it be undone
            run.figures.setdefault("first_id", first_id)
            run.figures["last_id"] = last_id
        run.added += fresh
        run.updated += changed
        run.unchanged += rows - fresh - changed
        run.done += PART_LINES
        last = int(run.figures["last"])
        if run.done >= last:
            run.done, run.state, run.ended_at = last, "done", timezone.now()
        run.save(update_fields=["added", "updated", "unchanged", "done", "state", "ended_at", "figures"])
    return run.state == "running"


def _add(run: ImportRun, table: str, values: dict[str, Any]) -> tuple[int, int, int | None, int | None]:
    """Add who is new; (rows of the part, new people, their first and last number)."""
    with connection.cursor() as cursor:
        if (
            not run.existing
        ):  # looking before each row costs a tenth; nobody was here when the rows were checked
            try:
                with transaction.atomic():
                    cursor.execute(_ADD.format(table=table, conflict=""), values)
                    return tuple(cursor.fetchone())
            except IntegrityError:  # somebody came in since
                pass
        cursor.execute(_ADD.format(table=table, conflict=_PASS_OVER), values)
        return tuple(cursor.fetchone())


def _change(run: ImportRun, table: str, values: dict[str, Any]) -> int:
    """Fill or replace the fields of people who were here before; how many changed."""
    rule = str(run.choices.get("existing", "fill"))
    if rule == "leave":
        return 0
    case = _REPLACE if rule == "replace" else _FILL
    kind = "c.kind"
    if rule == "replace" and "kind" in run.choices["mapping"].values():
        kind = "COALESCE(NULLIF(p.kind, ''), c.kind)"
    sql = _CHANGE.format(
        table=table,
        new_texts=", ".join(f"{case.format(name)} AS {name}" for name in _TEXTS),
        new_values=", ".join(f"({case.format(name)})::text" for name in _TEXTS),
        new_kind=kind,
        new_attributes="c.attributes || p.attributes::jsonb" if rule == "replace" else _FILL_ATTRIBUTES,
        old_texts=", ".join(f"'{name}', c.{name}" for name in _TEXTS),
        old_values=", ".join(f"c.{name}::text" for name in _TEXTS),
        assign=", ".join(f"{name} = changed.{name}" for name in _TEXTS),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        changed = cursor.fetchall()
    search_write([(row[0], *map(str, row[1:])) for row in changed])
    return len(changed)


def search_write(people: list[tuple[Any, ...]]) -> None:
    """Fold and place contacts again after a change. people: (id, name, surname, company, email)."""
    rows = [
        (
            number,
            contact_search_text(name=name, surname=surname, company=company, email=email),
            contact_sort_key(name=name, surname=surname, company=company, email=email),
        )
        for number, name, surname, company, email in people
    ]
    if not rows:
        return
    ids, texts, keys = (list(column) for column in zip(*rows, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_contactsearch s SET text = n.text, sort_key = n.sort_key"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[]) AS n (id, text, sort_key)"
            " WHERE s.contact_id = n.id",
            [ids, texts, keys],
        )


def _list_old(table: str, values: dict[str, Any]) -> int:
    """Put people who were here before on the list; how many were not on it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO postroom_listmember (contact_list_id, contact_id, import_run_id, added_at)
            SELECT %(list)s, c.id, %(run)s, now()
            FROM {table} p JOIN postroom_contact c ON c.workspace_id = %(workspace)s AND c.canonical = p.canonical
            WHERE p.line > %(after)s AND p.line <= %(upto)s AND c.import_run_id IS DISTINCT FROM %(run)s
            ON CONFLICT (contact_list_id, contact_id) DO NOTHING
            """,
            values,
        )
        return int(cursor.rowcount)
