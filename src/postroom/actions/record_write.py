"""A new message from a record: its contact person proposed, its files along (CM-39)."""

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.draft_begin import draft_open
from postroom.errors import InputError
from postroom.models.draft import Draft, DraftFile
from postroom.models.record import RecordFile
from postroom.queries.draft import draft_of
from postroom.queries.draft_file import FILES_MAX
from postroom.queries.records import record_visible_to
from postroom.queries.viewer import Viewer


@transaction.atomic
def record_write(*, viewer: Viewer, record_id: int, file_ids: Collection[int] = ()) -> Draft:
    """A draft about the record. file_ids: of its files; others are ignored. Raises NotFound, InputError TOO_LARGE."""
    draft = draft_open(viewer=viewer, record_id=record_id)
    return record_files_take(viewer=viewer, draft_id=draft.id, file_ids=file_ids) if file_ids else draft


@transaction.atomic
def record_files_take(*, viewer: Viewer, draft_id: int, file_ids: Collection[int]) -> Draft:
    """Attach files of the draft's record. Raises NotFound, InputError TOO_LARGE when a message cannot hold them."""
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.record_id is None:
        return draft
    record = record_visible_to(viewer, draft.record_id)
    files = list(
        RecordFile.objects.filter(record=record, id__in=file_ids).select_related("blob").order_by("id")
    )
    there = sum(draft.files.values_list("blob__size_bytes", flat=True))
    if there + sum(file.blob.size_bytes for file in files) > FILES_MAX:
        words = _("The files are larger than %(n)s MB together.") % {"n": FILES_MAX // 1_000_000}
        raise InputError(words, code="TOO_LARGE", field="files")
    DraftFile.objects.bulk_create(
        DraftFile(draft=draft, blob_id=file.blob_id, name=file.name, content_type=file.content_type)
        for file in files
    )
    if files:
        draft.version += 1
        draft.save()
    return draft
