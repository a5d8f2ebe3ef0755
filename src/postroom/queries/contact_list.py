"""Reading lists of people."""

from postroom.errors import NotFound
from postroom.mail.fold import fold, name_key
from postroom.models.contact import ContactList
from postroom.models.profile import May
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer


def contact_lists_visible_to(viewer: Viewer, words: str = "", may: May | None = None) -> list[ContactList]:
    """The lists with which the viewer may do `may` (None = anything), by name.

    words: only those whose name contains them, accents and case aside.
    """
    lists = ContactList.objects.filter(shared_with(viewer, ContactList, may), deleted_at=None)
    folded = fold(words.strip())
    found = [one for one in lists.select_related("created_by") if not folded or folded in fold(one.name)]
    return sorted(found, key=lambda one: (name_key(one.name).encode(), one.id))


def lists_to_fill(viewer: Viewer) -> list[tuple[int, str, int]]:
    """(id, name, size) of the lists on which the viewer may put people, by name: for menus, which hold thousands."""
    lists = ContactList.objects.filter(shared_with(viewer, ContactList, May.EDIT), deleted_at=None)
    rows = list(lists.values_list("id", "name", "size"))
    return sorted(rows, key=lambda row: (name_key(row[1]).encode(), row[0]))


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
    gone = ContactList.objects.filter(workspace=viewer.workspace).exclude(deleted_at=None)
    return [*hidden, *gone.values_list("id", flat=True)]


def hidden_lists(viewer: Viewer, may: May = May.VIEW) -> list[int]:
    """Lists whose people the viewer may not see (or not take out), deleted ones too: deleting tells nobody of them."""
    if viewer.manages:
        return []
    seen = ContactList.objects.filter(shared_with(viewer, ContactList, may))
    rows = ContactList.objects.filter(workspace=viewer.workspace).exclude(id__in=seen.values("id"))
    return list(rows.values_list("id", flat=True))
