"""Reading lists of people."""

from postroom.errors import NotFound
from postroom.mail.fold import fold, sort_key
from postroom.models.contact import ContactList
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer


def contact_lists_visible_to(viewer: Viewer, words: str = "") -> list[ContactList]:
    """The lists of the workspace by name; words: only those whose name contains them, accents and case aside."""
    lists = ContactList.objects.filter(shared_with(viewer, ContactList), deleted_at=None).select_related(
        "created_by"
    )
    found = [one for one in lists if fold(words.strip()) in fold(one.name)]
    return sorted(found, key=lambda one: (sort_key(one.name).encode(), one.id))


def contact_list_visible_to(viewer: Viewer, list_id: int) -> ContactList:
    """Raises NotFound."""
    found = ContactList.objects.filter(shared_with(viewer, ContactList), deleted_at=None, id=list_id).first()
    if found is None:
        raise NotFound("This list is not here. It may have been deleted.")
    return found
