"""What is done with a conversation: give it away, close it, note something, take apart and put together."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.conversation import (
    conversation_assign,
    conversation_change,
    conversation_merge,
    conversation_merge_undo,
    conversation_seen,
    conversation_set_state,
    conversation_split,
    conversation_split_undo,
    note_add,
    note_delete,
    note_undelete,
    presence_touch,
)
from postroom.errors import InputError, NotFound, PostroomError
from postroom.queries.conversation import conversation_one
from postroom.web.conversations.place import place_of
from postroom.web.conversations.shown import present_values
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest


def _number(request: ViewerRequest, name: str) -> int | None:
    """A number of the form; None for "". Raises NotFound for what is none."""
    text = request.POST.get(name, "").strip()
    if text and not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise NotFound("There is no such thing.")
    return int(text) if text else None


def _back(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    return redirect(reverse("conversation", args=[conversation_id]) + place_of(request).query)


@require_POST
def here(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """Said every few seconds by the page that has it open; who else is here is the answer."""
    conversation = conversation_one(request.viewer, conversation_id)
    presence_touch(
        viewer=request.viewer,
        conversation_id=conversation.id,
        is_writing=request.POST.get("writing") == "1",
    )
    return render(request, "conversations/present.html", present_values(request.viewer, conversation))


@require_POST
def seen(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """read=no: unread again, and back to the list."""
    unread = request.POST.get("read") == "no"
    conversation_seen(viewer=request.viewer, conversation_id=conversation_id, is_read=not unread)
    return redirect(place_of(request).url) if unread else HttpResponse(status=204)


@require_POST
def state(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """state: open, waiting or done. Whoever closes one goes back to the list."""
    conversation = conversation_one(request.viewer, conversation_id)
    before, wanted = conversation.state, request.POST.get("state") or request.GET.get("to", "")
    try:
        conversation_set_state(
            viewer=request.viewer,
            conversation_id=conversation_id,
            state=wanted,
            version=_number(request, "version"),
        )
    except InputError:
        raise NotFound("There is no such state.") from None
    words = {
        "done": _("Done."),
        "waiting": _("It waits for their answer."),
        "open": _("It is open again."),
    }
    undo = reverse("conversation_state", args=[conversation_id]) + place_of(request).query
    if request.GET.get("to"):  # taken back
        return _back(request, conversation_id)
    toast(request, words[wanted], undo=_undo(undo, before))
    return _back(request, conversation_id) if wanted == "open" else redirect(place_of(request).url)


def _undo(url: str, before: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}to={before}"


@require_POST
def give(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """user: who sees to it from now on; "" = nobody."""
    user_id = _number(request, "user")
    try:
        found = conversation_assign(
            viewer=request.viewer,
            conversation_id=conversation_id,
            user_id=user_id,
            version=_number(request, "version"),
        )
    except InputError as error:
        toast(request, said(error))
        return _back(request, conversation_id)
    toast(
        request,
        _("%(who)s sees to it now.") % {"who": found.assignee} if found.assignee else _("Nobody has it now."),
    )
    return _back(request, conversation_id)


@require_POST
def kind(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """type: what it is about; "" = nothing named."""
    conversation_change(
        viewer=request.viewer,
        conversation_id=conversation_id,
        version=_number(request, "version"),
        type_id=_number(request, "type"),
    )
    return _back(request, conversation_id)


@require_POST
def note(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    try:
        note_add(viewer=request.viewer, conversation_id=conversation_id, text=request.POST.get("text", ""))
    except InputError as error:
        toast(request, said(error))
    return _back(request, conversation_id)


@require_POST
def note_off(request: ViewerRequest, note_id: int) -> HttpResponse:
    note_delete(viewer=request.viewer, note_id=note_id)
    toast(request, _("The note was deleted."), undo=reverse("note_undelete", args=[note_id]))
    return redirect(_from(request))


@require_POST
def note_back(request: ViewerRequest, note_id: int) -> HttpResponse:
    found = note_undelete(viewer=request.viewer, note_id=note_id)
    return redirect("conversation", found.conversation_id)


def _from(request: ViewerRequest) -> str:
    """The conversation a form was on."""
    number = _number(request, "conversation")
    return reverse("conversation", args=[number]) if number else reverse("messages")


@require_POST
def merge(request: ViewerRequest, conversation_id: int) -> HttpResponse:
    """into: where its mails and notes go."""
    into = _number(request, "into")
    if into is None:
        raise NotFound("There is no such conversation.")
    try:
        found, step = conversation_merge(viewer=request.viewer, conversation_id=conversation_id, into_id=into)
    except InputError as error:
        toast(request, said(error))
        return _back(request, conversation_id)
    toast(request, _("They are one conversation now."), undo=reverse("merge_undo", args=[step]))
    return _back(request, found.id)


@require_POST
def merge_undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    return redirect("conversation", conversation_merge_undo(viewer=request.viewer, step_id=step_id).id)


@require_POST
def split(request: ViewerRequest, message_id: int) -> HttpResponse:
    try:
        made, step = conversation_split(viewer=request.viewer, message_id=message_id)
    except NotFound:
        raise
    except PostroomError as error:
        toast(request, said(error))
        return redirect(_from(request))
    toast(request, _("It is a conversation of its own now."), undo=reverse("split_undo", args=[step]))
    return _back(request, made.id)


@require_POST
def split_undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    return redirect("conversation", conversation_split_undo(viewer=request.viewer, step_id=step_id).id)
