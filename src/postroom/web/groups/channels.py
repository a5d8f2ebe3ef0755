"""Where signals reach a person besides their open pages: browsers, chats, other services."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.channel import channel_add, channel_drop, push_add, push_public
from postroom.errors import Conflict, InputError
from postroom.models.signal import ChannelKind
from postroom.queries.signal import channels_of
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def _words() -> dict[str, tuple[str, str]]:
    return {
        ChannelKind.PUSH: ("device-desktop", _("A browser")),
        ChannelKind.CHAT: ("messages", _("Chat (Slack, Mattermost, Rocket.Chat)")),
        ChannelKind.WEBHOOK: ("link", _("Webhook")),
        ChannelKind.APPRISE: ("plug-connected", _("Another service, by an apprise address")),
    }


def channels(request: ViewerRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request)
    typed = {name: request.POST.get(name, "") for name in ("kind", "address", "title")}
    try:
        channel_add(viewer=request.viewer, **typed)
    except (InputError, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        return _page(request, status, wrong=said(error), typed=typed)
    toast(request, _("Signals go there from now on."))
    return redirect("channels")


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    words = _words()
    offered = [ChannelKind.CHAT, ChannelKind.WEBHOOK]
    offered += [ChannelKind.APPRISE] if request.viewer.manages else []
    values = {
        "channels": [(one, *words[one.kind]) for one in channels_of(request.viewer)],
        "kinds": [(str(kind), words[kind][1]) for kind in offered],
        "push_key": push_public(),
        "typed": {},
        **more,
    }
    return render(request, "groups/channels.html", values, status=status)


@require_POST
def push(request: ViewerRequest) -> HttpResponse:
    given = {name: request.POST.get(name, "")[:2000] for name in ("endpoint", "p256dh", "auth")}
    browser = request.headers.get("User-Agent", "")
    names = ("Firefox", "Edg", "Chrome", "Safari")
    name = next((one for one in names if one in browser), "").replace("Edg", "Edge")
    try:
        push_add(viewer=request.viewer, title=name, **given)
    except (InputError, Conflict) as error:
        return _page(request, 422, wrong=said(error))
    toast(request, _("This browser shows a notice when a signal comes."))
    return redirect("channels")


@require_POST
def drop(request: ViewerRequest, channel_id: int) -> HttpResponse:
    channel_drop(viewer=request.viewer, channel_id=channel_id)
    toast(request, _("Signals do not go there any more."))
    return redirect("channels")
