"""Making, naming and filling lists of people."""

from collections.abc import Collection

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.contact import members_added, members_removed
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.contact import Contact, ContactList, ListMember
from postroom.queries.viewer import Viewer

NAME_MAX = 120


def contact_list_add(*, viewer: Viewer, name: str) -> ContactList:
    """Raises InputError without a name, Conflict NAME_TAKEN."""
    with transaction.atomic():
        name = _free_name(viewer, name)
        return ContactList.objects.create(workspace=viewer.workspace, name=name, created_by=viewer.user)


def contact_list_rename(*, viewer: Viewer, list_id: int, name: str) -> ContactList:
    with transaction.atomic():
        found = _list(viewer, list_id)
        found.name = _free_name(viewer, name, but=list_id)
        found.version += 1
        found.save(update_fields=["name", "version"])
    return found


def contact_list_delete(*, viewer: Viewer, list_id: int) -> int:
    """The list goes, its people stay. Returns the undo step."""
    with transaction.atomic():
        found = _list(viewer, list_id)
        found.deleted_at = timezone.now()
        found.save(update_fields=["deleted_at"])
        return undo_keep(viewer, "list", [{"id": found.id}])


def contact_list_put_back(*, viewer: Viewer, step_id: int) -> ContactList:
    """Undo a deletion. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    with transaction.atomic():
        (row,) = undo_take(viewer, "list", step_id)
        found = ContactList.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
        _free_name(viewer, found.name)
        found.deleted_at = None
        found.save(update_fields=["deleted_at"])
    return found


def contact_list_fill(*, viewer: Viewer, list_id: int, contact_ids: Collection[int]) -> int:
    """Put people on the list; how many were not on it. Numbers of other workspaces are ignored."""
    with transaction.atomic(), connection.cursor() as cursor:
        _list(viewer, list_id)
        own = Contact.objects.filter(workspace=viewer.workspace, id__in=contact_ids).values_list(
            "id", flat=True
        )
        return members_added(cursor, [(contact_id, list_id) for contact_id in own])


def contact_list_take_off(*, viewer: Viewer, list_id: int, contact_ids: Collection[int]) -> tuple[int, int]:
    """Take people off the list; (how many, undo step)."""
    with transaction.atomic(), connection.cursor() as cursor:
        _list(viewer, list_id)
        members = ListMember.objects.filter(contact_list=list_id, contact__in=contact_ids)
        rows = [{"id": number, "list": list_id} for number in members.values_list("contact_id", flat=True)]
        step = undo_keep(viewer, "members", rows)
        where = "contact_list_id = %s AND contact_id = ANY(%s)"
        return members_removed(cursor, where, [list_id, list(contact_ids)]), step


def contact_list_members_put_back(*, viewer: Viewer, step_id: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        rows = undo_take(viewer, "members", step_id)
        here = set(Contact.objects.filter(id__in=[row["id"] for row in rows]).values_list("id", flat=True))
        return members_added(cursor, [(row["id"], row["list"]) for row in rows if row["id"] in here])


def _list(viewer: Viewer, list_id: int) -> ContactList:
    found = (
        ContactList.objects.select_for_update()
        .filter(workspace=viewer.workspace, id=list_id, deleted_at=None)
        .first()
    )
    if found is None:
        raise NotFound("This list is not here any more.")
    return found


def _free_name(viewer: Viewer, name: str, but: int = 0) -> str:
    name = " ".join(name.replace("\0", " ").split())
    if not name or len(name) > NAME_MAX:
        raise InputError(
            gettext("A list needs a name of at most %(n)s characters.") % {"n": NAME_MAX}, field="name"
        )
    same = ContactList.objects.filter(workspace=viewer.workspace, deleted_at=None, name__iexact=name)
    if same.exclude(id=but).exists():
        raise Conflict(
            gettext("There is a list “%(name)s” already.") % {"name": name}, code="NAME_TAKEN", field="name"
        )
    return name
