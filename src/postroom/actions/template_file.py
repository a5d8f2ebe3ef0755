"""Files of a template: they come along into every message it is put into, and into campaigns begun from it (CM-44)."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.blob import blob_put
from postroom.actions.draft_file import file_kind, file_name
from postroom.actions.template import template_locked
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, NotFound
from postroom.models.blob import Blob
from postroom.models.template import TemplateFile
from postroom.queries.draft_file import template_file_demand
from postroom.queries.viewer import Viewer

_NOUN = "template file"


@transaction.atomic
def template_file_add(
    *, viewer: Viewer, template_id: int, name: str, content_type: str, data: bytes
) -> TemplateFile:
    """Raises NotFound, NotAllowed; InputError TOO_LARGE when no message could hold it beside the others, BLOCKED."""
    template = template_locked(viewer, template_id)
    template_file_demand(template, name, len(data))
    made = TemplateFile.objects.create(
        template=template, blob=blob_put(data), name=file_name(name), content_type=file_kind(content_type)
    )
    audit(viewer, "file added", "template", template.id, name=template.name, file=made.name)
    return made


@transaction.atomic
def template_file_remove(*, viewer: Viewer, template_id: int, file_id: int) -> tuple[TemplateFile, int]:
    """The file that went, and the undo step. Messages that have it keep it. Raises NotFound, NotAllowed."""
    template = template_locked(viewer, template_id)
    gone = template.files.filter(id=file_id).first()
    if gone is None:
        raise NotFound("This file is not here any more.")
    TemplateFile.objects.filter(id=gone.id).delete()
    audit(viewer, "file removed", "template", template.id, name=template.name, file=gone.name)
    row = {
        "template": template.id,
        "blob": gone.blob_id,
        "name": gone.name,
        "content_type": gone.content_type,
    }
    return gone, undo_keep(viewer, _NOUN, [row])


@transaction.atomic
def template_file_put_back(*, viewer: Viewer, step_id: int) -> TemplateFile:
    """Undo of taking it off; it stands last now. Raises Conflict UNDO_GONE, NotFound, NotAllowed, InputError."""
    (row,) = undo_take(viewer, _NOUN, step_id)
    template = template_locked(viewer, row["template"])
    blob = Blob.objects.filter(sha256=row["blob"]).first()
    if blob is None:
        raise Conflict(_("This cannot be taken back any more."), code="UNDO_GONE")
    template_file_demand(template, row["name"], blob.size_bytes)
    back = TemplateFile.objects.create(
        template=template, blob=blob, name=row["name"], content_type=row["content_type"]
    )
    audit(viewer, "file added", "template", template.id, name=template.name, file=back.name)
    return back
