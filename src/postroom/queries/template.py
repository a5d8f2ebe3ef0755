"""Reading templates."""

from postroom.errors import NotFound
from postroom.mail.fold import fold, sort_key
from postroom.models.template import Template
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer


def templates_visible_to(viewer: Viewer, words: str = "") -> list[Template]:
    """The templates of the workspace by name; words: only those whose name contains them, accents and case aside."""
    found = Template.objects.filter(shared_with(viewer, Template), deleted_at=None).select_related(
        "created_by"
    )
    named = [one for one in found.defer("html", "text") if fold(words.strip()) in fold(one.name)]
    return sorted(named, key=lambda one: (sort_key(one.name).encode(), one.id))


def template_visible_to(viewer: Viewer, template_id: int) -> Template:
    """Raises NotFound."""
    found = Template.objects.filter(shared_with(viewer, Template), deleted_at=None, id=template_id).first()
    if found is None:
        raise NotFound("This template is not here. It may have been deleted.")
    return found
