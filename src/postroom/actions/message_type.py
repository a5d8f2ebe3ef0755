"""Making, naming and deleting message types (CM-05 to CM-09)."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.sharing import Sharing, sharing_save
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError
from postroom.models.account import Account
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.message_type import MessageType
from postroom.models.profile import Right, Visibility
from postroom.models.workspace import Workspace
from postroom.queries.message_type import type_uses, type_visible_to
from postroom.queries.viewer import Viewer, demand

NAME_MAX = 120


@transaction.atomic
def type_add(*, viewer: Viewer, name: str, sharing: Sharing | None = None) -> MessageType:
    """A new type, for administrators only until profiles are chosen; `sharing` chooses them at once.

    Raises NotAllowed, InputError, Conflict NAME_TAKEN.
    """
    demand(viewer, Right.TYPES_MANAGE)
    made = MessageType.objects.create(
        workspace=viewer.workspace,
        name=_free_name(viewer, name),
        created_by=viewer.user,
        visibility=Visibility.PROFILES,
    )
    audit(viewer, "added", "type", made.id, name=made.name)
    if sharing is not None:
        sharing_save(viewer=viewer, thing=made, sharing=sharing)
    return made


@transaction.atomic
def type_rename(*, viewer: Viewer, type_id: int, version: int, name: str) -> MessageType:
    """version: the one the person saw. Raises Conflict STALE_VERSION when somebody was faster, NAME_TAKEN."""
    demand(viewer, Right.TYPES_MANAGE)
    found = type_visible_to(viewer, type_id, lock=True)
    if found.version != version:
        raise Conflict(
            gettext("Somebody else renamed this type to “%(name)s” in the meantime. Look, then save again.")
            % {"name": found.name},
            code="STALE_VERSION",
            field="name",
            details={"version": found.version, "theirs": {"name": found.name}, "yours": {"name": name}},
        )
    was, found.name = found.name, _free_name(viewer, name, but=type_id)
    found.version += 1
    found.save(update_fields=["name", "version"])
    audit(viewer, "renamed", "type", found.id, was=was, name=found.name)
    return found


@transaction.atomic
def type_delete(*, viewer: Viewer, type_id: int, reassign_to: int = 0) -> int:
    """Old mails keep the label. Returns the undo step.

    reassign_to: the type that takes its place where it is still used. Without one a used type raises Conflict IN_USE
    (details: accounts, campaigns, messages).
    """
    demand(viewer, Right.TYPES_MANAGE)
    found = type_visible_to(viewer, type_id, lock=True)
    uses = type_uses(found)
    if reassign_to:
        if reassign_to == type_id:
            raise InputError(gettext("Choose another type than the one that goes."), field="reassign_to")
        _reassign(found, type_visible_to(viewer, reassign_to))
    elif uses.in_use:
        raise Conflict(
            gettext(
                "“%(name)s” is still used: %(accounts)s accounts, %(campaigns)s campaigns. Choose the type that takes"
                " its place."
            )
            % {"name": found.name, "accounts": uses.accounts, "campaigns": uses.campaigns},
            code="IN_USE",
            field="reassign_to",
            details={"accounts": uses.accounts, "campaigns": uses.campaigns, "messages": uses.messages},
        )
    found.deleted_at = timezone.now()
    found.save(update_fields=["deleted_at"])
    audit(viewer, "deleted", "type", found.id, name=found.name, reassigned_to=reassign_to or None)
    return undo_keep(viewer, "type", [{"id": found.id}])


def _reassign(found: MessageType, other: MessageType) -> None:
    for field in ("type_in", "type_out"):
        values: dict[str, Any] = {field: found, "deleted_at": None}
        Account.objects.filter(**values).update(**{field: other})
    over = (CampaignState.FINISHED, CampaignState.CANCELLED)
    Campaign.objects.filter(type=found).exclude(state__in=over).update(type=other)


@transaction.atomic
def type_put_back(*, viewer: Viewer, step_id: int) -> MessageType:
    """Undo a deletion; what was given another type keeps that. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    demand(viewer, Right.TYPES_MANAGE)
    (row,) = undo_take(viewer, "type", step_id)
    found = MessageType.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
    _free_name(viewer, found.name)
    found.deleted_at = None
    found.save(update_fields=["deleted_at"])
    return found


def _free_name(viewer: Viewer, name: str, but: int = 0) -> str:
    name = " ".join(name.replace("\0", " ").split())
    if not 1 <= len(name) <= NAME_MAX:
        raise InputError(
            gettext("A message type needs a name of at most %(n)s characters.") % {"n": NAME_MAX},
            field="name",
        )
    # One at a time: the database's own "ignoring case" does not know Polish or Bulgarian letters everywhere.
    Workspace.objects.select_for_update(no_key=True).get(id=viewer.workspace.id)
    others = MessageType.objects.filter(workspace=viewer.workspace, deleted_at=None).exclude(id=but)
    if name.casefold() in {other.casefold() for other in others.values_list("name", flat=True)}:
        raise Conflict(
            gettext("There is a message type “%(name)s” already.") % {"name": name},
            code="NAME_TAKEN",
            field="name",
        )
    return name
