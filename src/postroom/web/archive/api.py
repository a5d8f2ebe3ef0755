"""The archive in the API: what went out, as far as the caller's profiles reach."""

import base64
from datetime import UTC, datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema
from pydantic import Field

from postroom.errors import InputError, PostroomError
from postroom.models.delivery import Delivery
from postroom.queries.archive import (
    Archived,
    ArchivedFile,
    ArchiveFind,
    archive_page,
    archived_campaign,
    archived_message,
    campaign_bytes_of,
    campaign_files,
    message_bytes_of,
    message_files,
)
from postroom.queries.campaign import figures_of
from postroom.queries.delivery import deliveries_page
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, number_at
from postroom.web.problem import problems

router = Router(tags=["archive"])
Words = Annotated[str, Query(max_length=320)]


class Line(Schema):
    """kind: message or campaign. results: how many recipients are in each state (of campaigns also arrivals)."""

    kind: str
    id: int
    at: str
    subject: str
    #: The campaign's; "" for a message.
    name: str
    from_address: str
    to_address: str
    #: Who sent it; None = a program, or somebody who is gone.
    user: int | None
    results: dict[str, int]


class Lines(Schema):
    items: list[Line]
    #: To go on with as `at`; None at the end.
    next: str | None


class FileOut(Schema):
    name: str
    content_type: str
    size_bytes: int
    #: Of its bytes, in hexadecimal.
    sha256: str


class ArchivedRecipient(Schema):
    delivery: int
    address: str
    name: str
    state: str
    reason: str
    code: int
    words: str
    arrival: str
    reading: str
    state_at: str | None


class Thing(Line):
    template: int | None
    type: int | None
    files: list[FileOut]


class MessageThing(Thing):
    record: int | None
    recipients: list[ArchivedRecipient]
    #: The bytes that went out, in base64.
    raw: str


class CampaignThing(Thing):
    #: One copy, in base64; None where it would name somebody the caller may not see.
    raw: str | None
    #: Whether these are the very bytes that went out, or made again from what was frozen.
    raw_is_exact: bool


class Recipients(Schema):
    items: list[ArchivedRecipient]
    #: To go on with as `at`; None at the end.
    next: str | None


#: Moments before and after these say nothing, and some of them the database cannot hold.
FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _line(one: Archived) -> dict[str, Any]:
    if one.message is not None:
        message = one.message
        said = {"name": "", "from_address": message.from_address, "to_address": message.to_address}
        return _head(one, message.subject) | said | {"user": message.user_id, "results": dict(one.states)}
    campaign = one.campaign
    assert campaign is not None, "a line is a message or a campaign"
    sender = campaign.sender_address or (campaign.account.address if campaign.account else "")
    counts = {name: value for name, value in (one.figures.counts if one.figures else {}).items() if value}
    said = {"name": campaign.name, "from_address": sender, "to_address": ""}
    user = campaign.started_by_id or campaign.created_by_id
    return _head(one, campaign.subject) | said | {"user": user, "results": counts}


def _head(one: Archived, subject: str) -> dict[str, Any]:
    at = one.at.isoformat(timespec="milliseconds")
    return {"kind": one.kind, "id": one.id, "at": at, "subject": subject}


def _file(one: ArchivedFile) -> dict[str, Any]:
    return {
        "name": one.name,
        "content_type": one.content_type,
        "size_bytes": one.size_bytes,
        "sha256": one.sha256,
    }


_ROW = ("address", "name", "state", "reason", "code", "words", "arrival", "reading")


def _recipient(row: Delivery) -> dict[str, Any]:
    at = row.state_at.isoformat(timespec="milliseconds") if row.state_at else None
    return {"delivery": row.id, "state_at": at} | {name: getattr(row, name) for name in _ROW}


@router.get("/archive", response={200: Lines, **problems(422)})
def archive_list(
    request: HttpRequest,
    address: Words = "",
    subject: Words = "",
    user: Annotated[int, Field(ge=0, le=2**53)] = 0,
    since: datetime | None = None,
    until: datetime | None = None,
    kind: Annotated[str, Field(pattern="^(|message|campaign)$")] = "",
    at: At = "",
) -> dict[str, Any]:
    """Newest first. address: a whole one, of a recipient; subject: words of it; until: not included."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and moment.tzinfo is None:
            raise InputError(_("Give the moment with its time zone."), field=name)
    since = max(since, FIRST) if since else None
    until = min(until, LAST) if until else None
    if (since and since > LAST) or (until and until < FIRST):
        return {"items": [], "next": None}
    find = ArchiveFind(address, subject, user, since, until, kind)
    lines, following = archive_page(_viewer(request), find, at=at)
    return {"items": [_line(line) for line in lines], "next": following}


@router.get("/archive/messages/{int:message_id}", response={200: MessageThing, **problems(404)})
def archive_message(request: HttpRequest, message_id: int) -> dict[str, Any]:
    message = archived_message(_viewer(request), message_id)
    rows = list(message.deliveries.all())
    states: dict[str, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    return _line(Archived(message.created_at, message=message, states=list(states.items()))) | {
        "template": message.template_id,
        "type": message.type_id,
        "record": message.record_id,
        "files": [_file(one) for one in message_files(message)],
        "recipients": [_recipient(row) for row in rows],
        "raw": base64.b64encode(message_bytes_of(message)).decode(),
    }


@router.get("/archive/campaigns/{int:campaign_id}", response={200: CampaignThing, **problems(404)})
def archive_campaign(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    campaign = archived_campaign(viewer, campaign_id)
    try:
        raw, exact = campaign_bytes_of(viewer, campaign)
    except PostroomError:
        raw, exact = b"", False
    line = Archived(
        campaign.started_at or campaign.created_at,
        campaign=campaign,
        figures=figures_of([campaign])[campaign.id],
    )
    return _line(line) | {
        "template": campaign.template_id,
        "type": campaign.type_id,
        "files": [_file(one) for one in campaign_files(campaign)],
        "raw": base64.b64encode(raw).decode() if raw else None,
        "raw_is_exact": exact,
    }


@router.get(
    "/archive/campaigns/{int:campaign_id}/recipients", response={200: Recipients, **problems(404, 422)}
)
def archive_recipients(request: HttpRequest, campaign_id: int, at: At = "") -> dict[str, Any]:
    """Row by row; masked where the people of a list are not shown to the caller."""
    viewer = _viewer(request)
    page = deliveries_page(viewer, archived_campaign(viewer, campaign_id), after=number_at(at))
    following = str(page.after) if page.after else None
    return {"items": [_recipient(row) for row in page.rows], "next": following}
