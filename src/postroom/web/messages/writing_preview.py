"""The preview of a message being written: as one of its recipients, from the bytes that would be sent (CM-48)."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from postroom.actions.draft import draft_fill
from postroom.queries.draft import draft_of, recipients_once
from postroom.web.mail_page import mail_page
from postroom.web.messages.writing import by_script, post_or_back, saved_json
from postroom.web.messages.writing_page import person_of, preview_of, preview_values
from postroom.web.viewer import ViewerRequest


def preview(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """The preview alone: beside the text, or in a dialog."""
    values = preview_values(request, draft_of(request.viewer, draft_id))
    return render(request, "messages/aside.html", values)


@post_or_back
def fill(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Fill the open fields with the data of one recipient (as)."""
    draft = draft_fill(viewer=request.viewer, draft_id=draft_id, address=request.POST.get("as", ""))
    if by_script(request):
        return JsonResponse({**saved_json(request, draft), "html": draft.html, "subject": draft.subject})
    return redirect("draft", draft_id)


def body(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """The HTML of the preview, for a sandboxed frame."""
    draft = draft_of(request.viewer, draft_id)
    preview, fault = preview_of(request.viewer, draft, person_of(request, recipients_once(draft)))
    return mail_page(preview.html, preview.text) if preview else mail_page("", fault)


def source(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """The bytes that would be sent."""
    draft = draft_of(request.viewer, draft_id)
    preview, fault = preview_of(request.viewer, draft, person_of(request, recipients_once(draft)))
    answer = HttpResponse(preview.raw if preview else fault, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="preview.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
