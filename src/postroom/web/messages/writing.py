"""Writing a message: one composer, as a page, docked in a conversation, or over any page.

What is typed is kept whatever happens, the preview shows what will be sent. Without JavaScript every button is a form
post that answers with a page; static/compose.js asks the same addresses with the header X-Compose and gets JSON.
"""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from postroom.actions.conversation import presence_touch
from postroom.actions.draft import (
    draft_again,
    draft_delete,
    draft_insert,
    draft_save,
    draft_send,
    draft_undelete,
    draft_unsend,
)
from postroom.actions.draft_begin import ANSWER, draft_open
from postroom.actions.message_send import message_unsend
from postroom.errors import Conflict, InputError, NotFound, PostroomError
from postroom.models.draft import Draft
from postroom.queries.conversation import conversation_one
from postroom.queries.draft import (
    PEOPLE,
    draft_docked,
    draft_of,
    draft_of_sent,
    fields_open,
    recipients_of,
)
from postroom.queries.viewer import Viewer
from postroom.web.errors import error_json, status_of
from postroom.web.messages.forms import DraftForm, moment_typed
from postroom.web.messages.writing_page import (
    DOCK,
    OVER,
    PAGE,
    also_here,
    composer_values,
    files_html,
    mode_of,
    preview_values,
)
from postroom.web.said import said
from postroom.web.templatetags.pr import when
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: Refusals that a person may set aside.
_ANYWAY = ("ANSWERED_MEANWHILE",)


def by_script(request: ViewerRequest) -> bool:
    """Whether static/compose.js asks, which is answered in JSON."""
    return request.headers.get("X-Compose") == "1"


