"""The chapters of the built-in help, and which of them speaks of which screen (CM-56).

The text of a chapter is a file a language: pages/<language>/<chapter>.html, its heading first.
"""

import re
from functools import cache
from pathlib import Path

from django.utils.translation import get_language

PAGES = Path(__file__).parent / "pages"
LANGUAGES = ("en", "pl", "bg")
#: In the order of the contents.
CHAPTERS = (
    "start",
    "messages",
    "writing",
    "returned",
    "campaigns",
    "contacts",
    "lists",
    "imports",
    "suppressed",
    "exclusions",
    "records",
    "groups",
    "templates",
    "archive",
    "sharing",
    "settings",
    "accounts",
    "approvals",
    "types",
    "sending",
    "domains",
    "status",
    "log",
    "people",
    "workspace",
    "profile",
    "signin",
    "api",
)
#: Beginning of an address -> chapter; the longest that fits counts.
SCREENS = {
    "/setup/": "start",
    "/more/": "start",
    "/sign-": "signin",
    "/password/": "signin",
    "/invited/": "signin",
    "/messages/": "messages",
    "/messages/write/": "writing",
    "/messages/drafts/": "writing",
    "/messages/sent/": "writing",
    "/messages/unmatched/": "returned",
    "/campaigns/": "campaigns",
    "/campaigns/events/": "returned",
    "/contacts/": "contacts",
    "/contacts/lists/": "lists",
    "/contacts/imports/": "imports",
    "/contacts/suppressed/": "suppressed",
    "/contacts/exclusions/": "exclusions",
    "/records/": "records",
    "/groups/": "groups",
    "/signals/": "groups",
    "/templates/": "templates",
    "/archive/": "archive",
    "/archive/returns/": "returned",
    "/sharing/": "sharing",
    "/settings/": "settings",
    "/settings/accounts/": "accounts",
    "/settings/approvals/": "approvals",
    "/settings/relay/": "approvals",
    "/settings/types/": "types",
    "/settings/sending/": "sending",
    "/settings/domains/": "domains",
    "/settings/status/": "status",
    "/settings/status/log/": "log",
    "/settings/people/": "people",
    "/settings/profiles/": "people",
    "/settings/audit/": "people",
    "/settings/workspace/": "workspace",
    "/settings/workspaces/": "workspace",
    "/settings/profile/": "profile",
    "/settings/signature/": "writing",
    "/settings/pictures/": "messages",
    "/settings/second-factor/": "signin",
    "/settings/passkeys/": "signin",
    "/settings/sessions/": "signin",
    "/settings/tokens/": "api",
    "/settings/webhooks/": "api",
}


def chapter_of(path: str) -> str:
    """The chapter about the screen at this address; "" where none is."""
    return SCREENS.get(max((one for one in SCREENS if path.startswith(one)), key=len, default=""), "")


@cache
def chapter_text(chapter: str, language: str) -> str:
    """Its HTML, written by us."""
    return (PAGES / language / f"{chapter}.html").read_text(encoding="utf-8")


def chapter_title(chapter: str, language: str) -> str:
    found = re.match(r"<h1>(.+?)</h1>", chapter_text(chapter, language))
    assert found is not None, "a chapter begins with its heading"
    return found[1].replace("&amp;", "&")


def language_now() -> str:
    language = get_language() or "en"
    return language if language in LANGUAGES else "en"
