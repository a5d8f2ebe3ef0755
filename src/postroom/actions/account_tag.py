"""Whether mail to `name+tag@domain` reaches an account's mailbox: tried, and believed only once seen (SA-17)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from postroom.actions.account_letter import letter_made
from postroom.actions.log import Note, log_note
from postroom.conf import keys
from postroom.errors import BadAddress
from postroom.mail.address import canonical, parse
from postroom.mail.envelope import tagged
from postroom.mail.token import LENGTH, TAG, token_make
from postroom.models.account import Account, Probe

PROBE_TAG = "probe"


def tag_number(address: str) -> int:
    """48 bits that stand for an address: what is found out holds for it, also before an account is saved."""
    return int.from_bytes(hashlib.sha256(canonical(address).encode()).digest()[:6], "big")


def tag_letter(probe: Probe, form: Mapping[str, Any]) -> tuple[str, str, bytes] | None:
    """(mail_from, recipient, raw) of the message from and to `name+probe@domain`, as one more test message.

    None where none was asked for, where nobody would read it or a tag would not be used, and where one has gone to
    this address already that lately.
    """
    if not probe.letter_to or not form.get("imap_host") or probe.workspace.bounce_host:
        return None
    try:
        address = parse(form["address"]).spec
    except BadAddress:
        return None
    recipient = tagged(address, PROBE_TAG)
    tried = Probe.objects.filter(workspace=probe.workspace, result__tag__address=address)
    if not recipient or not tagged(address, "x" * LENGTH) or tried.exists():
        return None
    with translation.override(probe.user.language):
        subject = _("Postroom: does a tag in the address work?")
        body = _(
            "This message went to %(address)s. If it arrives, returned mail will carry such a tag, and Postroom "
            "knows at once which message it speaks of."
        ) % {"address": recipient}
    raw = letter_made(
        sender=address,
        recipient=recipient,
        token=token_make(tag_number(address), keys.current().token_keys[0], TAG),
        subject=subject,
        body=body,
        now=timezone.now(),
    )
    return recipient, recipient, raw


def tag_told(*, account_id: int, number: int, works: bool) -> None:
    """The message arrived in the account's mailbox, or a report says that it did not. Other addresses' are ignored."""
    account = Account.objects.select_for_update().filter(id=account_id, deleted_at=None).first()
    if account is None or account.plus_tag == works or tag_number(account.address) != number:
        return
    account.plus_tag = works
    account.save(update_fields=["plus_tag"])
    words = (
        "Returned mail carries a tag in its address from now on."
        if works
        else "Mail to a tagged address comes back: no tags any more."
    )
    level = "info" if works else "warning"
    log_note(Note(account.workspace_id, account.id, "in", "collect", words, level))