def post_or_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST only. Who comes with a GET was sent by the sign-in page, and goes to the draft."""

    @wraps(view)
    def answer(request: ViewerRequest, draft_id: int, **more: Any) -> HttpResponse:
        if request.method != "POST":
            return redirect("draft", draft_id)
        try:
            return view(request, draft_id, **more)
        except PostroomError as error:
            if by_script(request):
                return JsonResponse(error_json(error), status=status_of(error))
            raise

    return answer


def _number(request: ViewerRequest, name: str) -> int | None:
    """A number of the address or the form; None when it is left out. Raises NotFound."""
    text = request.POST.get(name) or request.GET.get(name, "")
    if text and not (text.isdecimal() and len(text) < 19):
        raise NotFound("There is no such message.")
    return int(text) if text else None


def write(request: ViewerRequest) -> HttpResponse:
    """Make a draft and open it. message: what it answers; as: answer, all or forward; record: what it is about."""
    how = request.POST.get("as") or request.GET.get("as", ANSWER)
    draft = draft_open(
        viewer=request.viewer,
        message_id=_number(request, "message"),
        how=how,
        record_id=_number(request, "record"),
    )
    if by_script(request):
        return render(request, "messages/compose.html", composer_values(request, draft, mode=OVER))
    return redirect("draft", draft.id)


def dock(request: ViewerRequest) -> HttpResponse:
    """The composer at the foot of a conversation, for an htmx include:

        <div hx-get="/messages/write/dock?conversation=ID&reply=MESSAGE" hx-trigger="load" hx-swap="innerHTML"></div>

    conversation: required. reply: the message that is answered; left out = the last one that came in, else the last.
    GET shows the answer this person began there, or buttons to begin one (answer: key r, all, forward); POST, with
    `as`, begins it. Whatever was begun is found again. Needs static/compose.js and compose.css, which base.html loads.
    When it was sent, the body of the page hears `pr:sent` (detail: url, undo) and the dock is as in the beginning.
    """
    viewer = request.viewer
    conversation_id = _number(request, "conversation")
    conversation = conversation_one(viewer, conversation_id or 0)
    draft = draft_docked(viewer, conversation.id)
    reply = _number(request, "reply")
    if request.method == "POST":
        how = request.POST.get("as", ANSWER)
        if draft is None or how != ANSWER:
            if reply is None:
                mails = conversation.messages.order_by("-at", "-id")
                last = mails.filter(direction="in").first() or mails.first()
                reply = last.id if last else None
            if reply is None:
                raise NotFound("There is nothing to answer here.")
            draft = draft_open(viewer=viewer, message_id=reply, how=how)
            draft.conversation = conversation
            draft.save(update_fields=["conversation"])
    if draft is None:
        return render(request, "messages/dock.html", {"conversation": conversation, "reply": reply})
    return render(request, "messages/compose.html", composer_values(request, draft, mode=DOCK))


def show(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft = draft_of(request.viewer, draft_id)
    if draft.message_id is not None:
        return redirect("sent_message", draft.message_id)
    return _page(request, draft)


def _page(
    request: ViewerRequest,
    draft: Draft,
    form: DraftForm | None = None,
    errors: dict[str, list[str]] | None = None,
    **more: Any,
) -> HttpResponse:
    """The editor. form: what somebody typed and is not stored; errors: by field, "" = of the whole."""
    values = composer_values(request, draft, form, errors, mode=PAGE)
    return render(
        request,
        "messages/write.html",
        {**values, **preview_values(request, draft), **more},
        status=more.get("status", 200),
    )


def _keep(request: ViewerRequest, draft_id: int) -> Draft | HttpResponse:
    """Store what was typed; else the answer that shows it again and says why it is not stored."""
    draft, form = draft_of(request.viewer, draft_id), DraftForm(request.POST)
    if not form.is_valid():
        errors = {name: [str(one) for one in found] for name, found in form.errors.items()}
        return _refused(request, draft, form, InputError(_("Something does not fit yet")), errors)
    try:
        draft_save(viewer=request.viewer, draft_id=draft_id, **form.values())
    except Conflict as error:
        if error.code == "SENT_ALREADY":
            return _gone(request, draft_of(request.viewer, draft_id))
        return _refused(request, draft, form, error, {"": [said(error)]}, stale=error.details)
    return draft_of(request.viewer, draft_id)


def _refused(
    request: ViewerRequest,
    draft: Draft,
    form: DraftForm | None,
    error: PostroomError,
    errors: dict[str, list[str]],
    **more: Any,
) -> HttpResponse:
    if by_script(request):
        told = {**error_json(error), "errors": errors, "version": draft.version}
        return JsonResponse(told, status=status_of(error))
    return _page(request, draft, form, errors, status=status_of(error), **more)


def page_of(request: ViewerRequest, draft: Draft, errors: dict[str, list[str]], status: int) -> HttpResponse:
    """The editor with what is wrong."""
    return _page(request, draft, errors=errors, status=status)


@post_or_back
def save(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """By button, or by itself while typing. A stale save shows both texts and loses none."""
    kept = _keep(request, draft_id)
    if isinstance(kept, HttpResponse):
        return kept
    if by_script(request):
        _answering(request.viewer, kept)
        return JsonResponse(saved_json(request, kept))
    toast(request, _("Saved."))
    return redirect("draft", draft_id)


def _answering(viewer: Viewer, draft: Draft) -> None:
    """Colleagues who have the conversation open see that somebody types, wherever the composer stands."""
    if draft.conversation_id is not None:
        with suppress(NotFound):
            presence_touch(viewer=viewer, conversation_id=draft.conversation_id, is_writing=True)


def saved_json(request: ViewerRequest, draft: Draft) -> dict[str, Any]:
    """What the page has to know of a stored draft: people with their faults, and the text where we changed it."""
    typed = request.POST.get("html", "").replace("\r\n", "\n")
    told: dict[str, Any] = {
        "version": draft.version,
        "saved": _("Saved at %(at)s.") % {"at": when(draft.updated_at)},
        "people": {
            name: [[shown, spec, said(why) if why else ""] for shown, spec, why in found]
            for name, found in recipients_of(draft).items()
        },
        "unfilled": fields_open(draft),
        "also": also_here(request.viewer, draft),
    }
    return told if draft.html == typed else {**told, "html": draft.html}


@post_or_back
def insert(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Put the chosen template in; a default one that was edited is asked about first."""
    kept = _keep(request, draft_id)
    if isinstance(kept, HttpResponse):
        return kept
    text = request.POST.get("template", "")
    if not (text.isdecimal() and len(text) < 19):
        words = _("Choose a template first.")
        return _refused(request, kept, None, InputError(words, field="template"), {"template": [words]})
    try:
        draft_insert(
            viewer=request.viewer,
            draft_id=draft_id,
            template_id=int(text),
            how=request.POST.get("how", ""),
            typed_html=request.POST.get("html", "").replace("\r\n", "\n") or None,
        )
    except Conflict as error:
        if error.code != "TEMPLATE_EDITED":
            raise
        return _refused(request, kept, None, error, {}, ask="template")
    if by_script(request):
        now = draft_of(request.viewer, draft_id)
        told = {**saved_json(request, now), "html": now.html, "subject": now.subject}
        return JsonResponse({**told, "files": files_html(request, now)})
    return redirect("draft", draft_id)


