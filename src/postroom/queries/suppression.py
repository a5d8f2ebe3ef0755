"""Reading who may not be written to."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count, Q, QuerySet

from postroom.models.suppression import Suppression, SuppressionForm
from postroom.queries.suppression_check import in_force
from postroom.queries.viewer import Viewer

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


def _own(viewer: Viewer, words: str, source: str, form: str) -> QuerySet[Suppression]:
    found = Suppression.objects.filter(workspace=viewer.workspace, owner=None)
    if source:
        found = found.filter(source=source)
    if form:
        found = found.filter(form=form)
    for word in words.lower().replace("\0", " ").split()[:8]:
        plain = word.removeprefix("@").removeprefix("*.").removesuffix("@") or word
        found = found.filter(Q(value__contains=plain) | Q(why__icontains=word) | Q(by__name__icontains=word))
    return found


def suppression_page(
    viewer: Viewer, *, words: str = "", source: str = "", form: str = "", after: int = 0
) -> SuppressionPage:
    """Entries of the workspace, newest first. after: `following` of the page before."""
    found = _own(viewer, words, source, form).select_related("by", "contact_list", "event")
    if after:
        found = found.filter(id__lt=after)
    entries = list(found.order_by("-id")[: PAGE + 1])
    following = entries[PAGE - 1].id if len(entries) > PAGE else 0
    return SuppressionPage(entries[:PAGE], following, is_first=not after)


def suppression_counts(viewer: Viewer) -> dict[str, int]:
    """Entries by source; "" is all of them."""
    rows = Suppression.objects.filter(workspace=viewer.workspace, owner=None).values("source")
    counts = {row["source"]: row["n"] for row in rows.annotate(n=Count("id")).order_by()}
    return counts | {"": sum(counts.values())}


def suppression_export(
    viewer: Viewer, *, words: str = "", source: str = "", form: str = ""
) -> Iterator[Suppression]:
    """All entries, newest first, read in portions."""
    found = _own(viewer, words, source, form).select_related("by").order_by("-id")
    yield from found.iterator(chunk_size=2000)


_MATCH = {
    "address": "canonical = %s",
    "domain": "split_part(canonical, '@', 2) = %s",
    "local": "split_part(canonical, '@', 1) = %s",
    "subdomains": "right(split_part(canonical, '@', 2), length(%s) + 1) = '.' || %s",
}


def suppression_matches(viewer: Viewer, form: str, value: str) -> tuple[int, bool]:
    """How many people an entry covers, counted up to 10,000; (number, exact)."""
    values = [value, value] if form == "subdomains" else [value]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM postroom_contact WHERE workspace_id = %s AND {_MATCH[form]}"
            " LIMIT 10001) few",
            [viewer.workspace.id, *values],
        )
        number = int(cursor.fetchone()[0])
    return min(number, 10_000), number <= 10_000
