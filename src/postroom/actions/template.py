"""Making, changing, copying and deleting templates."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import BadTemplate, Conflict, InputError, NotFound
from postroom.mail.fields import CONTACT_KEYS
from postroom.mail.template import compile_text
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import AttributeKey
from postroom.models.template import Template
from postroom.queries.viewer import Viewer

NAME_MAX = 120
SUBJECT_MAX = 1000


@dataclass(frozen=True)
class TemplateValues:
    name: str
    subject: str = ""
    html: str = ""
    text: str = ""


def template_add(*, viewer: Viewer, values: TemplateValues) -> Template:
    """Raises InputError, BadTemplate UNKNOWN_FIELD (details: unknown), Conflict NAME_TAKEN."""
    with transaction.atomic():
        checked = _checked(viewer, values)
        return Template.objects.create(
            workspace=viewer.workspace,
            created_by=viewer.user,
            name=checked.name,
            subject=checked.subject,
            html=checked.html,
            text=checked.text,
        )


def template_edit(*, viewer: Viewer, template_id: int, version: int, values: TemplateValues) -> Template:
    """version: the one the person saw. Raises Conflict STALE_VERSION, storing nothing, when somebody was faster."""
    with transaction.atomic():
        found = _template(viewer, template_id)
        if found.version != version:
            raise Conflict(
                "Somebody else saved this template in the meantime. Both texts are below: take over what you need,"
                " then save again.",
                code="STALE_VERSION",
                details={"version": found.version},
            )
        checked = _checked(viewer, values, but=template_id)
        found.name, found.subject, found.html, found.text = (
            *(checked.name, checked.subject),
            *(checked.html, checked.text),
        )
        found.version += 1
        found.save()
    return found


def template_copy(*, viewer: Viewer, template_id: int, name: str) -> Template:
    """A copy under the name, or the next free one: "Name 2"."""
    with transaction.atomic():
        found = _template(viewer, template_id)
        taken = {
            other.casefold()
            for other in Template.objects.filter(workspace=viewer.workspace, deleted_at=None).values_list(
                "name", flat=True
            )
        }
        number, wanted = 2, name[:NAME_MAX]
        while wanted.casefold() in taken:
            wanted, number = f"{name[: NAME_MAX - 8]} {number}", number + 1
        return Template.objects.create(
            workspace=viewer.workspace,
            created_by=viewer.user,
            name=wanted,
            subject=found.subject,
            html=found.html,
            text=found.text,
        )


def template_delete(*, viewer: Viewer, template_id: int) -> int:
    """Campaigns made from it keep their text. Returns the undo step.

    Raises Conflict IN_USE (details: campaigns) when a scheduled campaign uses it.
    """
    with transaction.atomic():
        found = _template(viewer, template_id)
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
        return undo_keep(viewer, "template", [{"id": found.id}])


def template_put_back(*, viewer: Viewer, step_id: int) -> Template:
    """Undo a deletion. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    with transaction.atomic():
        (row,) = undo_take(viewer, "template", step_id)
        found = Template.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
        _free_name(viewer, found.name, 0)
        found.deleted_at = None
        found.save(update_fields=["deleted_at"])
    return found


def known_fields(viewer: Viewer) -> set[str]:
    """Keys of contact fields a template of this workspace may use."""
    keys = AttributeKey.objects.filter(workspace=viewer.workspace).values_list("key", flat=True)
    return {*CONTACT_KEYS, *keys}


def template_check(*, viewer: Viewer, values: TemplateValues) -> None:
    """Raises BadTemplate: UNKNOWN_FIELD with all unknown fields of all parts, or the first syntax error."""
    known = known_fields(viewer)
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


def _template(viewer: Viewer, template_id: int) -> Template:
    found = (
        Template.objects.select_for_update()
        .filter(workspace=viewer.workspace, id=template_id, deleted_at=None)
        .first()
    )
    if found is None:
        raise NotFound("This template is not here any more.")
    return found


def _free_name(viewer: Viewer, name: str, but: int) -> str:
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME_MAX:
        raise InputError(
            gettext("A template needs a name of at most %(n)s characters.") % {"n": NAME_MAX}, field="name"
        )
    same = Template.objects.filter(workspace=viewer.workspace, deleted_at=None, name__iexact=name).exclude(
        id=but
    )
    if same.exists():
        raise Conflict(
            gettext("There is a template “%(name)s” already.") % {"name": name},
            code="NAME_TAKEN",
            field="name",
        )
    return name
