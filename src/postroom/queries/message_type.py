"""Reading message types."""

from dataclasses import dataclass

from django.db.models import Q

from postroom.errors import InputError, NotFound
from postroom.mail.fold import fold, sort_key
from postroom.models.account import Account
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import May, Right
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, can

#: Campaigns that are over keep the label; only what is still to come has to be given another type.
_OVER = (CampaignState.FINISHED, CampaignState.CANCELLED)


def types_visible_to(viewer: Viewer, *, words: str = "", number: str = "") -> list[MessageType]:
    """The types by name. Who may manage types sees all, others those given to them.

    words: contained in the name, accents and case aside; number: exactly this id. Both given = both must fit.
    Raises InputError when `number` is none.
    """
    found = MessageType.objects.filter(_seen(viewer), deleted_at=None).select_related("created_by")
    if number.strip():
        if not (number.strip().isascii() and number.strip().isdigit()):
            raise InputError("An ID is a number.", field="id")
        found = found.filter(id=min(int(number.strip()[:20]), 2**62))
    named = [one for one in found if fold(words.strip()) in fold(one.name)]
    return sorted(named, key=lambda one: (sort_key(one.name).encode(), one.id))


def _seen(viewer: Viewer) -> Q:
    if can(viewer, Right.TYPES_MANAGE):
        return Q(workspace=viewer.workspace)
    return shared_with(viewer, MessageType)


def type_visible_to(viewer: Viewer, type_id: int, *, lock: bool = False) -> MessageType:
    """Raises NotFound."""
    rows = MessageType.objects.filter(_seen(viewer), deleted_at=None, id=type_id)
    found = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise NotFound("This message type is not here. It may have been deleted.")
    return found


def types_to_choose(viewer: Viewer) -> list[MessageType]:
    """Those the viewer may give to a mail or a campaign."""
    found = MessageType.objects.filter(shared_with(viewer, MessageType, May.USE), deleted_at=None)
    return sorted(found, key=lambda one: (sort_key(one.name).encode(), one.id))


@dataclass(frozen=True)
class TypeUses:
    """accounts: for which it is a default; campaigns: not over yet; messages: that keep the label in any case."""

    accounts: int = 0
    campaigns: int = 0
    messages: int = 0

    @property
    def in_use(self) -> bool:
        return bool(self.accounts or self.campaigns)


def type_uses(found: MessageType) -> TypeUses:
    defaults = Q(type_in=found) | Q(type_out=found)
    campaigns = Campaign.objects.filter(type=found)
    return TypeUses(
        accounts=Account.objects.filter(defaults, deleted_at=None).count(),
        campaigns=campaigns.filter(deleted_at=None).exclude(state__in=_OVER).count(),
        messages=Message.objects.filter(type=found).count() + campaigns.filter(state__in=_OVER).count(),
    )
