"""Making, naming and filling lists of people."""

from collections.abc import Collection

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.contact import members_added, members_removed
from postroom.actions.sharing import place_new, place_saved
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.contact import Contact, ContactList, ListMember
from postroom.models.profile import May, Right
from postroom.queries.contact import contacts_visible_to
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer, demand

NAME_MAX = 120


def contact_list_add(*, viewer: Viewer, name: str) -> ContactList:
    """It lands where the person works (GW-06). Raises NotAllowed, InputError without a name, Conflict NAME_TAKEN."""
    demand(viewer, Right.CONTACTS_EDIT)
    with transaction.atomic():
        name = _free_name(viewer, name)
        made = ContactList(workspace=viewer.workspace, name=name, created_by=viewer.user)
        place_new(viewer, made)
        made.save()
        place_saved(viewer, made)
        audit(viewer, "added", "list", made.id, name=name)
        return made


def contact_list_rename(
    *, viewer: Viewer, list_id: int, name: str, version: int | None = None
) -> ContactList:
    """version: the one the person saw, None = whatever it is. Raises Conflict STALE_VERSION, NAME_TAKEN."""
    with transaction.atomic():
        found = _list(viewer, list_id)
        if version is not None and version != found.version:
            raise Conflict(
                gettext(
                    "Somebody else renamed this list to “%(name)s” in the meantime. Look, then save again."
                )
                % {"name": found.name},
                code="STALE_VERSION",
                field="name",
                details={"version": found.version, "theirs": {"name": found.name}, "yours": {"name": name}},
            )
        audit(viewer, "renamed", "list", found.id, was=found.name, name=name)
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
        audit(viewer, "deleted", "list", found.id, name=found.name)
        return undo_keep(viewer, "list", [{"id": found.id}])


def contact_list_put_back(*, viewer: Viewer, step_id: int) -> ContactList:
    """Undo a deletion. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    demand(viewer, Right.CONTACTS_EDIT)
    with transaction.atomic():
        (row,) = undo_take(viewer, "list", step_id)
        found = ContactList.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
        _free_name(viewer, found.name)
        found.deleted_at = None
        found.save(update_fields=["deleted_at"])
    return found


def contact_list_fill(*, viewer: Viewer, list_id: int, contact_ids: Collection[int]) -> int:
    """Put people on the list; how many were not on it. Who the viewer does not see is ignored."""
    with transaction.atomic(), connection.cursor() as cursor:
        _list(viewer, list_id)
        own = contacts_visible_to(viewer).filter(id__in=contact_ids).values_list("id", flat=True)
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
        for list_id in {row["list"] for row in rows}:
            _list(viewer, list_id)
        here = set(Contact.objects.filter(id__in=[row["id"] for row in rows]).values_list("id", flat=True))
        return members_added(cursor, [(row["id"], row["list"]) for row in rows if row["id"] in here])


def _list(viewer: Viewer, list_id: int) -> ContactList:
    """Locked, to be changed. Raises NotFound; NotAllowed without the right, or without "edit" on the list."""
    rows = ContactList.objects.select_for_update(of=("self",)).filter(shared_with(viewer, ContactList))
    found = rows.filter(id=list_id, deleted_at=None).first()
    if found is None:
        raise NotFound("This list is not here any more.")
    demand(viewer, Right.CONTACTS_EDIT)
    demand_may(viewer, found, May.EDIT)
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
