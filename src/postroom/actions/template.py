"""Making, changing, copying and deleting templates."""

from collections.abc import Collection
from dataclasses import asdict, dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.sharing import place_new, place_saved
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import BadTemplate, Conflict, InputError, NotFound
from postroom.mail.template import compile_text
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.profile import May, Profile, Right, Share
from postroom.models.template import Template, TemplateDefault, TemplateFile, TemplateVersion
from postroom.models.workspace import Workspace
from postroom.queries.content import template_fields
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.template import default_profiles, template_visible_to
from postroom.queries.viewer import Viewer, demand

NAME_MAX = 120
SUBJECT_MAX = 1000
PARTS = ("name", "subject", "html", "text")


@dataclass(frozen=True)
class TemplateValues:
    name: str
    subject: str = ""
    html: str = ""
    text: str = ""


def template_add(*, viewer: Viewer, values: TemplateValues) -> Template:
    """It lands where the person works (GW-06).

    Raises NotAllowed, InputError, BadTemplate UNKNOWN_FIELD (details: unknown), Conflict NAME_TAKEN.
    """
    demand(viewer, Right.TEMPLATES_EDIT)
    with transaction.atomic():
        return _made(viewer, _checked(viewer, values))


def _made(viewer: Viewer, values: TemplateValues) -> Template:
    made = Template(workspace=viewer.workspace, created_by=viewer.user, **asdict(values))
    place_new(viewer, made)
    made.save()
    place_saved(viewer, made)
    _keep(viewer, made)
    audit(viewer, "added", "template", made.id, name=made.name)
    return made


def _keep(viewer: Viewer, template: Template) -> None:
    """A row of its history; one for the text before the first change too, where there was no history yet."""
    TemplateVersion.objects.get_or_create(
        template=template,
        version=template.version,
        defaults={**{part: getattr(template, part) for part in PARTS}, "saved_by": viewer.user},
    )


def template_edit(*, viewer: Viewer, template_id: int, version: int, values: TemplateValues) -> Template:
    """version: the one the person saw. Raises Conflict STALE_VERSION, storing nothing, when somebody was faster."""
    with transaction.atomic():
        found = template_locked(viewer, template_id)
        if found.version != version:
            last = found.versions.filter(version=found.version).select_related("saved_by").first()
            raise Conflict(
                "Somebody else saved this template in the meantime. Both texts are below: take over what you need,"
                " then save again.",
                code="STALE_VERSION",
                details={
                    "version": found.version,
                    "by": str(last.saved_by) if last and last.saved_by else "",
                    "theirs": {part: getattr(found, part) for part in PARTS},
                    "yours": asdict(values),
                },
            )
        _change(viewer, found, _checked(viewer, values, but=template_id))
    return found


def _change(viewer: Viewer, found: Template, values: TemplateValues) -> None:
    was = found.versions.filter(version=found.version)
    if not was.exists():  # saved before histories were kept
        old = {part: getattr(found, part) for part in PARTS}
        row = TemplateVersion.objects.create(template=found, version=found.version, **old)
        TemplateVersion.objects.filter(id=row.id).update(saved_at=found.updated_at, saved_by=found.created_by)
    for part in PARTS:
        setattr(found, part, getattr(values, part))
    found.version += 1
    found.save()
    _keep(viewer, found)
    audit(viewer, "changed", "template", found.id, version=found.version)


def template_restore(*, viewer: Viewer, template_id: int, number: int, version: int) -> Template:
    """An earlier text as a new version; nothing of the history is lost. number: the earlier one; version: the one seen.

    Raises NotFound, NotAllowed, Conflict STALE_VERSION, NAME_TAKEN.
    """
    with transaction.atomic():
        found = template_locked(viewer, template_id)
        old = found.versions.filter(version=number).first()
        if old is None:
            raise NotFound("There is no such version.")
        values = TemplateValues(old.name, old.subject, old.html, old.text)
        return template_edit(viewer=viewer, template_id=template_id, version=version, values=values)


def template_copy(*, viewer: Viewer, template_id: int, name: str) -> Template:
    """A copy with its files under the name, or the next free one ("Name 2"), of one's own; "view" is enough."""
    demand(viewer, Right.TEMPLATES_EDIT)
    with transaction.atomic():
        found = template_visible_to(viewer, template_id)
        demand_may(viewer, found, May.VIEW)
        taken = {
            other.casefold()
            for other in Template.objects.filter(workspace=viewer.workspace, deleted_at=None).values_list(
                "name", flat=True
            )
        }
        number, wanted = 2, name[:NAME_MAX]
        while wanted.casefold() in taken:
            wanted, number = f"{name[: NAME_MAX - 8]} {number}", number + 1
        made = _made(viewer, TemplateValues(wanted, found.subject, found.html, found.text))
        TemplateFile.objects.bulk_create(
            TemplateFile(template=made, blob_id=one.blob_id, name=one.name, content_type=one.content_type)
            for one in found.files.order_by("id")
        )
        return made


def template_delete(*, viewer: Viewer, template_id: int) -> int:
    """Campaigns made from it keep their text. Returns the undo step.

    Raises Conflict IN_USE (details: campaigns) when a scheduled campaign uses it.
    """
    with transaction.atomic():
        found = template_locked(viewer, template_id)
        users = Campaign.objects.filter(template=found, state=CampaignState.SCHEDULED, deleted_at=None)
        names = list(users.values_list("name", flat=True)[:5])
        if names:
            raise Conflict(
                gettext(
                    "A scheduled campaign uses this template: %(names)s. Cancel it or choose another template there"
                    " first."
                )
                % {"names": ", ".join(names)},
                code="IN_USE",
                details={"campaigns": names},
            )
        found.deleted_at = timezone.now()
        found.save(update_fields=["deleted_at"])
        found.default_of.all().delete()
        audit(viewer, "deleted", "template", found.id, name=found.name)
        return undo_keep(viewer, "template", [{"id": found.id}])


