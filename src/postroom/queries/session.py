"""Where a person is signed in."""

import re
from dataclasses import dataclass
from datetime import datetime

from allauth.usersessions.models import UserSession

from postroom.models.user import User

#: A word of the user agent -> what people call it; the first that fits.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: int
    #: "Firefox, Windows"; "" when the program gave no name that is known.
    program: str
    ip: str
    since: datetime
    seen_at: datetime
    is_here: bool


def sessions_of(user: User, here: str) -> list[SessionRow]:
    """Those that still open something, the present one first. here: its key."""
    rows = [
        SessionRow(
            row.id,
            program_of(row.user_agent),
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.session_key == here,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]
    return sorted(rows, key=lambda row: (not row.is_here, -row.seen_at.timestamp()))


def program_of(agent: str) -> str:
    found = [
        next((name for word, name in table if re.search(re.escape(word), agent)), "")
        for table in (_BROWSERS, _SYSTEMS)
    ]
    return ", ".join(filter(None, found))
