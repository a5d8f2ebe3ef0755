"""Reading templates: the list, one, its history, and which one a person begins with."""

from postroom.errors import NotFound
from postroom.mail.fold import fold, sort_key
from postroom.models.profile import May, Profile
from postroom.models.template import Template, TemplateDefault, TemplateVersion
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer


def templates_visible_to(viewer: Viewer, words: str = "") -> list[Template]:
    """The templates of the workspace by name; words: only those whose name contains them, accents and case aside."""
    found = Template.objects.filter(shared_with(viewer, Template), deleted_at=None).select_related(
        "created_by"
    )
    named = [one for one in found.defer("html", "text") if fold(words.strip()) in fold(one.name)]
    return sorted(named, key=lambda one: (sort_key(one.name).encode(), one.id))


def template_visible_to(viewer: Viewer, template_id: int, may: May | None = None) -> Template:
    """Raises NotFound; NotAllowed when `may` is given and the viewer may not."""
    found = Template.objects.filter(shared_with(viewer, Template), deleted_at=None, id=template_id)
    template = found.select_related("created_by").first()
    if template is None:
        raise NotFound("This template is not here. It may have been deleted.")
    if may is not None:
        demand_may(viewer, template, may)
    return template


def template_versions(viewer: Viewer, template_id: int, limit: int = 200) -> list[TemplateVersion]:
    """What was saved, newest first. Raises NotFound, NotAllowed."""
    template = template_visible_to(viewer, template_id, May.VIEW)
    return list(template.versions.select_related("saved_by").order_by("-version")[:limit])


def default_profiles(viewer: Viewer) -> list[Profile]:
    """The profiles whose default template the viewer may choose."""
    found = Profile.objects.filter(workspace=viewer.workspace)
    return list((found if viewer.manages else found.filter(id__in=viewer.profiles)).order_by("name", "id"))


def defaults_of(templates: list[Template]) -> dict[int, list[Profile]]:
    """The profiles each of these templates is the default of, by id."""
    found: dict[int, list[Profile]] = {}
    rows = TemplateDefault.objects.filter(template__in=templates).select_related("profile")
    for row in rows.order_by("profile__name"):
        found.setdefault(row.template_id, []).append(row.profile)
    return found


def template_default_for(viewer: Viewer) -> Template | None:
    """The template a new mail begins with: the default of the primary profile, else the newest of their profiles."""
    rows = TemplateDefault.objects.filter(profile__in=viewer.profiles, template__deleted_at=None)
    rows = rows.filter(template__in=Template.objects.filter(shared_with(viewer, Template, May.USE)))
    found = sorted(
        rows.select_related("template"),
        key=lambda row: (row.profile_id == viewer.primary_profile, row.set_at),
        reverse=True,
    )
    return found[0].template if found else None