def template_put_back(*, viewer: Viewer, step_id: int) -> Template:
    """Undo a deletion. It is no default any more. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    demand(viewer, Right.TEMPLATES_EDIT)
    with transaction.atomic():
        (row,) = undo_take(viewer, "template", step_id)
        found = Template.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
        _free_name(viewer, found.name, 0)
        found.deleted_at = None
        found.save(update_fields=["deleted_at"])
    return found


def template_default_save(
    *, viewer: Viewer, template_id: int, profile_ids: Collection[int]
) -> list[tuple[Profile, Template]]:
    """Make it the default of these profiles and of no other the viewer may decide for.

    Returns the defaults it took the place of. Who manages decides for every profile, others for their own.
    Raises NotFound, NotAllowed, InputError for a profile that is not theirs or may not send with the template.
    """
    with transaction.atomic():
        found = template_locked(viewer, template_id)
        mine = {one.id: one for one in default_profiles(viewer)}
        if not set(profile_ids) <= set(mine):
            raise InputError(
                gettext("You may not choose the default template of this profile."), field="default"
            )
        given = Share.objects.filter(noun=found.NOUN, noun_id=found.id, may__contains=[str(May.USE)])
        shared = set(given.values_list("profile_id", flat=True)) if found.visibility != "private" else set()
        everybody = found.visibility == "workspace" and str(May.USE) in found.everyone
        for number in profile_ids:
            if not everybody and number not in shared:
                raise InputError(
                    gettext("Share the template with “%(profile)s” first, so that it may be used there.")
                    % {"profile": mine[number].name},
                    field="default",
                )
        list(Profile.objects.select_for_update().filter(id__in=profile_ids).order_by("id"))
        before = TemplateDefault.objects.filter(profile__in=profile_ids).exclude(template=found)
        cleared = [(one.profile, one.template) for one in before.select_related("profile", "template")]
        TemplateDefault.objects.filter(template=found, profile__in=mine).exclude(
            profile__in=profile_ids
        ).delete()
        kept = set(TemplateDefault.objects.filter(template=found).values_list("profile_id", flat=True))
        for number in set(profile_ids) - kept:
            TemplateDefault.objects.update_or_create(profile=mine[number], defaults={"template": found})
        audit(viewer, "default", "template", found.id, profiles=sorted(profile_ids))
    return cleared


def template_check(*, viewer: Viewer, values: TemplateValues) -> None:
    """Raises BadTemplate: UNKNOWN_FIELD with all unknown fields of all parts, or the first syntax error."""
    known = template_fields(viewer.workspace.id, strict=True)
    unknown: list[str] = []
    words: list[str] = []
    where = ""
    for part, is_html in (("subject", False), ("html", True), ("text", False)):
        try:
            compile_text(getattr(values, part), html=is_html, known_fields=known)
        except BadTemplate as error:
            found = error.details.get("unknown")
            if not found:
                error.field = part
                raise
            where = where or part
            unknown += [name for name in found if name not in unknown]  # type: ignore[attr-defined]
            if error.message not in words:
                words.append(error.message)
    if unknown:
        raise BadTemplate(" ".join(words), code="UNKNOWN_FIELD", field=where, details={"unknown": unknown})


def _checked(viewer: Viewer, values: TemplateValues, but: int = 0) -> TemplateValues:
    name = _free_name(viewer, values.name, but)
    subject = " ".join(values.subject.split())
    if len(subject) > SUBJECT_MAX:
        raise InputError(
            gettext("A subject has at most %(n)s characters.") % {"n": SUBJECT_MAX}, field="subject"
        )
    for part in (values.subject, values.html, values.text):
        if "\0" in part:
            raise InputError("A text cannot hold a NUL character.", field="text")
    checked = TemplateValues(name, subject, values.html, values.text)
    template_check(viewer=viewer, values=checked)
    return checked


def template_locked(viewer: Viewer, template_id: int) -> Template:
    """Locked, to be changed. Raises NotFound; NotAllowed without the right, or without "edit" on it."""
    rows = Template.objects.select_for_update(of=("self",)).filter(shared_with(viewer, Template))
    found = rows.filter(id=template_id, deleted_at=None).first()
    if found is None:
        raise NotFound("This template is not here any more.")
    demand(viewer, Right.TEMPLATES_EDIT)
    demand_may(viewer, found, May.EDIT)
    return found


def _free_name(viewer: Viewer, name: str, but: int) -> str:
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME_MAX:
        raise InputError(
            gettext("A template needs a name of at most %(n)s characters.") % {"n": NAME_MAX}, field="name"
        )
    # One at a time: the database's own "ignoring case" does not know Polish or Bulgarian letters everywhere.
    Workspace.objects.select_for_update(no_key=True).get(id=viewer.workspace.id)
    others = Template.objects.filter(workspace=viewer.workspace, deleted_at=None).exclude(id=but)
    if name.casefold() in {other.casefold() for other in others.values_list("name", flat=True)}:
        raise Conflict(
            gettext("There is a template “%(name)s” already.") % {"name": name},
            code="NAME_TAKEN",
            field="name",
        )
    return name