@post_or_back
def send(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """What is typed is stored, then sent; what is in the way is said at its field, and the draft stays."""
    kept = _keep(request, draft_id)
    if isinstance(kept, HttpResponse):
        return kept
    try:
        draft_send(
            viewer=request.viewer,
            draft_id=draft_id,
            without_subject=request.POST.get("no_subject") == "1",
            send_at=moment_typed(request.viewer.workspace, request.POST.get("at", "")),
            anyway=request.POST.get("anyway") == "1",
            is_done=request.POST.get("done") == "1",
        )
    except NotFound:
        raise
    except PostroomError as error:
        kept = draft_of(request.viewer, draft_id)
        if error.code == "NO_SUBJECT":
            return _refused(request, kept, None, error, {}, ask="subject")
        if error.code in _ANYWAY:
            return _refused(request, kept, None, error, {}, ask="anyway", ask_words=said(error))
        return _refused(request, kept, None, error, _said_at(error))
    return _gone(request, draft_of(request.viewer, draft_id))


def _said_at(error: PostroomError) -> dict[str, list[str]]:
    """By field; each bad recipient with its place in the list (CM-41)."""
    bad = error.details.get("bad")
    if not isinstance(bad, list):
        known = error.field if error.field in (*PEOPLE, "subject", "html", "files", "send_at") else ""
        return {known: [said(error)]}
    found: dict[str, list[str]] = {}
    for one in bad:
        words = _("No. %(n)s, “%(typed)s”: %(why)s")
        place = {"n": one["index"] + 1, "typed": one["typed"], "why": said(one["why"])}
        found.setdefault(one["field"], []).append(words % place)
    return found


def _gone(request: ViewerRequest, draft: Draft) -> HttpResponse:
    """On to the sent message; of a double click each half says the same."""
    undo, words = reverse("draft_unsend", args=[draft.id]), _("It leaves in a moment.")
    if draft.send_at is not None:
        at = date_format(timezone.localtime(draft.send_at), "DATETIME_FORMAT")
        words = _("It leaves on %(at)s.") % {"at": at}
    url = reverse("sent_message", args=[draft.message_id])
    if by_script(request) and mode_of(request) != PAGE:
        return JsonResponse({"sent": url, "undo": undo, "words": words})
    toast(request, words, undo=undo)
    return JsonResponse({"sent": url, "go": url}) if by_script(request) else redirect(url)


@post_or_back
def unsend(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Undo of sending: the draft is there again."""
    try:
        draft_unsend(viewer=request.viewer, draft_id=draft_id)
    except Conflict as error:
        toast(request, said(error))
        return redirect("draft", draft_id)
    toast(request, _("It was not sent. You can go on writing."))
    return redirect("draft", draft_id)


def take_back(request: ViewerRequest, sent_id: int) -> HttpResponse:
    """The same from the list of what is to leave later; what was written elsewhere is cancelled."""
    if request.method == "POST":
        draft_id = draft_of_sent(request.viewer, sent_id)
        if draft_id is not None:
            return unsend(request, draft_id)
        try:
            message_unsend(viewer=request.viewer, message_id=sent_id)
            toast(request, _("It was cancelled."))
        except Conflict as error:
            toast(request, said(error))
    return redirect("scheduled")


def again(request: ViewerRequest, sent_id: int) -> HttpResponse:
    """A message that was refused, to be mended and sent once more."""
    if request.method != "POST":
        return redirect("sent_message", sent_id)
    return redirect("draft", draft_again(viewer=request.viewer, message_id=sent_id).id)


@post_or_back
def delete(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft_delete(viewer=request.viewer, draft_id=draft_id)
    undo = reverse("draft_undelete", args=[draft_id])
    if by_script(request):
        return JsonResponse({"deleted": True, "undo": undo, "words": _("The draft was deleted.")})
    toast(request, _("The draft was deleted."), undo=undo)
    return redirect("drafts")


@post_or_back
def undelete(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft_undelete(viewer=request.viewer, draft_id=draft_id)
    return redirect("draft", draft_id)
