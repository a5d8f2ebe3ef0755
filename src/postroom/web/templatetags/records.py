"""{% record_word kind %}, {% record_icon kind %}: what it is; {% record_mail message viewer %}: where its mail is read.

`{% load records %}`
"""

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString

from postroom.models.message import Message
from postroom.queries.viewer import Viewer
from postroom.web.records.forms import KINDS, KINDS_MANY
from postroom.web.templatetags.pr import icon

register = template.Library()
_WORDS = dict(KINDS)
_ICONS = {kind: name for kind, _word, name in KINDS_MANY}


@register.simple_tag
def record_word(kind: str) -> str:
    return str(_WORDS.get(kind, kind))


@register.simple_tag
def record_icon(kind: str) -> SafeString:
    return icon(_ICONS.get(kind, "link"), "mute")


@register.simple_tag
def record_mail(message: Message, viewer: Viewer) -> str:
    """One's own and all for who manages: the archive; else the conversation it stands in; "" where there is none."""
    if message.direction == "out" and (viewer.manages or message.user_id == viewer.user.id):
        return reverse("archive_message", args=[message.id])
    return reverse("mail_entry", args=[message.id]) if message.conversation_id else ""
