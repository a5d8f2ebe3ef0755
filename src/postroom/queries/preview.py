"""Preview: the bytes that would be sent to a real, chosen contact (CM-48), taken apart again for the page."""

import email
import email.policy
from contextlib import suppress
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from postroom.errors import MissingValue, NotFound
from postroom.mail.fields import contact_values
from postroom.mail.mask import DOTS
from postroom.models.campaign import Campaign
from postroom.models.contact import Contact, ListMember
from postroom.models.delivery import Delivery
from postroom.queries.contact import contacts_visible_to
from postroom.queries.content import addressing_of, campaign_compiled, sender_constants
from postroom.queries.masking import PLACEHOLDER, contact_masked, is_masked
from postroom.queries.viewer import Viewer


def sample_contact(viewer: Viewer, campaign: Campaign, contact_id: int | None) -> Contact | None:
    """The chosen contact (NotFound when not visible), else the first of the campaign's lists, else None.

    Masked where the people of a list are not shown to the viewer.
    """
    of_lists = people_of_lists(campaign)
    hidden = is_masked(viewer, campaign)
    found = of_lists.first()
    if contact_id is not None:
        found = (of_lists if hidden else contacts_visible_to(viewer)).filter(id=contact_id).first()
        if found is None:
            raise NotFound("There is no such contact.")
    return contact_masked(found, PLACEHOLDER) if found and hidden else found


def people_of_lists(campaign: Campaign) -> "QuerySet[Contact]":
    """Who the lists of a draft hold, without whom exclusion sets left out, by number.

    The lists are named in the statement: the planner knows how long a list is only when it sees which.
    """
    lists = list(campaign.lists.filter(deleted_at=None).values_list("id", flat=True))
    members = ListMember.objects.filter(contact=OuterRef("pk"), contact_list_id__in=lists)
    contacts = Contact.objects.filter(Exists(members), workspace=campaign.workspace_id)
    return contacts.exclude(campaignomission__campaign=campaign).order_by("id")


def contact_fields(contact: Contact | None) -> dict[str, str]:
    """Field values of a contact as freezing would take them; {} without one."""
    if contact is None:
        return {}
    values = contact_values(
        email=contact.email,
        name=contact.name,
        surname=contact.surname,
        salutation=contact.salutation,
        company=contact.company,
        attributes=contact.attributes,
    )
    return {key: str(value) for key, value in values.items()}


def field_samples(campaign: Campaign, contact: Contact | None) -> dict[str, str]:
    """Every field with the value it has for this contact, for showing what a field is."""
    samples = {key: value.replace(PLACEHOLDER, DOTS) for key, value in contact_fields(contact).items()}
    if campaign.account is not None:
        samples |= sender_constants(campaign.account, campaign.workspace, timezone.now())
    return samples


@dataclass(frozen=True, slots=True)
class Preview:
    """What the recipient will read. missing: which field has no value and no fallback; then all else is empty."""

    raw: bytes
    headers: list[tuple[str, str]]
    subject: str
    html: str
    text: str
    attachments: list[tuple[str, int]]
    contact: Contact | None
    missing: str = ""


def campaign_preview(viewer: Viewer, campaign: Campaign, contact_id: int | None = None) -> Preview:
    """Built by the code that sends. Raises BadTemplate; a campaign without account has no preview (NotFound)."""
    if campaign.account is None:
        raise NotFound("Choose an account first; the preview shows what it will send.")
    contact = sample_contact(viewer, campaign, contact_id)
    now = timezone.now()
    compiled = campaign_compiled(campaign, campaign.account, now=now)
    row = contact and Delivery.objects.filter(campaign=campaign, contact=contact).first()
    if row and contact and PLACEHOLDER not in contact.email:
        # started: what was fixed then, not what is known today
        address, name, fields = row.address, row.name, row.fields
    else:
        address = contact.email if contact else viewer.user.email
        name = str(contact) if contact and str(contact) != contact.email else ""
        fields = contact_fields(contact)
    values, _ = addressing_of(campaign.account).values(0, address=address, name=name, fields=fields)
    try:
        raw = b"".join(compiled.render(values).segments)
    except MissingValue as error:
        return Preview(b"", [], "", "", "", [], contact, missing=error.message)
    return _dotted(taken_apart(raw, contact))


def campaign_trial(campaign: Campaign) -> None:
    """Fill the message in for the first person on the lists, as sending would. Raises BadTemplate.

    A loop without end or a value that grows too long shows only then. A missing value is no fault of the template.
    """
    contact = people_of_lists(campaign).first()
    if campaign.account is None or contact is None:
        return
    addressing = addressing_of(campaign.account)
    values, _ = addressing.values(0, address=contact.email, name=str(contact), fields=contact_fields(contact))
    with suppress(MissingValue):
        campaign_compiled(campaign, campaign.account).render(values)


def taken_apart(raw: bytes, contact: Contact | None) -> Preview:
    """A message as sent, in the parts that a page shows."""
    message: EmailMessage = email.message_from_bytes(raw, policy=email.policy.default)
    html, text = message.get_body(("html",)), message.get_body(("plain",))
    shown = ("From", "To", "Cc", "Reply-To", "Subject")
    return Preview(
        raw=raw,
        headers=[(name, str(message[name])) for name in shown if message[name]],
        subject=str(message["Subject"] or ""),
        html=_content(html),
        text=_content(text),
        attachments=[
            (part.get_filename() or "", len(part.get_payload(decode=True) or b""))
            for part in message.iter_attachments()
        ],
        contact=contact,
    )


def _dotted(preview: Preview) -> Preview:
    """With dots for the letters of a masked address, which while it was filled in had to be one."""

    def plain(text: str) -> str:
        return text.replace(PLACEHOLDER, DOTS)

    return replace(
        preview,
        raw=preview.raw.replace(PLACEHOLDER.encode(), DOTS.encode()),
        headers=[(name, plain(value)) for name, value in preview.headers],
        subject=plain(preview.subject),
        html=plain(preview.html),
        text=plain(preview.text),
    )


def _content(part: Any) -> str:
    return "" if part is None else str(part.get_content())
