"""Webhooks in the API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from postroom.actions.webhook import (
    WebhookValues,
    webhook_add,
    webhook_call_again,
    webhook_change,
    webhook_delete,
    webhook_secret_change,
    webhook_test,
)
from postroom.models.webhook import Webhook, WebhookCall
from postroom.queries.viewer import Viewer
from postroom.queries.webhook import webhook_calls, webhook_visible_to, webhooks_visible_to
from postroom.web.paging import At, number_at
from postroom.web.problem import problems

router = Router(tags=["webhooks"])
Events = Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=100)]


class WebhookIn(Schema):
    """Each call is a POST with `Postroom-Signature: t=SECONDS,v1=HEX`: the HMAC-SHA256 of `SECONDS.BODY` under the
    secret. Refuse a `t` more than five minutes away; `id` in the body is the same when a call is made again."""

    url: Annotated[str, Field(max_length=2000)]
    #: As message.accepted or campaign.bounced; empty = all of single messages, none of campaigns.
    events: Events = []
    is_on: bool = True


class WebhookChange(Schema):
    """What is left out keeps its value."""

    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: int
    url: Annotated[str, Field(max_length=2000)] | None = None
    events: Events | None = None
    is_on: bool | None = None


class WebhookOut(Schema):
    id: int
    url: str
    events: list[str]
    is_on: bool
    #: Why it was switched off by itself.
    error: str
    failing_since: str | None
    version: int
    created_at: str


class WebhookMade(WebhookOut):
    #: In this answer only.
    secret: str


class Webhooks(Schema):
    items: list[WebhookOut]


class CallOut(Schema):
    id: int
    event: str
    body: dict[str, Any]
    tries: int
    #: The receiver's last answer; 0 = none (words say why).
    code: int
    words: str
    given_up: bool
    created_at: str
    done_at: str | None
    next_at: str | None


class Calls(Schema):
    items: list[CallOut]
    #: To go on with as `at`; None at the end.
    next: str | None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _out(one: Webhook) -> dict[str, Any]:
    return {
        "id": one.id,
        "url": one.url,
        "events": one.events,
        "is_on": one.is_on,
        "error": one.error,
        "failing_since": _moment(one.failing_since),
        "version": one.version,
        "created_at": _moment(one.created_at),
    }


def _call(one: WebhookCall) -> dict[str, Any]:
    return {
        "id": one.id,
        "event": one.event,
        "body": one.body,
        "tries": one.tries,
        "code": one.code,
        "words": one.words,
        "given_up": one.is_given_up,
        "created_at": _moment(one.created_at),
        "done_at": _moment(one.done_at),
        "next_at": None if one.done_at else _moment(one.next_at),
    }


@router.get("/webhooks", response={200: Webhooks, **problems(403)})
def webhook_list(request: HttpRequest) -> dict[str, Any]:
    return {"items": [_out(one) for one in webhooks_visible_to(_viewer(request))]}


@router.post("/webhooks", response={201: WebhookMade, **problems(403, 409, 422)})
def webhook_make(request: HttpRequest, body: WebhookIn) -> Any:
    """`secret` is in this answer only."""
    made, secret = webhook_add(viewer=_viewer(request), values=WebhookValues(**body.dict()))
    return Status(201, {**_out(made), "secret": secret})


@router.get("/webhooks/{int:webhook_id}", response={200: WebhookOut, **problems(403, 404)})
def webhook_show(request: HttpRequest, webhook_id: int) -> dict[str, Any]:
    return _out(webhook_visible_to(_viewer(request), webhook_id))


@router.put("/webhooks/{int:webhook_id}", response={200: WebhookOut, **problems(403, 404, 409, 422)})
def webhook_put(request: HttpRequest, webhook_id: int, body: WebhookChange) -> dict[str, Any]:
    viewer = _viewer(request)
    stored = webhook_visible_to(viewer, webhook_id)
    given = {name: value for name, value in body.dict(exclude={"version"}).items() if value is not None}
    values = WebhookValues(**{"url": stored.url, "events": stored.events, "is_on": stored.is_on, **given})
    return _out(webhook_change(viewer=viewer, webhook_id=webhook_id, version=body.version, values=values))


@router.delete("/webhooks/{int:webhook_id}", response={204: None, **problems(403, 404)})
def webhook_drop(request: HttpRequest, webhook_id: int) -> Any:
    """With its log; what was not heard yet is not told."""
    webhook_delete(viewer=_viewer(request), webhook_id=webhook_id)
    return Status(204, None)


@router.post("/webhooks/{int:webhook_id}/secret", response={200: WebhookMade, **problems(403, 404)})
def webhook_secret(request: HttpRequest, webhook_id: int) -> dict[str, Any]:
    """A new secret, in this answer only; the old one signs beside it for 24 hours."""
    webhook, secret = webhook_secret_change(viewer=_viewer(request), webhook_id=webhook_id)
    return {**_out(webhook), "secret": secret}


@router.post("/webhooks/{int:webhook_id}/test", response={201: CallOut, **problems(403, 404, 409)})
def webhook_try(request: HttpRequest, webhook_id: int) -> Any:
    """A call of the type "test". 409 WEBHOOK_OFF."""
    return Status(201, _call(webhook_test(viewer=_viewer(request), webhook_id=webhook_id)))


@router.get("/webhooks/{int:webhook_id}/calls", response={200: Calls, **problems(403, 404, 422)})
def webhook_log(request: HttpRequest, webhook_id: int, at: At = "") -> dict[str, Any]:
    """Newest first; those that are over are kept for 30 days."""
    calls, following = webhook_calls(_viewer(request), webhook_id, before=number_at(at))
    return {"items": [_call(one) for one in calls], "next": str(following) if following else None}


@router.post(
    "/webhooks/{int:webhook_id}/calls/{int:call_id}/again", response={200: CallOut, **problems(403, 404, 409)}
)
def webhook_call(request: HttpRequest, webhook_id: int, call_id: int) -> dict[str, Any]:
    """Tells it once more under the same id. 409 WEBHOOK_OFF."""
    viewer = _viewer(request)
    return _call(webhook_call_again(viewer=viewer, webhook_id=webhook_id, call_id=call_id))
