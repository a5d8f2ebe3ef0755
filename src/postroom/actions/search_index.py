"""Writing down the triplets of letters of what is new or changed, behind everybody's back."""

import time
from typing import Any

from django.db import connection, transaction

from postroom.mail.grams import grams
from postroom.models.search import SearchNoun
from postroom.queries.search_grams import mark_of

#: Things in one transaction.
PART = 5_000

_TEXTS = {
    SearchNoun.CONTACT: "SELECT contact_id, workspace_id, text FROM postroom_contactsearch"
    " WHERE contact_id BETWEEN %s AND %s",
    SearchNoun.SUPPRESSION: "SELECT id, workspace_id, value || ' ' || why FROM postroom_suppression"
    " WHERE id BETWEEN %s AND %s",
    SearchNoun.MESSAGE: "SELECT id, workspace_id, subject FROM postroom_message"
    " WHERE id BETWEEN %s AND %s AND direction = 'out' AND purpose = 'single'",
}


def search_index(*, seconds: float = 50.0) -> int:
    """Until nothing is due, for about so long at most; how many things were written. Harmless twice at a time."""
    end, total = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        written = _part()
        if written is None:
            break
        total += written
    return total


@transaction.atomic
def _part() -> int | None:
    """None when there is nothing to do, or somebody else does it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(7203010)")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute("SELECT id, noun, first, last FROM postroom_searchdue ORDER BY id LIMIT 500")
        taken: list[tuple[int, int, int, int]] = []
        width = 0
        for row in cursor.fetchall():
            taken.append(row)
            width += row[3] - row[2] + 1
            if width >= PART:
                break
        if not taken:
            return None
        # Gone before the texts are read: who changes one meanwhile leaves a row of their own.
        cursor.execute("DELETE FROM postroom_searchdue WHERE id = ANY(%s)", [[row[0] for row in taken]])
        rows: dict[tuple[int, int], str] = {}
        for _id, noun, first, last in taken:
            cursor.execute(
                "DELETE FROM postroom_searchgrams WHERE noun = %s AND thing_id BETWEEN %s AND %s",
                [noun, first, last],
            )
            cursor.execute(_TEXTS[SearchNoun(noun)], [first, last])
            for number, workspace_id, text in cursor.fetchall():
                rows[noun, number] = grams(text, mark_of(SearchNoun(noun), workspace_id))
        _write(cursor, rows)
    return len(rows)


def _write(cursor: Any, rows: dict[tuple[int, int], str]) -> None:
    with cursor.copy("COPY postroom_searchgrams (noun, thing_id, grams) FROM STDIN") as copy:
        copy.write("".join(f"{noun}\t{number}\t{found}\n" for (noun, number), found in rows.items()))
