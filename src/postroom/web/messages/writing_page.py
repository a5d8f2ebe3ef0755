"""What the composer shows: the same for the page, the dock of a conversation, and the window over any page."""

from datetime import datetime, time, timedelta
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.draft import draft_preview
from postroom.errors import NotFound, PostroomError
from postroom.models.account import Account
from postroom.models.draft import Draft
from postroom.models.message_type import MessageType
from postroom.queries.campaign_choice import accounts_to_choose, templates_to_choose
from postroom.queries.conversation import conversation_one, presence_of
from postroom.queries.draft import (
    draft_filled,
    fields_open,
    fields_open_in,
    recipients_of,
    recipients_once,
)
from postroom.queries.message_type import types_to_choose
from postroom.queries.preview import Preview
from postroom.queries.records import record_files
from postroom.queries.viewer import Viewer
from postroom.web.messages.forms import DraftForm, zone_of
from postroom.web.said import said
from postroom.web.templatetags.conversations import first_name
from postroom.web.viewer import ViewerRequest

#: Where the composer stands.
PAGE, DOCK, OVER = "page", "dock", "over"
#: Recipients to choose from in the preview.
CHOICES = 200


def mode_of(request: ViewerRequest) -> str:
    mode = request.POST.get("mode", PAGE)
    return mode if mode in (PAGE, DOCK, OVER) else PAGE


def composer_values(
    request: ViewerRequest,
    draft: Draft,
    form: DraftForm | None = None,
    errors: dict[str, list[str]] | None = None,
    *,
    mode: str,
) -> dict[str, Any]:
    """form: what somebody typed and is not stored; errors: by field, "" = of the whole."""
    viewer, shown = request.viewer, form or DraftForm.of(draft)
    zone = zone_of(viewer.workspace)
    return {
        "draft": draft,
        "form": shown,
        "mode": mode,
        "unsaved": form is not None,
        "errors": errors or {},
        "trouble": (errors or {}).get(""),
        "accounts": _accounts(viewer, draft),
        "templates": templates_to_choose(viewer),
        "template_id": request.POST.get("template", ""),
        "types": _types(viewer, draft),
        "shown": {name for name in ("cc", "bcc") if shown[name].value() or (errors or {}).get(name)},
        "people": recipients_of(draft),
        "unfilled": fields_open(draft),
        "saved_at": draft.updated_at,
        "also": also_here(viewer, draft),
        "zone": zone.key,
        "moments": _moments(timezone.localtime(timezone=zone)),
        "now_local": timezone.localtime(timezone=zone).strftime("%Y-%m-%dT%H:%M"),
        **files_values(draft),
    }


def also_here(viewer: Viewer, draft: Draft) -> str:
    """Who else has the conversation of an answer open, in words; "" = nobody, or it may not be looked into."""
    if draft.conversation_id is None:
        return ""
    try:
        present = presence_of(viewer, conversation_one(viewer, draft.conversation_id))
    except NotFound:
        return ""
    words = [_("%(who)s is answering") if one.is_writing else _("%(who)s is reading too") for one in present]
    return ", ".join(text % {"who": first_name(one.user)} for text, one in zip(words, present, strict=True))


def files_values(draft: Draft) -> dict[str, Any]:
    there = {file.blob_id for file in draft.files.all()}
    kept = record_files(draft.record) if draft.record else []
    return {
        "files": list(draft.files.select_related("blob").order_by("id")),
        "uploads": list(draft.uploads.order_by("id")),
        "of_record": [file for file in kept if file.blob_id not in there],
    }


def files_html(request: HttpRequest, draft: Draft) -> str:
    """The row of files, to be put in the place of the one that is shown."""
    return render_to_string("messages/files.html", {"draft": draft, **files_values(draft)}, request)


def _accounts(viewer: Viewer, draft: Draft) -> list[Account]:
    """What may be chosen, and what the draft has: it would else change by itself."""
    found = accounts_to_choose(viewer)
    return found if draft.account is None or draft.account in found else [draft.account, *found]


def _types(viewer: Viewer, draft: Draft) -> list[MessageType]:
    found = types_to_choose(viewer)
    return found if draft.type is None or draft.type in found else [draft.type, *found]


def _moments(now: datetime) -> list[datetime]:
    """Moments to choose for sending later: this afternoon, tomorrow morning, next Monday morning; local times."""
    tomorrow = now + timedelta(days=1)
    monday = now + timedelta(days=7 - now.weekday())
    days = [tomorrow] if tomorrow.date() == monday.date() else [tomorrow, monday]
    found = [datetime.combine(day.date(), time(8), tzinfo=now.tzinfo) for day in days]
    afternoon = datetime.combine(now.date(), time(14), tzinfo=now.tzinfo)
    return [afternoon, *found] if now < afternoon else found


def preview_values(request: ViewerRequest, draft: Draft) -> dict[str, Any]:
    """as: the address of the recipient as whom it is shown; who may be chosen where that can make a difference."""
    people, unfilled = recipients_once(draft), fields_open(draft)
    person = person_of(request, people)
    preview, fault = preview_of(request.viewer, draft, person)
    missing, filled = unfilled, unfilled
    if unfilled and person is not None:
        missing = fields_open_in(draft.workspace_id, *draft_filled(request.viewer, draft, person))
        filled = [one for one in unfilled if one not in missing]
    return {
        "preview": preview,
        "fault": fault,
        "unfilled": unfilled,
        "missing": missing,
        "filled": filled if person is not None else [],
        "choices": people[:CHOICES] if len(people) > 1 or unfilled else [],
        "person": person,
        "draft": draft,
    }


def person_of(request: ViewerRequest, people: list[tuple[str, str]]) -> tuple[str, str] | None:
    asked = request.GET.get("as", "").strip().lower()
    return next((one for one in people if one[1].lower() == asked), people[0] if people else None)


def preview_of(viewer: Viewer, draft: Draft, person: tuple[str, str] | None) -> tuple[Preview | None, str]:
    try:
        return draft_preview(viewer=viewer, draft=draft, person=person), ""
    except PostroomError as error:
        return None, said(error)
