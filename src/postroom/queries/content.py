"""What a campaign's messages are made of: the one source for preview, test, freezing and sending (CM-48)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from postroom.conf import keys
from postroom.mail.compose import CompiledMessage, Content, Mailbox, RecipientValues, compile_message
from postroom.mail.envelope import ReturnPlan
from postroom.mail.fields import CONTACT_KEYS, RECORD_ANY, RECORD_FIELDS
from postroom.mail.frame import AttachmentFile
from postroom.mail.override import FROM_ADDRESS, FROM_NAME
from postroom.mail.paragraphs import as_html
from postroom.mail.token import DECISION, UNSUBSCRIBE, token_make
from postroom.models.account import Account
from postroom.models.campaign import Campaign
from postroom.models.contact import AttributeKey
from postroom.models.record import RecordKey
from postroom.models.workspace import Instance, Workspace
from postroom.queries.blob import blob_read
from postroom.queries.domain import signed_by_us


def instance_url() -> str:
    """What links in mail begin with, without a slash at the end."""
    instance = Instance.objects.filter(id=1).first()
    return (instance.url if instance and instance.url else settings.POSTROOM_URL).rstrip("/")


def known_fields(workspace_id: int) -> frozenset[str]:
    """The keys of every contact field: our own and the workspace's free ones."""
    return CONTACT_KEYS | set(
        AttributeKey.objects.filter(workspace_id=workspace_id).values_list("key", flat=True)
    )


def template_fields(workspace_id: int, *, strict: bool = False) -> frozenset[str]:
    """What a template may name. strict: of records only fields that some record has, as when a template is saved;
    otherwise any: what was saved with a field of a record is filled in when that record is gone."""
    if not strict:
        return known_fields(workspace_id) | {RECORD_ANY}
    own = RecordKey.objects.filter(workspace_id=workspace_id).values_list("key", flat=True)
    return (
        known_fields(workspace_id) | {field.key for field in RECORD_FIELDS} | {f"record.{key}" for key in own}
    )


@dataclass(frozen=True)
class Addressing:
    """How one account's copies are addressed: token, return path, unsubscribe link."""

    plan: ReturnPlan
    url: str
    #: Make the unsubscribe link too: it costs a second MAC a recipient.
    with_link: bool = True

    @cached_property
    def _key(self) -> bytes:
        return keys.current().token_keys[0]

    def token(self, delivery_id: int) -> str:
        return token_make(delivery_id, self._key)

    def decision(self, notice_id: int) -> tuple[str, str]:
        """Where a moderator answers this notice, and what the subject must carry for it ("" = the address does)."""
        token = token_make(notice_id, self._key, DECISION)
        address = self.plan.decision_address(token)
        return address, "" if token in address else f" [{token}]"

    def _link(self, delivery_id: int) -> str:
        return f"{self.url}/u/{token_make(delivery_id, self._key, UNSUBSCRIBE)}"

    def values(
        self, delivery_id: int, *, address: str, name: str = "", fields: dict[str, str] | None = None
    ) -> tuple[RecipientValues, str]:
        """What makes the copy of a delivery different, and its envelope sender."""
        token = self.token(delivery_id)
        mail_from = self.plan.mail_from(token)
        return (
            RecipientValues(
                address=address,
                display_name=name,
                token=token,
                fields=fields or {},
                mail_from=mail_from,
                unsubscribe_address=self.plan.unsubscribe_mailto(token),
                unsubscribe_url=self._link(delivery_id) if self.with_link else "",
                header_from=_own_sender(fields) if fields else None,
            ),
            mail_from,
        )


def _own_sender(fields: Mapping[str, str]) -> Mailbox | None:
    """The sender fixed for this recipient alone (SA-08)."""
    if FROM_ADDRESS not in fields and FROM_NAME not in fields:
        return None
    return Mailbox(fields.get(FROM_NAME, ""), fields.get(FROM_ADDRESS, ""))


def addressing_of(account: Account) -> Addressing:
    return Addressing(
        plan=ReturnPlan(account.workspace.bounce_host, account.address, account.plus_tag), url=instance_url()
    )


def one_click_allowed(account: Account, url: str) -> bool:
    """RFC 8058 asks for https and a DKIM signature; the practice instance of the demo may use http."""
    signed = url.startswith("https://") and (account.signs_dkim or signed_by_us(account))
    return bool(settings.POSTROOM_DEMO) or signed


def sender_constants(account: Account, workspace: Workspace, now: datetime) -> dict[str, str]:
    """Values of the special fields that are the same for everybody."""
    with translation.override(workspace.language):
        today = date_format(timezone.localtime(now, timezone=_zone(workspace)).date(), "DATE_FORMAT")
    return {
        "sender.name": account.display_name or account.address,  # its own name is internal (SA-04)
        "sender.email": account.address,
        "workspace.name": workspace.name,
        "date.today": today,
    }


def _zone(workspace: Workspace) -> "timezone.zoneinfo.ZoneInfo":  # type: ignore[name-defined]
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(workspace.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def sender_of(campaign: Campaign, account: Account) -> Mailbox:
    """Who a campaign is from where no contact's detail says otherwise: the campaign's sender, else the account's."""
    return Mailbox(campaign.sender_name or account.display_name, campaign.sender_address or account.address)


def reply_to_of(sender: Mailbox, account: Account) -> Mailbox | None:
    """Where answers go; None, and so no header, when that is the sender anyway (SA-09, SA-16)."""
    same = account.reply_to_address.lower() == sender.address.lower()
    if not account.reply_to_address or (same and not account.override_from):
        return None
    return Mailbox(account.reply_to_name, account.reply_to_address)


def campaign_content(campaign: Campaign, account: Account, *, eight_bit: bool, now: datetime) -> Content:
    """The content of a campaign as sent through this account."""
    url = instance_url()
    allowed = campaign.unsubscribe_header and one_click_allowed(account, url)
    return Content(
        subject=campaign.subject,
        html=as_html(campaign.html),
        text=campaign.text,
        header_from=sender_of(campaign, account),
        reply_to=reply_to_of(sender_of(campaign, account), account),
        message_id_domain=account.address.rpartition("@")[2],
        attachments=tuple(
            AttachmentFile(file.name, file.content_type, blob_read(file.blob_id))
            for file in campaign.attachments.order_by("id")
        ),
        receipt_read=campaign.receipt_read,
        list_unsubscribe_mailto=campaign.unsubscribe_header,
        unsubscribe_url_in_header=allowed,
        with_one_click=allowed,
        eight_bit_allowed=eight_bit,
        constants=sender_constants(account, campaign.workspace, now),
        empty_values=campaign.on_missing == "empty",
    )


def campaign_compiled(
    campaign: Campaign, account: Account, *, eight_bit: bool = True, now: datetime | None = None
) -> CompiledMessage:
    """The campaign ready for recipients. Raises BadTemplate, BadAddress."""
    moment = now or timezone.now()
    return compile_message(
        campaign_content(campaign, account, eight_bit=eight_bit, now=moment),
        template_fields(campaign.workspace_id),
        date=timezone.localtime(moment, timezone=_zone(campaign.workspace)),
    )
