"""Writing a message: what is typed is kept whatever happens, the preview shows what will be sent."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from postroom.actions.draft import (
    ANSWER,
    draft_delete,
    draft_file_add,
    draft_file_remove,
    draft_insert,
    draft_open,
    draft_preview,
    draft_save,
    draft_send,
    draft_undelete,
    draft_unsend,
)
from postroom.errors import Conflict, InputError, NotFound, PostroomError
from postroom.models.account import Account
from postroom.models.draft import Draft
from postroom.models.message_type import MessageType
from postroom.queries.campaign_choice import accounts_to_choose, templates_to_choose
from postroom.queries.draft import PEOPLE, draft_of, fields_open, recipients_of
from postroom.queries.message_type import types_to_choose
from postroom.queries.preview import Preview
from postroom.queries.viewer import Viewer
from postroom.web.errors import status_of
from postroom.web.mail_page import mail_page
from postroom.web.messages.forms import DraftForm
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: One file; all of them together are bounded by what a message may hold.
FILE_MAX = 25_000_000


def _post_or_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A POST only. Who comes with a GET was sent by the sign-in page, and goes to the draft."""

    @wraps(view)
    def answer(request: ViewerRequest, draft_id: int, **more: Any) -> HttpResponse:
        if request.method != "POST":
            return redirect("draft", draft_id)
        return view(request, draft_id, **more)

    return answer


def write(request: ViewerRequest) -> HttpResponse:
    """Make a draft and open it. message: what it answers; as: answer, all or forward."""
    if request.method != "POST":
        return redirect("messages")
    text = request.POST.get("message", "")
    how = request.POST.get("as", ANSWER)
    if text and not (text.isdecimal() and len(text) < 19):
        raise NotFound("There is no such message.")
    draft = draft_open(viewer=request.viewer, message_id=int(text) if text else None, how=how)
    return redirect("draft", draft.id)


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
    viewer, shown = request.viewer, form or DraftForm.of(draft)
    values = {
        "draft": draft,
        "form": shown,
        "unsaved": form is not None,
        "errors": errors or {},
        "trouble": (errors or {}).get(""),
        "accounts": _accounts(viewer, draft),
        "templates": templates_to_choose(viewer),
        "template_id": request.POST.get("template", ""),
        "types": _types(viewer, draft),
        "files": list(draft.files.select_related("blob").order_by("id")),
        "shown": {name for name in ("cc", "bcc") if shown[name].value() or (errors or {}).get(name)},
        **_aside(request, draft),
        **more,
    }
    return render(request, "messages/write.html", values, status=more.get("status", 200))


def _accounts(viewer: Viewer, draft: Draft) -> list[Account]:
    """What may be chosen, and what the draft has: it would else change by itself."""
    found = accounts_to_choose(viewer)
    return found if draft.account is None or draft.account in found else [draft.account, *found]


def _types(viewer: Viewer, draft: Draft) -> list[MessageType]:
    found = types_to_choose(viewer)
    return found if draft.type is None or draft.type in found else [draft.type, *found]


def _aside(request: ViewerRequest, draft: Draft) -> dict[str, Any]:
    preview, fault = _preview(request.viewer, draft)
    return {
        "preview": preview,
        "fault": fault,
        "unfilled": fields_open(draft),
        "people": recipients_of(draft),
        "saved_at": draft.updated_at,
    }


def _preview(viewer: Viewer, draft: Draft) -> tuple[Preview | None, str]:
    try:
        return draft_preview(viewer=viewer, draft=draft), ""
    except PostroomError as error:
        return None, said(error)


def _keep(request: ViewerRequest, draft_id: int) -> Draft | HttpResponse:
    """Store what was typed; else the answer that shows it again and says why it is not stored."""
    draft, form = draft_of(request.viewer, draft_id), DraftForm(request.POST)
    if not form.is_valid():
        errors = {name: [str(one) for one in found] for name, found in form.errors.items()}
        return _refused(request, draft, form, 422, errors)
    try:
        draft_save(viewer=request.viewer, draft_id=draft_id, **form.values())
    except Conflict as error:
        if error.code == "SENT_ALREADY":
            return _gone(request, draft_of(request.viewer, draft_id))
        return _refused(request, draft, form, 409, {"": [said(error)]}, stale=error.details)
    return draft_of(request.viewer, draft_id)


def _refused(
    request: ViewerRequest,
    draft: Draft,
    form: DraftForm,
    status: int,
    errors: dict[str, list[str]],
    **more: Any,
) -> HttpResponse:
    if not request.htmx:
        return _page(request, draft, form, errors, status=status, **more)
    words = "; ".join(one for found in errors.values() for one in found)
    answer = render(request, "messages/unsaved.html", {"draft": draft, "words": words, **more})
    answer.headers["HX-Retarget"] = "#pr-saved"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


