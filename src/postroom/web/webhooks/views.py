"""Settings > Webhooks: other programs are told what becomes of mail."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.webhook import (
    WebhookValues,
    webhook_add,
    webhook_call_again,
    webhook_change,
    webhook_delete,
    webhook_secret_change,
    webhook_test,
)
from postroom.errors import Conflict, InputError
from postroom.models.webhook import Webhook
from postroom.queries.viewer import Viewer
from postroom.queries.webhook import (
    CAME_IN,
    EVENTS,
    OF_DELIVERY,
    OF_POSTING,
    RECEIVED,
    webhook_calls,
    webhook_visible_to,
    webhooks_visible_to,
)
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

_NEW: dict[str, Any] = {"url": "https://", "events": [], "is_on": True}


def index(request: ViewerRequest) -> HttpResponse:
    return render(request, "webhooks/index.html", {"rows": list(webhooks_visible_to(request.viewer))})


def new(request: ViewerRequest) -> HttpResponse:
    webhooks_visible_to(request.viewer)
    if request.method != "POST":
        return _form(request, None, dict(_NEW))
    typed = _typed(request)
    try:
        made, secret = webhook_add(viewer=request.viewer, values=WebhookValues(**typed))
    except (InputError, Conflict) as error:
        return _form(request, None, typed, error)
    return _show(request, made, secret=secret)


def edit(request: ViewerRequest, webhook_id: int) -> HttpResponse:
    webhook = webhook_visible_to(request.viewer, webhook_id)
    if request.method != "POST":
        return _form(request, webhook, {name: getattr(webhook, name) for name in _NEW})
    typed = _typed(request)
    seen = number(request.POST.get("version", ""), 0)
    try:
        webhook_change(
            viewer=request.viewer, webhook_id=webhook_id, version=seen, values=WebhookValues(**typed)
        )
    except (InputError, Conflict) as error:
        webhook.refresh_from_db()
        return _form(request, webhook, typed, error)
    toast(request, _("Saved."))
    return redirect("webhook", webhook_id)


def _typed(request: ViewerRequest) -> dict[str, Any]:
    return {
        "url": request.POST.get("url", ""),
        "events": request.POST.getlist("events"),
        "is_on": "is_on" in request.POST,
    }


def _form(
    request: ViewerRequest,
    webhook: Webhook | None,
    typed: dict[str, Any],
    error: InputError | Conflict | None = None,
) -> HttpResponse:
    status, more = 200, dict[str, Any]()
    if error is not None:
        status = 409 if isinstance(error, Conflict) else 422
        if error.code == "STALE_VERSION":
            more = {"theirs": error.details["theirs"], "theirs_by": error.details["by"]}
        else:
            more = {"wrong": said(error), "wrong_field": error.field}
    of_message = {**OF_DELIVERY, RECEIVED.partition(".")[2]: CAME_IN}
    groups = [
        (heading, [(name, _(words[name.partition(".")[2]])) for name in EVENTS if name.startswith(prefix)])
        for heading, prefix, words in (
            (_("Single messages"), "message.", of_message),
            (_("Campaigns"), "campaign.", of_message),
            (_("Mail to groups"), "posting.", OF_POSTING),
        )
    ]
    values = {"webhook": webhook, "typed": typed, "groups": groups, **more}
    return render(request, "webhooks/edit.html", values, status=status)


def show(request: ViewerRequest, webhook_id: int) -> HttpResponse:
    return _show(request, webhook_visible_to(request.viewer, webhook_id))


def _show(request: ViewerRequest, webhook: Webhook, secret: str = "") -> HttpResponse:
    before = number(request.GET.get("before", ""), 0)
    calls, following = webhook_calls(request.viewer, webhook.id, before=before)
    values = {"webhook": webhook, "calls": calls, "following": following, "secret": secret}
    answer = render(request, "webhooks/show.html", values)
    if secret:
        answer.headers["Cache-Control"] = "no-store"
    return answer


@require_POST
def secret(request: ViewerRequest, webhook_id: int) -> HttpResponse:
    """A new one, shown this once."""
    webhook, made = webhook_secret_change(viewer=request.viewer, webhook_id=webhook_id)
    return _show(request, webhook, secret=made)


@require_POST
def test(request: ViewerRequest, webhook_id: int) -> HttpResponse:
    return _done(request, webhook_id, _("A test call is on its way."), _tested)


def _tested(viewer: Viewer, webhook_id: int) -> None:
    webhook_test(viewer=viewer, webhook_id=webhook_id)


@require_POST
def again(request: ViewerRequest, webhook_id: int, call_id: int) -> HttpResponse:
    def act(viewer: Viewer, webhook_id: int) -> None:
        webhook_call_again(viewer=viewer, webhook_id=webhook_id, call_id=call_id)

    return _done(request, webhook_id, _("It is told once more."), act)


def _done(request: ViewerRequest, webhook_id: int, words: str, act: Any) -> HttpResponse:
    try:
        act(request.viewer, webhook_id)
    except Conflict as error:
        words = said(error)
    toast(request, words)
    return redirect("webhook", webhook_id)


@require_POST
def delete(request: ViewerRequest, webhook_id: int) -> HttpResponse:
    webhook_delete(viewer=request.viewer, webhook_id=webhook_id)
    toast(request, _("The webhook is deleted."))
    return redirect("webhooks")
