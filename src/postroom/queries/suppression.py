"""Reading who may not be written to."""

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import F, Func, Q, TextField, Value
from django.utils.translation import gettext

from postroom.errors import InputError, NotFound
from postroom.mail.address import canonical
from postroom.mail.fold import fold
from postroom.mail.mask import mask_address, mask_words
from postroom.models.contact import Contact
from postroom.models.profile import Right
from postroom.models.search import SearchNoun
from postroom.models.suppression import (
    Suppression,
    SuppressionForm,
    SuppressionImport,
    SuppressionSource,
)
from postroom.queries.prepared import array_of
from postroom.queries.search_grams import MOST, things_holding
from postroom.queries.suppression_check import BY_THEMSELVES, in_force
from postroom.queries.viewer import Viewer, can, demand

PAGE = 50


def suppressions_covering(
    workspace_id: int, addresses: Iterable[str], list_id: int | None = None, user_id: int | None = None
) -> dict[str, list[Suppression]]:
    """Entries in force that cover each canonical address; an address that may be written to has none.

    list_id: also entries that stop mail to this list only. user_id: also this person's own entries.
    """
    wanted = {address: address.rpartition("@")[::2] for address in addresses}
    parents = {parent for _, domain in wanted.values() for parent in _parents(domain)}
    scope = Q(contact_list=None) | Q(contact_list=list_id) if list_id else Q(contact_list=None)
    found = Suppression.objects.filter(
        scope,
        Q(form=SuppressionForm.ADDRESS, value__in=list(wanted))
        | Q(form=SuppressionForm.DOMAIN, value__in=[domain for _, domain in wanted.values()])
        | Q(form=SuppressionForm.LOCAL, value__in=[local for local, _ in wanted.values()])
        | Q(form=SuppressionForm.SUBDOMAINS, value__in=list(parents)),
        in_force(user_id),
        workspace=workspace_id,
    ).order_by("id")
    entries: dict[tuple[str, str], list[Suppression]] = {}
    for entry in found:
        entries.setdefault((entry.form, entry.value), []).append(entry)
    covered: dict[str, list[Suppression]] = {}
    for address, (local, domain) in wanted.items():
        keys = [("address", address), ("domain", domain), ("local", local)]
        keys += [("subdomains", parent) for parent in _parents(domain)]
        blocks = [entry for key in keys for entry in entries.get(key, ())]
        if blocks:
            covered[address] = blocks
    return covered


def _parents(domain: str) -> list[str]:
    """a.b.pl -> b.pl, pl"""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(1, len(labels))]


@dataclass(frozen=True)
class SuppressionPage:
    entries: list[Suppression]
    #: Number to go on after; 0 = the last page.
    following: int
    is_first: bool


@dataclass(frozen=True)
class Show:
    """What of the entries: the shared ones or one's own, by words, source and form; "" = any."""

    mine: bool = False
    words: str = ""
    source: str = ""
    form: str = ""


def shares(viewer: Viewer) -> bool:
    """Whether the viewer may put entries on the shared list now."""
    return can(viewer, Right.SUPPRESSIONS_EDIT) and viewer.workspace.suppression_policy != "personal"


def _sources(viewer: Viewer, show: Show) -> list[str]:
    """The sources that are to be seen; the policy hides some."""
    policy = viewer.workspace.suppression_policy
    if show.mine:
        seen: tuple[str, ...] = () if policy == "shared" else tuple(SuppressionSource.values)
    else:
        seen = BY_THEMSELVES if policy == "personal" else tuple(SuppressionSource.values)
    return [source for source in seen if show.source in ("", source)]


