"""What can be chosen for a campaign: accounts, lists, templates, people to preview as."""

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

#: How many people the preview offers by name.
SAMPLE = 20


def accounts_to_choose(viewer: Viewer) -> list[Account]:
    """Accounts the viewer may send from. One for programs only where it was granted as well (CM-26)."""
    return list(accounts_usable_by(viewer))


def lists_to_choose(viewer: Viewer) -> list[ContactList]:
    """Lists the viewer may send to, seen or not (GW-04)."""
    found = ContactList.objects.filter(shared_with(viewer, ContactList, May.USE), deleted_at=None)
    return list(found.order_by("name", "id"))


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
