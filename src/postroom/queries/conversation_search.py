"""Finding conversations by the words of their mails: newest first, quick for frequent words and for rare ones.

First the newest LOOK mails are looked through in order: frequent words are found there at once. What is not, is rare
enough for the inverted index. No figure about the tables is asked for, so no stale one can mislead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from postroom.mail.words import query_of
from postroom.models.conversation import Conversation

#: Mails that are looked through from the newest on.
LOOK = 3000


@dataclass(frozen=True, slots=True)
class Hit:
    """A conversation, and its newest mail that has the words."""

    conversation_id: int
    message_id: int
    at: datetime


def found_in(
    *,
    workspace_id: int,
    account_ids: Sequence[int] | None,
    find: str,
    rows: "QuerySet[Conversation]",
    before: tuple[datetime | None, int],
    size: int,
) -> tuple[list[Hit], bool]:
    """At most `size` conversations of `rows` with the words, newest mail found first, and whether there are more.

    account_ids: where to look; None = the whole workspace. rows: which may be shown.
    before: (time, number) of the mail the last page ended with.
    """
    query = query_of(find)
    if not query or account_ids == []:
        return [], False
    values: dict[str, Any] = {
        "workspace": workspace_id,
        "accounts": account_ids,
        "query": query,
        "at": before[0],
        "number": before[1],
        "look": LOOK,
        "most": size + 1,
    }
    shown, params = rows.order_by().select_related(None).values("id").query.sql_with_params()
    for name, value in enumerate(params):
        values[f"shown{name}"] = value
    shown = shown % tuple(f"%(shown{name})s" for name in range(len(params)))
    with connection.cursor() as cursor:
        cursor.execute(_SQL.format(shown=shown, accounts=_WHERE if account_ids else ""), values)
        found = [Hit(*row) for row in cursor.fetchall()]
    return found[:size], len(found) > size


_WHERE = "AND w.account_id = ANY(%(accounts)s)"
_SQL = """
WITH hit AS MATERIALIZED (
    SELECT DISTINCT ON (m.conversation_id) m.conversation_id, w.message_id, w.at
      FROM postroom_messagewords w JOIN postroom_message m ON m.id = w.message_id
     WHERE w.workspace_id = %(workspace)s AND w.vector @@ %(query)s::tsquery {accounts}
     ORDER BY m.conversation_id, w.at DESC, w.message_id DESC)
SELECT conversation_id, message_id, at FROM hit
 WHERE conversation_id IN ({shown})
   AND (%(at)s::timestamptz IS NULL OR (at, message_id) < (%(at)s, %(number)s))
 ORDER BY at DESC, message_id DESC LIMIT %(most)s
"""
