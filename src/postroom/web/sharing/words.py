"""Sharing in plain words: what each noun is called, and what can be allowed with it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from postroom.models.profile import May, Visibility

#: noun -> what may be done with it, as a clerk says it. What is not named makes no sense for the noun.
ALLOWED: Mapping[str, Mapping[str, Promise]] = {
    "list": {
        May.VIEW: gettext_lazy("See who is on it"),
        May.USE: gettext_lazy("Send to it"),
        May.EDIT: gettext_lazy("Change it"),
        May.EXPORT: gettext_lazy("Take it out as a file"),
    },
    "template": {
        May.VIEW: gettext_lazy("Read it"),
        May.USE: gettext_lazy("Send with it"),
        May.EDIT: gettext_lazy("Change it"),
    },
    "type": {May.USE: gettext_lazy("Choose it for mails"), May.EDIT: gettext_lazy("Change it")},
    "campaign": {
        May.VIEW: gettext_lazy("See it and who got it"),
        May.EDIT: gettext_lazy("Change, start and stop it"),
        May.EXPORT: gettext_lazy("Take its report out as a file"),
    },
    "exclusion": {
        May.VIEW: gettext_lazy("See what is in it"),
        May.USE: gettext_lazy("Leave these people out"),
        May.EDIT: gettext_lazy("Change it"),
        May.EXPORT: gettext_lazy("Take it out as a file"),
    },
    "account": {
        May.VIEW: gettext_lazy("Read its mailbox"),
        May.USE: gettext_lazy("Send from it"),
        May.EDIT: gettext_lazy("Manage it"),
    },
}

#: Where a noun's things stand, for the way back.
PAGES = {
    "list": "/contacts/lists/",
    "template": "/templates/",
    "type": "/settings/types/",
    "campaign": "/campaigns/",
    "exclusion": "/contacts/exclusions/",
    "account": "/settings/accounts/",
}


def allowed_words(noun: str) -> dict[str, Promise]:
    found = ALLOWED.get(noun) or ALLOWED["exclusion"]
    return {str(may): words for may, words in found.items()}


def completed(noun: str, words: list[str]) -> list[str]:
    """A message type that may be chosen may be seen."""
    return [*words, str(May.VIEW)] if noun == "type" and words and May.VIEW not in words else words


def shared_words(noun: str, visibility: str, profiles: int, people: int) -> tuple[str, str]:
    """(icon, words) of the pill."""
    if visibility == Visibility.WORKSPACE:
        return "world", _("Everybody")
    if visibility == Visibility.PRIVATE or not (profiles or people):
        return "lock", _("Administrators only") if noun == "type" else _("Private")
    to_profiles = ngettext("%(n)s profile", "%(n)s profiles", profiles) % {"n": profiles} if profiles else ""
    to_people = ngettext("%(n)s person", "%(n)s people", people) % {"n": people} if people else ""
    who = ", ".join(part for part in (to_profiles, to_people) if part)
    return "users", _("Shared with %(who)s") % {"who": who}
