"""Sentences for clerks: what a state, a skip or a report means."""

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from postroom.queries.delivery import Entry


def skip_words(reason: str) -> str:
    """Why somebody got nothing."""
    return {
        "suppressed_shared": _("Suppressed by the firm."),
        "suppressed_personal": _("Suppressed by the sender."),
        "unsubscribed": _("Has unsubscribed."),
        "hard_bounced": _("The address does not exist any more."),
        "invalid_syntax": _("The address is not valid."),
        "render_error": _("A field of the message has no value."),
        "duplicate_in_run": _("Gets it from another campaign of the same mailing."),
        "attachment_missing": _("There is no file for this person."),
        "cancelled": _("The campaign was cancelled before."),
    }.get(reason, reason)


def failure_words(reason: str, bounce_class: str) -> str:
    """Why it failed, by class."""
    if reason == "cancelled":
        return _("The campaign was cancelled while this waited for another try.")
    if reason == "expired":
        return _("Their server asked to wait too many times; given up.")
    return {
        "address_gone": _("There is no such address. It is suppressed now."),
        "mailbox_state": _("Their mailbox cannot take it now; the address stays in use."),
        "sender": _("Their server refuses us or this message; the address stays in use."),
        "infrastructure": _("A technical fault on the way; the address stays in use."),
    }.get(bounce_class, _("Their server refused it for good."))


def sentence(entry: Entry) -> str:
    """What an entry of the timeline means."""
    reason = str(entry.detail.get("reason", ""))
    if entry.decided:
        return _("%(who)s decided: %(what)s.") % {"who": entry.by, "what": _(entry.decided)}
    if entry.strength == "likely":
        return _("Probably about this message: recipient and time agree.")
    if entry.what == "deferred":
        retry_at = entry.detail.get("retry_at")
        begin = _("Try %(n)s. Their server asks to wait.") % {"n": entry.number or 1}
        if retry_at is None:
            return begin
        return f"{begin} " + _("Next try at %(time)s.") % {"time": date_format(localtime(retry_at), "H:i:s")}
    if entry.what == "accepted" and entry.number:
        return _("Try %(n)s. Taken over by their server.") % {"n": entry.number}
    if entry.what == "skipped":
        return skip_words(reason)
    if entry.what in ("failed", "bounced"):
        return failure_words(reason, "") if reason in ("cancelled", "expired") else _plain(entry.what)
    return _plain(entry.what)


def _plain(what: str) -> str:
    return {
        "accepted": _("A report proved that their server took it over."),
        "failed": _("Their server refused it for good."),
        "uncertain": _("The message was handed over, but no answer came."),
        "delivered": _("Their server put it into the mailbox."),
        "relayed": _("Passed on to a server that sends no reports."),
        "expanded": _("The address is a list or an alias; it went to its members."),
        "delayed": _("Their server has it and keeps trying."),
        "bounced": _("It came back."),
        "displayed": _("Confirmed by the reader."),
        "heuristic": _("An answer that looks like a receipt."),
        "deleted_unread": _("Deleted without being shown."),
        "automatic": _("A machine confirmed it, not a person."),
        "auto_reply": _("An automatic answer, such as a holiday note."),
        "reply": _("A person answered. The answer is in Messages."),
        "unsubscribe": _("Asked to get no more. The address is suppressed."),
        "complaint": _("Reported as unwanted mail. The address is suppressed."),
    }.get(what, "")


#: So that the words of decisions are translated.
_DECISIONS = (_("send again"), _("counted as accepted"))
