"""Words, times and addresses of the inbox. `{% load conversations %}`"""

import re
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from postroom.mail.smime_read import Chain, Signature, Verdict
from postroom.models.conversation import Conversation
from postroom.models.message import Message
from postroom.queries.conversation import COUNT_MOST
from postroom.web.conversations.place import Place
from postroom.web.states import look
from postroom.web.templatetags.pr import avatar, icon, num, poll, short_date, when

register = template.Library()

_LINK = re.compile(r"\bhttps?://[^\s<>\"'“”«»]{2,2000}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")
_TRAIL = ".,;:!?)]}…"
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")


@register.filter
def mail_text(text: str) -> SafeString:
    """Plain text of a stranger as paragraphs; addresses in it become links that tell nothing of where one was."""
    pieces = [piece for piece in _PARAGRAPHS.split(text.strip("\n")) if piece.strip()]
    return mark_safe("".join(f"<p>{_linked(piece)}</p>" for piece in pieces))


def _linked(text: str) -> str:
    pieces: list[str] = []
    at = 0
    for found in _LINK.finditer(text):
        address = found[0].rstrip(_TRAIL)
        url = address if address.startswith("http") else f"mailto:{address}"
        rest = ' target="_blank" rel="noopener noreferrer nofollow"' if address.startswith("http") else ""
        pieces += (escape(text[at : found.start()]), f'<a href="{escape(url)}"{rest}>{escape(address)}</a>')
        at = found.start() + len(address)
    pieces.append(escape(text[at:]))
    return "".join(pieces).replace("\n", "<br>")


@register.filter
def row_time(moment: datetime | None) -> str:
    """As short as a list has room for: 10:48, yesterday, Mon, 3 Mar, 3 Mar 2025."""
    if moment is None:
        return ""
    local, today = timezone.localtime(moment), timezone.localdate()
    if local.date() == today:
        return date_format(local, "H:i")
    if local.date() == today - timedelta(days=1):
        return _("yesterday")
    if today - timedelta(days=6) < local.date() < today:
        return date_format(local, "D")
    return short_date(local, "j M" if local.year == today.year else "j M Y")


@register.filter
def person(conversation: Conversation) -> str:
    return conversation.person_name or conversation.person_address or _("Without sender")


@register.filter
def first_name(user: object) -> str:
    """What colleagues call each other."""
    return str(user).split()[0] if str(user).split() else ""


@register.filter
def writer(message: Message) -> str:
    """Who wrote a mail: a colleague, or the name a stranger gives themselves."""
    if message.direction == "out" and message.user is not None:
        return str(message.user)
    return message.from_name or message.from_address or _("Without sender")


@register.simple_tag
def writer_avatar(message: Message) -> SafeString:
    """A colleague's colour follows the person, a stranger's is always the same."""
    if message.direction == "out" and message.user is not None:
        return avatar(message.user)
    return avatar(writer(message), "is-d")


@register.filter
def local_part(address: str) -> str:
    return address.rpartition("@")[0]


@register.simple_tag
def upto(number: int) -> str:
    """A count that was not taken further than COUNT_MOST."""
    return f"{num(COUNT_MOST - 1)}+" if number >= COUNT_MOST else num(number)


@register.simple_tag
def box_url(place: Place, account: int | None = None) -> str:
    return place.with_account(account)


@register.simple_tag
def shelf_url(place: Place, shelf: str) -> str:
    return place.with_shelf(shelf)


@register.simple_tag
def before_url(place: Place, before: str) -> str:
    return place.with_before(before)


@register.simple_tag
def shelf_poll(place: Place, current: int | None, version: str) -> SafeString:
    query = place.query
    if current:
        query += f"{'&' if query else '?'}open={current}"
    return poll(reverse("shelf") + query, version)


@register.simple_tag
def flow_poll(conversation: Conversation, version: str) -> SafeString:
    return poll(reverse("conversation_flow", args=[conversation.id]), version)


@register.simple_tag
def fate(name: str, at: datetime | None, number: int) -> SafeString:
    """What became of a mail of ours: "Delivered 16:18", or with several recipients "3 delivered"."""
    shown = look(name)
    words: Any = f"{shown.word} {when(at)}".strip() if number == 1 else f"{num(number)} {shown.plural}"
    return format_html("{}{}", icon(shown.icon, shown.colour), words)


@register.simple_tag
def signature_words(signature: Signature) -> SafeString:
    """What an S/MIME signature is worth, in a sentence."""
    name = signature.name or ", ".join(signature.addresses) or "–"
    if signature.verdict is Verdict.BROKEN:
        said = ("bad", _("The signature does not fit: the message was changed after it was signed."))
    elif signature.verdict is Verdict.UNREADABLE:
        said = ("wait", _("It has a signature that cannot be read."))
    elif not signature.is_sender:
        said = (
            "bad",
            _("Signed by %(name)s, which is not the address it claims to be from.") % {"name": name},
        )
    elif signature.chain is Chain.EXPIRED:
        said = ("wait", _("Signed by %(name)s; the certificate is no longer valid.") % {"name": name})
    elif signature.chain is Chain.UNKNOWN:
        words = _("Signed by %(name)s; this computer does not know %(issuer)s, who vouches for it.")
        said = ("wait", words % {"name": name, "issuer": signature.issuer or "–"})
    elif signature.is_weak:
        said = ("wait", _("Signed by %(name)s, in a way that is no longer safe.") % {"name": name})
    else:
        said = ("ok", _("Signed by %(name)s") % {"name": name})
    return format_html('<span class="pr-state">{}{}</span>', icon("certificate", said[0]), said[1])
