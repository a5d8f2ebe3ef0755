"""Single messages out: test sends and notices, on the same engine as campaigns (DESIGN section 4)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.blob import blob_put
from postroom.actions.campaign_account import account_demand
from postroom.actions.override import sender_demand
from postroom.actions.retry import retry_shard_make
from postroom.errors import Conflict, InputError
from postroom.mail.address import canonical, parse
from postroom.mail.compose import Content, Mailbox, compile_message
from postroom.models.account import Account, AccountStatus
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.profile import Right
from postroom.queries.campaign import campaign_to_change
from postroom.queries.content import Addressing, addressing_of, campaign_compiled
from postroom.queries.platform import platform_demand
from postroom.queries.preview import contact_fields, sample_contact
from postroom.queries.suppression import recipients_refused
from postroom.queries.viewer import Viewer, demand

#: Other people one test goes to.
TEST_MAX = 5
#: Builds the bytes of a message once its delivery row, and so its token, exists.
Build = Callable[[Addressing, int], bytes]


@transaction.atomic
def message_queue(
    *,
    account: Account,
    recipient: str,
    purpose: str,
    subject: str,
    build: Build,
    user_id: int | None = None,
    campaign_id: int | None = None,
) -> Message:
    """Store one message to one recipient and hand it to the delivery daemon when the transaction commits."""
    address = parse(recipient)
    message = Message.objects.create(
        workspace_id=account.workspace_id,
        account=account,
        direction="out",
        purpose=purpose,
        subject=subject[:998],
        from_address=account.address,
        to_address=address.spec,
        user_id=user_id,
        campaign_id=campaign_id,
    )
    delivery = Delivery.objects.create(
        workspace_id=account.workspace_id,
        message=message,
        address=address.spec,
        canonical=canonical(address),
        queued_at=timezone.now(),
    )
    message.raw = blob_put(build(addressing_of(account), delivery.id))
    message.message_id = addressing_of(account).token(delivery.id)
    message.save()
    retry_shard_make(account.workspace_id, account.id, None, [delivery.id])
    return message


@dataclass(frozen=True, slots=True)
class Notice:
    """A mail of the system in plain text. reply_to: "" = answers go to the account it is sent from."""

    subject: str
    text: str
    reply_to: str = ""


def notice_queue(
    *,
    account: Account,
    recipient: str,
    subject: str,
    text: str = "",
    write: "Callable[[Addressing, int], Notice] | None" = None,
) -> Message:
    """A notice of the system (reset link, invitation). write: makes it once its number is known; `subject` is then
    what lists show."""

    def build(addressing: Addressing, delivery_id: int) -> bytes:
        notice = write(addressing, delivery_id) if write else Notice(subject, text)
        content = Content(
            subject="{{ subject }}",
            html="",
            text="{{ body }}",
            header_from=Mailbox(account.display_name, account.address),
            reply_to=Mailbox("", notice.reply_to) if notice.reply_to else None,
            message_id_domain=account.address.rpartition("@")[2],
            list_unsubscribe_mailto=False,
            eight_bit_allowed=False,
            extra_headers=(("Auto-Submitted", "auto-generated"),),
            empty_values=True,
        )
        compiled = compile_message(content, frozenset({"subject", "body"}), date=timezone.now())
        fields = {"subject": notice.subject, "body": notice.text}
        values, _ = addressing.values(delivery_id, address=recipient, fields=fields)
        return b"".join(compiled.render(values).segments)

    return message_queue(account=account, recipient=recipient, purpose="system", subject=subject, build=build)


def campaign_test_send(
    *, viewer: Viewer, campaign_id: int, contact_id: int | None = None, to: Sequence[str] = ()
) -> Message:
    """Send the campaign's message, as the chosen contact would get it, to the signed-in person's own address.

    to: instead of that, other addresses, at most TEST_MAX. They are mail like any other: the suppression list applies,
    as it does not to one's own address (SX-02). Returns the last message.

    Raises Conflict NO_ACCOUNT or ACCOUNT_UNTESTED, NotFound, BadTemplate; for others NotAllowed, InputError
    RECIPIENT_SUPPRESSED.
    """
    if to:
        demand(viewer, Right.CAMPAIGNS_SEND)
        if len(to) > TEST_MAX:
            words = gettext("A test goes to %(n)s addresses at most.") % {"n": TEST_MAX}
            raise InputError(words, field="to")
        recipients_refused(viewer, to)
    campaign = campaign_to_change(viewer, campaign_id, lock=False)
    account = campaign.account
    if account is None or account.deleted_at is not None:
        raise Conflict("Choose the account it is sent from.", code="NO_ACCOUNT")
    account_demand(viewer, account)
    sender_demand(viewer, campaign)
    if account.status == AccountStatus.UNTESTED:
        raise Conflict("This account was never checked. Check its settings first.", code="ACCOUNT_UNTESTED")
    platform_demand(account)
    sample = contact_fields(sample_contact(viewer, campaign, contact_id))
    compiled = campaign_compiled(campaign, account, eight_bit=False)

    def queued(address: str, name: str) -> Message:
        def build(addressing: Addressing, delivery_id: int) -> bytes:
            values, _ = addressing.values(delivery_id, address=address, name=name, fields=sample)
            return b"".join(compiled.render(values).segments)

        return message_queue(
            account=account,
            recipient=address,
            purpose="test",
            subject=campaign.subject,
            build=build,
            user_id=viewer.user.id,
            campaign_id=campaign.id,
        )

    if not to:
        return queued(viewer.user.email, viewer.user.name)
    with transaction.atomic():
        return [queued(parse(address).spec, "") for address in to][-1]
