"""One mail of a conversation: its page in a sandboxed frame, its files and bytes, the receipt its sender asks for."""

from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import escape
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from postroom.actions.picture import pictures_trust
from postroom.actions.receipt import receipt_ask_again, receipt_ignore, receipt_send
from postroom.errors import Conflict, NotFound
from postroom.mail import quote
from postroom.mail.parts import readable
from postroom.queries.blob import blob_read
from postroom.queries.conversation import message_in
from postroom.queries.picture import pictures_wanted
from postroom.queries.reading import file_of, page_of
from postroom.web.middleware import mail_frame
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.viewer import ViewerRequest

#: What stands around a mail in its frame. The page that holds the frame reads its height, so it is of the same origin;
#: it may run nothing all the same.
_FRAME = (
    '<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light"><base target="_blank">'
    "<style>body{margin:0;padding:2px 0 8px;font:15px/1.5 sans-serif;color:#1b1e22;background:#fff}"
    "body{overflow-wrap:anywhere}"
    "img{max-width:100%;height:auto}table{max-width:100%}pre{white-space:pre-wrap}"
    "blockquote{margin:.5em 0 .5em .25em;padding-left:.75em;border-left:2px solid #d6d5cf}"
    "summary{display:inline-block;margin:.5em 0;padding:0 .6em;border-radius:6px;background:#f1f1ee;cursor:pointer;"
    "list-style:none;font-size:13px;color:#5a606a}</style>"
)
#: A part that is shown in the browser as what it is: pixels or plain text, and nothing else of it lives.
_FILE_CSP = "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: ViewerRequest, message_id: int) -> HttpResponse:
    """The HTML of a mail, made harmless. Pictures of other hosts come only with a POST, the click of a person, or from
    a proven sender whose pictures this person has asked for once and for all."""
    message = message_in(request.viewer, message_id)
    remote = request.method == "POST" or pictures_wanted(request.viewer, message)
    found = page_of(message, remote=remote)
    html = quote.fold(found.html, escape(_("Quoted text")))
    answer = mail_frame(HttpResponse(_FRAME + html), remote=remote)
    policy = answer.headers["Content-Security-Policy"]
    answer.headers["Content-Security-Policy"] = policy.replace("sandbox ", "sandbox allow-same-origin ", 1)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@require_POST
def pictures(request: ViewerRequest, message_id: int) -> HttpResponse:
    """Those of this sender always from now on."""
    message = message_in(request.viewer, message_id)
    try:
        made = pictures_trust(viewer=request.viewer, message_id=message_id)
        words = _("Pictures from %(who)s are fetched from now on, for you alone.") % {"who": made.address}
        toast(request, words, undo=reverse("pictures_off", args=[made.id]) + f"?mail={message_id}")
    except Conflict as error:
        toast(request, said(error))
    return redirect(reverse("conversation", args=[message.conversation_id]) + f"#mail-{message_id}")


def file(request: ViewerRequest, message_id: int, number: int) -> HttpResponse:
    """A file to keep; with see=1 a picture or plain text to look at. Nothing else is ever shown in the browser."""
    found, data = file_of(message_in(request.viewer, message_id), number)
    see = request.GET.get("see") == "1" and found.is_viewable
    kind = "application/octet-stream"
    if see:
        kind = found.content_type if found.content_type.startswith("image/") else "text/plain; charset=utf-8"
    if see and kind.startswith("text/"):
        data = readable(data, "").encode()
    answer = HttpResponse(data, content_type=kind)
    answer.headers["Content-Disposition"] = content_disposition_header(not see, found.name) or "attachment"
    answer.headers["Content-Security-Policy"] = _FILE_CSP
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def raw(request: ViewerRequest, message_id: int) -> HttpResponse:
    """The bytes as they came, as text that no browser interprets."""
    message = message_in(request.viewer, message_id)
    answer = HttpResponse(
        blob_read(message.raw_id) if message.raw_id else b"", content_type="text/plain; charset=utf-8"
    )
    answer.headers["Content-Disposition"] = 'inline; filename="message.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


@require_POST
def receipt(request: ViewerRequest, message_id: int) -> HttpResponse:
    """answer: send or ignore; a person's click, never anything else (RC-13)."""
    message = message_in(request.viewer, message_id)
    try:
        if request.POST.get("answer") == "send":
            receipt_send(viewer=request.viewer, message_id=message_id)
            toast(request, _("The sender will be told that you read it."))
        elif request.POST.get("answer") == "ignore":
            receipt_ignore(viewer=request.viewer, message_id=message_id)
            toast(
                request,
                _("The sender will not be told."),
                undo=reverse("mail_receipt_again", args=[message_id]),
            )
        else:
            raise NotFound("There is no such answer.")
    except Conflict as error:
        toast(request, said(error))
    return redirect("conversation", message.conversation_id)


@require_POST
def receipt_again(request: ViewerRequest, message_id: int) -> HttpResponse:
    """Undo of passing over it."""
    message = message_in(request.viewer, message_id)
    try:
        receipt_ask_again(viewer=request.viewer, message_id=message_id)
    except Conflict as error:
        toast(request, said(error))
    return redirect("conversation", message.conversation_id)
