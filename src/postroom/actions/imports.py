"""An import as a person makes it: a file, columns, a check, the taking over, and the way back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from postroom.actions.blob import blob_put_file
from postroom.actions.contact import attribute_key_add
from postroom.actions.contact_list import contact_list_add
from postroom.actions.import_guess import import_guess
from postroom.actions.import_stage import stage_drop
from postroom.actions.job import enqueue
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.charset import ENCODINGS
from postroom.models.contact import AttributeKey, ContactList, ImportRun
from postroom.models.profile import May, Right
from postroom.queries.imports import import_visible_to
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer, demand

#: Columns a file may be mapped to, besides free fields ("attr:KEY", "new:LABEL") and "" (left out).
FIELDS = ("email", "name", "surname", "full_name", "salutation", "company", "kind", "language")
EXISTING = ("fill", "replace", "leave")
SEPARATORS = (";", ",", "\t", "|")


def import_start(*, viewer: Viewer, file: Path, file_name: str) -> ImportRun:
    """Take an uploaded file into the store and guess how it is to be read.

    Raises InputError (field "file") for an empty file, a spreadsheet, or anything else that is no CSV.
    """
    demand(viewer, Right.CONTACTS_EDIT)
    guess = import_guess(file)
    blob = blob_put_file(file)
    stem = Path(file_name).stem[:120]
    same = _lists(viewer).filter(name__iexact=stem).first()  # the same file once more: onto the same list
    return ImportRun.objects.create(
        workspace=viewer.workspace,
        user=viewer.user,
        file_name=Path(file_name.replace("\0", "")).name[:255] or "contacts.csv",
        file=blob,
        choices=guess
        | {"existing": "fill", "list_id": same.id if same else 0, "new_list": "" if same else stem},
    )


def import_choose(*, viewer: Viewer, import_id: int, choices: Mapping[str, Any]) -> ImportRun:
    """Keep what the person chose: encoding, separator, has_header, mapping, existing, list_id, new_list.

    A check that was made before is forgotten. Raises InputError for a value that does not exist.
    """
    with transaction.atomic():
        run = _import(viewer, import_id, "new", "checked", "failed")
        if run.state == "failed" and run.done and run.added:
            raise Conflict("This import has begun. Undo it or go on.", code="RUN_ACTIVE")
        run.choices = run.choices | _checked(viewer, choices)
        run.state, run.error, run.figures = "new", "", {}
        run.save(update_fields=["choices", "state", "error", "figures"])
    return run


def import_check_ask(*, viewer: Viewer, import_id: int) -> ImportRun:
    """Have all rows checked by the worker. Raises InputError when no column holds the address."""
    with transaction.atomic():
        run = _import(viewer, import_id, "new", "checked")
        mapping = run.choices.get("mapping", {})
        if "email" not in mapping.values():
            raise InputError("Choose the column that holds the e-mail address.", field="mapping")
        mapping = {
            column: f"attr:{attribute_key_add(viewer=viewer, label=field[4:]).key}"
            if field.startswith("new:")
            else field
            for column, field in mapping.items()
        }
        _once(mapping)
        run.choices = run.choices | {"mapping": mapping}
        run.state, run.done, run.figures, run.error = "checking", 0, {"percent": 0}, ""
        run.save(update_fields=["choices", "state", "done", "figures", "error"])
        enqueue("import_check", import_id=run.id)
    return run


def import_run_ask(*, viewer: Viewer, import_id: int) -> ImportRun:
    """Have the checked rows taken over by the worker; makes the list when a new one was chosen.

    Raises Conflict NOT_CHECKED, NAME_TAKEN (the list).
    """
    with transaction.atomic():
        run = _import(viewer, import_id, "checked", "failed")
        if run.state == "failed" and "staged" not in run.figures:
            raise Conflict("Check the rows first.", code="NOT_CHECKED")
        if run.target_list_id is None:
            run.target_list = _target(viewer, run)
        run.state, run.error = "running", ""
        run.save(update_fields=["state", "error", "target_list"])
        enqueue("import_run", import_id=run.id)
    return run


def import_undo_ask(*, viewer: Viewer, import_id: int) -> ImportRun:
    """Have the worker take the import back."""
    with transaction.atomic():
        run = _import(viewer, import_id, "done", "failed")
        run.state = "undoing"
        run.save(update_fields=["state"])
        enqueue("import_undo", import_id=run.id)
    return run


def import_cancel(*, viewer: Viewer, import_id: int) -> None:
    """Give an import up before anything was stored."""
    with transaction.atomic():
        run = _import(viewer, import_id, "new", "checking", "checked", "failed")
        if run.added or run.updated:
            raise Conflict("Part of this import is stored. Undo it instead.", code="RUN_ACTIVE")
        was, run.state = run.state, "cancelled"
        run.save(update_fields=["state"])
        if was != "checking":  # the check itself clears up when it sees this
            stage_drop(run.id)


def _import(viewer: Viewer, import_id: int, *states: str) -> ImportRun:
    import_visible_to(viewer, import_id)
    demand(viewer, Right.CONTACTS_EDIT)
    run = ImportRun.objects.select_for_update().get(id=import_id)
    if run.user_id != viewer.user.id and run.target_list is not None:
        demand_may(viewer, run.target_list, May.EDIT)
    if run.state not in states:
        raise Conflict("This import has gone on in the meantime. Look at it again.", code="IMPORT_STATE")
    return run


def _checked(viewer: Viewer, choices: Mapping[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    if "encoding" in choices:
        kept["encoding"] = _one_of(choices["encoding"], ENCODINGS, "encoding")
    if "separator" in choices:
        kept["separator"] = _one_of(choices["separator"], SEPARATORS, "separator")
    if "existing" in choices:
        kept["existing"] = _one_of(choices["existing"], EXISTING, "existing")
    if "has_header" in choices:
        kept["has_header"] = bool(choices["has_header"])
    if "mapping" in choices:
        keys = set(AttributeKey.objects.filter(workspace=viewer.workspace).values_list("key", flat=True))
        allowed = {"", *FIELDS, *(f"attr:{key}" for key in keys)}
        mapping = {str(int(column)): str(field) for column, field in choices["mapping"].items()}
        for field in mapping.values():
            if field not in allowed and not (field.startswith("new:") and len(field) <= 124):
                raise InputError(
                    gettext("There is no field %(field)s here.") % {"field": field}, field="mapping"
                )
        _once(mapping)
        kept["mapping"] = mapping
    if "list_id" in choices:
        kept["list_id"] = int(choices["list_id"] or 0)
        if kept["list_id"] and not _lists(viewer).filter(id=kept["list_id"]).exists():
            raise NotFound("This list is not here any more.")
    if "new_list" in choices:
        kept["new_list"] = " ".join(str(choices["new_list"]).replace("\0", " ").split())[:120]
        if "list_id" not in choices:
            kept["list_id"] = 0
    return kept


def _once(mapping: Mapping[str, str]) -> None:
    fields = [field for field in mapping.values() if field]
    for field in fields:
        if fields.count(field) > 1:
            raise InputError("Two columns go to the same field. Leave one of them out.", field="mapping")


def _one_of(value: Any, known: tuple[str, ...], field: str) -> str:
    if value not in known:
        raise InputError(gettext("“%(value)s” is not one of the choices.") % {"value": value}, field=field)
    return str(value)


def _lists(viewer: Viewer) -> Any:
    """Those the viewer may put people on."""
    return ContactList.objects.filter(shared_with(viewer, ContactList, May.EDIT), deleted_at=None)


def _target(viewer: Viewer, run: ImportRun) -> ContactList | None:
    if run.choices.get("list_id"):
        found: ContactList | None = _lists(viewer).filter(id=run.choices["list_id"]).first()
        if found is None:
            raise NotFound("The list of this import is not here any more. Choose another.")
        return found
    if run.choices.get("new_list"):
        return contact_list_add(viewer=viewer, name=run.choices["new_list"])
    return None
