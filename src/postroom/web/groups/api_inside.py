"""What is inside a group, in the API: members, postings with what became of each copy, signals."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from postroom.actions.group_member import member_add, member_pause, members_add, members_remove
from postroom.actions.member_consent import member_ask_again
from postroom.actions.moderation import posting_moderate
from postroom.actions.signal import signal_send
from postroom.models.group import GroupMember, Posting
from postroom.models.signal import SIGNAL_MAX
from postroom.queries.group import kind_of, members_page
from postroom.queries.group_posting import (
    copy_state,
    figures_of,
    posting_one,
    posting_report_page,
    postings_page,
)
from postroom.web.groups.api import Text, Undo, Words, viewer_of
from postroom.web.paging import At, number_at
from postroom.web.problem import problems

router = Router(tags=["groups"])
Kind = Literal["", "local", "group", "external", "paused", "unconfirmed"]
Shelf = Literal["", "held", "refused"]
Copies = Literal["", "accepted", "delayed", "failed", "delivered"]


class MemberNew(Schema):
    #: Without @: an address of the group's domain.
    address: Text
    name: Annotated[str, Field(max_length=200)] = ""


class MembersNew(Schema):
    #: One or several addresses a line, with or without names.
    text: Annotated[str, Field(max_length=1_000_000)]


class MemberChange(Schema):
    #: Gets no mail of this group for now.
    paused: bool


class MemberOut(Schema):
    id: int
    address: str
    name: str
    #: local, group, external
    kind: str
    #: active, paused, unconfirmed
    state: str
    state_words: str
    added_by: str
    created_at: str
    #: Of an outsider who is asked first: when last, and when the answer came.
    asked_at: str | None
    confirmed_at: str | None


class GroupMembers(Schema):
    items: list[MemberOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class MemberLineOut(Schema):
    line: int
    text: str
    code: str
    message: str


class MembersAdded(Schema):
    added: list[MemberOut]
    errors: list[MemberLineOut]


class Figures(Schema):
    all: int
    accepted: int
    #: Waits for another try, or was not sent yet.
    delayed: int
    failed: int
    #: Of the accepted: a report said that it arrived.
    delivered: int


class PostingOut(Schema):
    id: int
    #: taken, held, sent, dropped, refused
    state: str
    reason: str
    author: str
    author_name: str
    subject: str
    message_id: str
    size_bytes: int
    taken_at: str
    decided_by: str
    decided_at: str | None
    figures: Figures


class Postings(Schema):
    items: list[PostingOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class CopyOut(Schema):
    address: str
    #: queued, accepted, deferred, failed, uncertain, skipped; or what a report said: delivered, relayed, expanded,
    #: delayed, bounced
    state: str
    #: The server's own.
    words: str
    attempts: int
    at: str | None


class CopyList(Schema):
    items: list[CopyOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class Decision(Schema):
    #: True: to the members; False: to nobody.
    send: bool


class SignalNew(Schema):
    text: Annotated[str, Field(max_length=SIGNAL_MAX)]


class SignalOut(Schema):
    id: int
    #: How many people are told.
    notified: int


def _moment(value: Any) -> str | None:
    return value.isoformat(timespec="milliseconds") if value else None


def _member(one: GroupMember) -> dict[str, Any]:
    return {
        "id": one.id,
        "address": one.address,
        "name": one.name,
        "kind": kind_of(one),
        "state": one.state,
        "state_words": one.state_words,
        "added_by": str(one.added_by) if one.added_by else "",
        "created_at": _moment(one.created_at),
        "asked_at": _moment(one.asked_at),
        "confirmed_at": _moment(one.confirmed_at),
    }


@router.get("/groups/{int:group_id}/members", response={200: GroupMembers, **problems(404, 422)})
def member_list(
    request: HttpRequest, group_id: int, q: Words = "", kind: Kind = "", at: At = ""
) -> dict[str, Any]:
    """By address."""
    page = members_page(viewer_of(request), group_id, words=q, kind=kind, at=at)
    return {"items": [_member(one) for one in page.rows], "next": page.following or None}


@router.post("/groups/{int:group_id}/members", response={201: MemberOut, **problems(400, 403, 404, 409, 422)})
def member_post(request: HttpRequest, group_id: int, body: MemberNew) -> Status[dict[str, Any]]:
    """Where the workspace wants outsiders asked first, one is unconfirmed until he has said yes.

    409 MEMBER_EXISTS, NO_ACCOUNT; 422 SELF, GROUP_CYCLE, BAD_ADDRESS."""
    made = member_add(viewer=viewer_of(request), group_id=group_id, address=body.address, name=body.name)
    return Status(201, _member(made))


@router.post(
    "/groups/{int:group_id}/members/bulk", response={200: MembersAdded, **problems(400, 403, 404, 409, 422)}
)
def member_bulk(request: HttpRequest, group_id: int, body: MembersNew) -> dict[str, Any]:
    """What fits is added, the rest is told line by line."""
    added = members_add(viewer=viewer_of(request), group_id=group_id, text=body.text)
    errors = [
        {"line": one.line, "text": one.text, "code": one.code, "message": one.message} for one in added.errors
    ]
    return {"added": [_member(one) for one in added.members], "errors": errors}


@router.put(
    "/groups/{int:group_id}/members/{int:member_id}",
    response={200: MemberOut, **problems(400, 403, 404, 409, 422)},
)
def member_put(request: HttpRequest, group_id: int, member_id: int, body: MemberChange) -> dict[str, Any]:
    """409 UNCONFIRMED: he was asked and has not said yes."""
    return _member(
        member_pause(viewer=viewer_of(request), group_id=group_id, member_id=member_id, on=body.paused)
    )


@router.post(
    "/groups/{int:group_id}/members/{int:member_id}/ask",
    response={200: MemberOut, **problems(403, 404, 409, 429)},
)
def member_ask(request: HttpRequest, group_id: int, member_id: int) -> dict[str, Any]:
    """Ask an outsider again. 409 CONFIRMED, NO_ACCOUNT; 429 within ten minutes."""
    return _member(member_ask_again(viewer=viewer_of(request), group_id=group_id, member_id=member_id))


@router.delete("/groups/{int:group_id}/members/{int:member_id}", response={200: Undo, **problems(403, 404)})
def member_drop(request: HttpRequest, group_id: int, member_id: int) -> dict[str, int]:
    """Only the membership ends; login and mailbox stay."""
    _, step = members_remove(viewer=viewer_of(request), group_id=group_id, member_ids=[member_id])
    return {"undo": step}


def _posting(one: Posting, figures: dict[str, int]) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": one.state,
        "reason": one.reason,
        "author": one.author,
        "author_name": one.author_name,
        "subject": one.subject,
        "message_id": one.msgid,
        "size_bytes": one.size_bytes,
        "taken_at": _moment(one.taken_at),
        "decided_by": str(one.decided_by) if one.decided_by else "",
        "decided_at": _moment(one.decided_at),
        "figures": figures,
    }


@router.get("/groups/{int:group_id}/postings", response={200: Postings, **problems(403, 404, 422)})
def posting_list(
    request: HttpRequest, group_id: int, q: Words = "", shelf: Shelf = "", at: At = ""
) -> dict[str, Any]:
    """Newest first. shelf: held = waits for a decision; refused = turned away; left out = all that was taken."""
    found, following = postings_page(viewer_of(request), group_id, shelf=shelf, words=q, before=number_at(at))
    figures = figures_of(found)
    return {"items": [_posting(one, figures[one.id]) for one in found], "next": following or None}


@router.get(
    "/groups/{int:group_id}/postings/{int:posting_id}", response={200: PostingOut, **problems(403, 404)}
)
def posting_get(request: HttpRequest, group_id: int, posting_id: int) -> dict[str, Any]:
    one = posting_one(viewer_of(request), group_id, posting_id)
    return _posting(one, figures_of([one])[one.id])


@router.get(
    "/groups/{int:group_id}/postings/{int:posting_id}/copies",
    response={200: CopyList, **problems(403, 404, 422)},
)
def posting_copies(
    request: HttpRequest,
    group_id: int,
    posting_id: int,
    show: Annotated[Copies, Query()] = "",
    at: At = "",
) -> dict[str, Any]:
    """What became of each member's copy; for managers."""
    report = posting_report_page(viewer_of(request), group_id, posting_id, show=show, at=number_at(at))
    rows = [
        {
            "address": one.address,
            "state": copy_state(one),
            "words": one.words,
            "attempts": one.attempts,
            "at": _moment(one.state_at),
        }
        for one in report.rows
    ]
    return {"items": rows, "next": report.following or None}


@router.post(
    "/groups/{int:group_id}/postings/{int:posting_id}/decision",
    response={200: PostingOut, **problems(400, 403, 404, 409, 422)},
)
def posting_decision(request: HttpRequest, group_id: int, posting_id: int, body: Decision) -> dict[str, Any]:
    """Of a posting that waits. 409 DECIDED (details: by, at, sent) when somebody was faster."""
    viewer = viewer_of(request)
    posting_moderate(viewer=viewer, group_id=group_id, posting_id=posting_id, send=body.send)
    one = posting_one(viewer, group_id, posting_id)
    return _posting(one, figures_of([one])[one.id])


@router.post("/groups/{int:group_id}/signals", response={201: SignalOut, **problems(400, 403, 404, 422, 429)})
def signal_post(request: HttpRequest, group_id: int, body: SignalNew) -> Status[dict[str, Any]]:
    """A short live message to the members who work here. 403 SIGNALS_DISABLED: nobody is told."""
    signal, told = signal_send(viewer=viewer_of(request), group_id=group_id, text=body.text)
    return Status(201, {"id": signal.id, "notified": told})
