"""What the options of a group are called, and what comes of them, in sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.models.group import WhoMayPost
from postroom.queries.group import RECOMMENDED


@dataclass(frozen=True)
class Option:
    """name: column; label says what is so when it is on; on: as it stands; recommended: how it should."""

    name: str
    label: str
    hint: str
    on: bool
    recommended: bool


def options_shown(values: Mapping[str, Any]) -> tuple[list[Option], list[Option]]:
    """The eight options: how mail is shared out; what is turned away and reported. values: column -> as it stands."""
    shared = (
        (
            "set_reply_to",
            _("Replies go to the group"),
            _("A member's reply reaches the whole group, and also the outside author of the first message."),
        ),
        (
            "expand",
            _("One copy each"),
            _("Somebody who is also in a sub-group gets the message once, not twice."),
        ),
        (
            "remove_author",
            _("Not back to its author"),
            _("A member who writes to the group gets no copy of their own message."),
        ),
        (
            "remove_to_and_cc",
            _("Not twice to those in To and Cc"),
            _("Members named in To or Cc are left out, because they have their copy already."),
        ),
    )
    turned = (
        (
            "reject_automatic",
            _("Refuse automatic messages"),
            _(
                "Out-of-office notes, reports and newsletters are refused, so that nothing can run in circles."
            ),
        ),
        (
            "email_disabled",
            _("Closed for mail"),
            _("Mail to the group is refused with a clear answer; members and settings are kept."),
        ),
        (
            "final_delivery",
            _("One delivery report for the group"),
            _(
                "An author who asks gets one report when all copies are on their way; later failures go to"
                " the managers."
            ),
        ),
        (
            "signal_disabled",
            _("No live signals"),
            _("Short live messages to the members' screens and chats are refused."),
        ),
    )

    def made(rows: tuple[tuple[str, str, str], ...]) -> list[Option]:
        return [
            Option(name, label, hint, bool(values[name]), RECOMMENDED[name]) for name, label, hint in rows
        ]

    return made(shared), made(turned)


@dataclass(frozen=True)
class Happens:
    icon: str
    colour: str
    case: str
    then: str


def what_happens(values: Mapping[str, Any], reached: int) -> list[Happens]:
    """What becomes of a mail. values: columns of the group as they stand or would be; reached: people behind it."""
    return [
        _outsider(values, reached),
        _answer(values),
        Happens(
            "robot",
            "mute",
            _("An out-of-office note comes."),
            _("It is refused.")
            if values["reject_automatic"] or values["email_disabled"]
            else _("Every member gets it."),
        ),
        Happens(
            "file-text",
            "mute",
            _("The author wants a report."),
            _("One comes from the group.") if values["final_delivery"] else _("One comes for each member."),
        ),
    ]


def _outsider(values: Mapping[str, Any], reached: int) -> Happens:
    case = _("Someone outside writes.")
    if values["email_disabled"]:
        return Happens("mail-off", "bad", case, _("The mail is refused: the group is closed."))
    if values["who_may_post"] in (WhoMayPost.MEMBERS, WhoMayPost.NAMED):
        return Happens("mail-off", "wait", case, _("The mail is refused: they may not write to it."))
    if reached == 0:
        return Happens("mail-off", "wait", case, _("Nobody gets it: the group has no members."))
    words = ngettext("%(n)s person gets one copy.", "%(n)s people get one copy each.", reached)
    if not values["expand"]:
        words = ngettext(
            "%(n)s person gets a copy.",
            "%(n)s people get a copy; who is in several groups gets several.",
            reached,
        )
    if values["who_may_post"] == WhoMayPost.APPROVED:
        held = _("It waits until a manager approves it.")
        return Happens("hourglass-empty", "wait", case, f"{held} {words % {'n': reached}}")
    return Happens("mail-down", "ok", case, words % {"n": reached})


def _answer(values: Mapping[str, Any]) -> Happens:
    case = _("A member answers.")
    if not values["set_reply_to"]:
        return Happens("corner-up-left", "wait", case, _("Only the author gets it."))
    if values["include_external_author"]:
        return Happens("corner-up-left", "ok", case, _("The group and the outsider get it."))
    return Happens("corner-up-left", "ok", case, _("The group gets it, an outsider does not."))


def who_choices() -> list[tuple[str, str]]:
    return [
        (WhoMayPost.ANYONE, _("Anyone")),
        (WhoMayPost.MEMBERS, _("Members only")),
        (WhoMayPost.NAMED, _("Named people")),
        (WhoMayPost.APPROVED, _("Anyone, after approval")),
    ]


#: Kind of a member -> icon; state -> colour of its word.
def kind_words() -> dict[str, tuple[str, str]]:
    return {
        "local": ("mailbox", _("Of the firm")),
        "group": ("users-group", _("Group")),
        "external": ("world", _("Outside")),
    }


def state_words() -> dict[str, tuple[str, str, str]]:
    """State of a member -> icon, colour, word."""
    return {
        "active": ("circle-check", "ok", _("Gets mail")),
        "paused": ("player-pause", "wait", _("Paused")),
        "unconfirmed": ("help-hexagon", "doubt", _("Asked, has not answered")),
    }


def posting_words() -> dict[str, tuple[str, str, str]]:
    """State of a posting -> icon, colour, word."""
    return {
        "taken": ("circle-dashed", "mute", _("Taken")),
        "held": ("hourglass-empty", "wait", _("Waits for a decision")),
        "sent": ("circle-check", "ok", _("Sent to the members")),
        "dropped": ("player-skip-forward", "mute", _("Not sent")),
        "refused": ("ban", "bad", _("Refused")),
    }


def reason_words(reason: str) -> str:
    """Why a posting was refused, held or thrown away; the code itself where there are no words for it."""
    return {
        "": "",
        "approval": _("This group's mail waits for a manager."),
        "automatic": _("A machine wrote it."),
        "disabled": _("The group is closed for mail."),
        "fault": _("Something went wrong here before its copies were made; let through, it is tried again."),
        "gone": _("There was no such group any more."),
        "loop": _("It had been through this group before."),
        "nobody": _("There is nobody to send it to."),
        "rejected": _("A manager threw it away."),
        "too_big": _("It is larger than the group takes."),
        "not_allowed": _("Its author may not write to this group."),
        "not_proved": _("Nothing proves that it is from who it says."),
    }.get(reason, reason)
