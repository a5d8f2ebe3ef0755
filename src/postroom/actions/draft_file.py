"""Files of a draft: whole ones, ones that come in pieces, ones of a record. What cannot be sent is refused at once."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.blob import blob_put, blob_put_file
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.draft import Draft, DraftFile, Upload
from postroom.queries.draft import draft_of
from postroom.queries.draft_file import file_demand
from postroom.queries.records import record_files
from postroom.queries.viewer import Viewer

_OCTETS = "application/octet-stream"
#: An upload nobody went on with is forgotten.
_FORGOTTEN = timedelta(days=2)


@transaction.atomic
def draft_file_add(*, viewer: Viewer, draft_id: int, name: str, content_type: str, data: bytes) -> DraftFile:
    """Raises InputError TOO_LARGE when a message cannot hold it beside the others, BLOCKED by its ending."""
    draft = _open(viewer, draft_id)
    file_demand(draft, name, len(data))
    made = file_put(draft, name, content_type, blob_put(data).sha256)
    _touched(draft)
    return made


@transaction.atomic
def draft_file_of_record(*, viewer: Viewer, draft_id: int, file_id: int) -> DraftFile:
    """A file that is kept with what the message is about. Raises NotFound, InputError as `draft_file_add`."""
    draft = _open(viewer, draft_id)
    kept = record_files(draft.record) if draft.record else []
    file = next((one for one in kept if one.id == file_id), None)
    if file is None:
        raise NotFound("There is no such file.")
    file_demand(draft, file.name, file.blob.size_bytes)
    made = file_put(draft, file.name, file.content_type, file.blob_id)
    _touched(draft)
    return made


@transaction.atomic
def draft_file_remove(*, viewer: Viewer, draft_id: int, file_id: int) -> None:
    draft = _open(viewer, draft_id)
    if draft.files.filter(id=file_id).delete()[0]:
        _touched(draft)


@transaction.atomic
def upload_begin(
    *, viewer: Viewer, draft_id: int, name: str, content_type: str, size_bytes: int, mark: str
) -> Upload:
    """A place for a file that comes in pieces; the one it has already, with what has come, for the same mark.

    Raises InputError TOO_LARGE, BLOCKED before a byte has come.
    """
    draft = _open(viewer, draft_id)
    for old in Upload.objects.filter(draft__user=viewer.user, created_at__lt=timezone.now() - _FORGOTTEN):
        _forget(old)
    there = draft.uploads.filter(mark=mark[:64]).first()
    if there is not None and there.size_bytes == size_bytes:
        return there
    if size_bytes < 0 or not mark:
        raise InputError(_("This file cannot be read."), field="files")
    file_demand(draft, name, size_bytes)
    return Upload.objects.create(
        draft=draft,
        name=file_name(name),
        content_type=file_kind(content_type),
        size_bytes=size_bytes,
        mark=mark[:64],
    )


def upload_piece(
    *, viewer: Viewer, draft_id: int, upload_id: int, offset: int, data: bytes
) -> DraftFile | Upload:
    """The next bytes; the file once it is whole. Raises NotFound; Conflict OFFSET (details: the right offset)."""
    with transaction.atomic():
        draft = _open(viewer, draft_id)
        upload = draft.uploads.select_for_update().filter(id=upload_id).first()
        if upload is None:
            raise NotFound("There is no such upload. It may be whole already.")
        path = _path(upload)
        has = path.stat().st_size if path.exists() else 0
        if has < upload.offset:  # the store was put back from a copy
            upload.offset = 0
            upload.save(update_fields=["offset"])
        wrong = offset != upload.offset or offset + len(data) > upload.size_bytes
        if not wrong:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("r+b" if path.exists() else "wb") as file:
                file.seek(offset)
                file.write(data)
                file.truncate()
            upload.offset += len(data)
            if upload.offset < upload.size_bytes:
                upload.save(update_fields=["offset"])
                return upload
            blob = blob_put_file(path)
            made = file_put(draft, upload.name, upload.content_type, blob.sha256)
            upload.delete()
            path.unlink(missing_ok=True)
            _touched(draft)
            return made
    raise Conflict(_("The file does not go on there."), code="OFFSET", details={"offset": upload.offset})


@transaction.atomic
def upload_drop(*, viewer: Viewer, draft_id: int, upload_id: int) -> None:
    for upload in _open(viewer, draft_id).uploads.filter(id=upload_id):
        _forget(upload)


def file_put(draft: Draft, name: str, content_type: str, sha256: str) -> DraftFile:
    """The row of a stored file, with a name and a type that a header can hold."""
    return DraftFile.objects.create(
        draft=draft, blob_id=sha256, name=file_name(name), content_type=file_kind(content_type)
    )


def file_name(name: str) -> str:
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable()).strip()[-255:] or "file"


def file_kind(content_type: str) -> str:
    kind = content_type.split(";")[0].strip().lower()
    plain = (
        kind.isascii() and kind.count("/") == 1 and all(sign.isalnum() or sign in "/.+-_" for sign in kind)
    )
    return kind[:120] if plain and not kind.startswith(("multipart/", "message/")) else _OCTETS


def _open(viewer: Viewer, draft_id: int) -> Draft:
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message_id is not None:
        raise Conflict(_("It was sent already."), code="SENT_ALREADY", details={"message": draft.message_id})
    return draft


def _touched(draft: Draft) -> None:
    draft.version += 1
    draft.save(update_fields=["version", "updated_at"])


def _path(upload: Upload) -> Path:
    return Path(settings.POSTROOM_OBJECTS) / "uploads" / str(upload.id)


def _forget(upload: Upload) -> None:
    _path(upload).unlink(missing_ok=True)
    upload.delete()
