"""Read receipts that senders ask us for: a person sends one or passes over it, once, and never a program (RC-13)."""

import socket

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.message import message_queue
from postroom.errors import Conflict, NotAllowed, NotFound
from postroom.mail.receipt_answer import Asked, Receipt, asked, report
from postroom.models.account import Account
from postroom.models.mailbox import MailboxChange, Placement
from postroom.models.message import Message
from postroom.models.profile import May
from postroom.queries.account import accounts_usable_by
from postroom.queries.content import Addressing
from postroom.queries.conversation import message_in
from postroom.queries.platform import platform_demand
from postroom.queries.reading import headers_of
from postroom.queries.viewer import Viewer

SENT, IGNORED = "sent", "ignored"


@transaction.atomic
def receipt_send(*, viewer: Viewer, message_id: int) -> Message:
    """Tell the sender that it was read; the report as queued.

    Raises NotFound, NotAllowed (the account may be read only), Conflict RECEIPT_REFUSED (details: why), RECEIPT_DONE.
    """
    message, wanted = _open_one(viewer, message_id)
    account = (
        accounts_usable_by(viewer).select_related("workspace").filter(id=message.account_id or 0).first()
    )
    if account is None:
        raise NotAllowed(details={"may": str(May.USE)})
    platform_demand(account)
    sent = _queue(viewer, account, message, wanted)
    message.receipt_state = SENT
    message.save(update_fields=["receipt_state"])
    _tell_server(viewer, message)
    audit(viewer, "receipt_sent", "message", message.id, to=wanted.to)
    return sent


@transaction.atomic
def receipt_ignore(*, viewer: Viewer, message_id: int) -> Message:
    """Nobody is told, and nobody is asked again. Raises as `receipt_send`."""
    message, _wanted = _open_one(viewer, message_id)
    message.receipt_state = IGNORED
    message.save(update_fields=["receipt_state"])
    return message


@transaction.atomic
def receipt_ask_again(*, viewer: Viewer, message_id: int) -> Message:
    """Take passing over it back. Raises NotFound, Conflict RECEIPT_DONE when one was sent meanwhile."""
    message = _locked(viewer, message_id)
    if message.receipt_state != IGNORED:
        raise Conflict(_("This was decided already."), code="RECEIPT_DONE")
    message.receipt_state = ""
    message.save(update_fields=["receipt_state"])
    return message


def _locked(viewer: Viewer, message_id: int) -> Message:
    number = message_in(viewer, message_id).id
    return Message.objects.select_for_update().get(id=number)


def _open_one(viewer: Viewer, message_id: int) -> tuple[Message, Asked]:
    """The mail, locked, and what it asks for."""
    message = _locked(viewer, message_id)
    wanted = asked(headers_of(message)) if message.direction == "in" else None
    if wanted is None:
        raise NotFound("This message asks for no receipt.")
    if wanted.refused:
        words = _("A receipt for this message may not be sent: nobody wrote it to you alone.")
        raise Conflict(words, code="RECEIPT_REFUSED", details={"why": wanted.refused})
    done = Placement.objects.filter(message=message, is_receipt_sent=True).exists()
    twin = Message.objects.filter(
        workspace=message.workspace_id,
        account=message.account_id,
        message_id=message.message_id,
        receipt_state=SENT,
    )
    if done or message.receipt_state or (message.message_id and twin.exists()):
        raise Conflict(_("This was decided already."), code="RECEIPT_DONE")
    return message, wanted


def _queue(viewer: Viewer, account: Account, message: Message, wanted: Asked) -> Message:
    now = timezone.localtime()
    subject = _("Read: %(subject)s") % {"subject": message.subject}
    when = date_format(timezone.localtime(message.at or message.created_at), "DATETIME_FORMAT")
    text = _(
        "Your message “%(subject)s” of %(when)s was displayed to %(who)s. "
        "This does not say that it was understood or agreed to."
    ) % {"subject": message.subject, "when": when, "who": account.address}

    def build(addressing: Addressing, delivery_id: int) -> bytes:
        return report(
            Receipt(
                header_from=(account.display_name, account.address),
                to=wanted.to,
                subject=subject,
                message_id=f"<{addressing.token(delivery_id)}@{account.address.rpartition('@')[2]}>",
                at=now,
                headers=headers_of(message),
                text=text + "\n",
                host=socket.gethostname(),
            )
        )

    return message_queue(
        account=account,
        recipient=wanted.to,
        purpose="receipt",
        subject=subject,
        build=build,
        user_id=viewer.user.id,
    )


def _tell_server(viewer: Viewer, message: Message) -> None:
    """$MDNSent (RFC 3503), so that no other program asks for it."""
    placed = Placement.objects.filter(message=message, gone_at=None, folder__account__is_mailbox=True)
    MailboxChange.objects.bulk_create(
        MailboxChange(
            account_id=account_id,
            action="receipt_sent",
            placement_id=number,
            user=viewer.user,
            next_at=timezone.now(),
        )
        for number, account_id in placed.values_list("id", "folder__account_id")
    )
