"""Messages: what came in, kept as it was; and reports that found nothing they belong to."""

from contextlib import suppress

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.event import event_again
from postroom.actions.message_read import message_mark
from postroom.errors import NotFound
from postroom.mail import mime
from postroom.mail.html import sanitise
from postroom.queries.blob import blob_read
from postroom.queries.conversation import message_in
from postroom.queries.draft import drafts_of
from postroom.queries.message import (
    count_up_to_most,
    message_visible_to,
    messages_page,
    messages_sent_visible_to,
    messages_visible_to,
    reports_of,
    unmatched_one,
    unmatched_page,
    unmatched_visible_to,
)
from postroom.queries.viewer import Viewer
from postroom.web.middleware import mail_frame
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: What stands around a mail in its frame.
_FRAME = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><base target="_blank">'
    '<body style="margin:1rem;font:15px/1.5 sans-serif;color:#1b1e22;background:#fff;overflow-wrap:anywhere">'
)


def index(request: ViewerRequest) -> HttpResponse:
    find, unread = request.GET.get("q", "").strip(), request.GET.get("show") == "unread"
    page = messages_page(request.viewer, find=find, unread=unread, page=page_number(request))
    at = "unread" if unread else "all"
    return render(
        request, "messages/index.html", {"page": page, "find": find, "at": at, **counts(request.viewer)}
    )


def unmatched(request: ViewerRequest) -> HttpResponse:
    find = request.GET.get("q", "").strip()
    page = unmatched_page(request.viewer, find=find, page=page_number(request))
    values = {"page": page, "find": find, "at": "unmatched", **counts(request.viewer)}
    return render(request, "messages/index.html", values)


def page_number(request: ViewerRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 8 else 1


def counts(viewer: Viewer) -> dict[str, int]:
    every = messages_visible_to(viewer)
    return {
        "all_count": count_up_to_most(every),
        "unread_count": count_up_to_most(every.filter(is_read=False)),
        "unmatched_count": count_up_to_most(unmatched_visible_to(viewer)),
        "drafts_count": drafts_of(viewer).count(),
        "sent_count": count_up_to_most(messages_sent_visible_to(viewer)),
    }


def show(request: ViewerRequest, message_id: int) -> HttpResponse:
    """One that belongs to no conversation; the others are read there."""
    with suppress(NotFound):
        joined = message_in(request.viewer, message_id)
        return redirect(f"{reverse('conversation', args=[joined.conversation_id])}#mail-{joined.id}")
    message = message_visible_to(request.viewer, message_id)
    values = {
        "message": message,
        "subject": message.subject,
        "from_address": message.from_address,
        "came_at": message.created_at,
        "account": message.account,
        "body_url": reverse("message_body", args=[message.id]),
        "raw_url": reverse("message_raw", args=[message.id]),
        **parts_of(message.raw_id),
    }
    return render(request, "messages/show.html", values)


def report(request: ViewerRequest, event_id: int) -> HttpResponse:
    event = unmatched_one(request.viewer, event_id)
    values = {
        "event": event,
        "reports": reports_of(event),
        "subject": event.subject,
        "from_address": event.from_address,
        "came_at": event.received_at,
        "account": event.account,
        "body_url": reverse("unmatched_body", args=[event.id]),
        "raw_url": reverse("unmatched_raw", args=[event.id]),
        **parts_of(event.raw_id),
    }
    return render(request, "messages/show.html", values)


@require_POST
def mark(request: ViewerRequest, message_id: int) -> HttpResponse:
    message_mark(viewer=request.viewer, message_id=message_id, is_read=request.POST.get("read") != "no")
    return HttpResponse(status=204)


@require_POST
def again(request: ViewerRequest, event_id: int) -> HttpResponse:
    """Read a mail once more that could not be read."""
    event_again(event_id=unmatched_one(request.viewer, event_id).id)
    toast(request, _("The mail was read once more."))
    return redirect("unmatched")


def body(request: ViewerRequest, message_id: int) -> HttpResponse:
    return frame_of(request, message_visible_to(request.viewer, message_id).raw_id)


def report_body(request: ViewerRequest, event_id: int) -> HttpResponse:
    return frame_of(request, unmatched_one(request.viewer, event_id).raw_id)


def raw(request: ViewerRequest, message_id: int) -> HttpResponse:
    return raw_of(message_visible_to(request.viewer, message_id).raw_id)


def report_raw(request: ViewerRequest, event_id: int) -> HttpResponse:
    return raw_of(unmatched_one(request.viewer, event_id).raw_id)


def parts_of(sha256: str | None) -> dict[str, object]:
    """What the page says beside the body: names of attached files, whether pictures would be fetched."""
    if not sha256:
        return {"files": [], "has_remote": False}
    parts = mime.read(blob_read(sha256)).parts
    named = [(mime.words(part.params.get("name", "")) or part.content_type, len(part.body)) for part in parts]
    files = [
        pair for part, pair in zip(parts, named, strict=True) if not part.content_type.startswith("text/")
    ]
    html = next((part.text for part in parts if part.content_type == "text/html"), "")
    return {"files": files, "has_remote": bool(html) and sanitise(html) != sanitise(html, remote=True)}


def frame_of(request: ViewerRequest, sha256: str | None) -> HttpResponse:
    """The mail for a sandboxed frame: its HTML sanitised, else its text; pictures from elsewhere only when asked."""
    remote = request.GET.get("pictures") == "1"
    parts = mime.read(blob_read(sha256)).parts if sha256 else []
    html = next((part.text for part in parts if part.content_type == "text/html"), "")
    if html:
        inner = sanitise(html, remote=remote)
    else:
        text = "\n\n".join(part.text for part in parts if part.content_type.startswith(("text/", "message/")))
        inner = f'<pre style="white-space:pre-wrap;font:inherit;margin:0">{escape(text)}</pre>'
    return mail_frame(HttpResponse(_FRAME + inner), remote=remote)


def raw_of(sha256: str | None) -> HttpResponse:
    """The bytes as they came, as text that no browser interprets."""
    data = blob_read(sha256) if sha256 else b""
    answer = HttpResponse(data, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="message.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
