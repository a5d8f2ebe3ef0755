"""Exclusion sets: made, filled from text, renamed, deleted. Nothing here touches a mailing (SX-06)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.sharing import place_new, place_saved
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.exclusion import exclusion_lines, parse_exclusion
from postroom.mail.page_address import page_address
from postroom.models.exclusion import Exclusion, ExclusionEntry, ExclusionSource
from postroom.models.profile import May, Right
from postroom.queries.exclusion import exclusion_visible_to
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, demand

#: Characters of a set's text, and bytes of a page or file.
TEXT_MAX = 64_000_000
#: Bad lines kept with their words; all are counted.
KEPT = 200
_CHUNK = 10_000


@dataclass
class Filled:
    """What became of the lines: entries of the set now, and the lines that say neither address nor domain."""

    size: int = 0
    refused: int = 0
    refused_lines: list[tuple[int, str]] = field(default_factory=list)


@transaction.atomic
def exclusion_make(
    *, viewer: Viewer, name: str, source: str = "text", text: str = "", place: str = ""
) -> Exclusion:
    """A new set. source "text": `text` has its lines; "url" and "file": `place` says where they are read on use.

    Raises NotAllowed, InputError (BAD_URL for an address that cannot be asked).
    """
    demand(viewer, Right.EXCLUSIONS_EDIT)
    if source not in ExclusionSource.values:
        raise InputError(gettext("Choose where the entries come from."), field="source")
    made = Exclusion(
        workspace=viewer.workspace,
        created_by=viewer.user,
        name=_name(name),
        source=source,
        place=_place(source, place),
    )
    place_new(viewer, made)
    made.save()
    place_saved(viewer, made)
    if source == ExclusionSource.TEXT:
        exclusion_fill(made, text)
    audit(viewer, "made", "exclusion", made.id, name=made.name, source=source)
    return made


@transaction.atomic
def exclusion_change(
    *,
    viewer: Viewer,
    exclusion_id: int,
    version: int | None = None,
    name: str | None = None,
    place: str | None = None,
    add: str = "",
    replace: str | None = None,
) -> Exclusion:
    """Rename, add lines, or put others in the place of all. Raises Conflict STALE_VERSION, NotFound, NotAllowed."""
    changed = _editable(viewer, exclusion_id)
    if version is not None and version != changed.version:
        raise Conflict(
            "Somebody else saved this set meanwhile.",
            code="STALE_VERSION",
            details={"version": changed.version, "theirs": {"name": changed.name}, "yours": {"name": name}},
        )
    if name is not None:
        changed.name = _name(name)
    if place is not None and changed.source != ExclusionSource.TEXT:
        changed.place, changed.read_at, changed.error = _place(changed.source, place), None, ""
    if changed.source == ExclusionSource.TEXT and (add or replace is not None):
        exclusion_fill(changed, add if replace is None else replace, keep=replace is None)
    changed.version += 1
    changed.save()
    audit(viewer, "changed", "exclusion", changed.id, name=changed.name, size=changed.size)
    return changed


@transaction.atomic
def exclusion_take_out(*, viewer: Viewer, exclusion_id: int, ids: Sequence[int]) -> int:
    """Remove entries of a set kept here. Returns how many."""
    changed = _editable(viewer, exclusion_id)
    if changed.source != ExclusionSource.TEXT:
        raise Conflict("This set is read from elsewhere; change it there.", code="READ_ELSEWHERE")
    count = ExclusionEntry.objects.filter(exclusion=changed, id__in=ids).delete()[0]
    changed.size -= count
    changed.version += 1
    changed.save(update_fields=["size", "version"])
    audit(viewer, "changed", "exclusion", changed.id, removed=count)
    return count


@transaction.atomic
def exclusion_delete(*, viewer: Viewer, exclusion_id: int) -> Exclusion:
    """The set is put away; what it left out of drafts stays left out. Undone by exclusion_put_back."""
    gone = _editable(viewer, exclusion_id)
    gone.deleted_at = timezone.now()
    gone.save(update_fields=["deleted_at"])
    audit(viewer, "deleted", "exclusion", gone.id, name=gone.name)
    return gone


@transaction.atomic
def exclusion_put_back(*, viewer: Viewer, exclusion_id: int) -> Exclusion:
    demand(viewer, Right.EXCLUSIONS_EDIT)
    found = Exclusion.objects.filter(shared_with(viewer, Exclusion, May.EDIT), id=exclusion_id).first()
    if found is None:
        raise NotFound("There is no such exclusion set.")
    found.deleted_at = None
    found.save(update_fields=["deleted_at"])
    return found


def _editable(viewer: Viewer, exclusion_id: int) -> Exclusion:
    found = exclusion_visible_to(viewer, exclusion_id, May.EDIT, lock=True)
    demand(viewer, Right.EXCLUSIONS_EDIT)
    return found


def _name(name: str) -> str:
    name = " ".join(name.replace("\0", " ").split())
    if not 1 <= len(name) <= 120:
        raise InputError(gettext("Give the set a name of 1 to 120 characters."), field="name")
    return name


def _place(source: str, place: str) -> str:
    """Where to read. Whether we may go there is decided by who reads, each time."""
    if source == ExclusionSource.TEXT:
        return ""
    if source == ExclusionSource.URL:
        return page_address(place).geturl()
    place = place.strip().strip("/")
    if not 1 <= len(place) <= 2000 or not place.isprintable() or ".." in place.split("/"):
        raise InputError(gettext("Name a file in the folder for exclusion sets."), field="place")
    return place


def exclusion_fill(exclusion: Exclusion, text: str, *, keep: bool = False) -> Filled:
    """Put the entries of the text into the set; without `keep` all others leave it. In the caller's transaction.

    What is there already is not written again: a page that hardly changed costs hardly anything.
    """
    if len(text) > TEXT_MAX:
        raise InputError(
            gettext("This is larger than %(n)s MB.") % {"n": TEXT_MAX // 1_000_000}, field="text"
        )
    filled = Filled()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE exclusion_given (is_domain bool, value text) ON COMMIT DROP")
        for part in _chunks(entries_of(text, filled)):
            cursor.execute(
                "INSERT INTO exclusion_given SELECT * FROM unnest(%s::bool[], %s::text[])",
                [[is_domain for is_domain, _ in part], [value for _, value in part]],
            )
        if not keep:
            cursor.execute(
                """DELETE FROM postroom_exclusionentry e WHERE e.exclusion_id = %s AND NOT EXISTS (
                       SELECT 1 FROM exclusion_given g WHERE g.is_domain = e.is_domain AND g.value = e.value)""",
                [exclusion.id],
            )
        cursor.execute(
            """INSERT INTO postroom_exclusionentry (exclusion_id, is_domain, value)
               SELECT %s, is_domain, value FROM exclusion_given ON CONFLICT DO NOTHING""",
            [exclusion.id],
        )
        cursor.execute("DROP TABLE exclusion_given")
        cursor.execute("SELECT count(*) FROM postroom_exclusionentry WHERE exclusion_id = %s", [exclusion.id])
        filled.size = cursor.fetchone()[0]
    exclusion.size, exclusion.refused = filled.size, filled.refused
    exclusion.refused_lines = [list(one) for one in filled.refused_lines]
    exclusion.save(update_fields=["size", "refused", "refused_lines"])
    return filled


def entries_of(text: str, filled: Filled) -> Iterator[tuple[bool, str]]:
    for number, content in exclusion_lines(text):
        try:
            yield parse_exclusion(content)
        except InputError:
            filled.refused += 1
            if len(filled.refused_lines) < KEPT:
                filled.refused_lines.append((number, content[:100].replace("\0", "␀")))


def _chunks(rows: Iterable[tuple[bool, str]]) -> Iterator[list[tuple[bool, str]]]:
    source = iter(rows)
    while part := list(islice(source, _CHUNK)):
        yield part