def _where(viewer: Viewer, show: Show) -> tuple[str, dict[str, Any]]:
    """SQL of the entries `s` that are shown, but for the source; its values."""
    where = "s.workspace_id = %(workspace)s AND s.owner_id "
    where += "= %(user)s" if show.mine else "IS NULL"
    values: dict[str, Any] = {
        "workspace": viewer.workspace.id,
        "user": viewer.user.id,
        "sources": _sources(viewer, show),
    }
    if show.form:
        where += " AND s.form = %(form)s"
        values["form"] = show.form
    asked = show.words.lower().replace("\0", " ").split()[:8]
    known = _holding(viewer, asked)
    if known is not None:
        where += " AND s.id = ANY(%(known)s::bigint[])"
        values["known"] = array_of(known)
    for number, word in enumerate(asked):
        plain = _plain(word)
        where += (
            f" AND (strpos(s.value, %(value{number})s) > 0 OR strpos(lower(s.why), %(word{number})s) > 0 OR s.by_id IN"
            f" (SELECT u.id FROM postroom_user u WHERE strpos(lower(u.name), %(word{number})s) > 0))"
        )
        values |= {f"value{number}": plain, f"word{number}": word}
    return where, values


def _plain(word: str) -> str:
    """As values are kept."""
    return word.removeprefix("@").removeprefix("*.").removesuffix("@") or word


def _holding(viewer: Viewer, asked: Sequence[str]) -> list[int] | None:
    """Ids of all entries, and of some more, that hold the longest of the words or were made by who is called so."""
    if not asked:
        return None
    word = max(asked, key=lambda one: len(_plain(one)))
    known = things_holding(SearchNoun.SUPPRESSION, viewer.workspace.id, [fold(_plain(word))])
    if known is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT s.id FROM postroom_suppression s WHERE s.workspace_id = %s AND s.by_id IN (
                   SELECT u.id FROM postroom_user u WHERE strpos(lower(u.name), %s) > 0) LIMIT %s""",
            [viewer.workspace.id, word, MOST + 1],
        )
        theirs = [number for (number,) in cursor.fetchall()]
    return None if len(theirs) > MOST else sorted({*known, *theirs})


def suppression_page(viewer: Viewer, show: Show | None = None, *, after: int = 0) -> SuppressionPage:
    """Entries, newest first. after: `following` of the page before. Addresses of people who are only on lists that the
    viewer may not look into are masked, and not found by words: these would spell them out (GW-04)."""
    show = show or Show()
    where, values = _where(viewer, show)
    if after:
        where += " AND s.id < %(after)s"
    with connection.cursor() as cursor:
        # The newest of each source, down its index; then the newest of these.
        cursor.execute(
            f"""SELECT newest.id FROM unnest(%(sources)s::text[]) AS wanted (source), LATERAL (
                    SELECT s.id FROM postroom_suppression s WHERE s.source = wanted.source AND {where}
                     ORDER BY s.id DESC LIMIT %(limit)s) newest
                 ORDER BY newest.id DESC LIMIT %(limit)s""",
            {**values, "after": after, "limit": PAGE + 1},
        )
        ids = [row[0] for row in cursor.fetchall()]
    rows = Suppression.objects.select_related("by", "contact_list", "event").in_bulk(ids[:PAGE])
    following = ids[PAGE - 1] if len(ids) > PAGE else 0
    found = _masked(viewer, [rows[key] for key in ids[:PAGE] if key in rows], drop=bool(show.words))
    return SuppressionPage(found, following, is_first=not after)


def _masked(viewer: Viewer, entries: list[Suppression], *, drop: bool) -> list[Suppression]:
    """Copies to be shown, never to be saved. What the viewer entered is theirs to see. drop: leave the masked out."""
    from postroom.queries.contact import contacts_visible_to

    if viewer.manages:
        return entries
    asked = {
        entry.value
        for entry in entries
        if entry.form == SuppressionForm.ADDRESS and viewer.user.id not in (entry.by_id, entry.owner_id)
    }
    known = Contact.objects.filter(workspace=viewer.workspace, canonical__in=asked)
    seen = contacts_visible_to(viewer).filter(canonical__in=asked)
    hidden = set(known.values_list("canonical", flat=True)) - set(seen.values_list("canonical", flat=True))
    if not hidden:
        return entries
    shown = []
    for entry in entries:
        if entry.form == SuppressionForm.ADDRESS and entry.value in hidden & asked:
            if drop:
                continue
            why, entry = mask_words(entry.why, entry.value), copy.copy(entry)
            entry.value, entry.why, entry.event = mask_address(entry.value), why, None
        shown.append(entry)
    return shown


def suppression_counts(viewer: Viewer, *, mine: bool = False) -> dict[str, int]:
    """Entries by source; "" is all of them."""
    where, values = _where(viewer, Show(mine=mine))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT wanted.source, (SELECT count(*) FROM postroom_suppression s
                    WHERE s.source = wanted.source AND {where})
                  FROM unnest(%(sources)s::text[]) AS wanted (source)""",
            values,
        )
        counts = {source: n for source, n in cursor.fetchall() if n}
    return counts | {"": sum(counts.values())}


