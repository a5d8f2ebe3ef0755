"""Having the pictures of a sender always fetched, and no longer."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, NotFound
from postroom.models.conversation import PictureTrust
from postroom.queries.conversation import message_in
from postroom.queries.picture import picture_sender
from postroom.queries.viewer import Viewer


@transaction.atomic
def pictures_trust(*, viewer: Viewer, message_id: int) -> PictureTrust:
    """Always those of the sender of this mail. Raises NotFound; Conflict UNPROVEN when anybody may have written it."""
    sender = picture_sender(message_in(viewer, message_id))
    if not sender:
        raise Conflict(_("Nobody has proven who wrote this, so it cannot be remembered."), code="UNPROVEN")
    return PictureTrust.objects.get_or_create(workspace=viewer.workspace, user=viewer.user, address=sender)[0]


@transaction.atomic
def pictures_untrust(*, viewer: Viewer, trust_id: int) -> tuple[str, int]:
    """Not those of this sender any more; their address and the undo step. Raises NotFound."""
    found = PictureTrust.objects.filter(workspace=viewer.workspace, user=viewer.user, id=trust_id).first()
    if found is None:
        raise NotFound(_("This sender is not on the list any more."))
    found.delete()
    return found.address, undo_keep(viewer, "pictures", [{"address": found.address}])


@transaction.atomic
def pictures_put_back(*, viewer: Viewer, step_id: int) -> PictureTrust:
    """Undo of taking a sender off. Raises Conflict UNDO_GONE."""
    (row,) = undo_take(viewer, "pictures", step_id)
    rows = PictureTrust.objects
    return rows.get_or_create(workspace=viewer.workspace, user=viewer.user, address=row["address"])[0]
