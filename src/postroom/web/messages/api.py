"""Single messages in the API: the same that people write, for other programs."""

import base64
import binascii
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.blob import blob_put
from postroom.actions.message_doubt import message_decide
from postroom.actions.message_send import Letter, message_json, message_send, message_unsend
from postroom.actions.message_template import template_brings, template_written
from postroom.errors import InputError
from postroom.models.account import Account
from postroom.queries.account import accounts_usable_by
from postroom.queries.draft import sender_default
from postroom.queries.message import message_sent_visible_to, messages_sent_visible_to
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems

router = Router(tags=["messages"])

PAGE = 50
Line = Annotated[str, Field(max_length=1000)]
People = Annotated[str, Field(max_length=100_000)] | Annotated[list[Line], Field(max_length=1000)]
Fields = Annotated[dict[Line, Annotated[str, Field(max_length=20_000)]], Field(max_length=500)]
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
    #: A template, filled in once for the first recipient; a subject, html or text of your own goes before its own.
    #: Its files come along before yours.
    template: int | None = None
    #: Values of the template's fields by key; what is left out is taken from recipient, sender and record.
    fields: Fields = {}
    #: The record it is about: answers join it by themselves.
    record: int | None = None
    files: Annotated[list[FileIn], Field(max_length=50)] = []
    receipt_read: bool = False
    #: Not before this moment.
    send_at: datetime | None = None
    #: Idempotency: a request with the same key again answers with the same message and sends nothing twice, however
    #: long after the first and whatever else it says. A key belongs to the person behind the token. "" = no such care.
    key: Annotated[str, Field(max_length=100)] = ""


class MessageDecision(Schema):
    #: "again", or "leave": those in doubt count as accepted.
    decision: Literal["again", "leave"]


class Recipient(Schema):
    address: str
    name: str
    state: str
    reason: str
    code: int
    words: str
    arrival: str
    reading: str


class MessageOut(Schema, extra="allow"):
    """recipients: what became of it for each."""

    id: int
    subject: str
    record: int | None
    template: int | None
    message_id: str
    recipients: list[Recipient]


class MessageShort(Schema):
    id: int
    subject: str
    to: str
    record: int | None
    created_at: str


class Messages(Schema):
    items: list[MessageShort]
    #: To go on with as `at`; None at the end.
    next: str | None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


@router.post("/messages", response={201: MessageOut, **problems(403, 404, 409, 422)})
def message_make(request: HttpRequest, body: MessageIn) -> Any:
    """Sends one message. 422 RECIPIENT_SUPPRESSED names who may not be written to; nothing is sent then.

    Give a `key` of your own (as the number of the invoice) and a request whose answer was lost can be made again:
    the same key is the same message. 422 MISSING_VALUE names a field of the template that has no value.
    """
    if body.send_at is not None and body.send_at.tzinfo is None:
        raise InputError(_("Give the moment with its time zone."), field="send_at")
    to, cc, bcc = _typed(body.to), _typed(body.cc), _typed(body.bcc)
    subject, html, text, account_id = body.subject, body.html, body.text, body.account
    files = [_stored(one) for one in body.files]
    if body.template is not None:
        files = [*template_brings(viewer=_viewer(request), template_id=body.template), *files]
        account = _sender(_viewer(request), account_id)
        account_id = account.id if account else account_id
        filled = template_written(
            viewer=_viewer(request),
            template_id=body.template,
            fields=body.fields,
            to=to or cc or bcc,
            account=account,
            record_id=body.record,
        )
        own = bool(html or text)
        subject, html, text = subject or filled[0], html if own else filled[1], text if own else filled[2]
    letter = Letter(
        to=to,
        cc=cc,
        bcc=bcc,
        subject=subject,
        html=html,
        text=text,
        account_id=account_id,
        record_id=body.record,
        template_id=body.template,
        type_id=body.type,
        files=files,
        receipt_read=body.receipt_read,
        send_at=body.send_at,
        undo_s=0,
        key=body.key,
    )
    return Status(201, message_json(message_send(viewer=_viewer(request), letter=letter)))


def _sender(viewer: Viewer, account_id: int | None) -> Account | None:
    if account_id is None:
        return sender_default(viewer)
    return accounts_usable_by(viewer).filter(id=account_id).first()


def _typed(people: str | list[str]) -> str:
    return people if isinstance(people, str) else "\n".join(people)


def _stored(one: FileIn) -> tuple[str, str, str]:
    try:
        data = base64.b64decode(one.data, validate=True)
    except (binascii.Error, ValueError):
        raise InputError(_("This is no base64."), field="files") from None
    return one.name, one.content_type, blob_put(data).sha256


@router.get("/messages", response={200: Messages, **problems(422)})
def message_list(request: HttpRequest, at: At = "") -> dict[str, Any]:
    """Sent ones, newest first."""
    rows, before = messages_sent_visible_to(_viewer(request)), number_at(at)
    if before:
        rows = rows.filter(id__lt=before)
    shown, following = cut(list(rows[: PAGE + 1]), PAGE)
    items = [
        {
            "id": one.id,
            "subject": one.subject,
            "to": one.to_address,
            "record": one.record_id,
            "created_at": one.created_at.isoformat(timespec="milliseconds"),
        }
        for one in shown
    ]
    return {"items": items, "next": following}


@router.get("/messages/{int:message_id}", response={200: MessageOut, **problems(404)})
def message_show(request: HttpRequest, message_id: int) -> dict[str, Any]:
    return message_json(message_sent_visible_to(_viewer(request), message_id))


@router.post("/messages/{int:message_id}/unsend", response={200: MessageOut, **problems(404, 409)})
def message_back(request: HttpRequest, message_id: int) -> dict[str, Any]:
    """Takes it back while nothing has left. 409 RUN_ACTIVE: it is on its way."""
    return message_json(message_unsend(viewer=_viewer(request), message_id=message_id))


@router.post("/messages/{int:message_id}/decide", response={200: MessageOut, **problems(404, 422)})
def message_doubt(request: HttpRequest, message_id: int, body: MessageDecision) -> dict[str, Any]:
    """Doubt is settled by a person: it is sent again to those whose state is "uncertain", or counts as accepted."""
    viewer = _viewer(request)
    message_decide(viewer=viewer, message_id=message_id, send_again=body.decision == "again")
    return message_json(message_sent_visible_to(viewer, message_id))
