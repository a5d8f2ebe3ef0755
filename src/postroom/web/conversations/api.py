"""Conversations in the API: reading them, giving them away, closing them, notes, taking apart and putting together."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.conversation import (
    conversation_change,
    conversation_merge,
    conversation_merge_undo,
    conversation_seen,
    conversation_split,
    conversation_split_undo,
    note_add,
    note_delete,
    presence_touch,
)
from postroom.errors import Conflict, NotFound
from postroom.mail.letter import letter_read
from postroom.models.conversation import Conversation, Note
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.queries.blob import blob_read, blobs_read
from postroom.queries.conversation import (
    Entry,
    conversation_one,
    counts,
    drafts_of_others,
    message_in,
    presence_of,
    shelf,
    suggestions,
    timeline,
)
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["conversations"])

#: Of a long conversation the text of so many mails comes with it, the newest; of others, each by itself.
TEXTS = 30
Number = Annotated[int, Field(ge=1, le=2**62)]
Shelf = Literal["open", "mine", "waiting", "done", "all"]
Line = Annotated[str, Query(max_length=1000)]


class ConversationOut(Schema):
    """state: open, waiting (for an answer) or done. person: who it is with. last_direction: in or out."""

    id: int
    account: int | None
    subject: str
    state: str
    assignee: int | None
    type: int | None
    record: int | None
    #: The campaign it answers.
    campaign: int | None
    person_name: str
    person_address: str
    snippet: str
    message_count: int
    unread_count: int
    last_at: str
    last_direction: str
    version: int


class ConversationList(Schema):
    items: list[ConversationOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class ConversationCounts(Schema):
    """Conversations on each shelf, counted up to 1000; unread: open ones with mail nobody read."""

    open: int
    mine: int
    waiting: int
    done: int
    unread: int


class ConversationFile(Schema):
    name: str
    type: str
    size_bytes: int


class ConversationRecipient(Schema):
    address: str
    name: str
    state: str
    arrival: str
    reading: str
    #: The server's answer.
    words: str


class ConversationMail(Schema):
    """text: in plain text, never HTML; None = ask for the mail by itself. recipients: of one that went out."""

    id: int
    direction: str
    at: str
    from_name: str
    from_address: str
    to_address: str
    cc_address: str
    subject: str
    snippet: str
    text: str | None
    files: list[ConversationFile]
    message_id: str
    in_reply_to: str
    is_read: bool
    is_automatic: bool
    size_bytes: int
    user: int | None
    recipients: list[ConversationRecipient]


class ConversationNote(Schema):
    """Words for colleagues; they are in no mail."""

    id: int
    user: int | None
    user_name: str
    at: str
    text: str


class ConversationPresent(Schema):
    user: int
    name: str
    is_writing: bool


class ConversationShown(ConversationOut):
    """mails and notes: oldest first. here: colleagues who have it open. suggestions: perhaps the same conversation."""

    mails: list[ConversationMail]
    notes: list[ConversationNote]
    here: list[ConversationPresent]
    #: Names of colleagues with an answer begun and not sent.
    drafts: list[str]
    suggestions: list[ConversationOut]


class ConversationPatch(Schema):
    """What is left out stays. None takes assignee, type or record away."""

    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: Number
    state: Literal["open", "waiting", "done"] | None = None
    assignee: Number | None = None
    type: Number | None = None
    record: Number | None = None


class ConversationNoteIn(Schema):
    text: Annotated[str, Field(max_length=20_000)]


class ConversationSplit(Schema):
    #: The mail that becomes a conversation of its own.
    message: Number


class ConversationMerge(Schema):
    #: The conversation of the same account that it is put into.
    into: Number


class ConversationSeenIn(Schema):
    #: False marks the newest that came in as unread.
    is_read: bool = True


class ConversationSeenOut(Schema):
    changed: int


class ConversationHereIn(Schema):
    is_writing: bool = False


class ConversationHereOut(Schema):
    here: list[ConversationPresent]


class ConversationStep(Schema):
    """conversation: what it became; undo: for POST /conversations/undo/{undo}, within an hour."""

    conversation: ConversationOut
    undo: int


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


@router.get("/conversations", response={200: ConversationList, **problems(404, 422)})
def conversation_list(
    request: HttpRequest,
    shelf_: Shelf = Query("open", alias="shelf"),
    account: Number | None = None,
    find: Line = "",
    at: Annotated[str, Query(max_length=60)] = "",
) -> dict[str, Any]:
    """Newest first. find: words that all stand in one of its mails, accents do not matter. A word of three letters
    may be the beginning of one; "words in quotes" stand so."""
    page = shelf(_viewer(request), account, shelf_, find, at)
    return {"items": [_out(one) for one in page.rows], "next": page.next or None}


@router.get("/conversations/counts", response={200: ConversationCounts, **problems(422)})
def conversation_counts(request: HttpRequest, account: Number | None = None) -> dict[str, int]:
    return counts(_viewer(request), account)


@router.get("/conversations/{int:conversation_id}", response={200: ConversationShown, **problems(404)})
def conversation_show(request: HttpRequest, conversation_id: int) -> dict[str, Any]:
    """One with its mails, notes, and who is at it now. One that was merged answers as what it became."""
    viewer = _viewer(request)
    conversation = conversation_one(viewer, conversation_id)
    entries = timeline(viewer, conversation)
    texts = _texts([entry.message for entry in entries if entry.message][-TEXTS:])
    return {
        **_out(conversation),
        "mails": [_mail(entry, texts) for entry in entries if entry.message],
        "notes": [_note(entry.note) for entry in entries if entry.note],
        "here": _here(viewer, conversation),
        "drafts": [str(draft.user) for draft in drafts_of_others(viewer, conversation)],
        "suggestions": [_out(one) for one in suggestions(viewer, conversation)],
    }


@router.patch(
    "/conversations/{int:conversation_id}", response={200: ConversationOut, **problems(404, 409, 422)}
)
def conversation_patch(request: HttpRequest, conversation_id: int, body: ConversationPatch) -> dict[str, Any]:
    """Changes its state, or who sees to it: somebody who may read the account, who is told on the pages."""
    given = body.dict(exclude_unset=True)
    names = {"assignee": "assignee_id", "type": "type_id", "record": "record_id"}
    values = {names[name]: given[name] for name in names if name in given}
    if body.state is not None:
        values["state"] = body.state
    changed = conversation_change(
        viewer=_viewer(request), conversation_id=conversation_id, version=body.version, **values
    )
    return _out(changed)


@router.post(
    "/conversations/{int:conversation_id}/notes", response={201: ConversationNote, **problems(404, 422)}
)
def conversation_note(request: HttpRequest, conversation_id: int, body: ConversationNoteIn) -> Any:
    """Adds a note for colleagues. It goes into no mail."""
    made = note_add(viewer=_viewer(request), conversation_id=conversation_id, text=body.text)
    return Status(201, _note(made))


@router.delete(
    "/conversations/{int:conversation_id}/notes/{int:note_id}", response={204: None, **problems(404)}
)
def conversation_note_delete(request: HttpRequest, conversation_id: int, note_id: int) -> Any:
    """One's own note; owners and administrators delete any."""
    note_delete(viewer=_viewer(request), note_id=note_id, conversation_id=conversation_id)
    return Status(204, None)


