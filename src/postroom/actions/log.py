"""Lines of the mailer's log: connections, errors, changes of state (CM-50). Who writes one may not know any secret.

What became of each recipient is no line: queries/log.py reads it from deliveries and events.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import InputError
from postroom.models.domain import Domain
from postroom.models.event import LogLine
from postroom.models.profile import Right
from postroom.models.workspace import Workspace
from postroom.queries.viewer import Viewer, demand

#: What a server said is kept so far.
WORDS_MAX = 2000
DAYS_MOST = 3650
#: Minutes of sending are remembered at least that long: the picture of the status page shows hours.
_MINUTES_DAYS = 2
#: Lines that belong to no workspace.
_NOBODYS_DAYS = 90
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Note:
    """A line to be written. direction: in, out; stage: a mail.reply.Stage or a word of ours; level: info, warning,
    error; address: of whom it is about; queue_id: the other server's name for the mail."""

    workspace_id: int | None
    account_id: int | None
    direction: str
    stage: str
    words: str
    level: str = "info"
    message_id: str = ""
    queue_id: str = ""
    address: str = ""
    duration_ms: int | None = None
    at: datetime = field(default_factory=timezone.now)


def log_notes(notes: Iterable[Note]) -> None:
    """Write lines, in one statement."""
    LogLine.objects.bulk_create([note_line(note) for note in notes], batch_size=_AT_ONCE)


def log_note(note: Note) -> None:
    log_notes([note])


def refusal_note(address: str, words: str) -> None:
    """Mail to an address of ours that nobody here has was refused; nothing for a domain that is of no workspace."""
    domain = address.rpartition("@")[2].lower()
    whose = Q(bounce_host=domain) | Q(
        id__in=Domain.objects.filter(name=domain, proved_at__isnull=False).values("workspace_id")
    )
    for workspace_id in Workspace.objects.filter(whose).values_list("id", flat=True)[:10] if domain else ():
        log_note(Note(workspace_id, None, "in", "rcpt", words, "warning", address=address.lower()))


def note_line(note: Note) -> LogLine:
    """The row of a line, not stored yet."""
    return LogLine(
        workspace_id=note.workspace_id,
        account_id=note.account_id,
        at=note.at,
        direction=note.direction,
        stage=note.stage[:20],
        level=note.level,
        words=_plain(note.words)[:WORDS_MAX],
        message_id=_plain(note.message_id)[:255],
        queue_id=_plain(note.queue_id)[:60],
        address=_plain(note.address)[:254],
        duration_ms=None if note.duration_ms is None else max(0, min(note.duration_ms, 2**31 - 1)),
    )


def _plain(words: str) -> str:
    """In one line, without signs that steer a terminal (and without NUL, which the database refuses)."""
    return "".join(sign if sign.isprintable() else " " for sign in words).strip()


@transaction.atomic
def log_days_save(*, viewer: Viewer, days: int) -> None:
    """Keep lines so many days. Raises NotAllowed, InputError."""
    demand(viewer, Right.WORKSPACE_MANAGE)
    if not 1 <= days <= DAYS_MOST:
        words = _("Between 1 and %(n)s days.") % {"n": DAYS_MOST}
        raise InputError(words, field="days")
    Workspace.objects.filter(id=viewer.workspace.id).update(log_days=days)
    audit(viewer, "log kept", "workspace", viewer.workspace.id, name=viewer.workspace.name, days=days)


def log_forget() -> int:
    """Delete lines older than their workspace keeps them, and old minutes of sending; how many lines."""
    gone = 0
    kept = [(Q(workspace_id=one), days) for one, days in Workspace.objects.values_list("id", "log_days")]
    for whose, days in [*kept, (Q(workspace=None), _NOBODYS_DAYS)]:
        before = timezone.now() - timedelta(days=days)
        old = LogLine.objects.filter(whose, at__lt=before).order_by("at")
        while ids := list(old.values_list("id", flat=True)[:_AT_ONCE]):
            gone += LogLine.objects.filter(id__in=ids).delete()[0]
    with connection.cursor() as cursor:
        cursor.execute(
            """DELETE FROM postroom_sendingminute m USING postroom_account a, postroom_workspace w
                WHERE a.id = m.account_id AND w.id = a.workspace_id
                  AND m.minute_at < now() - make_interval(days => greatest(w.log_days, %s))""",
            [_MINUTES_DAYS],
        )
    return gone
