"""Older logs are taken into the database, each line once (CM-52): files this program wrote, and Postfix's own.

A line is known by its SHA-256. What we exported is known by what it was exported from, too, so that a file read back
into its own workspace adds nothing.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.log import Note, note_line
from postroom.errors import InputError, NotFound
from postroom.mail.syslog import LINE_MAX, OtherLine, SyslogLine, syslog_read
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.event import Event, LogLine
from postroom.models.profile import Right
from postroom.queries.log_line import COLUMNS, ORDER
from postroom.queries.viewer import Viewer, demand, demand_administers

_AT_ONCE = 1000
#: A page takes a file of that size; the command takes any.
PAGE_BYTES = 50_000_000
#: Message-IDs remembered while a log of Postfix is read: its lines name the mail by its queue id.
_QUEUES_MOST = 200_000
_LEVELS = {"deferred": "warning", "bounced": "error", "expired": "error", "reject": "warning"}


@dataclass(slots=True)
class Imported:
    """Counts of lines. other: of the log, but about no mail; unreadable: no line of a log we know."""

    lines: int = 0
    new: int = 0
    known: int = 0
    other: int = 0
    unreadable: int = 0

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    def add(self, more: "Imported") -> None:
        for name, n in asdict(more).items():
            setattr(self, name, getattr(self, name) + n)


def log_import(*, viewer: Viewer, lines: Iterable[bytes], name: str) -> Imported:
    """Take a file in. name: what is remembered as the source. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    counts = Imported()
    reader = _Reader(viewer, name)
    source = iter(lines)
    while some := list(islice(source, _AT_ONCE)):
        _take(reader, some, counts)
    audit(viewer, "log taken in", "workspace", viewer.workspace.id, name=name, **counts.to_json())
    return counts


def log_folder() -> Path:
    """Where rotated logs are laid to be taken in by the button."""
    return Path(settings.POSTROOM_DATA) / "logs"


def log_pull(*, viewer: Viewer) -> Imported:
    """Every file of the folder, compressed ones aside. Raises NotAllowed; NotFound when it holds none."""
    demand_administers(viewer)
    folder = log_folder()
    files = (
        sorted(one for one in folder.glob("*") if one.is_file() and not one.is_symlink())
        if folder.is_dir()
        else []
    )
    files = [one for one in files if one.suffix not in (".gz", ".xz", ".zst", ".bz2")]
    if not files:
        words = _("There is no log in %(folder)s. Lay rotated logs there, or choose a file.")
        raise NotFound(words % {"folder": folder})
    counts = Imported()
    for one in files:
        with one.open("rb") as lines:
            counts.add(log_import(viewer=viewer, lines=lines, name=one.name))
    return counts


@dataclass(frozen=True, slots=True)
class _Row:
    """A line to be stored. origin: (kind, number) where it was exported from."""

    hash: str
    note: Note
    origin: tuple[str, int] | None = None


