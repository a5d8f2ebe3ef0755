"""Reading people: pages of them in order, by words, by list; one of them with everything that was sent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from postroom.errors import NotFound
from postroom.mail.fold import search_words
from postroom.models.campaign import Campaign
from postroom.models.contact import AttributeKey, Contact, ListMember
from postroom.models.delivery import Delivery
from postroom.models.profile import May, Right
from postroom.models.suppression import Suppression
from postroom.queries.contact_list import contact_list_visible_to, hidden_lists, shut_lists
from postroom.queries.sharing import shared_with
from postroom.queries.suppression import suppressions_covering
from postroom.queries.suppression_check import blocked, blocked_one
from postroom.queries.viewer import Viewer, demand

PAGE = 50
#: Counted exactly up to here, above the planner's estimate.
COUNT_MAX = 10_000
#: So many people a page with `only` looks at: among a million there may be nobody of that kind, or all at the end.
LOOK = {"blocked": 4_000, "unlisted": 10_000}


@dataclass(frozen=True)
class ContactRow:
    """A line of the list. blocks: entries that stop mail to the person; heard: (word, when) of the last sign."""

    contact: Contact
    lists: list[str] = field(default_factory=list)
    blocks: list[Suppression] = field(default_factory=list)
    trouble: str = ""
    heard: tuple[str, datetime] | None = None


@dataclass(frozen=True)
class ContactPage:
    """previous, following: values of `at` for the pages beside it, "" = there is none.

    looking: not everybody was looked at for want of time, and there are fewer rows than a page has; go on beside it.
    """

    rows: list[ContactRow]
    previous: str = ""
    following: str = ""
    looking: bool = False


@dataclass(frozen=True)
class Count:
    number: int
    exact: bool


_BLOCKED, _BLOCKED_ONE = blocked("c", "%(user)s"), blocked_one("c", "%(user)s")


def contact_page(
    viewer: Viewer,
    *,
    words: str = "",
    list_id: int = 0,
    only: str = "",
    sort: str = "name",
    at: str = "",
    size: int = PAGE,
) -> ContactPage:
    """One page of people.

    words: all must be in name, company or address, accents and case aside.
    only:  "blocked" or "unlisted"; "" = all.
    sort:  "name" or "newest".
    at:    where the page begins, as `previous` or `following` of another page said; "" = the first.

    Without words, a page with `only` looks at LOOK people and may be shorter than `size` (`looking`).

    Raises NotFound, NotAllowed for a list whose people the viewer may not see.
    """
    if list_id:
        contact_list_visible_to(viewer, list_id, May.VIEW)
    back, key, number = _place(at)
    values_at: list[Any]
    look = 0 if words else LOOK.get(only, 0)
    found_by, where, values = _where(viewer, words, list_id, only, few=bool(look))
    if sort == "newest":
        order, values_at = "s.contact_id", [number]
        compare = "s.contact_id > %s" if back else "s.contact_id < %s"
        direction = "ASC" if back else "DESC"
        ordered = f"{order} {direction}"
    else:
        values_at = [key, number]
        compare = "(s.sort_key, s.contact_id) < (%s, %s)" if back else "(s.sort_key, s.contact_id) > (%s, %s)"
        direction = "DESC" if back else "ASC"
        ordered = f"s.sort_key {direction}, s.contact_id {direction}"
    reach: tuple[str, int] | None = None
    with _reading(only) as cursor:
        if look:
            first = f"AND {compare}" if at else ""
            found_by = (
                "WITH found AS MATERIALIZED (SELECT s.sort_key, s.contact_id FROM postroom_contactsearch s"
                f" WHERE s.workspace_id = %s {first} ORDER BY {ordered} LIMIT %s)"
            )
            looked = [viewer.workspace.id, *(values_at if at else []), look]
            values = [*looked, *values[1:]]
            cursor.execute(
                f"{found_by} SELECT s.sort_key, s.contact_id FROM found s OFFSET %s", [*looked, look - 1]
            )
            reach = cursor.fetchone()
        elif at:
            where, values = f"{where} AND {compare}", [*values, *values_at]
        cursor.execute(
            f"{found_by} SELECT s.sort_key, s.contact_id FROM found s {where} ORDER BY {ordered} LIMIT %s",
            [*values, size + 1],
        )
        found = cursor.fetchall()
    more, found = len(found) > size, found[:size]
    looking = reach is not None and not more
    end = reach if looking else (found[-1] if found else None)
    begin = found[0] if found else None
    if back:
        found.reverse()
        begin, end = end, begin
    before = (more or looking) if back else bool(at)
    after = bool(at) if back else (more or looking)
    return ContactPage(
        rows=contact_rows(viewer, [number for _, number in found]),
        previous=_cursor("b", begin) if before and begin else "",
        following=_cursor("a", end) if after and end else "",
        looking=looking,
    )


@contextmanager
def _reading(only: str) -> Iterator[CursorWrapper]:
    """A cursor. Who is on no list is found along two indexes: the planner would rather hash the whole table of members,
    which takes three times as long with 300,000 people."""
    with transaction.atomic(), connection.cursor() as cursor:
        if only == "unlisted":
            cursor.execute("SET LOCAL enable_hashjoin = off")
        yield cursor
        if only == "unlisted":
            cursor.execute("SET LOCAL enable_hashjoin = on")


def _where(
    viewer: Viewer, words: str, list_id: int, only: str, may: May = May.VIEW, few: bool = False
) -> tuple[str, str, list[Any]]:
    """What stands before a SELECT from `found`, and its condition on rows `s`, with the values of both.

    few: it is asked for some thousand rows only.

    With words the narrow table is scanned as a whole first, and what fits is looked at: the planner would rather follow
    the order of the index, or a list, row by row, which takes ten times as long when few fit.
    """
    inside, where = "s.workspace_id = %s", "WHERE true"
    values: list[Any] = [viewer.workspace.id]
    for word in search_words(words):
        inside += r" AND s.text LIKE %s"
        values.append("%" + word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%")
    kept = "MATERIALIZED" if len(values) > 1 else "NOT MATERIALIZED"
    found_by = (
        f"WITH found AS {kept} (SELECT s.sort_key, s.contact_id FROM postroom_contactsearch s WHERE {inside})"
    )
    if list_id:
        where += (
            " AND EXISTS (SELECT 1 FROM postroom_listmember m"
            " WHERE m.contact_list_id = %s AND m.contact_id = s.contact_id)"
        )
        values.append(list_id)
    if only == "blocked":
        where += f" AND (SELECT {_BLOCKED_ONE if few else _BLOCKED} FROM postroom_contact c WHERE c.id = s.contact_id)"
        where = where.replace("%(workspace)s", str(int(viewer.workspace.id)))
        where = where.replace("%(user)s", str(int(viewer.user.id)))
    if only == "unlisted":
        where += (
            " AND NOT EXISTS (SELECT 1 FROM postroom_listmember m WHERE m.contact_id = s.contact_id"
            " AND m.contact_list_id <> ALL(%s::bigint[]))"
        )
        values.append(shut_lists(viewer, []))
    hidden = [] if list_id else hidden_lists(viewer, may)  # who is on a list one sees is seen
    if hidden:
        where += f" AND {_SEEN}"
        values += [hidden, shut_lists(viewer, hidden)]
    return found_by, where, values


# On no hidden list, or on one that is neither hidden nor deleted. One value a person, so that the planner looks along
# the index for each row it shows; given two EXISTS, it reads the whole table of members before the first row.
_SEEN = """coalesce((
    SELECT NOT bool_or(m.contact_list_id = ANY(%s::bigint[])) OR bool_or(m.contact_list_id <> ALL(%s::bigint[]))
      FROM postroom_listmember m WHERE m.contact_id = s.contact_id), true)"""


def contacts_visible_to(viewer: Viewer, may: May = May.VIEW) -> "QuerySet[Contact]":
    """All but those who are only on lists whose people the viewer may not see (may: or not take out)."""
    found = Contact.objects.filter(workspace=viewer.workspace)
    hidden = hidden_lists(viewer, may)
    if not hidden:
        return found
    members = ListMember.objects.filter(contact=OuterRef("pk")).order_by().values("contact")
    seen = members.annotate(
        seen=~BoolOr(Q(contact_list_id__in=hidden))
        | BoolOr(~Q(contact_list_id__in=shut_lists(viewer, hidden)))
    )
    return found.filter(Coalesce(Subquery(seen.values("seen")), True))


def contact_count(viewer: Viewer, *, words: str = "", list_id: int = 0, only: str = "") -> Count:
    """How many there are: exact up to COUNT_MAX, above it an estimate. Raises what contact_page does for a list."""
    if list_id:
        contact_list_visible_to(viewer, list_id, May.VIEW)
    found_by, where, values = _where(viewer, words, list_id, only)
    with _reading(only) as cursor:
        cursor.execute(
            f"{found_by} SELECT count(*) FROM (SELECT 1 FROM found s {where} LIMIT %s) few",
            [*values, COUNT_MAX + 1],
        )
        number = int(cursor.fetchone()[0])
        if number <= COUNT_MAX:
            return Count(number, True)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {found_by} SELECT 1 FROM found s {where}", values)
        plan = cursor.fetchone()[0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
    return Count(max(number, int(plan[0]["Plan"]["Plan Rows"])), False)


def contact_rows(viewer: Viewer, ids: list[int]) -> list[ContactRow]:
    """The people of these numbers in this order, with what a line shows."""
    contacts = contacts_visible_to(viewer).in_bulk(ids)
    lists: dict[int, list[str]] = {}
    members = ListMember.objects.filter(contact__in=list(contacts), contact_list__deleted_at=None)
    members = members.exclude(contact_list_id__in=hidden_lists(viewer)).order_by("contact_list__name")
    for contact_id, name in members.values_list("contact_id", "contact_list__name"):
        lists.setdefault(contact_id, []).append(name)
    blocks = suppressions_covering(
        viewer.workspace.id, [c.canonical for c in contacts.values()], user_id=viewer.user.id
    )
    heard, trouble = _signs(ids)
    return [
        ContactRow(
            contact=contacts[number],
            lists=lists.get(number, []),
            blocks=blocks.get(contacts[number].canonical, []),
            trouble=trouble.get(number, ""),
            heard=heard.get(number),
        )
        for number in ids
        if number in contacts
    ]


def _signs(ids: list[int]) -> tuple[dict[int, tuple[str, datetime]], dict[int, str]]:
    """The last sign of life of each, and what their newest bounce said."""
    heard: dict[int, tuple[str, datetime]] = {}
    trouble: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT contact_id, max(replied_at), max(reading_at) FILTER (WHERE reading = 'displayed'),
                max(unsubscribed_at), max(arrival_at) FILTER (WHERE arrival = 'delivered'),
                (array_agg(reason ORDER BY id DESC) FILTER (WHERE arrival = 'bounced' OR state = 'failed'))[1],
                bool_or(arrival = 'bounced' OR state = 'failed')
            FROM postroom_delivery WHERE contact_id = ANY(%s) GROUP BY contact_id
            """,
            [ids],
        )
        for number, replied, read, left, arrived, reason, bad in cursor.fetchall():
            signs = {"replied": replied, "read": read, "unsubscribed": left, "delivered": arrived}
            known = [(moment, word) for word, moment in signs.items() if moment]
            if known:
                moment, word = max(known)
                heard[number] = (word, moment)
            if bad:
                trouble[number] = reason or "other"
    return heard, trouble


