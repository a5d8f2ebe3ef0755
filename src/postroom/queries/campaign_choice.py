"""What can be chosen for a campaign: accounts, lists, templates, people to preview as."""

from collections.abc import Collection
from dataclasses import dataclass

from postroom.mail.fold import fold
from postroom.models.account import Account
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import Contact, ContactList
from postroom.models.profile import May
from postroom.models.template import Template
from postroom.queries.account import accounts_usable_by
from postroom.queries.masking import contact_masked, is_masked
from postroom.queries.preview import people_of_lists
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer

#: How many lists are offered beside the chosen ones; the others are found by name.
LISTS_SHOWN = 40
#: How many people the preview offers by name.
SAMPLE = 20


def accounts_to_choose(viewer: Viewer) -> list[Account]:
    """Accounts the viewer may send from. One for programs only where it was granted as well (CM-26)."""
    return list(accounts_usable_by(viewer))


@dataclass(frozen=True, slots=True)
class ListChoice:
    id: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class ListChoices:
    """chosen and others by name; more: how many others fit the words but are left out."""

    chosen: list[ListChoice]
    others: list[ListChoice]
    more: int


def lists_to_choose(viewer: Viewer, chosen: Collection[int] = (), words: str = "") -> ListChoices:
    """Lists the viewer may send to, seen or not (GW-04): a firm may have thousands.

    words: others only with these in their name, accents and case aside.
    """
    found = ContactList.objects.filter(shared_with(viewer, ContactList, May.USE), deleted_at=None)
    rows = [ListChoice(*row) for row in found.order_by("name", "id").values_list("id", "name", "size")]
    folded = fold(words.strip())
    others = [one for one in rows if one.id not in chosen and (not folded or folded in fold(one.name))]
    mine = [one for one in rows if one.id in chosen]
    return ListChoices(mine, others[:LISTS_SHOWN], max(0, len(others) - LISTS_SHOWN))


def campaigns_to_join(viewer: Viewer, campaign: Campaign) -> list[Campaign]:
    """Campaigns with which this draft can be one mailing: the newest that are planned, on their way or just done."""
    others = Campaign.objects.filter(shared_with(viewer, Campaign), deleted_at=None).exclude(id=campaign.id)
    others = others.exclude(state=CampaignState.CANCELLED)
    found = list(others.filter(mailing=None).order_by("-id")[:SAMPLE])
    first = campaign.mailing
    return [first, *found] if first is not None and first not in found else found


def templates_to_choose(viewer: Viewer) -> list[Template]:
    return list(
        Template.objects.filter(shared_with(viewer, Template, May.USE), deleted_at=None).order_by(
            "name", "id"
        )
    )


def people_to_preview(viewer: Viewer, campaign: Campaign) -> list[Contact]:
    """The first people of the chosen lists; masked where a list does not show them to the viewer."""
    found = people_of_lists(campaign)[:SAMPLE]
    hidden = is_masked(viewer, campaign)
    return [contact_masked(one) if hidden else one for one in found]
