"""What a draft begins with: sender, default template, signature, and all that an answer takes from what it answers."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _

from postroom.actions.blob import blob_put
from postroom.actions.draft_file import file_put
from postroom.errors import InputError, NotFound
from postroom.mail import mime
from postroom.mail.address import canonical
from postroom.mail.answer import answer_ids, answer_people, answer_subject, files_of, forward_subject
from postroom.mail.blocks import DEFAULT, QUOTE, SIGNATURE, block, first_block
from postroom.mail.html import sanitise
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.queries.account import accounts_usable_by
from postroom.queries.blob import blob_read
from postroom.queries.conversation import message_in
from postroom.queries.draft import sender_default, template_filled
from postroom.queries.draft_file import files_bring
from postroom.queries.message import message_readable
from postroom.queries.records import record_recipients, record_visible_to
from postroom.queries.signature import signature_of
from postroom.queries.template import template_default_for
from postroom.queries.viewer import Viewer

#: How a draft can begin from a message.
ANSWER, ANSWER_ALL, FORWARD = "answer", "all", "forward"
_OCTETS = "application/octet-stream"
#: Drafts that were opened and never typed in are kept so long.
_UNTOUCHED = timedelta(days=30)
#: How a quoted text looks; scripts/rich.js writes the same.
QUOTE_STYLE = "margin:0 0 0 .5em;padding-left:1em;border-left:2px solid #ccc"


@transaction.atomic
def draft_open(
    *, viewer: Viewer, message_id: int | None = None, how: str = ANSWER, record_id: int | None = None
) -> Draft:
    """A new draft with the sender, the default template and the signature of this person (CM-43, CM-45).

    message_id: the message it answers, or passes on (`how`: ANSWER, ANSWER_ALL, FORWARD); it stays with its record and
    in its conversation. record_id: what it is about (CM-39): its contact person is proposed.
    Raises NotFound, InputError.
    """
    old = Draft.objects.filter(user=viewer.user, version=1, updated_at__lt=timezone.now() - _UNTOUCHED)
    old.delete()
    draft = Draft.objects.create(
        workspace=viewer.workspace,
        user=viewer.user,
        account=sender_default(viewer),
        updated_at=timezone.now(),
    )
    quoted = ""
    if message_id is not None:
        quoted = _begin(viewer, draft, _answered(viewer, message_id), how)
    if record_id is not None:
        draft.record = record_visible_to(viewer, record_id)
        draft.to = draft.to or record_recipients(viewer, draft.record)
    pieces = []
    template = template_default_for(viewer)
    if template is not None:
        subject, html = template_filled(viewer, draft, template)
        draft.subject = draft.subject or " ".join(subject.split())
        pieces.append(block(DEFAULT, html))
        draft.inserted = first_block(pieces[0], DEFAULT) or ""
        draft.template = template
        for file in files_bring(template):
            file_put(draft, file.name, file.content_type, file.blob_id)
    signature = signature_of(viewer, draft.account_id)
    if signature:
        pieces.append(block(SIGNATURE, signature))
    if quoted:
        pieces.append(block(QUOTE, quoted))
    draft.html = "".join(f"\n\n{piece}" for piece in pieces).removeprefix("\n\n" if template else "")
    draft.html += "\n" if pieces else ""
    draft.save()
    return draft


def _answered(viewer: Viewer, message_id: int) -> Message:
    """A mail of a conversation one may read, else one's own. Raises NotFound."""
    try:
        return message_in(viewer, message_id)
    except NotFound:
        return message_readable(viewer, message_id)


def _begin(viewer: Viewer, draft: Draft, message: Message, how: str) -> str:
    """To, Cc, subject and ids from what is answered, the files too when it is passed on; the quoted text."""
    if how not in (ANSWER, ANSWER_ALL, FORWARD):
        raise InputError("A message is answered, answered to all or passed on.", field="how")
    raw = blob_read(message.raw_id) if message.raw_id else b""
    read = mime.read(raw)
    usable = accounts_usable_by(viewer)
    draft.account = usable.filter(id=message.account_id or 0).first() or draft.account
    draft.in_reply_to = message
    draft.conversation = message.conversation
    draft.record = message.record or (message.conversation.record if message.conversation else None)
    if how == FORWARD:
        draft.subject = forward_subject(message.subject)
        _carry(draft, raw, read)
        return _quoted(message, read, passed_on=True)
    draft.subject = answer_subject(message.subject)
    draft.reply_id, ids = answer_ids(read)
    draft.references = " ".join(ids)
    if message.direction == "out":  # once more to the same people
        draft.to = message.to_address
        draft.cc = message.cc_address if how == ANSWER_ALL else ""
    else:
        own = {canonical(address) for address in usable.values_list("address", flat=True)}
        own |= {canonical(message.account.address)} if message.account else set()
        to, cc = answer_people(read, own, to_all=how == ANSWER_ALL)
        draft.to, draft.cc = to or message.from_address, cc
    return _quoted(message, read)


def _quoted(message: Message, read: mime.Part, *, passed_on: bool = False) -> str:
    at = date_format(timezone.localtime(message.at or message.created_at), "DATETIME_FORMAT")
    name, address = message.from_name, message.from_address or _("somebody")
    lines = [_("On %(at)s, %(who)s wrote:") % {"at": at, "who": name or address}]
    if passed_on:
        lines = [
            _("Forwarded message"),
            _("From: %(who)s") % {"who": f"{name} <{address}>" if name else address},
            _("Date: %(at)s") % {"at": at},
            _("Subject: %(subject)s") % {"subject": message.subject},
            _("To: %(who)s") % {"who": message.to_address},
        ]
    head = "<br>".join(escape(line) for line in lines)
    html = next((part.text for part in read.parts if part.content_type == "text/html"), "")
    if html:
        inner = sanitise(html)
    else:
        text = "\n\n".join(part.text for part in read.parts if part.content_type == "text/plain")
        inner = "\n".join(
            f"<p>{escape(part.strip(chr(10))).replace(chr(10), '<br>')}</p>"
            for part in text.strip().replace("\r\n", "\n").split("\n\n")
        )
    return f'<p>{head}</p>\n<blockquote style="{QUOTE_STYLE}">\n{inner}\n</blockquote>'


def _carry(draft: Draft, raw: bytes, read: mime.Part) -> None:
    """The files of a message passed on; the whole of it where its text is cut or it cannot be taken apart."""
    files = files_of(raw)
    if files is None or any(
        len(part.body) > mime.TEXT_LIMIT for part in read.parts if part.content_type.startswith("text/")
    ):
        files = [("message.eml", _OCTETS, raw)]
    for name, kind, data in files:
        file_put(draft, name, kind, blob_put(data).sha256)
