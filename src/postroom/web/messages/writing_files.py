"""Files of a draft: chosen, dropped, pasted, or of a record. Large ones come in pieces and go on after a break."""

from typing import Any

from django.http import HttpResponse, JsonResponse
from django.http.request import RawPostDataException
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from postroom.actions.draft_file import (
    draft_file_add,
    draft_file_of_record,
    draft_file_remove,
    upload_begin,
    upload_drop,
    upload_piece,
)
from postroom.errors import InputError, NotFound
from postroom.models.draft import DraftFile
from postroom.queries.draft import draft_of
from postroom.web.messages.writing import by_script, page_of, post_or_back
from postroom.web.messages.writing_page import files_html
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: One file in a form without JavaScript; all of them together are bounded by what a message may hold.
FILE_MAX = 25_000_000
#: Bytes of one piece at most.
PIECE_MAX = 2_000_000


@post_or_back
def attach(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Whole files of a form, or `record_file`: one that is kept with the record."""
    draft_of(request.viewer, draft_id)
    refused = []
    for number in request.POST.getlist("record_file"):
        try:
            if not (number.isdecimal() and len(number) < 19):
                raise NotFound("There is no such file.")
            draft_file_of_record(viewer=request.viewer, draft_id=draft_id, file_id=int(number))
        except InputError as error:
            refused.append(said(error))
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
    if by_script(request):
        return _told(request, draft_id, refused)
    if refused:
        return page_of(request, draft_of(request.viewer, draft_id), {"files": refused}, 422)
    return redirect("draft", draft_id)


def _told(request: ViewerRequest, draft_id: int, refused: list[str]) -> HttpResponse:
    draft = draft_of(request.viewer, draft_id)
    told: dict[str, Any] = {"version": draft.version, "files": files_html(request, draft)}
    if refused:
        told["errors"] = {"files": refused}
    return JsonResponse(told, status=422 if refused else 200)


@post_or_back
def detach(request: ViewerRequest, draft_id: int, file_id: int) -> HttpResponse:
    draft_file_remove(viewer=request.viewer, draft_id=draft_id, file_id=file_id)
    if by_script(request):
        return _told(request, draft_id, [])
    toast(request, _("The file is no longer attached."))
    return redirect("draft", draft_id)


@post_or_back
def upload(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """A file announces itself: name, size, type, mark. 201 with where it goes on; 422 when it can never be sent."""
    size = request.POST.get("size", "")
    made = upload_begin(
        viewer=request.viewer,
        draft_id=draft_id,
        name=request.POST.get("name", ""),
        content_type=request.POST.get("type", ""),
        size_bytes=int(size) if size.isdecimal() and len(size) < 15 else -1,
        mark=request.POST.get("mark", ""),
    )
    return JsonResponse({"id": made.id, "offset": made.offset, "piece": PIECE_MAX // 2}, status=201)


@post_or_back
def piece(request: ViewerRequest, draft_id: int, upload_id: int) -> HttpResponse:
    """The next bytes as the body; offset: where they belong. 409 OFFSET tells where the file really goes on."""
    draft_of(request.viewer, draft_id)
    text = request.GET.get("offset", "")
    if not (text.isdecimal() and len(text) < 15):
        raise InputError(_("Say where these bytes belong."), field="offset")
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > PIECE_MAX:
        raise InputError(_("Such a piece is too large."), code="TOO_LARGE", field="offset")
    try:
        data = request.read(PIECE_MAX + 1)
    except (OSError, RawPostDataException):
        raise InputError(_("The connection broke off."), code="BROKEN", field="offset") from None
    if len(data) > PIECE_MAX:
        raise InputError(_("Such a piece is too large."), code="TOO_LARGE", field="offset")
    got = upload_piece(
        viewer=request.viewer, draft_id=draft_id, upload_id=upload_id, offset=int(text), data=data
    )
    if isinstance(got, DraftFile):
        return _told(request, draft_id, [])
    return JsonResponse({"offset": got.offset})


@post_or_back
def drop(request: ViewerRequest, draft_id: int, upload_id: int) -> HttpResponse:
    """Give a half file up."""
    upload_drop(viewer=request.viewer, draft_id=draft_id, upload_id=upload_id)
    return _told(request, draft_id, []) if by_script(request) else redirect("draft", draft_id)
