"""Words and times of a campaign's rows. `{% load campaign %}`"""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from postroom.models.delivery import Delivery
from postroom.web.campaigns import words

register = template.Library()


@register.filter
def skip_words(reason: str) -> str:
    return words.skip_words(reason)


@register.filter
def failure_words(row: Delivery) -> str:
    return words.failure_words(row.reason, row.bounce_class)


@register.filter
def moment(at: datetime | None) -> str:
    """To the second: a timeline is read for order. With the day when it is not today."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    today = local.date() == timezone.localdate()
    return date_format(local, "H:i:s" if today else "j M, H:i:s")


@register.filter
def entry_word(word: str, what: str) -> str:
    """The heading of a timeline entry; what is no state has a word of its own here."""
    return {
        "reply": _("Answered"),
        "auto_reply": _("Automatic answer"),
        "unsubscribe": _("Unsubscribed"),
        "complaint": _("Complaint"),
        "other": _("Message"),
        "subscribe": _("Asks to be written to"),
    }.get(what, str(word))
