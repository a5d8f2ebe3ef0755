"""Finding a person by a few letters: for pickers."""

from postroom.models.contact import Contact
from postroom.queries.contact import contact_page
from postroom.queries.viewer import Viewer


def people_found(viewer: Viewer, words: str, limit: int = 8) -> list[Contact]:
    """The first people by name whose name, company or address holds the words; without words the first by name."""
    return [row.contact for row in contact_page(viewer, words=words, size=limit).rows]
