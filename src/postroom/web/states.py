"""How every state is shown: word, word of the counter, icon, colour. UI.md, "Words for states"."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


@dataclass(frozen=True)
class Look:
    word: Promise
    icon: str
    colour: str  # ok, via, wait, bad, doubt, ink, mute
    #: The plural, beside a figure.
    plural: Promise
    #: Live or wants attention: stands in a soft pill.
    pill: bool = False


def _look(word: Promise, icon: str, colour: str, plural: Promise | None = None, pill: bool = False) -> Look:
    return Look(word, icon, colour, plural or word, pill)


LOOKS: dict[str, Look] = {
    # deliveries
    "queued": _look(_("Queued"), "circle-dashed", "mute", pgettext_lazy("many", "Queued")),
    "sending": _look(_("Sending"), "send", "ink", pgettext_lazy("many", "Sending"), pill=True),
    "accepted": _look(_("Accepted"), "circle-check", "ok", pgettext_lazy("many", "Accepted")),
    "deferred": _look(_("Deferred"), "clock-pause", "wait", pgettext_lazy("many", "Deferred")),
    "failed": _look(_("Failed"), "circle-x", "bad", pgettext_lazy("many", "Failed")),
    "uncertain": _look(
        _("Uncertain"), "help-hexagon", "doubt", pgettext_lazy("many", "Uncertain"), pill=True
    ),
    "skipped": _look(_("Skipped"), "player-skip-forward", "mute", pgettext_lazy("many", "Skipped")),
    # arrival
    "unknown": _look(_("No report"), "circle-dotted", "mute", pgettext_lazy("many", "No report")),
    "delivered": _look(_("Delivered"), "mailbox", "ok", pgettext_lazy("many", "Delivered")),
    "relayed": _look(_("Passed on"), "mail-forward", "via", pgettext_lazy("many", "Passed on")),
    "expanded": _look(_("Went to a list"), "arrows-split-2", "via", pgettext_lazy("many", "Went to a list")),
    "delayed": _look(_("Delayed"), "clock-exclamation", "wait", pgettext_lazy("many", "Delayed")),
    "bounced": _look(_("Returned"), "arrow-back-up", "bad", pgettext_lazy("many", "Returned")),
    # reading
    "none": _look(_("No answer"), "minus", "mute", pgettext_lazy("many", "No answer")),
    "displayed": _look(_("Read"), "mail-opened", "ink", pgettext_lazy("many", "Read")),
    "deleted_unread": _look(_("Deleted unread"), "trash", "wait", pgettext_lazy("many", "Deleted unread")),
    "automatic": _look(_("Automatic receipt"), "robot", "mute", pgettext_lazy("many", "Automatic receipt")),
    "heuristic": _look(_("Probably read"), "mail-question", "doubt", pgettext_lazy("many", "Probably read")),
    # what people did
    "replied": _look(_("Answered"), "corner-up-left", "ink"),
    "unsubscribed": _look(_("Unsubscribed"), "logout", "mute"),
    # entries of a timeline that are no state
    "reply": _look(_("Answered"), "corner-up-left", "ink"),
    "auto_reply": _look(_("Automatic answer"), "robot", "mute"),
    "unsubscribe": _look(_("Unsubscribed"), "logout", "mute"),
    "complaint": _look(_("Complaint"), "alert-triangle", "bad"),
    # campaigns
    "draft": _look(_("Draft"), "note", "mute"),
    "scheduled": _look(_("Scheduled"), "calendar-event", "mute"),
    "freezing": _look(_("Being prepared"), "send", "ink", pill=True),
    "running": _look(_("Sending"), "send", "ink", pill=True),
    "waiting": _look(_("Waiting its turn"), "hourglass-empty", "mute"),
    "waiting_for_slot": _look(_("Waiting its turn"), "hourglass-empty", "mute"),
    "paused": _look(_("Paused"), "player-pause", "wait", pill=True),
    "paused_limit": _look(_("Paused by limit"), "player-pause", "wait", pill=True),
    "needs_account": _look(_("Needs a mail account"), "plug", "bad", pill=True),
    "finished": _look(_("Finished"), "circle-check", "ok"),
    "cancelled": _look(_("Cancelled"), "circle-minus", "mute"),
    # accounts
    "ok": _look(pgettext_lazy("account", "Works"), "circle-check", "ok"),
    "untested": _look(_("Untested"), "help-hexagon", "doubt"),
    "pending": _look(_("Waiting for approval"), "hourglass-empty", "wait"),
    "approved": _look(_("Approved"), "circle-check", "ok"),
    "failing": _look(_("Failing"), "circle-x", "bad"),
    "rejected": _look(_("Rejected"), "ban", "bad"),
    "suspended": _look(_("Suspended"), "ban", "bad"),
    "syncing": _look(pgettext_lazy("mailbox", "Reading"), "refresh", "ink"),
    "off": _look(pgettext_lazy("account", "Off"), "minus", "mute"),
}


def look(state: str) -> Look:
    """A state without an entry is shown by its own name, so that nothing is hidden."""
    return LOOKS.get(state) or Look(state, "circle-dotted", "mute", state)  # type: ignore[arg-type]
