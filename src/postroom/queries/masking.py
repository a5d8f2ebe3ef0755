"""Who may write to people without seeing them, and what they are shown instead (GW-04)."""

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

from postroom.mail.mask import DOTS, mask_address, mask_name, mask_words
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact
from postroom.models.delivery import Delivery
from postroom.models.profile import May
from postroom.queries.sharing import rights_on
from postroom.queries.viewer import Viewer

if TYPE_CHECKING:
    from postroom.queries.delivery import Entry

#: What stands for the hidden letters where an address has to stay one that can be written down.
PLACEHOLDER = "hidden0"


def is_masked(viewer: Viewer, campaign: Campaign | None, may: May = May.VIEW) -> bool:
    """Whether a list this campaign went to keeps its people from the viewer. may: VIEW, or EXPORT for a file."""
    if campaign is None or viewer.manages:
        return False
    rights = rights_on(viewer, campaign.lists.all())
    return any(str(may) not in given for given in rights.values())


def delivery_masked(row: Delivery) -> Delivery:
    """A copy to be shown, never to be saved."""
    shown = copy.copy(row)
    shown.words = mask_words(row.words, row.address, row.canonical)
    shown.name = mask_name(row.name)
    shown.fields = {key: mask_name(str(value)) for key, value in (row.fields or {}).items()}
    shown.address = shown.canonical = mask_address(row.address)
    return shown


def entry_masked(entry: "Entry", row: Delivery) -> "Entry":
    """row: the delivery itself, not its masked copy. The raw report is not offered."""

    def plain(text: str) -> str:
        return mask_words(text, row.address, row.canonical)

    detail = {key: plain(value) if isinstance(value, str) else value for key, value in entry.detail.items()}
    return replace(entry, words=plain(entry.words), event_id=None, detail=detail)


def contact_masked(contact: Contact, dots: str = DOTS) -> Contact:
    """A copy to be shown, never to be saved. dots: PLACEHOLDER where the address is filled into a preview."""
    shown = copy.copy(contact)
    for name in ("name", "surname", "salutation", "company"):
        setattr(shown, name, mask_name(getattr(contact, name)))
    shown.attributes = {key: mask_name(str(value)) for key, value in contact.attributes.items()}
    shown.email = shown.canonical = mask_address(contact.email, dots)
    return shown
