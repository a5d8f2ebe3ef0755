"""A campaign while it is a draft: made, edited, deleted."""

import re
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit, audit_edit
from postroom.actions.override import sender_checked
from postroom.actions.sharing import place_new, place_saved
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.account import AccountStatus
from postroom.models.campaign import Attachment, Campaign, CampaignState
from postroom.models.contact import ContactList
from postroom.models.message_type import MessageType
from postroom.models.profile import May, Right, Visibility
from postroom.models.template import Template
from postroom.queries.account import accounts_usable_by
from postroom.queries.campaign import campaign_to_change, campaign_visible_to
from postroom.queries.changes import last_change
from postroom.queries.draft_file import files_bring
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, demand

#: A media type as a browser gives it; what is none might write headers of its own.
_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,59}/[A-Za-z0-9!#$&^_.+-]{1,59}\Z").match
#: What may be edited while a campaign is a draft.
EDITABLE = (
    "name",
    "subject",
    "html",
    "text",
    "receipt_delivery",
    "receipt_read",
    "unsubscribe_header",
    "on_missing",
    "on_doubt",
    "sender_name",
    "sender_address",
)


@transaction.atomic
def campaign_create(*, viewer: Viewer, name: str, template_id: int | None = None, **values: Any) -> Campaign:
    """A new draft; with a template its subject, bodies and files are copied in."""
    demand(viewer, Right.CAMPAIGNS_SEND)
    campaign = Campaign(workspace=viewer.workspace, created_by=viewer.user, name=_name(name))
    place_new(viewer, campaign, default=Visibility.WORKSPACE)
    if template_id is not None:
        usable = Template.objects.filter(shared_with(viewer, Template, May.USE), deleted_at=None)
        template = usable.filter(id=template_id).first()
        if template is None:
            raise NotFound("There is no such template.")
        campaign.template = template
        campaign.subject, campaign.html, campaign.text = template.subject, template.html, template.text
    account = accounts_usable_by(viewer).order_by("-status", "id")
    campaign.account = (
        account.filter(owner=viewer.user).first() or account.filter(status=AccountStatus.OK).first()
    )
    campaign.save()
    place_saved(viewer, campaign)
    if campaign.template is not None:
        Attachment.objects.bulk_create(
            Attachment(campaign=campaign, blob_id=one.blob_id, name=one.name, content_type=one.content_type)
            for one in files_bring(campaign.template)
        )
    if values:
        return campaign_edit(viewer=viewer, campaign_id=campaign.id, version=campaign.version, **values)
    return campaign


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise InputError("Give the campaign a name of 1 to 120 characters.", field="name")
    return name


def draft(viewer: Viewer, campaign_id: int) -> Campaign:
    campaign = campaign_to_change(viewer, campaign_id)
    if campaign.state != CampaignState.DRAFT:
        raise Conflict("This campaign is not a draft any more; its content is fixed.", code="RUN_ACTIVE")
    return campaign


@transaction.atomic
def campaign_edit(
    *,
    viewer: Viewer,
    campaign_id: int,
    version: int,
    account_id: int | None = None,
    list_ids: list[int] | None = None,
    mailing_id: int | None = None,
    type_id: int | None = None,
    **values: Any,
) -> Campaign:
    """Change a draft. mailing_id: the campaign it is one mailing with (PI-03), 0 = none; type_id: 0 = none.

    Raises Conflict STALE_VERSION, whose details hold both texts.
    """
    campaign = draft(viewer, campaign_id)
    if campaign.version != version:
        raise Conflict(
            "Somebody else saved this campaign meanwhile.",
            code="STALE_VERSION",
            details={
                "by": last_change(viewer, "campaign", campaign.id),
                "theirs": {key: getattr(campaign, key) for key in EDITABLE},
                "yours": values,
                "version": campaign.version,
            },
        )
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise InputError(
            gettext("Not a field of a campaign: %(fields)s.") % {"fields": ", ".join(sorted(unknown))}
        )
    if "name" in values:
        values["name"] = _name(values["name"])
    if "subject" in values:
        values["subject"] = " ".join(str(values["subject"]).splitlines())
    values = sender_checked(viewer, campaign, values)
    for key, value in values.items():
        setattr(campaign, key, value)
    if account_id is not None:
        account = accounts_usable_by(viewer).filter(id=account_id).first()
        if account is None:
            raise NotFound("There is no such account.")
        campaign.account = account
    if list_ids is not None:
        lists = ContactList.objects.filter(
            shared_with(viewer, ContactList, May.USE), id__in=list_ids, deleted_at=None
        )
        if lists.count() != len(set(list_ids)):
            raise NotFound("There is no such list.")
        campaign.lists.set(lists)
    if type_id is not None:
        campaign.type = _type(viewer, campaign, type_id)
    if mailing_id is not None:
        campaign.mailing = _mailing(viewer, campaign, mailing_id)
    campaign.version += 1
    campaign.save()
    audit_edit(viewer, "campaign", campaign.id, name=campaign.name)
    return campaign


def _type(viewer: Viewer, campaign: Campaign, type_id: int) -> MessageType | None:
    """One the viewer may choose, or the one it has. Raises NotFound."""
    if type_id in (0, campaign.type_id):
        return campaign.type if type_id else None
    found = MessageType.objects.filter(shared_with(viewer, MessageType, May.USE), deleted_at=None)
    chosen = found.filter(id=type_id).first()
    if chosen is None:
        raise NotFound("There is no such message type.")
    return chosen


def _mailing(viewer: Viewer, campaign: Campaign, mailing_id: int) -> Campaign | None:
    """The first campaign of that mailing: all others point to it. Raises NotFound, Conflict RUN_ACTIVE."""
    if mailing_id == 0:
        return None
    if campaign.siblings.exclude(state=CampaignState.DRAFT).exists():
        raise Conflict(
            gettext("Other campaigns of this mailing have begun; it cannot join another one."),
            code="RUN_ACTIVE",
        )
    other = campaign_visible_to(viewer, mailing_id)
    first = other.mailing or other
    if first.id == campaign.id:
        return None
    campaign.siblings.update(mailing=first)
    return first


@transaction.atomic
def attachment_add(
    *, viewer: Viewer, campaign_id: int, name: str, content_type: str, sha256: str
) -> Attachment:
    campaign = draft(viewer, campaign_id)
    clean = name.replace("\\", "/").rpartition("/")[2].strip().replace("\r", "").replace("\n", "") or "file"
    return Attachment.objects.create(
        campaign=campaign,
        blob_id=sha256,
        name=clean[:255],
        content_type=content_type if _TYPE(content_type) else "application/octet-stream",
    )


@transaction.atomic
def attachment_remove(*, viewer: Viewer, campaign_id: int, attachment_id: int) -> None:
    campaign = draft(viewer, campaign_id)
    campaign.attachments.filter(id=attachment_id).delete()


@transaction.atomic
def campaign_delete(*, viewer: Viewer, campaign_id: int) -> None:
    """Only drafts go; what was sent stays in the archive."""
    campaign = draft(viewer, campaign_id)
    campaign.deleted_at = timezone.now()
    campaign.save()
    audit(viewer, "deleted", "campaign", campaign.id)


@transaction.atomic
def campaign_undelete(*, viewer: Viewer, campaign_id: int) -> None:
    demand(viewer, Right.CAMPAIGNS_SEND)
    mine = Campaign.objects.filter(shared_with(viewer, Campaign, May.EDIT), id=campaign_id)
    if not mine.update(deleted_at=None):
        raise NotFound("There is no such campaign.")