class _Reader:
    """Reads lines one after another and remembers what the earlier ones said."""

    def __init__(self, viewer: Viewer, name: str) -> None:
        self.workspace_id = viewer.workspace.id
        self.name = name[:200]
        self._now = timezone.now()
        self._zone = _zone(viewer.workspace.time_zone)
        self._columns: list[str] | None = None
        self._queues: dict[str, str] = {}
        self.accounts = {
            address.lower(): number
            for number, address in Account.objects.filter(workspace=viewer.workspace, deleted_at=None)
            .order_by("-id")
            .values_list("id", "address")
        }

    def read(self, raw: bytes) -> "_Row | str":
        """A row, or the count it belongs to: other, unreadable, "" for an empty line."""
        text = raw.decode("utf-8", "replace").strip("\ufeff\r\n\t ")
        if not text:
            return ""
        if len(text) > LINE_MAX:
            return "unreadable"
        if text.startswith("{"):
            return self._json(text)
        if self._columns is None and text.split(";")[: len(COLUMNS)] == list(COLUMNS):
            self._columns = text.split(";")
            return ""
        if self._columns is not None:
            values = next(csv.reader([text], delimiter=";"), [])
            if len(values) == len(self._columns):
                plain = [value[1:] if value[:1] == "'" else value for value in values]
                return self._ours(dict(zip(self._columns, plain, strict=True)))
            return "unreadable"
        found = syslog_read(text, now=self._now, zone=self._zone)
        if found is None:
            return "unreadable"
        return "other" if isinstance(found, OtherLine) else self._postfix(found, text)

    def _json(self, text: str) -> "_Row | str":
        try:
            values = json.loads(text)
        except ValueError:
            return "unreadable"
        return self._ours(values) if isinstance(values, dict) else "unreadable"

    def _ours(self, values: dict[str, Any]) -> "_Row | str":
        """A line of our own export; also of what the program itself writes to stderr (part, logger, message)."""
        try:
            at = datetime.fromisoformat(str(values["time"]).replace("Z", "+00:00"))
            if at.tzinfo is None:
                at = at.replace(tzinfo=UTC)
        except (KeyError, ValueError):
            return "unreadable"
        if "logger" in values:
            return self._program(at, values)
        text = {name: str(values.get(name) or "") for name in COLUMNS}
        if text["direction"] not in ("in", "out", "") or text["level"] not in ("info", "warning", "error"):
            return "unreadable"
        digest = hashlib.sha256(json.dumps(text, sort_keys=True).encode()).hexdigest()
        duration = text["duration_ms"]
        note = Note(
            workspace_id=self.workspace_id,
            account_id=self.accounts.get(text["account"].lower()),
            direction=text["direction"],
            stage=text["stage"],
            level=text["level"],
            words=text["words"],
            message_id=text["message_id"],
            queue_id=text["queue_id"],
            address=text["address"],
            duration_ms=int(duration)
            if duration.isascii() and duration.isdigit() and len(duration) < 11
            else None,
            at=at,
        )
        kind, _dash, number = text["id"].partition("-")
        known = kind in ORDER and number.isascii() and number.isdigit() and len(number) < 18
        return _Row(digest, note, (kind, int(number)) if known else None)

    def _program(self, at: datetime, values: dict[str, Any]) -> _Row:
        level = {"info": "info", "debug": "info", "warning": "warning"}.get(str(values.get("level")), "error")
        words = str(values.get("message") or "")
        digest = hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
        stage = str(values.get("part") or "program")
        return _Row(digest, Note(self.workspace_id, None, "", stage, words, level, at=at))

    def _postfix(self, line: SyslogLine, text: str) -> "_Row | str":
        if line.queue_id and line.message_id:
            if len(self._queues) >= _QUEUES_MOST:
                self._queues.clear()
            self._queues[line.queue_id] = line.message_id
        elif line.queue_id and not line.status:
            return "other"  # from=, removed: nothing about a recipient
        said = (
            f"status={line.status} {line.said}".strip() if line.status else f"message-id=<{line.message_id}>"
        )
        note = Note(
            workspace_id=self.workspace_id,
            account_id=self.accounts.get((line.sender or "").lower()),
            direction="in" if line.program.endswith(("smtpd", "lmtpd")) else "out",
            stage=line.program.removeprefix("postfix/")[-20:],
            level=_LEVELS.get(line.status, "info"),
            words=f"{said} relay={line.relay}" if line.relay else said,
            message_id=line.message_id or self._queues.get(line.queue_id, ""),
            queue_id=line.queue_id,
            address=line.recipient.lower(),
            duration_ms=None if line.delay_s is None else round(line.delay_s * 1000),
            at=line.at,
        )
        return _Row(hashlib.sha256(text.encode()).hexdigest(), note)


def _zone(name: str) -> tzinfo:
    """Of times that name none: a server writes its own, and stands where the firm does."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _take(reader: _Reader, lines: list[bytes], counts: Imported) -> None:
    rows: dict[str, _Row] = {}
    for raw in lines:
        read = reader.read(raw)
        if read == "":
            continue
        counts.lines += 1
        if isinstance(read, str):
            setattr(counts, read, getattr(counts, read) + 1)
        elif read.hash in rows:
            counts.known += 1
        else:
            rows[read.hash] = read
    fresh = _fresh(reader.workspace_id, rows)
    made = []
    for row in fresh:
        line = note_line(row.note)
        line.line_hash, line.source = row.hash, reader.name
        made.append(line)
    LogLine.objects.bulk_create(made, ignore_conflicts=True)
    counts.new += len(fresh)
    counts.known += len(rows) - len(fresh)


def _fresh(workspace_id: int, rows: dict[str, _Row]) -> list[_Row]:
    """Those that are neither taken in already nor lines that stand here as they were written."""
    mine = LogLine.objects.filter(workspace_id=workspace_id)
    known = set(mine.filter(line_hash__in=list(rows)).values_list("line_hash", flat=True))
    there: set[tuple[str, int, datetime]] = set()
    for kind, found in (
        ("log", mine.values_list("id", "at")),
        ("event", Event.objects.filter(workspace_id=workspace_id).values_list("id", "received_at")),
        ("delivery", Delivery.objects.filter(workspace_id=workspace_id).values_list("id", "state_at")),
    ):
        numbers = [row.origin[1] for row in rows.values() if row.origin and row.origin[0] == kind]
        there |= (
            {(kind, number, at) for number, at in found.filter(id__in=numbers) if at} if numbers else set()
        )
    return [
        row
        for row in rows.values()
        if row.hash not in known and not (row.origin and (*row.origin, row.note.at) in there)
    ]


def upload_lines(file: Iterable[bytes], size: int | None) -> Iterator[bytes]:
    """The lines of a file sent by a page. Raises InputError."""
    if size and size > PAGE_BYTES:
        words = _("The file is larger than %(n)s MB. Use the command: postroom log import.")
        raise InputError(words % {"n": PAGE_BYTES // 1_000_000}, field="file", code="TOO_LARGE")
    return iter(file)
