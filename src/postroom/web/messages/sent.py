"""Single messages that went out, what became of them for each recipient, and drafts."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.message_doubt import message_decide
from postroom.errors import InputError
from postroom.models.delivery import Delivery, DeliveryState
from postroom.models.message import Message
from postroom.queries.draft import draft_of_sent, drafts_page
from postroom.queries.message import message_sent_visible_to, scheduled_page, sent_page
from postroom.queries.viewer import Viewer
from postroom.web.live import unchanged
from postroom.web.messages.forms import zone_of
from postroom.web.messages.views import counts, frame_of, page_number, parts_of, raw_of
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: What may still change by itself.
_MOVING = (DeliveryState.QUEUED, DeliveryState.DEFERRED)


def drafts(request: ViewerRequest) -> HttpResponse:
    page = drafts_page(request.viewer, page=page_number(request))
    return render(
        request, "messages/index.html", {"page": page, "find": "", "at": "drafts", **counts(request.viewer)}
    )


def scheduled(request: ViewerRequest) -> HttpResponse:
    """What leaves later, each with a way to take it back; by the clocks of the workspace."""
    page, zone = scheduled_page(request.viewer, page=page_number(request)), zone_of(request.viewer.workspace)
    rows = [(one, timezone.localtime(one.send_at, zone).replace(tzinfo=None)) for one in page]
    return render(request, "messages/scheduled.html", {"page": page, "rows": rows, "zone": zone.key})


def sent(request: ViewerRequest) -> HttpResponse:
    find = request.GET.get("q", "").strip()
    page = sent_page(request.viewer, find=find, page=page_number(request))
    rows = [(message, _summary(list(message.deliveries.all()))) for message in page]
    values = {"page": page, "rows": rows, "find": find, "at": "sent", **counts(request.viewer)}
    return render(request, "messages/index.html", values)


def _summary(deliveries: list[Delivery]) -> list[tuple[str, int]]:
    """(state, how many), the largest first; "cancelled" is what was taken back."""
    states = ["cancelled" if one.reason == "cancelled" else one.state for one in deliveries]
    return sorted(((state, states.count(state)) for state in set(states)), key=lambda pair: -pair[1])


def show(request: ViewerRequest, sent_id: int) -> HttpResponse:
    message = message_sent_visible_to(request.viewer, sent_id)
    values = {
        "message": message,
        "again": _again(request.viewer, message),
        "body_url": reverse("sent_body", args=[message.id]),
        "raw_url": reverse("sent_raw", args=[message.id]),
        **parts_of(message.raw_id),
        **_states(message),
    }
    return render(request, "messages/sent.html", values)


def _again(viewer: Viewer, message: Message) -> bool:
    """Whether it did not reach somebody and was written here by the viewer: it can be mended and sent once more."""
    failed = message.deliveries.filter(state=DeliveryState.FAILED).exists()
    return failed and draft_of_sent(viewer, message.id) is not None


def states(request: ViewerRequest, sent_id: int) -> HttpResponse:
    """The recipients alone, for the page that renews itself."""
    message = message_sent_visible_to(request.viewer, sent_id)
    values = _states(message)
    return unchanged(request, values["states_version"]) or render(
        request, "messages/recipients.html", {"message": message, **values}
    )


def _states(message: Message) -> dict[str, Any]:
    rows = list(message.deliveries.order_by("id"))
    version = "-".join(f"{row.state}{row.attempts}{row.arrival}{row.reading}" for row in rows)
    return {
        "rows": rows,
        "doubtful": sum(row.state == DeliveryState.UNCERTAIN for row in rows),
        "moving": any(row.state in _MOVING for row in rows),
        "states_version": str(sum(ord(sign) * (at + 1) for at, sign in enumerate(version))),
    }


@require_POST
def decide(request: ViewerRequest, sent_id: int) -> HttpResponse:
    """decision: again, or leave: those in doubt count as accepted."""
    decision = request.POST.get("decision")
    if decision not in ("again", "leave"):
        raise InputError(_("Choose what shall happen."), field="decision")
    again = decision == "again"
    count = message_decide(viewer=request.viewer, message_id=sent_id, send_again=again)
    if not count:
        words = _("Nothing was in doubt any more.")
    elif again:
        words = ngettext("%(n)s message goes out again.", "%(n)s messages go out again.", count)
    else:
        words = ngettext("%(n)s counts as accepted.", "%(n)s count as accepted.", count)
    toast(request, words % {"n": count} if count else words)
    return redirect("sent_message", sent_id)


def body(request: ViewerRequest, sent_id: int) -> HttpResponse:
    return frame_of(request, message_sent_visible_to(request.viewer, sent_id).raw_id)


def raw(request: ViewerRequest, sent_id: int) -> HttpResponse:
    return raw_of(message_sent_visible_to(request.viewer, sent_id).raw_id)
