"""The test message of a check of settings, to the person who asked for it (SA-27)."""

import zoneinfo
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from postroom.errors import BadAddress, Conflict, TooMany
from postroom.mail.address import parse
from postroom.mail.compose import Content, Mailbox, RecipientValues, compile_message
from postroom.models.account import Probe
from postroom.models.user import User

#: Test messages of one person in a minute.
MOST = 5


def letter_ask(user_id: int, form: Mapping[str, str]) -> str:
    """The address a test message may go to now: what the person signs in with, nothing else. The caller's transaction
    holds the person's row, so that two requests at once are counted one after the other.

    Raises BadAddress (of the account), Conflict NO_LOGIN_ADDRESS, TooMany TOO_MANY_TESTS.
    """
    user = User.objects.select_for_update().get(id=user_id)
    try:
        parse(form["address"])
    except BadAddress as error:
        raise BadAddress(error.message, field="address") from error
    try:
        address = parse(user.email).spec
    except BadAddress as error:
        raise Conflict(
            _("You sign in without an e-mail address, so there is nowhere to send a test message."),
            code="NO_LOGIN_ADDRESS",
        ) from error
    since = timezone.now() - timedelta(minutes=1)
    if Probe.objects.filter(user=user, created_at__gte=since).exclude(letter_to="").count() >= MOST:
        raise TooMany(
            _("At most %(n)s test messages a minute. Wait a little.") % {"n": MOST}, code="TOO_MANY_TESTS"
        )
    return address


def letter_of(probe: Probe, form: Mapping[str, Any]) -> tuple[str, str, bytes] | None:
    """(mail_from, recipient, raw) in the person's language; None when none was asked for."""
    if not probe.letter_to:
        return None
    sender, user = parse(form["address"]).spec, probe.user
    with translation.override(user.language):
        now = timezone.localtime(timezone.now(), zoneinfo.ZoneInfo(user.time_zone))
        values = {
            "account": form.get("name") or sender,
            "address": sender,
            "moment": date_format(now, "DATETIME_FORMAT"),
            "zone": user.time_zone,
            "user": f"{user} <{user.email}>" if user.name else user.email,
        }
        subject = _("Postroom: test of the account %(account)s") % values
        said = (
            _("This is a test message. Sending through the account %(account)s (%(address)s) works.") % values
        )
        asked = _("Asked for by %(user)s, %(moment)s (%(zone)s).") % values
    raw = letter_made(
        sender=sender,
        display_name=str(form.get("display_name") or ""),
        recipient=probe.letter_to,
        token=f"check{probe.id}",
        subject=subject,
        body=f"{said}\n\n{asked}\n",
        now=now,
    )
    return sender, probe.letter_to, raw


def letter_made(
    *, sender: str, recipient: str, token: str, subject: str, body: str, now: datetime, display_name: str = ""
) -> bytes:
    """A message of our own in plain text, with CRLF line ends."""
    content = Content(
        subject="{{ subject }}",
        html="",
        text="{{ body }}",
        header_from=Mailbox(display_name, sender),
        message_id_domain=sender.rpartition("@")[2],
        list_unsubscribe_mailto=False,
        eight_bit_allowed=False,
        extra_headers=(("Auto-Submitted", "auto-generated"),),
        empty_values=True,
    )
    compiled = compile_message(content, frozenset({"subject", "body"}), date=now)
    values = RecipientValues(address=recipient, token=token, fields={"subject": subject, "body": body})
    return b"".join(compiled.render(values).segments)
