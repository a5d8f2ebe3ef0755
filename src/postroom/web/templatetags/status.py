"""Words of the mailer's status. `{% load status %}`"""

from dataclasses import dataclass

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.queries.log_line import Line
from postroom.queries.status import Reading, StatusRow
from postroom.web.accounts.advice import ADVICE
from postroom.web.said import said_with_reply
from postroom.web.states import look
from postroom.web.templatetags.pr import icon, num, when
from postroom.web.templatetags.sending import window

register = template.Library()


@dataclass(frozen=True)
class _Look:
    icon: str
    colour: str


_READING = {
    "none": _Look("minus", "mute"),
    "off": _Look("minus", "mute"),
    "idle": _Look("circle-dashed", "mute"),
    "syncing": _Look("refresh", "ink"),
    "ok": _Look("circle-check", "ok"),
    "error": _Look("clock-exclamation", "wait"),
    "auth_failed": _Look("circle-x", "bad"),
}


@register.simple_tag
def reading_icon(reading: Reading) -> SafeString:
    found = _READING[reading.state]
    return icon(found.icon, found.colour)


@register.filter
def reading_words(reading: Reading) -> str:
    """ "Reading, 14 of 52", "Up to date", "Off, password refused"."""
    next_at = when(reading.next_at)
    match reading.state:
        case "none":
            return _("Has no mailbox")
        case "syncing" if reading.to_take:
            return _("Reading, %(n)s of %(m)s") % {"n": num(reading.taken), "m": num(reading.to_take)}
        case "syncing":
            return _("Reading begins")
        case "ok" if reading.last_new:
            return ngettext("Up to date, one new mail", "Up to date, %(n)s new mails", reading.last_new) % {
                "n": num(reading.last_new)
            }
        case "ok":
            return _("Up to date")
        case "idle":
            return _("On, not read yet")
        case "auth_failed" if reading.is_on:
            return _("Password refused, next try %(at)s") % {"at": next_at}
        case "auth_failed":
            return _("Off, password refused")
        case "error":
            known = ADVICE.get(reading.code.lower())
            words = {"why": str(known[0]) if known else _("Trouble"), "at": next_at}
            return _("%(why)s, next try %(at)s") % words if next_at else str(words["why"])
    return _("Off")


@register.filter
def reading_more(reading: Reading) -> str:
    """What stands below it: the error in words, since when, who switched it off."""
    if reading.state in ("error", "auth_failed") and reading.words:
        since = when(reading.since)
        words = said_with_reply(reading.words)
        return _("%(words)s Since %(at)s.") % {"words": words, "at": since} if since else words
    if reading.state == "off" and reading.by and reading.switched_at:
        return _("%(who)s, %(at)s") % {"who": reading.by, "at": when(reading.switched_at)}
    return ""


@register.filter
def sending_words(row: StatusRow) -> str:
    """ "38 of 40 a minute", or why it does not send."""
    side = row.row.sending
    if side.state not in ("ok", "untested", "approved", "paused_limit"):
        return str(look(side.state).word)
    if row.used:
        return window(row.used) if row.used.used else _("idle")
    if row.minute:
        return _("%(n)s in the last minute, no limit") % {"n": num(row.minute)}
    return _("idle")


@register.filter
def sending_rail(row: StatusRow) -> list[tuple[str, int]]:
    """For {% rail %}: used in ink, in amber when nothing is left."""
    used = row.used
    if used is None or not used.used or row.row.sending.state in ("failing", "paused", "suspended"):
        return []
    if used.is_full:
        return [("wait", 1)]
    return [("ink", used.used), ("", used.limit - used.used)]


_LINE = {"info": ("circle-check", "ok"), "warning": ("clock-pause", "wait"), "error": ("circle-x", "bad")}


@register.simple_tag
def line_icon(line: Line) -> SafeString:
    """Of the state where there is one; its word for who does not see it."""
    if line.kind in ("delivery", "event"):
        shown = look(
            {"failure": "bounced", "read": "displayed", "deleted": "deleted_unread"}.get(
                line.stage, line.stage
            )
        )
        if shown.icon != "circle-dotted":
            return icon(shown.icon, shown.colour)
    if line.kind == "log" and line.level == "info":
        return icon("mail-down" if line.direction == "in" else "plug", "mute")
    return icon(*_LINE[line.level])


@register.filter
def line_where(line: Line) -> str:
    """ "Sales, SMTP": the account and which side of it."""
    reads = "IMAP" if line.kind == "log" and line.account_id else _("incoming")
    side = line.source or ({"out": "SMTP", "in": reads}.get(line.direction, ""))
    return ", ".join(part for part in (line.account, side) if part)


@register.filter
def line_words(line: Line) -> str:
    words = said_with_reply(line.words) if line.kind == "log" else line.words
    if not words and line.kind in ("event", "delivery"):
        words = str(look({"failure": "bounced"}.get(line.stage, line.stage)).word)
    if line.retry_at:
        words = _("%(words)s, next try %(at)s") % {"words": words, "at": when(line.retry_at)}
    return words


@register.filter
def line_time(line: Line) -> str:
    local = timezone.localtime(line.at)
    today = local.date() == timezone.localdate()
    return date_format(local, "H:i:s") if today else f"{when(line.at)}:{local:%S}"