@router.post(
    "/conversations/{int:conversation_id}/split", response={201: ConversationStep, **problems(404, 409)}
)
def conversation_take_apart(request: HttpRequest, conversation_id: int, body: ConversationSplit) -> Any:
    """Makes one mail a conversation of its own. 409 ONLY_MESSAGE."""
    viewer = _viewer(request)
    message_in(viewer, body.message, conversation_id=conversation_one(viewer, conversation_id).id)
    made, step = conversation_split(viewer=viewer, message_id=body.message)
    return Status(201, {"conversation": _out(made), "undo": step})


@router.post(
    "/conversations/{int:conversation_id}/merge", response={200: ConversationStep, **problems(404, 422)}
)
def conversation_put_together(
    request: HttpRequest, conversation_id: int, body: ConversationMerge
) -> dict[str, Any]:
    """Puts it into another of the same account; its address leads there afterwards."""
    into, step = conversation_merge(
        viewer=_viewer(request), conversation_id=conversation_id, into_id=body.into
    )
    return {"conversation": _out(into), "undo": step}


@router.post("/conversations/undo/{int:step_id}", response={200: ConversationOut, **problems(404, 409)})
def conversation_undo(request: HttpRequest, step_id: int) -> dict[str, Any]:
    """Takes a split or a merge of one's own back. 409 UNDO_GONE: it was taken back already, or is an hour old."""
    viewer = _viewer(request)
    try:
        return _out(conversation_merge_undo(viewer=viewer, step_id=step_id))
    except Conflict as error:
        if error.code != "UNDO_GONE":
            raise
    return _out(conversation_split_undo(viewer=viewer, step_id=step_id))