def _place(at: str) -> tuple[bool, str, int]:
    """(backwards, sort key, number) of a cursor; what cannot be read is the start."""
    side, _, rest = at.partition("~")
    number, _, key = rest.partition("~")
    return side == "b", key, int(number) if number.isascii() and number.isdigit() and len(number) < 19 else 0


def _cursor(side: str, row: tuple[str, int]) -> str:
    return f"{side}~{row[1]}~{row[0]}"


def contact_visible_to(viewer: Viewer, contact_id: int) -> Contact:
    """Raises NotFound."""
    contact = contacts_visible_to(viewer).filter(id=contact_id).first()
    if contact is None:
        raise NotFound("This person is not here. They may have been deleted.")
    return contact


def contact_deliveries(viewer: Viewer, contact: Contact, limit: int = 50) -> list[Delivery]:
    """What was sent to the person, newest first, with its campaign and reports; not of campaigns one does not see."""
    seen = Q(campaign=None) | Q(campaign__in=Campaign.objects.filter(shared_with(viewer, Campaign)))
    return list(
        Delivery.objects.filter(seen, contact=contact)
        .select_related("campaign", "message")
        .prefetch_related("reports")
        .order_by("-id")[:limit]
    )


def attribute_keys(viewer: Viewer) -> list[AttributeKey]:
    """The free fields of the workspace by label."""
    return list(AttributeKey.objects.filter(workspace=viewer.workspace).order_by("label"))


