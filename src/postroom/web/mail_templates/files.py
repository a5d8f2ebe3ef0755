"""The files a template brings along: added by button or by dropping them, taken off with a way back."""

from django.http import FileResponse, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from postroom.actions.template_file import (
    template_file_add,
    template_file_put_back,
    template_file_remove,
)
from postroom.errors import InputError, NotFound
from postroom.models.profile import May
from postroom.models.template import Template
from postroom.queries.blob import blob_open
from postroom.queries.draft_file import files_bring, template_file_demand
from postroom.queries.template import template_visible_to
from postroom.web.said import said
from postroom.web.toast import toast, toast_now
from postroom.web.viewer import ViewerRequest


def block(request: ViewerRequest, template: Template, refused: list[str] | None = None) -> HttpResponse:
    """The part of the page that lists them. refused: why some were not added."""
    values = {"template": template, "files": files_bring(template), "refused": refused, "may_add": True}
    return render(request, "library/files.html", values)


@require_POST
def attach(request: ViewerRequest, template_id: int) -> HttpResponse:
    """files: whole ones, several at once; each is added or refused for itself."""
    template = template_visible_to(request.viewer, template_id, May.VIEW)
    refused = []
    for file in request.FILES.getlist("files"):
        try:
            template_file_demand(template, file.name or "", file.size or 0)  # before its bytes are in memory
            template_file_add(
                viewer=request.viewer,
                template_id=template_id,
                name=file.name or "",
                content_type=file.content_type or "",
                data=b"".join(file.chunks()),
            )
        except InputError as error:
            refused.append(said(error))
    if request.htmx:
        return block(request, template, refused)
    for words in refused:
        toast(request, words)
    return redirect("template", template_id)


@require_POST
def detach(request: ViewerRequest, template_id: int, file_id: int) -> HttpResponse:
    gone, step = template_file_remove(viewer=request.viewer, template_id=template_id, file_id=file_id)
    words = _("%(name)s no longer comes along.") % {"name": gone.name}
    undo = reverse("template_file_undo", args=[step])
    if request.htmx:
        template = template_visible_to(request.viewer, template_id)
        return toast_now(block(request, template), words, undo=undo)
    toast(request, words, undo=undo)
    return redirect("template", template_id)


@require_POST
def undo(request: ViewerRequest, step_id: int) -> HttpResponse:
    back = template_file_put_back(viewer=request.viewer, step_id=step_id)
    toast(request, _("%(name)s comes along again.") % {"name": back.name})
    return redirect("template", back.template_id)


@require_GET
def show(request: ViewerRequest, template_id: int, file_id: int) -> FileResponse:
    """The file itself, to keep; never shown in the browser."""
    template = template_visible_to(request.viewer, template_id, May.VIEW)
    found = template.files.filter(id=file_id).first()
    if found is None:
        raise NotFound("This file is not here any more.")
    answer = FileResponse(blob_open(found.blob_id), as_attachment=True, filename=found.name)
    answer.headers["Content-Type"] = "application/octet-stream"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
