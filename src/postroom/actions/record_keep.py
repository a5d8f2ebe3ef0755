"""Keeping records: contractors, documents, opportunities, processes, and links to what other systems keep (CM-39)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit, audit_edit
from postroom.actions.blob import blob_put
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.fields import RECORD_FIELDS
from postroom.mail.fold import fold, sort_key
from postroom.mail.page_address import page_address
from postroom.models.profile import Right
from postroom.models.record import Record, RecordFile, RecordKind, RecordPerson
from postroom.queries.changes import last_change
from postroom.queries.contact import contacts_visible_to
from postroom.queries.records import record_named, record_visible_to, records_visible_to
from postroom.queries.viewer import Viewer, demand

NAME_MAX, NUMBER_MAX, TYPE_MAX, ID_MAX, URL_MAX = 200, 60, 60, 120, 500
FIELDS_MAX, KEY_MAX, VALUE_MAX = 100, 60, 10_000
PEOPLE_MAX, FILES_MAX = 100, 100
FILE_BYTES_MAX = 18_000_000
_OWN_KEYS = {one.key.partition(".")[2] for one in RECORD_FIELDS}


@dataclass(frozen=True)
class RecordValues:
    """What a record's page holds. fields: text by key. people: contact ids in order; None = as they are."""

    name: str
    kind: str = RecordKind.LINK
    number: str = ""
    external_type: str = ""
    external_id: str = ""
    url: str = ""
    parent_id: int | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    people: Sequence[int] | None = None


@transaction.atomic
def record_add(*, viewer: Viewer, values: RecordValues) -> Record:
    """Raises NotAllowed, NotFound, InputError, Conflict NAME_TAKEN (details: record) for an id that is here."""
    demand(viewer, Right.CONTACTS_EDIT)
    made = Record(workspace=viewer.workspace, created_by=viewer.user)
    _fill(viewer, made, values)
    _save(made)
    _keys_count(viewer, set(), set(made.fields))
    _people(viewer, made, values.people)
    audit(viewer, "made", "record", made.id, name=made.name)
    return made


@transaction.atomic
def record_edit(*, viewer: Viewer, record_id: int, version: int, values: RecordValues) -> Record:
    """version: the one that was read. Raises as `record_add`, and Conflict STALE_VERSION with both texts."""
    demand(viewer, Right.CONTACTS_EDIT)
    found = _locked(viewer, record_id)
    if found.version != version:
        yours = values.__dict__ | {"fields": dict(values.fields), "people": None}
        raise Conflict(
            _("Somebody else changed this record in the meantime. Compare, then save again."),
            code="STALE_VERSION",
            details={
                "version": found.version,
                "by": last_change(viewer, "record", found.id),
                "theirs": {name: getattr(found, name) for name in yours if name != "people"},
                "yours": {name: value for name, value in yours.items() if name != "people"},
            },
        )
    return _changed(viewer, found, values)


@transaction.atomic
def record_upsert(*, viewer: Viewer, values: RecordValues) -> tuple[Record, bool]:
    """The record that another system calls (external_type, external_id), made or brought up to date; True = made.

    Raises as `record_add`; InputError without an external id.
    """
    demand(viewer, Right.CONTACTS_EDIT)
    if not values.external_id.strip():
        raise InputError(_("Give the id of the other system."), field="external_id")
    named = record_named(viewer, values.external_type, values.external_id)
    number = named.id if named else None
    if number is None:
        try:
            return record_add(viewer=viewer, values=values), True
        except Conflict as error:
            if "record" not in error.details:
                raise
            number = int(str(error.details["record"]))  # another call was faster
    return _changed(viewer, _locked(viewer, number), values), False


def _changed(viewer: Viewer, found: Record, values: RecordValues) -> Record:
    before = set(found.fields)
    _fill(viewer, found, values)
    found.version += 1
    _save(found)
    _keys_count(viewer, before, set(found.fields))
    _people(viewer, found, values.people)
    audit_edit(viewer, "record", found.id, name=found.name)
    return found