EXPORT_FIELDS = ("email", "name", "surname", "salutation", "company", "kind", "language")


def contact_export(
    viewer: Viewer, *, words: str = "", list_id: int = 0, only: str = "", ids: list[int] | None = None
) -> Iterator[list[str]]:
    """The heading and a row a person, by name, read in portions. ids: these alone.

    Raises NotAllowed without the right to export, or for a list that may not be taken out. Who is only on such lists is
    not in the file.
    """
    demand(viewer, Right.CONTACTS_EXPORT)
    if list_id:
        contact_list_visible_to(viewer, list_id, May.EXPORT)
    return _export_rows(viewer, words=words, list_id=list_id, only=only, ids=ids)


def _export_rows(
    viewer: Viewer, *, words: str, list_id: int, only: str, ids: list[int] | None
) -> Iterator[list[str]]:
    keys = attribute_keys(viewer)
    yield [*EXPORT_FIELDS, *(key.label for key in keys)]
    found_by, where, values = _where(viewer, words, list_id, only, May.EXPORT)
    if ids is not None:
        where, values = f"{where} AND s.contact_id = ANY(%s)", [*values, ids]
    place: tuple[str, int] = ("", 0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"{found_by} SELECT s.sort_key, s.contact_id FROM found s {where}"
                " AND (s.sort_key, s.contact_id) > (%s, %s) ORDER BY s.sort_key, s.contact_id LIMIT 2000",
                [*values, *place],
            )
            found = cursor.fetchall()
        contacts = Contact.objects.filter(workspace=viewer.workspace).in_bulk([number for _, number in found])
        for _, number in found:
            contact = contacts.get(number)
            if contact is not None:
                own = [str(getattr(contact, name)) for name in EXPORT_FIELDS]
                yield [*own, *(str(contact.attributes.get(key.key, "")) for key in keys)]
        if len(found) < 2000:
            return
        place = found[-1]
