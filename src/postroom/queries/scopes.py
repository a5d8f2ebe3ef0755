"""Scopes of API tokens: a closed list, "noun:read" and "noun:write"; every address of the API belongs to one."""

from django.utils.translation import gettext_lazy as _

#: First part of an address below /api/v1/ -> the noun of its scope. What stands in no line is closed to tokens.
NOUNS = {
    "accounts": "accounts",
    "approvals": "accounts",
    "archive": "archive",
    "audit": "audit",
    "campaigns": "campaigns",
    "contacts": "contacts",
    "conversations": "messages",
    "deliveries": "campaigns",
    "domains": "domains",
    "exclusions": "exclusions",
    "groups": "groups",
    "imports": "contacts",
    "invitations": "people",
    "lists": "contacts",
    "log": "status",
    "members": "people",
    "messages": "messages",
    "probes": "accounts",
    "profiles": "people",
    "records": "records",
    "sending": "workspaces",
    "status": "status",
    "suppressions": "suppressions",
    "templates": "templates",
    "tokens": "tokens",
    "types": "types",
    "webhooks": "webhooks",
    "workspaces": "workspaces",
}

#: What each noun is called where a token is made.
WORDS = {
    "accounts": _("Mail accounts"),
    "archive": _("Archive of what was sent"),
    "audit": _("Audit trail"),
    "campaigns": _("Campaigns and what became of each message"),
    "contacts": _("Contacts, lists and imports"),
    "domains": _("Domains"),
    "exclusions": _("Exclusion sets"),
    "groups": _("E-mail groups, their members and postings"),
    "messages": _("Messages"),
    "people": _("People, profiles and invitations"),
    "records": _("Firms and records"),
    "status": _("Mailer status and log"),
    "suppressions": _("Suppressed addresses"),
    "templates": _("Templates"),
    "tokens": _("API tokens"),
    "types": _("Message types"),
    "webhooks": _("Webhooks"),
    "workspaces": _("Workspaces and their limits"),
}

SCOPES = tuple(f"{noun}:{verb}" for noun in sorted(set(NOUNS.values())) for verb in ("read", "write"))

_READS = {"GET", "HEAD", "OPTIONS"}


def scope_of(method: str, path: str) -> str | None:
    """The scope that a request needs. path: below /api/v1/, as "campaigns/7/start". None: no token may do this."""
    noun = NOUNS.get(path.strip("/").split("/", 1)[0])
    return None if noun is None else f"{noun}:{'read' if method.upper() in _READS else 'write'}"


def allows(scopes: frozenset[str], method: str, path: str) -> bool:
    """Who may write a noun may read it."""
    needed = scope_of(method, path)
    if needed is None:
        return False
    return needed in scopes or needed.replace(":read", ":write") in scopes