@transaction.atomic
def record_delete(*, viewer: Viewer, record_id: int) -> int:
    """Its mail stays; its fields go from the pickers. Returns the undo step. Raises NotAllowed, NotFound."""
    demand(viewer, Right.CONTACTS_EDIT)
    found = _locked(viewer, record_id)
    found.deleted_at = timezone.now()
    found.save(update_fields=["deleted_at"])
    _keys_count(viewer, set(found.fields), set())
    audit(viewer, "deleted", "record", found.id, name=found.name)
    return undo_keep(viewer, "record", [{"id": found.id}])


@transaction.atomic
def record_put_back(*, viewer: Viewer, step_id: int) -> Record:
    """Undo a deletion. Raises NotAllowed, Conflict UNDO_GONE, NAME_TAKEN."""
    demand(viewer, Right.CONTACTS_EDIT)
    (row,) = undo_take(viewer, "record", step_id)
    found = Record.objects.select_for_update(of=("self",)).get(workspace=viewer.workspace, id=row["id"])
    found.deleted_at = None
    _save(found)
    _keys_count(viewer, set(), set(found.fields))
    audit(viewer, "put back", "record", found.id, name=found.name)
    return found


@transaction.atomic
def record_people_set(*, viewer: Viewer, record_id: int, people: Sequence[int]) -> Record:
    """Its contact persons, in this order. Raises NotAllowed, NotFound, InputError."""
    demand(viewer, Right.CONTACTS_EDIT)
    found = _locked(viewer, record_id)
    _people(viewer, found, people)
    return found


