"""Single messages in the API: the same that people write, for other programs."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.blob import blob_put
from postroom.actions.message_send import Letter, message_json, message_send, message_unsend
from postroom.errors import InputError
from postroom.queries.message import message_sent_visible_to, messages_sent_visible_to
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["messages"])

PAGE = 50
Line = Annotated[str, Field(max_length=1000)]
People = Annotated[str, Field(max_length=100_000)] | Annotated[list[Line], Field(max_length=1000)]
Body = Annotated[str, Field(max_length=2_000_000)]


class FileIn(Schema):
    name: Line
    content_type: Line = "application/octet-stream"
    #: The file in base64.
    data: Annotated[str, Field(max_length=28_000_000)]


class MessageIn(Schema):
    """to, cc, bcc: addresses with or without names, as one text or as a list."""

    to: People = ""
    cc: People = ""
    bcc: People = ""
    subject: Annotated[str, Field(max_length=2000)] = ""
    html: Body = ""
    text: Body = ""
    #: Left out = an account of one's own that works, else any that may be used.
    account: int | None = None
    type: int | None = None
    files: Annotated[list[FileIn], Field(max_length=50)] = []
    receipt_read: bool = False
    #: Not before this moment.
    send_at: datetime | None = None
    #: The same key again answers with the same message and sends nothing twice.
    key: Annotated[str, Field(max_length=100)] = ""


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


@router.post("/messages", response={201: dict[str, Any], **problems(403, 404, 409, 422)})
def message_make(request: HttpRequest, body: MessageIn) -> Any:
    """Sends one message. 422 RECIPIENT_SUPPRESSED names who may not be written to; nothing is sent then."""
    if body.send_at is not None and body.send_at.tzinfo is None:
        raise InputError(_("Give the moment with its time zone."), field="send_at")
    letter = Letter(
        to=_typed(body.to),
        cc=_typed(body.cc),
        bcc=_typed(body.bcc),
        subject=body.subject,
        html=body.html,
        text=body.text,
        account_id=body.account,
        type_id=body.type,
        files=[_stored(one) for one in body.files],
        receipt_read=body.receipt_read,
        send_at=body.send_at,
        undo_s=0,
        key=body.key,
    )
    return Status(201, message_json(message_send(viewer=_viewer(request), letter=letter)))


def _typed(people: str | list[str]) -> str:
    return people if isinstance(people, str) else "\n".join(people)


def _stored(one: FileIn) -> tuple[str, str, str]:
    try:
        data = base64.b64decode(one.data, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(_("This is no base64."), field="files") from None
    return one.name, one.content_type, blob_put(data).sha256


@router.get("/messages", response={200: dict[str, Any], **problems(422)})
def message_list(request: HttpRequest, before: Annotated[int, Field(ge=0)] = 0) -> dict[str, Any]:
    """Sent ones, newest first. before: an id to go on from, as given by the last answer."""
    rows = messages_sent_visible_to(_viewer(request))
    if before:
        rows = rows.filter(id__lt=before)
    found = list(rows[: PAGE + 1])
    shown = found[:PAGE]
    return {
        "items": [{"id": one.id, "subject": one.subject, "to": one.to_address} for one in shown],
        "before": shown[-1].id if len(found) > PAGE else None,
    }


@router.get("/messages/{int:message_id}", response={200: dict[str, Any], **problems(404)})
def message_show(request: HttpRequest, message_id: int) -> dict[str, Any]:
    return message_json(message_sent_visible_to(_viewer(request), message_id))


@router.post("/messages/{int:message_id}/unsend", response={200: dict[str, Any], **problems(404, 409)})
def message_back(request: HttpRequest, message_id: int) -> dict[str, Any]:
    """Takes it back while nothing has left. 409 RUN_ACTIVE: it is on its way."""
    return message_json(message_unsend(viewer=_viewer(request), message_id=message_id))
