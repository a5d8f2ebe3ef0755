"""Lines of the log about recipients we sent to: a view over deliveries, of which no index knows the order of time.

The way to the newest ones leads over the minutes of sending (models/delivery.py) and the shards worked on in them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from postroom.conf import keys
from postroom.mail.mask import mask_address, mask_words
from postroom.mail.syslog import queue_id
from postroom.mail.token import token_make
from postroom.queries.log_line import Line, LogFilter, Search, Some, hides

#: Shards looked into first, and at once at most; how often for one page.
FIRST, SHARDS, ROUNDS = 2, 60, 8
_TROUBLE = ("deferred", "failed", "uncertain")
_LEVEL = {"deferred": "warning", "failed": "error", "uncertain": "error"}
Row = tuple[Any, ...]

_COLUMNS = """d.id, d.state_at, d.state, d.address, d.code, d.words, d.retry_at, d.campaign_id, d.reason"""
_OF_SHARDS = f"""
SELECT DISTINCT ON (state_at, id) * FROM (
    SELECT {_COLUMNS}, s.account_id FROM postroom_shard s
      JOIN postroom_delivery d ON d.campaign_id = s.campaign_id
       AND d.position >= s.first AND d.position < s.first + s.size
     WHERE s.id = ANY(%(shards)s) AND s.delivery_ids IS NULL
    UNION ALL
    SELECT {_COLUMNS}, s.account_id FROM postroom_shard s
     CROSS JOIN unnest(s.delivery_ids) AS one(id) JOIN postroom_delivery d ON d.id = one.id
     WHERE s.id = ANY(%(shards)s) AND s.delivery_ids IS NOT NULL) AS d
 WHERE state <> 'queued' AND state_at >= %(floor)s AND state_at <= %(until)s
   AND (state_at, id) < (%(after)s, %(after_id)s) AND (NOT %(trouble)s OR state = ANY(%(troubled)s))
   AND (%(words)s = '' OR strpos(lower(words), lower(%(words)s)) > 0)
 ORDER BY state_at DESC, id DESC LIMIT %(most)s
"""
_OF_IDS = f"""
SELECT {_COLUMNS}, coalesce(c.account_id, m.account_id)
  FROM postroom_delivery d LEFT JOIN postroom_campaign c ON c.id = d.campaign_id
  LEFT JOIN postroom_message m ON m.id = d.message_id
 WHERE d.id = ANY(%(ids)s) AND d.state <> 'queued' AND d.state_at >= %(since)s AND d.state_at <= %(until)s
   AND (d.state_at, d.id) < (%(after)s, %(after_id)s) AND (NOT %(trouble)s OR d.state = ANY(%(troubled)s))
   AND coalesce(c.account_id, m.account_id) = ANY(%(accounts)s)
 ORDER BY d.state_at DESC, d.id DESC LIMIT %(most)s
"""
_MINUTES_MOST = 1000
# The newest minutes of each account, then the newest of these.
_MINUTES = f"""
SELECT m.minute_at, m.shards FROM unnest(%(accounts)s::bigint[]) AS account(id), LATERAL (
    SELECT minute_at, shards FROM postroom_sendingminute
     WHERE account_id = account.id AND minute_at < %(before)s AND minute_at >= %(since)s
       AND (NOT %(trouble)s OR deferred + failed > 0)
     ORDER BY minute_at DESC LIMIT 100) AS m
 ORDER BY m.minute_at DESC LIMIT {_MINUTES_MOST}
