"""Reading people: pages of them in order, by words, by list; one of them with everything that was sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib.postgres.aggregates import BoolOr
from django.db import connection
from django.db.models import BooleanField, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from postroom.errors import NotFound
from postroom.mail.fold import search_words
from postroom.models.campaign import Campaign
from postroom.models.contact import AttributeKey, Contact, ListMember
from postroom.models.delivery import Delivery
from postroom.models.profile import May, Right
from postroom.models.suppression import Suppression
from postroom.queries.contact_find import SEEN, Holding, holding_of, reading, where_of
from postroom.queries.contact_list import contact_list_visible_to, hidden_lists, shut_lists
from postroom.queries.prepared import array_of
from postroom.queries.sharing import shared_with
from postroom.queries.suppression import suppressions_covering
from postroom.queries.viewer import Viewer, demand

PAGE = 50
#: Counted exactly up to here, above it there is an estimate.
COUNT_MAX, COUNT_FEW = 10_000, 2_000
#: So many people a page with `only` looks at: among a million there may be nobody of that kind, or all at the end.
LOOK = {"blocked": 4_000, "unlisted": 10_000}
#: People a page looks at for words that many have, before it looks at all.
NEAR = 5_000


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


def contact_page(
    viewer: Viewer,
    *,
    words: str = "",
    list_id: int = 0,
    only: str = "",
    sort: str = "name",
    at: str = "",
    size: int = PAGE,
    holding: Holding | None = None,
) -> ContactPage:
    """One page of people.

    words: all must be in name, company or address, accents and case aside.
    only:  "blocked" or "unlisted"; "" = all.
    sort:  "name" or "newest".
    at:    where the page begins, as `previous` or `following` of another page said; "" = the first.
    holding: `holding_of` the words, where it was asked for already.

    Without words, a page with `only` looks at LOOK people and may be shorter than `size` (`looking`).

    Raises NotFound, NotAllowed for a list whose people the viewer may not see.
    """
    if list_id:
        contact_list_visible_to(viewer, list_id, May.VIEW)
    place = _place_of(sort, at)
    asked = bool(search_words(words))
    holding = holding or holding_of(viewer, words)
    look = 0 if asked else LOOK.get(only, 0)
    # Words that the index does not tell of may be frequent.
    ways = [NEAR, 0] if asked and holding.ids is None else [look]
    # Put in order before lists and rights are looked at: the looking ends with the page.
    rows = f"(SELECT * FROM found s ORDER BY {place.order} OFFSET 0)" if asked else "found"
    found: list[tuple[str, int]] = []
    reach: tuple[str, int] | None = None
    with reading(only) as cursor:
        for near in ways:
            source = _near(viewer, place, near) if near else ("postroom_contactsearch", [])
            if look:
                cursor.execute(
                    f"SELECT s.sort_key, s.contact_id FROM {source[0]} s OFFSET %s", [*source[1], look - 1]
                )
                reach = cursor.fetchone()
            found_by, where, values = where_of(
                viewer, words, list_id, only, holding, few=bool(look), near=source
            )
            if at and not near:
                where, values = f"{where} AND {place.compare}", [*values, *place.values]
            cursor.execute(
                f"{found_by} SELECT s.sort_key, s.contact_id FROM {rows} s {where} ORDER BY {place.order} LIMIT %s",
                [*values, size + 1],
            )
            found = cursor.fetchall()
            if len(found) > size:
                break
    return _page(viewer, place, found, reach, size)


def _page(
    viewer: Viewer, place: "_Place", found: list[tuple[str, int]], reach: tuple[str, int] | None, size: int
) -> ContactPage:
    """reach: the last that was looked at, where not all were."""
    more, found = len(found) > size, found[:size]
    looking = reach is not None and not more
    end = reach if looking else (found[-1] if found else None)
    begin = found[0] if found else None
    if place.back:
        found.reverse()
        begin, end = end, begin
    before = (more or looking) if place.back else place.begun
    after = place.begun if place.back else (more or looking)
    return ContactPage(
        rows=contact_rows(viewer, [number for _, number in found]),
        previous=_cursor("b", begin) if before and begin else "",
        following=_cursor("a", end) if after and end else "",
        looking=looking,
    )


@dataclass(frozen=True)
class _Place:
    """Where a page begins, in SQL on rows `s`: what comes after it (compare with values), in which order."""

    back: bool
    begun: bool
    compare: str
    values: list[Any]
    order: str


def _place_of(sort: str, at: str) -> _Place:
    back, key, number = _place(at)
    sign, way = ("<", "DESC") if back == (sort != "newest") else (">", "ASC")
    if sort == "newest":
        return _Place(back, bool(at), f"s.contact_id {sign} %s", [number], f"s.contact_id {way}")
    order = f"s.sort_key {way}, s.contact_id {way}"
    return _Place(back, bool(at), f"(s.sort_key, s.contact_id) {sign} (%s, %s)", [key, number], order)


def _near(viewer: Viewer, place: _Place, look: int) -> tuple[str, list[Any]]:
    """The first `look` people of the page, whoever they are, as a source of rows with its values."""
    begun, values = (f"AND {place.compare}", place.values) if place.begun else ("", [])
    return (
        f"(SELECT s.* FROM postroom_contactsearch s WHERE s.workspace_id = %s {begun}"
        f" ORDER BY {place.order} LIMIT %s)",
        [viewer.workspace.id, *values, look],
    )


def contacts_visible_to(viewer: Viewer, may: May = May.VIEW) -> "QuerySet[Contact]":
    """All but those who are only on lists whose people the viewer may not see (may: or not take out)."""
    found = Contact.objects.filter(workspace=viewer.workspace)
    hidden = hidden_lists(viewer, may)
    if not hidden:
        return found
    members = ListMember.objects.filter(contact=OuterRef("pk")).order_by().values("contact")
    seen = members.annotate(
        seen=~BoolOr(_on("= ANY", hidden)) | BoolOr(_on("<> ALL", shut_lists(viewer, hidden)))
    )
    return found.filter(Coalesce(Subquery(seen.values("seen")), True))


def _on(which: str, lists: list[int]) -> Func:
    """Whether a membership is of one of these lists, or of none: they are written down as one value."""
    return Func(
        F("contact_list_id"),
        Value(array_of(lists)),
        arg_joiner=f" {which} (",
        template="(%(expressions)s::bigint[]))",
        output_field=BooleanField(),
    )


def contact_count(
    viewer: Viewer, *, words: str = "", list_id: int = 0, only: str = "", holding: Holding | None = None
) -> Count:
    """How many there are: exact up to COUNT_MAX (COUNT_FEW where each takes a look), above it an estimate.

    Raises what contact_page does for a list. holding: as there.
    """
    if list_id:
        contact_list_visible_to(viewer, list_id, May.VIEW)
    holding = holding or holding_of(viewer, words)
    found_by, where, values = where_of(viewer, words, list_id, only, holding)
    most = COUNT_FEW if search_words(words) or SEEN in where else COUNT_MAX
    with reading(only) as cursor:
        cursor.execute(
            f"{found_by} SELECT count(*) FROM (SELECT 1 FROM found s {where} LIMIT %s) few",
            [*values, most + 1],
        )
        number = int(cursor.fetchone()[0])
        if number <= most:
            return Count(number, True)
        if holding.ids is not None:
            return Count(len(holding.ids), False)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {found_by} SELECT 1 FROM found s {where}", values)
        plan = cursor.fetchone()[0]
        plan = json.loads(plan) if isinstance(plan, str) else plan
    return Count(max(number, int(plan[0]["Plan"]["Plan Rows"])), False)


def contact_rows(viewer: Viewer, ids: list[int]) -> list[ContactRow]:
    """The people of these numbers in this order, with what a line shows."""
    contacts = contacts_visible_to(viewer).in_bulk(ids)
    lists: dict[int, list[str]] = {}
    members = ListMember.objects.filter(contact__in=list(contacts), contact_list__deleted_at=None)
    hidden = set(hidden_lists(viewer))
    on = members.order_by("contact_list__name").values_list(
        "contact_id", "contact_list_id", "contact_list__name"
    )
    for contact_id, list_id, name in on:
        if list_id not in hidden:
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


def contact_deliveries(
    viewer: Viewer, contact: Contact, *, before: int = 0, limit: int = 50
) -> list[Delivery]:
    """What was sent to the person, newest first, with its campaign and reports; not of campaigns one does not see.

    before: older than that of this number; 0 = the newest.
    """
    seen = Q(campaign=None) | Q(campaign__in=Campaign.objects.filter(shared_with(viewer, Campaign)))
    return list(
        Delivery.objects.filter(seen, Q(id__lt=before) if before else Q(), contact=contact)
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
    found_by, where, values = where_of(
        viewer, words, list_id, only, holding_of(viewer, words), may=May.EXPORT
    )
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