@transaction.atomic
def record_file_add(
    *, viewer: Viewer, record_id: int, name: str, content_type: str, data: bytes
) -> RecordFile:
    """Raises NotAllowed, NotFound, InputError TOO_LARGE."""
    demand(viewer, Right.CONTACTS_EDIT)
    found = _locked(viewer, record_id)
    if len(data) > FILE_BYTES_MAX or found.files.count() >= FILES_MAX:
        words = _("%(name)s was not added: a file has at most %(n)s MB, a record %(files)s files.")
        given = {"name": name[:100], "n": FILE_BYTES_MAX // 1_000_000, "files": FILES_MAX}
        raise InputError(words % given, code="TOO_LARGE", field="files")
    clean = "".join(sign for sign in name.replace("\\", "/").rpartition("/")[2] if sign.isprintable()).strip()
    kind = content_type.split(";")[0].strip().lower()
    plain = kind.isascii() and kind.count("/") == 1 and all(one.isalnum() or one in "/.+-_" for one in kind)
    if not plain or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    return RecordFile.objects.create(
        record=found, blob=blob_put(data), name=clean[-255:] or "file", content_type=kind[:120]
    )


@transaction.atomic
def record_file_remove(*, viewer: Viewer, record_id: int, file_id: int) -> None:
    """Raises NotAllowed, NotFound."""
    demand(viewer, Right.CONTACTS_EDIT)
    if not _locked(viewer, record_id).files.filter(id=file_id).delete()[0]:
        raise NotFound("This file is not here any more.")


def key_of(label: str) -> str:
    """What is written behind "record." for a field that people call so; "" for a label without a letter."""
    words = "".join(sign if sign.isalnum() else " " for sign in fold(label.replace("\0", " "))).split()
    key = "_".join(words)[:KEY_MAX]
    return f"field_{key}"[:KEY_MAX] if key and (key[0].isdigit() or key in _OWN_KEYS) else key


def _locked(viewer: Viewer, record_id: int) -> Record:
    found = records_visible_to(viewer).select_for_update(of=("self",)).filter(id=record_id).first()
    if found is None:
        raise NotFound("This record is not here. It may have been deleted.")
    return found


def _fill(viewer: Viewer, record: Record, values: RecordValues) -> None:
    record.name = _line(values.name, NAME_MAX, "name")
    if not record.name:
        raise InputError(_("A record needs a name."), field="name")
    if values.kind not in RecordKind.values:
        raise InputError(_("Choose one of the kinds."), field="kind")
    record.kind = values.kind
    record.number = _line(values.number, NUMBER_MAX, "number")
    record.external_type = _line(values.external_type, TYPE_MAX, "external_type")
    record.external_id = _line(values.external_id, ID_MAX, "external_id")
    record.url = values.url.strip()
    if record.url:
        page_address(record.url)  # http or https, no script
    if len(record.url) > URL_MAX:
        raise InputError(_("At most %(n)s characters fit here.") % {"n": URL_MAX}, field="url")
    if values.parent_id is not None:
        parent = record_visible_to(viewer, values.parent_id)
        if parent.id == record.id or parent.kind != RecordKind.CONTRACTOR:
            raise InputError(_("A record belongs to a contractor, not to itself."), field="parent")
    record.parent_id = values.parent_id
    record.fields = _fields(values.fields)
    record.search = fold(f"{record.name} {record.number} {record.external_id}")
    record.sort_key = sort_key(record.name)


def _line(text: str, most: int, name: str) -> str:
    clean = " ".join(text.replace("\0", " ").split())
    if len(clean) > most:
        raise InputError(_("At most %(n)s characters fit here.") % {"n": most}, field=name)
    return clean


def _fields(given: Mapping[str, str]) -> dict[str, str]:
    """By key; empty ones are left out. The key of a label is made of it."""
    fields: dict[str, str] = {}
    for label, value in given.items():
        key, text = key_of(label), str(value).strip()
        if not text:
            continue
        if not key:
            raise InputError(_("Give the field a name."), field="fields")
        if len(text) > VALUE_MAX or "\0" in text:
            raise InputError(_("At most %(n)s characters fit here.") % {"n": VALUE_MAX}, field="fields")
        if key in fields:
            raise InputError(_("The field %(field)s stands there twice.") % {"field": key}, field="fields")
        fields[key] = text
    if len(fields) > FIELDS_MAX:
        raise InputError(_("A record has at most %(n)s fields.") % {"n": FIELDS_MAX}, field="fields")
    return fields


def _save(record: Record) -> None:
    try:
        with transaction.atomic():
            record.save()
    except IntegrityError:
        other = Record.objects.filter(
            workspace_id=record.workspace_id,
            deleted_at=None,
            external_type=record.external_type,
            external_id=record.external_id,
        ).first()
        raise Conflict(
            _("A record with this id of the other system is here already."),
            code="NAME_TAKEN",
            field="external_id",
            details={"record": other.id} if other else {},
        ) from None


def _people(viewer: Viewer, record: Record, people: Sequence[int] | None) -> None:
    if people is None:
        return
    wanted = list(dict.fromkeys(people))
    if len(wanted) > PEOPLE_MAX:
        raise InputError(_("A record has at most %(n)s contact persons.") % {"n": PEOPLE_MAX}, field="people")
    here = set(contacts_visible_to(viewer).filter(id__in=wanted).values_list("id", flat=True))
    if here != set(wanted):
        raise InputError(_("There is no such person."), field="people")
    record.people.all().delete()
    RecordPerson.objects.bulk_create(
        RecordPerson(record=record, contact_id=number, position=at) for at, number in enumerate(wanted)
    )


def _keys_count(viewer: Viewer, before: set[str], after: set[str]) -> None:
    """Which fields any live record has is counted, not looked for: the picker is drawn often."""
    space = viewer.workspace.id
    with connection.cursor() as cursor:
        rows: list[Any] = [[space, key] for key in sorted(after - before)]
        if rows:
            cursor.executemany(
                "INSERT INTO postroom_recordkey AS k (workspace_id, key, records) VALUES (%s, %s, 1)"
                " ON CONFLICT (workspace_id, key) DO UPDATE SET records = k.records + 1",
                rows,
            )
        gone = sorted(before - after)
        if gone:
            cursor.execute(
                "SELECT id FROM postroom_recordkey WHERE workspace_id = %s AND key = ANY(%s) ORDER BY key FOR UPDATE",
                [space, gone],
            )
            cursor.execute(
                "DELETE FROM postroom_recordkey WHERE workspace_id = %s AND key = ANY(%s) AND records < 2",
                [space, gone],
            )
            cursor.execute(
                "UPDATE postroom_recordkey SET records = records - 1 WHERE workspace_id = %s AND key = ANY(%s)",
                [space, gone],
            )