"""
_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
#: A minute is noted up to a second after its last outcome, by the clock of the database.
_LATE = timedelta(seconds=90)


def _bounds(search: Search) -> dict[str, Any]:
    after, show = search.after, search.show
    number = 2**62
    if after is not None and after.kind == "delivery":
        number = after.number
    elif after is not None and not after.kind:
        number = 0
    return {
        "since": max(show.since or _BEGINNING, _BEGINNING),
        "until": min(show.until or _END, _END),
        "after": min(after.at, _END) if after else _END,
        "after_id": number,
        "trouble": show.trouble,
        "troubled": list(_TROUBLE),
        "accounts": list(search.accounts),
        "most": search.size + 1,
        "words": "",
    }


def sent_lines(search: Search) -> Some:
    if search.deliveries is not None:
        rows = _rows(_OF_IDS, {**_bounds(search), "ids": search.deliveries})
        lines = _delivery_lines(search, rows)
        # an address that is hidden from the viewer is not confirmed to them either
        return Some([line for line in lines if not hides(search, line.campaign_id)])
    rows, floor = _newest(search)
    return Some(_delivery_lines(search, rows), floor)


def _newest(search: Search, words: str = "", rounds: int = ROUNDS) -> tuple[list[Row], datetime | None]:
    """The newest rows, found over the minutes in which their shards were worked on; how far down they are whole."""
    values = {**_bounds(search), "words": words}
    before: datetime = min(values["after"], values["until"]) + _LATE
    found: list[Row] = []
    # of the minute at the floor: what it noted may have been decided just before it began
    carried: set[int] = set()
    for turn in range(rounds):
        most = min(SHARDS, FIRST << turn * 2)  # a page is mostly found in the newest few
        minutes = _whole_minutes(values, before)
        if not minutes:
            break
        shards, edge = set(carried), set(carried)
        for minute_at, worked in minutes:
            if len(shards | worked) > most and shards != carried:
                break
            shards, edge, before = shards | worked, worked, minute_at
        floor = max(before, values["since"])
        found += _rows(_OF_SHARDS, {**values, "shards": sorted(shards), "floor": floor})
        if len(found) >= values["most"]:
            return found[: values["most"]], None
        carried = edge
        values |= {"after": floor, "after_id": 0}
    else:
        return found, before
    if carried:  # what was decided just before the first minute there is
        found += _rows(_OF_SHARDS, {**values, "shards": sorted(carried), "floor": values["since"]})
    return found[: values["most"]], None


def _whole_minutes(values: dict[str, Any], before: datetime) -> list[tuple[datetime, set[int]]]:
    """(minute, shards), the newest first; none of them half."""
    rows = _rows(_MINUTES, {**values, "before": before, "since": values["since"] - _LATE})
    if len(rows) == _MINUTES_MOST and rows[0][0] != rows[-1][0]:
        rows = [row for row in rows if row[0] != rows[-1][0]]
    found: dict[datetime, set[int]] = {}
    for minute_at, shards in rows:
        found.setdefault(minute_at, set()).update(shards)
    return list(found.items())


def sent_by_words(search: Search, find: str) -> set[int]:
    """Deliveries whose server named its mail so, among the newest ones."""
    rows, _floor = _newest(replace(search, after=None, show=LogFilter()), find, rounds=4)
    return {row[0] for row in rows}


def _rows(statement: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[Row] = cursor.fetchall()
        return found


def _delivery_lines(search: Search, rows: Sequence[Row]) -> list[Line]:
    key = keys.current().token_keys[0]
    lines = []
    for number, at, state, address, code, words, retry_at, campaign_id, reason, account_id in rows:
        said = f"{code} {words}".strip() if code else words
        hidden = search.everywhere and hides(search, campaign_id)
        domain = search.accounts.get(account_id, ("", ""))[1].rpartition("@")[2]
        lines.append(
            Line(
                at=at,
                kind="delivery",
                number=number,
                account_id=account_id,
                direction="out",
                stage=state,
                level=_LEVEL.get(state, "info"),
                address=mask_address(address) if hidden else address,
                words=" ".join((mask_words(said, address) if hidden else said or reason).split()),
                message_id=f"{token_make(number, key)}@{domain}" if domain and state != "skipped" else "",
                queue_id=queue_id(words) if state == "accepted" else "",
                retry_at=retry_at if state == "deferred" else None,
                campaign_id=campaign_id,
            )
        )
    return lines