@router.post(
    "/conversations/{int:conversation_id}/seen", response={200: ConversationSeenOut, **problems(404)}
)
def conversation_read(request: HttpRequest, conversation_id: int, body: ConversationSeenIn) -> dict[str, int]:
    """Marks its mails read or unread, here and on the mail server."""
    viewer = _viewer(request)
    changed = conversation_seen(viewer=viewer, conversation_id=conversation_id, is_read=body.is_read)
    return {"changed": changed}


@router.post(
    "/conversations/{int:conversation_id}/here", response={200: ConversationHereOut, **problems(404)}
)
def conversation_here(request: HttpRequest, conversation_id: int, body: ConversationHereIn) -> dict[str, Any]:
    """Says that the caller has it open, for the next 15 seconds, and answers who else has."""
    viewer = _viewer(request)
    presence_touch(viewer=viewer, conversation_id=conversation_id, is_writing=body.is_writing)
    return {"here": _here(viewer, conversation_one(viewer, conversation_id))}


@router.get(
    "/conversations/{int:conversation_id}/messages/{int:message_id}",
    response={200: ConversationMail, **problems(404)},
)
def conversation_mail(request: HttpRequest, conversation_id: int, message_id: int) -> dict[str, Any]:
    """One mail with its text."""
    message, conversation = _one_mail(request, conversation_id, message_id)
    entries = timeline(_viewer(request), conversation)
    entry = next(one for one in entries if one.message is not None and one.message.id == message.id)
    return _mail(entry, _texts([message]))


@router.get(
    "/conversations/{int:conversation_id}/messages/{int:message_id}/raw",
    response={200: None, **problems(404)},
    openapi_extra={"responses": {200: {"description": "OK", "content": {"application/octet-stream": {}}}}},
)
def conversation_mail_raw(request: HttpRequest, conversation_id: int, message_id: int) -> HttpResponse:
    """The bytes of a mail as they came in or went out, as a download."""
    message, _conversation = _one_mail(request, conversation_id, message_id)
    if message.raw_id is None:
        raise NotFound("The bytes of this mail were not kept.")
    answer = HttpResponse(blob_read(message.raw_id), content_type="application/octet-stream")
    name = f"message-{message.id}.eml"
    answer.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _one_mail(request: HttpRequest, conversation_id: int, message_id: int) -> tuple[Message, Conversation]:
    viewer = _viewer(request)
    conversation = conversation_one(viewer, conversation_id)
    return message_in(viewer, message_id, conversation_id=conversation.id), conversation


def _out(kept: Conversation) -> dict[str, Any]:
    return {
        "id": kept.id,
        "account": kept.account_id,
        "subject": kept.subject,
        "state": kept.state,
        "assignee": kept.assignee_id,
        "type": kept.type_id,
        "record": kept.record_id,
        "campaign": kept.campaign_id,
        "person_name": kept.person_name,
        "person_address": kept.person_address,
        "snippet": kept.snippet,
        "message_count": kept.message_count,
        "unread_count": kept.unread_count,
        "last_at": kept.last_at.isoformat(),
        "last_direction": kept.last_direction,
        "version": kept.version,
    }


def _texts(mails: list[Message]) -> dict[int, str]:
    """The plain text of each mail, made from its bytes; "" for one whose bytes were not kept."""
    kept = blobs_read([mail.raw_id for mail in mails if mail.raw_id])
    return {mail.id: letter_read(kept[mail.raw_id]).text if mail.raw_id else "" for mail in mails}


def _mail(entry: Entry, texts: dict[int, str]) -> dict[str, Any]:
    mail = entry.message
    assert mail is not None
    named = ("from_name", "from_address", "to_address", "cc_address", "subject", "snippet", "message_id")
    plain = ("id", "direction", "in_reply_to", "is_read", "is_automatic", "size_bytes")
    return {
        **{name: getattr(mail, name) for name in (*plain, *named)},
        "at": entry.at.isoformat(),
        "text": texts.get(mail.id),
        "files": mail.files,
        "user": mail.user_id,
        "recipients": [_recipient(one) for one in entry.deliveries],
    }


def _recipient(row: Delivery) -> dict[str, str]:
    names = ("address", "name", "state", "arrival", "reading", "words")
    return {name: str(getattr(row, name)) for name in names}


def _note(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "user": note.user_id,
        "user_name": str(note.user) if note.user else "",
        "at": note.created_at.isoformat(),
        "text": note.text,
    }


def _here(viewer: Viewer, conversation: Conversation) -> list[dict[str, Any]]:
    return [
        {"user": one.user.id, "name": str(one.user), "is_writing": one.is_writing}
        for one in presence_of(viewer, conversation)
    ]
