"""Words and times of a campaign's rows. `{% load campaign %}`"""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.models.delivery import Delivery
from postroom.web.campaigns import words
from postroom.web.templatetags.pr import short_date

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
    return short_date(local, "H:i:s" if today else "j M, H:i:s")


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


@register.filter
def lasts(minutes: float | None) -> str:
    """A length of time in words: "about 2 h 15 min"; "" for None."""
    if minutes is None:
        return ""
    whole = round(minutes)
    if whole < 1:
        return _("less than a minute")
    if whole < 60:
        return ngettext("about %(n)s minute", "about %(n)s minutes", whole) % {"n": whole}
    hours, rest = divmod(whole, 60)
    if hours < 48:
        return _("about %(h)s h %(m)s min") % {"h": hours, "m": rest}
    return _("about %(n)s days") % {"n": round(minutes / 1440)}


@register.filter
def lasts_short(minutes: float | None) -> SafeString | str:
    """The same as a figure with its unit beside it: "24 min left"."""
    if minutes is None:
        return ""
    if minutes < 1:
        return format_html("&lt; 1 <small>{}</small>", _("min left"))
    if minutes < 100:
        return format_html("{} <small>{}</small>", round(minutes), _("min left"))
    return format_html("{} <small>{}</small>", round(minutes / 60), _("h left"))
