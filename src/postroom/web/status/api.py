"""The mailer's status and log in the API: the same as the pages (CM-50 to CM-55)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.account_reading import (
    SWITCH_MOST,
    account_collect_now,
    collector_switch,
    reading_all_now,
    readings_switch,
)
from postroom.actions.log import log_days_save
from postroom.actions.log_import import log_import, upload_lines
from postroom.models.profile import Right
from postroom.queries.account import account_visible_to
from postroom.queries.log import PAGE, log_lines, log_page
from postroom.queries.log_line import LogFilter, Place
from postroom.queries.status import StatusRow, mailer_status, status_rows
from postroom.queries.viewer import Viewer, demand, viewer_of
from postroom.web.problem import problems
from postroom.web.status.log import EXPORT_MOST, csv_of, jsonl_answer

router = Router(tags=["status"])
Number = Annotated[int, Field(ge=0, le=2**53)]


class ReadingOut(Schema):
    """state: none, off, auth_failed, syncing (taken of to_take), ok (last_new at last_at), error, idle."""

    state: str
    is_on: bool
    taken: int
    to_take: int
    last_at: datetime | None
    last_new: int
    new_today: int
    code: str
    words: str
    since: datetime | None
    next_at: datetime | None
    by: str
    switched_at: datetime | None
    #: Who was told that it switched itself off.
    told: str


class LimitOut(Schema):
    #: account or workspace
    whose: str
    window_s: int
    limit: int
    used: int


class FolderReadingOut(Schema):
    name: str
    reading: ReadingOut


class ReadAccountOut(Schema):
    id: int
    name: str
    address: str
    #: As of GET /accounts.
    sending: str
    #: The limit that is nearest to its end.
    limit: LimitOut | None
    #: Accepted in the last whole minute.
    last_minute: int
    reading: ReadingOut
    folders: list[FolderReadingOut]


class NowOut(Schema):
    """Figures end at 1000 for each campaign."""

    waiting: int
    deferred: int
    next_at: datetime | None
    uncertain: int
    unmatched: int


class MinuteOut(Schema):
    at: datetime
    accepted: float
    deferred: float


class StatusOut(Schema):
    accounts: list[ReadAccountOut]
    now: NowOut
    #: Messages a minute, the oldest first.
    minutes: list[MinuteOut]


class SwitchIn(Schema):
    on: bool


class SwitchManyIn(SwitchIn):
    accounts: Annotated[list[Number], Field(max_length=SWITCH_MOST)]


class SwitchedOut(Schema):
    """code: "" = done."""

    account: int
    code: str
    message: str


class LineOut(Schema):
    """id: kind and number; stage: of a delivery its state, of what came in its kind, else where it happened."""

    time: datetime
    account: str
    direction: str
    stage: str
    level: str
    address: str
    message_id: str
    queue_id: str
    words: str
    duration_ms: int | None
    id: str


class LogOut(Schema):
    items: list[LineOut]
    next: str | None


class LogImportOut(Schema):
    """other: lines about no mail."""

    lines: int
    new: int
    known: int
    other: int
    unreadable: int


class DaysIn(Schema):
    days: Annotated[int, Field(ge=1, le=3650)]


class LogQuery(Schema):
    """q: an address, a Message-ID or a queue id."""

    q: Annotated[str, Field(max_length=300)] = ""
    trouble: bool = False
    account: Number | None = None
    since: datetime | None = None
    until: datetime | None = None


class LogPageQuery(LogQuery):
    at: Annotated[str, Field(max_length=60)] = ""


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


READING = tuple(ReadingOut.model_fields)


def _reading(reading: Any) -> dict[str, Any]:
    return {name: getattr(reading, name) for name in READING}


def _row(row: StatusRow) -> dict[str, Any]:
    used = row.used
    limit = {name: getattr(used, name) for name in ("whose", "window_s", "limit", "used")} if used else None
    return {
        "id": row.account.id,
        "name": row.account.name,
        "address": row.account.address,
        "sending": row.row.sending.state,
        "limit": limit,
        "last_minute": row.minute,
        "reading": _reading(row.reading),
        "folders": [{"name": one.name, "reading": _reading(one.reading)} for one in row.folders],
    }


def _one(viewer: Viewer, account_id: int) -> dict[str, Any]:
    return _row(status_rows(viewer, [account_visible_to(viewer, account_id)])[0])


@router.get("/status", response={200: StatusOut, **problems(403)})
def status_show(request: HttpRequest) -> dict[str, Any]:
    """Accounts the caller sees (the first 200), what waits, and the last hours."""
    rows, now, minutes = mailer_status(_viewer(request))
    points = zip(minutes.at, minutes.accepted, minutes.deferred, strict=True)
    return {
        "accounts": [_row(row) for row in rows],
        "now": {name: getattr(now, name) for name in NowOut.model_fields},
        "minutes": [{"at": at, "accepted": ok, "deferred": later} for at, ok, later in points],
    }


@router.post("/status/now", response={202: dict[str, int], **problems(403, 429)})
def status_all_now(request: HttpRequest) -> Any:
    """Every mailbox that the caller may switch is read at once. 429: all were asked for less than 30 s ago."""
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    return Status(202, {"asked": reading_all_now(viewer=viewer)})


@router.put("/status/switch", response={200: list[SwitchedOut], **problems(403, 422)})
def status_switch_many(request: HttpRequest, body: SwitchManyIn) -> Any:
    """Each succeeds or fails by itself."""
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    found = readings_switch(viewer=viewer, account_ids=body.accounts, on=body.on)
    return [{"account": one.account_id, "code": one.code, "message": one.message} for one in found]


@router.get("/status/{int:account_id}", response={200: ReadAccountOut, **problems(403, 404)})
def status_of_account(request: HttpRequest, account_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    return _one(viewer, account_id)


@router.put("/status/{int:account_id}/switch", response={200: ReadAccountOut, **problems(403, 404, 409)})
def status_switch(request: HttpRequest, account_id: int, body: SwitchIn) -> dict[str, Any]:
    """On: its mailbox is read at once and from now on. Off: after the mail in hand; nothing is deleted."""
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    collector_switch(viewer=viewer, account_id=account_id, on=body.on)
    return _one(viewer, account_id)


@router.post("/status/{int:account_id}/now", response={202: ReadAccountOut, **problems(403, 404, 409, 429)})
def status_now(request: HttpRequest, account_id: int) -> Any:
    """409: reading is off; 429: it was asked for less than 5 s ago."""
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    account_collect_now(viewer=viewer, account_id=account_id)
    return Status(202, _one(viewer, account_id))


def _filter(asked: LogQuery) -> LogFilter:
    """A time without zone is UTC."""
    since, until = (
        at if at is None or at.tzinfo else at.replace(tzinfo=UTC) for at in (asked.since, asked.until)
    )
    return LogFilter(asked.q, asked.trouble, asked.account, since, until)


@router.get("/log", response={200: LogOut, **problems(403, 422)})
def log_show(request: HttpRequest, asked: Query[LogPageQuery]) -> dict[str, Any]:
    """Newest first. An answer may hold fewer lines than a page though `next` names more."""
    page = log_page(_viewer(request), _filter(asked), after=Place.of(asked.at), size=PAGE)
    return {"items": [line.to_json() for line in page.lines], "next": str(page.next) if page.next else None}


@router.get("/log/export", response={200: None, **problems(403, 422)})
def log_export(request: HttpRequest, asked: Query[LogQuery], form: Literal["csv", "json"] = "json") -> Any:
    """A file: JSON lines, or CSV. At most 200,000 lines. Needs the right to take people out of the house."""
    viewer = _viewer(request)
    demand(viewer, Right.LOG_VIEW)
    demand(viewer, Right.CONTACTS_EXPORT)
    lines = log_lines(viewer, _filter(asked), most=EXPORT_MOST)
    return csv_of(lines) if form == "csv" else jsonl_answer(lines)


@router.post("/log/import", response={200: LogImportOut, **problems(403, 422)})
def log_take_in(request: HttpRequest, file: UploadedFile = File(...)) -> dict[str, int]:
    """A log exported here, or of Postfix (syslog), up to 50 MB. Each line once."""
    lines = upload_lines(file, file.size)
    return log_import(viewer=_viewer(request), lines=lines, name=file.name or "log").to_json()


@router.put("/log/days", response={200: dict[str, int], **problems(403, 422)})
def log_keep(request: HttpRequest, body: DaysIn) -> dict[str, int]:
    """How long lines are kept."""
    viewer = _viewer(request)
    log_days_save(viewer=viewer, days=body.days)
    fresh = viewer_of(viewer.user, viewer.workspace.id) or viewer
    return {"days": fresh.workspace.log_days}
