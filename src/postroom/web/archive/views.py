"""Archive & reports: what went out, single messages and campaigns in one place, and what became of it."""

from datetime import date, datetime, time, timedelta

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header

from postroom.errors import NotAllowed, NotFound, PostroomError
from postroom.models.profile import ArchiveScope
from postroom.queries.archive import (
    ArchiveFind,
    archive_page,
    archive_senders,
    archived_campaign,
    archived_message,
    campaign_bytes_of,
    campaign_files,
    message_file,
    message_files,
)
from postroom.queries.campaign import figures_of
from postroom.queries.delivery import deliveries_page
from postroom.queries.preview import Preview, taken_apart
from postroom.queries.profile import archive_scope
from postroom.web.mail_page import mail_page
from postroom.web.messages.views import frame_of, raw_of
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    given = request.GET
    words, kind = given.get("q", "").strip()[:320], given.get("kind", "")
    since, until = _day(given.get("from", "")), _day(given.get("to", ""))
    find = ArchiveFind(
        address=words if "@" in words else "",
        subject="" if "@" in words else words,
        user_id=number(given.get("user", ""), 0),
        since=_begin(since),
        until=_begin(until + timedelta(days=1)) if until and until < date.max else None,
        kind=kind if kind in ("campaign", "message") else "",
    )
    lines, following = archive_page(request.viewer, find, at=given.get("at", ""))
    values = {
        "lines": lines,
        "following": following,
        "begun": bool(given.get("at")),
        "words": words,
        "kind": find.kind,
        "user_id": find.user_id,
        "since": since.isoformat() if since else "",
        "until": until.isoformat() if until else "",
        "filtered": bool(find.user_id or since or until),
        "senders": archive_senders(request.viewer),
        "only_own": archive_scope(request.viewer) == ArchiveScope.OWN,
    }
    return render(request, "archive/index.html", values)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


def _begin(day: date | None) -> datetime | None:
    """Midnight in the time zone of who looks."""
    if day is None or day.year < 1970:
        return None
    return datetime.combine(day, time(), timezone.get_current_timezone())


def message(request: ViewerRequest, sent_id: int) -> HttpResponse:
    found = archived_message(request.viewer, sent_id)
    rows = list(found.deliveries.all())
    values = {
        "message": found,
        "rows": rows,
        "files": message_files(found),
        "body_url": reverse("archive_message_body", args=[found.id]),
        "raw_url": reverse("archive_message_raw", args=[found.id]),
    }
    return render(request, "archive/message.html", values)


def message_body(request: ViewerRequest, sent_id: int) -> HttpResponse:
    return frame_of(request, archived_message(request.viewer, sent_id).raw_id)


def message_raw(request: ViewerRequest, sent_id: int) -> HttpResponse:
    """The bytes that went out."""
    return raw_of(archived_message(request.viewer, sent_id).raw_id)


def message_file_(request: ViewerRequest, sent_id: int, number: int) -> HttpResponse:
    """A file as it was attached; nothing of it is shown in the browser."""
    name, data = message_file(request.viewer, sent_id, number)
    answer = HttpResponse(data, content_type="application/octet-stream")
    answer.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def campaign(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    viewer = request.viewer
    found = archived_campaign(viewer, campaign_id)
    search, after = request.GET.get("q", "").strip()[:200], number(request.GET.get("after", ""), 0)
    page = deliveries_page(viewer, found, search=search, after=after)
    sample, exact, fault = _sample(request, campaign_id)
    values = {
        "campaign": found,
        "figures": figures_of([found])[found.id],
        "page": page,
        "search": search,
        "begun": bool(after),
        "files": campaign_files(found),
        "sample": sample,
        "exact": exact,
        "fault": fault,
    }
    return render(request, "archive/campaign.html", values)


def _sample(request: ViewerRequest, campaign_id: int) -> tuple[Preview | None, bool, str]:
    """(one copy taken apart, whether it is the very bytes, why there is none: "masked", "gone" or "")."""
    found = archived_campaign(request.viewer, campaign_id)
    try:
        raw, exact = campaign_bytes_of(request.viewer, found)
    except NotAllowed:
        return None, False, "masked"
    except PostroomError:
        return None, False, "gone"
    return (taken_apart(raw, None), exact, "") if raw else (None, False, "gone")


def campaign_body(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    sample, _exact, _fault = _sample(request, campaign_id)
    if sample is None:
        raise NotFound("There is no copy to show.")
    return mail_page(sample.html, sample.text)


def campaign_raw(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """One copy, in the bytes that went out. 403 where it would name somebody the viewer may not see."""
    raw, _exact = campaign_bytes_of(request.viewer, archived_campaign(request.viewer, campaign_id))
    answer = HttpResponse(raw, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="sample.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
