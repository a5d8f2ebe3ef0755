"""Reading lists of people."""

from collections.abc import Iterator, Sequence
from typing import overload

from postroom.errors import NotFound
from postroom.mail.fold import fold, name_key
from postroom.models.contact import ContactList
from postroom.models.profile import May
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer, once

#: Lists that a menu offers; the others are found by name.
FILL = 100


class Lists(Sequence[ContactList]):
    """Lists by number, in order; those of a page are read when it is asked for: a firm has thousands."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> ContactList: ...

    @overload
    def __getitem__(self, at: slice) -> list[ContactList]: ...

    def __getitem__(self, at: int | slice) -> ContactList | list[ContactList]:
        if isinstance(at, int):
            return self[at : at + 1 or None][0]
        numbers = self._numbers[at]
        found = ContactList.objects.select_related("created_by").in_bulk(numbers)
        return [found[number] for number in numbers if number in found]

    def __iter__(self) -> Iterator[ContactList]:
        return iter(self[:])


def contact_lists_visible_to(viewer: Viewer, words: str = "", may: May | None = None) -> Lists:
    """The lists with which the viewer may do `may` (None = anything), by name.

    words: only those whose name contains them, accents and case aside.
    """
    lists = ContactList.objects.filter(shared_with(viewer, ContactList, may), deleted_at=None)
    folded = fold(words.strip())
    rows = [row for row in lists.values_list("id", "name") if not folded or folded in fold(row[1])]
    return Lists([row[0] for row in sorted(rows, key=lambda row: (name_key(row[1]).encode(), row[0]))])


def lists_to_fill(viewer: Viewer, words: str = "") -> tuple[list[ContactList], int]:
    """The first lists on which the viewer may put people, by name, and how many more there are.

    words: only those whose name contains them, accents and case aside.
    """
    found = contact_lists_visible_to(viewer, words, May.EDIT)
    return found[:FILL], max(0, len(found) - FILL)


def contact_list_visible_to(viewer: Viewer, list_id: int, may: May | None = None) -> ContactList:
    """Raises NotFound; NotAllowed when `may` is given and the viewer may not."""
    found = ContactList.objects.filter(shared_with(viewer, ContactList), deleted_at=None, id=list_id).first()
    if found is None:
        raise NotFound("This list is not here. It may have been deleted.")
    if may is not None:
        demand_may(viewer, found, may)
    return found


def shut_lists(viewer: Viewer, hidden: list[int]) -> list[int]:
    """The hidden ones and those that were deleted: being on them shows nobody."""

    def find() -> list[int]:
        gone = ContactList.objects.filter(workspace=viewer.workspace).exclude(deleted_at=None)
        return list(gone.values_list("id", flat=True))

    return [*hidden, *once(viewer, "gone", find)]


def hidden_lists(viewer: Viewer, may: May = May.VIEW) -> list[int]:
    """Lists whose people the viewer may not see (or not take out), deleted ones too: deleting tells nobody of them."""
    if viewer.manages:
        return []

    def find() -> list[int]:
        seen = ContactList.objects.filter(shared_with(viewer, ContactList, may))
        rows = ContactList.objects.filter(workspace=viewer.workspace).exclude(id__in=seen.values("id"))
        return list(rows.values_list("id", flat=True))

    return once(viewer, ("hidden", may), find)
