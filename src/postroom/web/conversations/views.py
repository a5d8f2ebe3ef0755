"""The inbox: shelves of conversations, one of them open, kept fresh while somebody looks at them."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from postroom.errors import InputError
from postroom.queries.conversation import Entry, conversation_one, message_in, timeline
from postroom.queries.picture import pictures_trusted_by
from postroom.web.conversations.place import Place, place_of
from postroom.web.conversations.shown import box_values, flow_values, mail_of, shelf_values, thread_values
from postroom.web.live import unchanged
from postroom.web.viewer import ViewerRequest


def inbox(request: ViewerRequest) -> HttpResponse:
    """The list; on a phone all there is, else with room for what is opened."""
    place = place_of(request)
    try:
        values = box_values(request.viewer, place)
    except InputError:  # a place in the list that is none
        return redirect(Place(place.account, place.shelf, place.find).url)
    return render(request, "conversations/inbox.html", {**values, "view": "list"})


def shelf_block(request: ViewerRequest) -> HttpResponse:
    """The list alone, for the page that renews itself. open: the conversation that is open beside it."""
    current = request.GET.get("open", "")
    number = int(current) if current.isascii() and current.isdecimal() and len(current) < 18 else None
    values = shelf_values(request.viewer, place_of(request), number)
    return unchanged(request, values["shelf_version"]) or render(request, "conversations/shelf.html", values)


def show(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """A conversation; with the list beside it, or alone when a click in the list asked for it."""
    conversation = conversation_one(request.viewer, conversation_id)
    place = place_of(request)
    if conversation.id != conversation_id:  # it was put into another
        return redirect(reverse("conversation", args=[conversation.id]) + place.query)
    values = thread_values(request.viewer, conversation, place)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "conversations/thread.html", values)
    try:
        box = box_values(request.viewer, place, conversation.id)
    except InputError:
        return redirect(reverse("conversation", args=[conversation.id]))
    return render(request, "conversations/inbox.html", {**box, **values, "view": "thread"})


def flow(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """The mails and notes alone, for the page that renews itself."""
    values = flow_values(request.viewer, conversation_one(request.viewer, conversation_id))
    return unchanged(request, values["flow_version"]) or render(request, "conversations/flow.html", values)


def entry(request: ViewerRequest, message_id: int) -> HttpResponse:
    """One mail that was folded away, for htmx; who comes by its address is led to its conversation."""
    message = message_in(request.viewer, message_id)
    if not request.htmx:
        return redirect(reverse("conversation", args=[message.conversation_id]) + f"#mail-{message.id}")
    conversation = conversation_one(request.viewer, message.conversation_id or 0)
    found = next(
        (
            one
            for one in timeline(request.viewer, conversation)
            if one.message and one.message.id == message.id
        ),
        Entry("message", message.created_at, message),
    )
    trusted = {one.address for one in pictures_trusted_by(request.viewer)}
    values = {"mail": mail_of(found, trusted), "conversation": conversation}
    return render(request, "conversations/mail.html", values)