@_post_or_back
def save(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """By button, or by itself while typing (htmx). A stale save shows both texts and loses none."""
    kept = _keep(request, draft_id)
    if isinstance(kept, HttpResponse):
        return kept
    if request.htmx:
        answer = render(request, "messages/saved.html", {"draft": kept, **_aside(request, kept)})
        answer.headers["X-Saved"] = str(kept.version)
        return answer
    toast(request, _("Saved."))
    return redirect("draft", draft_id)


@_post_or_back
def insert(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Put the chosen template in; a default one that was edited is asked about first."""
    kept = _keep(request, draft_id)
    if isinstance(kept, HttpResponse):
        return kept
    text = request.POST.get("template", "")
    if not (text.isdecimal() and len(text) < 19):
        return _page(request, kept, errors={"template": [_("Choose a template first.")]}, status=422)
    try:
        draft_insert(
            viewer=request.viewer,
            draft_id=draft_id,
            template_id=int(text),
            how=request.POST.get("how", ""),
        )
    except Conflict as error:
        if error.code != "TEMPLATE_EDITED":
            raise
        return _page(request, kept, ask_template=True, status=409)
    return redirect("draft", draft_id)


@_post_or_back
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
        )
    except NotFound:
        raise
    except PostroomError as error:
        if error.code == "NO_SUBJECT":
            return _page(request, kept, ask_subject=True, status=422)
        return _page(request, kept, errors=_said_at(error), status=status_of(error))
    return _gone(request, draft_of(request.viewer, draft_id))


def _said_at(error: PostroomError) -> dict[str, list[str]]:
    """By field; each bad recipient with its place in the list (CM-41)."""
    bad = error.details.get("bad")
    if not isinstance(bad, list):
        known = error.field if error.field in (*PEOPLE, "subject", "html", "files") else ""
        return {known: [said(error)]}
    found: dict[str, list[str]] = {}
    for one in bad:
        words = _("No. %(n)s, “%(typed)s”: %(why)s")
        place = {"n": one["index"] + 1, "typed": one["typed"], "why": said(one["why"])}
        found.setdefault(one["field"], []).append(words % place)
    return found


def _gone(request: ViewerRequest, draft: Draft) -> HttpResponse:
    """On to the sent message; of a double click each half says the same."""
    toast(request, _("It leaves in a moment."), undo=reverse("draft_unsend", args=[draft.id]))
    if not request.htmx:
        return redirect("sent_message", draft.message_id)
    answer = HttpResponse(status=204)  # it saved itself in one window while another sent it
    answer.headers["HX-Redirect"] = reverse("sent_message", args=[draft.message_id])
    return answer


@_post_or_back
def unsend(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Undo of sending: the draft is there again."""
    try:
        draft_unsend(viewer=request.viewer, draft_id=draft_id)
    except Conflict as error:
        toast(request, said(error))
        return redirect("draft", draft_id)
    toast(request, _("It was not sent. You can go on writing."))
    return redirect("draft", draft_id)


@_post_or_back
def attach(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft_of(request.viewer, draft_id)
    refused = []
    for file in request.FILES.getlist("files"):
        try:
            if (file.size or 0) > FILE_MAX:
                words = _("%(name)s is larger than %(max)s MB and was not added.")
                raise InputError(words % {"name": file.name, "max": FILE_MAX // 1_000_000})
            draft_file_add(
                viewer=request.viewer,
                draft_id=draft_id,
                name=file.name or "",
                content_type=file.content_type or "",
                data=b"".join(file.chunks()),
            )
        except InputError as error:
            refused.append(said(error))
    if refused:
        return _page(request, draft_of(request.viewer, draft_id), errors={"files": refused}, status=422)
    return redirect("draft", draft_id)


@_post_or_back
def detach(request: ViewerRequest, draft_id: int, file_id: int) -> HttpResponse:
    draft_file_remove(viewer=request.viewer, draft_id=draft_id, file_id=file_id)
    toast(request, _("The file is no longer attached."))
    return redirect("draft", draft_id)


@_post_or_back
def delete(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft_delete(viewer=request.viewer, draft_id=draft_id)
    toast(request, _("The draft was deleted."), undo=reverse("draft_undelete", args=[draft_id]))
    return redirect("drafts")


@_post_or_back
def undelete(request: ViewerRequest, draft_id: int) -> HttpResponse:
    draft_undelete(viewer=request.viewer, draft_id=draft_id)
    return redirect("draft", draft_id)


def body(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """The HTML of the preview, for a sandboxed frame."""
    preview, fault = _preview(request.viewer, draft_of(request.viewer, draft_id))
    return mail_page(preview.html, preview.text) if preview else mail_page("", fault)


def source(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """The bytes that would be sent."""
    preview, fault = _preview(request.viewer, draft_of(request.viewer, draft_id))
    answer = HttpResponse(preview.raw if preview else fault, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="preview.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
