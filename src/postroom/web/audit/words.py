"""The audit trail in plain words. What is not known here is shown as it was stored."""

from typing import Any

from django.utils.translation import gettext_lazy as _

NOUNS = {
    "account": _("Mail account"),
    "campaign": _("Campaign"),
    "contact": _("Contact"),
    "domain": _("Domain"),
    "instance": _("Installation"),
    "exclusion": _("Exclusion set"),
    "group": _("Group"),
    "invitation": _("Invitation"),
    "list": _("List"),
    "message": _("Message"),
    "profile": _("Profile"),
    "record": _("Record"),
    "suppression": _("Suppressed address"),
    "suppression policy": _("Rule of suppressed addresses"),
    "template": _("Template"),
    "token": _("API token"),
    "type": _("Message type"),
    "user": _("Person"),
    "webhook": _("Webhook"),
    "workspace": _("Workspace"),
}

VERBS = {
    "added": _("added"),
    "added addresses": _("addresses added"),
    "added members": _("members added"),
    "asked again": _("asked again"),
    "applied exclusion": _("exclusion sets applied"),
    "approved": _("approved"),
    "cancelled": _("cancelled"),
    "changed": _("changed"),
    "copied": _("copied"),
    "decided: counted as accepted": _("doubt settled: counted as accepted"),
    "decided: send again": _("doubt settled: sent again"),
    "default": _("default template chosen"),
    "deleted": _("deleted"),
    "deleted an address": _("address deleted"),
    "file added": _("file added"),
    "file removed": _("file taken off"),
    "handed in": _("handed in for approval"),
    "invited": _("invited"),
    "invited again": _("invited again"),
    "joined": _("joined"),
    "limits": _("limits set"),
    "log kept": _("days of the log set"),
    "log taken in": _("older log taken in"),
    "made": _("made"),
    "made a key": _("key made"),
    "owner": _("given to another owner"),
    "paused": _("paused"),
    "people": _("people of it changed"),
    "profiles": _("profiles changed"),
    "promoted": _("own entries put on the shared list"),
    "put back": _("put back"),
    "rejected": _("rejected"),
    "removed": _("taken out of the workspace"),
    "removed members": _("members taken out"),
    "renamed": _("renamed"),
    "restored": _("brought back"),
    "resumed": _("resumed"),
    "revoked": _("revoked"),
    "role": _("role changed"),
    "secret": _("secret changed"),
    "shared": _("sharing changed"),
    "started": _("started"),
    "suspended": _("suspended"),
    "switched off": _("switched off"),
    "switched on": _("switched on"),
    "switched reading off": _("reading switched off"),
    "switched reading on": _("reading switched on"),
    "threw a key away": _("key thrown away"),
    "took back": _("taken back"),
    "took back exclusion": _("exclusion sets taken back"),
    "vouched for": _("counted as proved"),
    "vouched for the key": _("key counted as proved"),
    "changed the firm's mail server": _("firm's mail server changed"),
}

#: Details that have a place of their own.
_TOLD = {"name"}


def noun_word(noun: str) -> str:
    return str(NOUNS.get(noun, noun))


def verb_word(verb: str) -> str:
    return str(VERBS.get(verb, verb))


def details_words(details: dict[str, Any]) -> str:
    """ "role: admin; profiles: Office" of what was noted beside the name; "" for nothing."""
    parts = []
    for key, value in details.items():
        if key in _TOLD or value in ("", None, [], {}):
            continue
        shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        parts.append(f"{key}: {shown}")
    return "; ".join(parts)