def suppression_export(viewer: Viewer, show: Show | None = None) -> Iterator[Suppression]:
    """All entries, newest first, read in portions. Raises NotAllowed without the right to take them out."""
    show = show or Show()
    if not show.mine:
        demand(viewer, Right.SUPPRESSIONS_EXPORT)
    where, values = _where(viewer, show)

    def rows() -> Iterator[Suppression]:
        last = 0
        while True:
            more = " AND s.id < %(last)s" if last else ""
            found = list(
                Suppression.objects.raw(
                    f"SELECT s.* FROM postroom_suppression s WHERE s.source = ANY(%(sources)s) AND {where}{more}"
                    " ORDER BY s.id DESC LIMIT 2000",
                    {**values, "last": last},
                ).prefetch_related("by")
            )
            if not found:
                return
            yield from _masked(viewer, found, drop=bool(show.words))
            last = found[-1].id

    return rows()


def suppression_import_visible_to(viewer: Viewer, import_id: int) -> SuppressionImport:
    """A file of one's own, or a shared one for who may change the shared list. Raises NotFound."""
    whose = Q(user=viewer.user)
    if can(viewer, Right.SUPPRESSIONS_EDIT):
        whose |= Q(owner=None)
    run = SuppressionImport.objects.filter(whose, workspace=viewer.workspace, id=import_id).first()
    if run is None:
        raise NotFound("There is no such import.")
    return run


def recipients_refused(viewer: Viewer, addresses: Iterable[str]) -> None:
    """Nothing of these may be written to by hand while an entry covers it (SX-02).

    Raises InputError RECIPIENT_SUPPRESSED (details: {"addresses": [...]} as given), BadAddress.
    """
    given = {canonical(address): address for address in addresses}
    covered = suppressions_covering(viewer.workspace.id, given, user_id=viewer.user.id)
    if covered:
        refused = [given[address] for address in given if address in covered]
        raise InputError(
            gettext("No mail goes to %(addresses)s: suppressed.") % {"addresses": ", ".join(refused[:5])},
            code="RECIPIENT_SUPPRESSED",
            field="to",
            details={"addresses": refused},
        )


def _part(number: int) -> Func:
    return Func(F("canonical"), Value("@"), Value(number), function="split_part", output_field=TextField())


def suppression_matches(viewer: Viewer, form: str, value: str) -> tuple[int, bool]:
    """How many people an entry covers, of those the viewer sees, counted up to 10,000; (number, exact).

    Of all, it would tell who is on a list that the viewer may not see (GW-04).
    """
    from postroom.queries.contact import contacts_visible_to

    parts = contacts_visible_to(viewer).annotate(local_part=_part(1), domain_part=_part(2))
    lookup = {
        "address": Q(canonical=value),
        "domain": Q(domain_part=value),
        "local": Q(local_part=value),
        "subdomains": Q(domain_part__endswith=f".{value}"),
    }
    number = parts.filter(lookup[form]).order_by()[:10_001].count()
    return min(number, 10_000), number <= 10_000
