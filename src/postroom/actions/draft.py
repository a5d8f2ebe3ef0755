"""Messages being written: kept while typing, sent once, taken back within the undo window."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.translation import gettext as _

from postroom.actions.blob import blob_put
from postroom.actions.message_send import FILES_MAX, Letter, message_bytes, message_send, message_unsend
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail import mime
from postroom.mail.address import canonical
from postroom.mail.answer import answer_ids, answer_people, answer_subject, files_of, forward_subject
from postroom.mail.blocks import QUOTE, TEMPLATE, block, first_block, sent_html, swapped
from postroom.mail.html import sanitise
from postroom.models.draft import Draft, DraftFile
from postroom.models.message import Message
from postroom.models.profile import May
from postroom.queries.account import accounts_usable_by
from postroom.queries.blob import blob_read
from postroom.queries.draft import bad_recipients, draft_of, fields_open, sender_default, template_filled
from postroom.queries.message import message_readable
from postroom.queries.message_type import types_to_choose
from postroom.queries.preview import Preview, taken_apart
from postroom.queries.records import record_recipients, record_visible_to
from postroom.queries.template import template_default_for, template_visible_to
from postroom.queries.viewer import Viewer

#: How a draft can begin from a message.
ANSWER, ANSWER_ALL, FORWARD = "answer", "all", "forward"
TEXTS = ("to", "cc", "bcc", "subject", "html", "text")
_OCTETS = "application/octet-stream"
#: Drafts that were opened and never typed in are kept so long.
_UNTOUCHED = timedelta(days=30)


@transaction.atomic
def draft_open(
    *, viewer: Viewer, message_id: int | None = None, how: str = ANSWER, record_id: int | None = None
) -> Draft:
    """A new draft with the sender and the default template of this person (CM-43, CM-45).

    message_id: the message it answers, or passes on (`how`: ANSWER, ANSWER_ALL, FORWARD); it stays with its record.
    record_id: what it is about (CM-39): its contact person is proposed. Raises NotFound, InputError.
    """
    old = Draft.objects.filter(user=viewer.user, version=1, updated_at__lt=timezone.now() - _UNTOUCHED)
    old.delete()
    draft = Draft.objects.create(
        workspace=viewer.workspace,
        user=viewer.user,
        account=sender_default(viewer),
        updated_at=timezone.now(),
    )
    if message_id is not None:
        _begin(viewer, draft, message_readable(viewer, message_id), how)
    if record_id is not None:
        draft.record = record_visible_to(viewer, record_id)
        draft.to = draft.to or record_recipients(viewer, draft.record)
    template = template_default_for(viewer)
    if template is not None:
        subject, html = template_filled(viewer, draft, template)
        draft.subject = draft.subject or " ".join(subject.split())
        draft.html = f"{block(TEMPLATE, html)}\n\n{draft.html}"
        draft.inserted = first_block(draft.html, TEMPLATE) or ""
        draft.template = template
    draft.save()
    return draft


def _begin(viewer: Viewer, draft: Draft, message: Message, how: str) -> None:
    """To, Cc, subject, quoted text and ids from what is answered; the files too when it is passed on."""
    if how not in (ANSWER, ANSWER_ALL, FORWARD):
        raise InputError("A message is answered, answered to all or passed on.", field="how")
    raw = blob_read(message.raw_id) if message.raw_id else b""
    read = mime.read(raw)
    usable = accounts_usable_by(viewer)
    draft.account = usable.filter(id=message.account_id or 0).first() or draft.account
    draft.in_reply_to = message
    draft.record = message.record or (message.conversation.record if message.conversation else None)
    if how == FORWARD:
        draft.subject = forward_subject(message.subject)
        _carry(draft, raw, read)
    else:
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
    draft.html = f"\n\n{block(QUOTE, _quoted(message, read))}\n"


def _quoted(message: Message, read: mime.Part) -> str:
    at = date_format(timezone.localtime(message.created_at), "DATETIME_FORMAT")
    head = _("On %(at)s, %(who)s wrote:") % {"at": at, "who": message.from_address or _("somebody")}
    html = next((part.text for part in read.parts if part.content_type == "text/html"), "")
    if html:
        inner = sanitise(html)
    else:
        text = "\n\n".join(part.text for part in read.parts if part.content_type == "text/plain")
        inner = escape(text.strip()).replace("\n", "<br>\n")
    style = "margin:0 0 0 .5em;padding-left:1em;border-left:2px solid #ccc"
    return f'<p>{escape(head)}</p>\n<blockquote style="{style}">\n{inner}\n</blockquote>'


def _carry(draft: Draft, raw: bytes, read: mime.Part) -> None:
    """The files of a message passed on; the whole of it where its text is cut or it cannot be taken apart."""
    files = files_of(raw)
    if files is None or any(
        len(part.body) > mime.TEXT_LIMIT for part in read.parts if part.content_type.startswith("text/")
    ):
        files = [("message.eml", _OCTETS, raw)]
    for name, kind, data in files:
        _file(draft, name, kind, blob_put(data).sha256)


@transaction.atomic
def draft_save(
    *,
    viewer: Viewer,
    draft_id: int,
    version: int,
    account_id: int | None = None,
    type_id: int | None = None,
    **texts: str,
) -> Draft:
    """texts: of TEXTS; what is left out stays. The same once more changes nothing, whatever the version.

    Raises NotFound, Conflict SENT_ALREADY, STALE_VERSION (details: version, theirs, yours).
    """
    draft = _open_one(viewer, draft_id)
    values: dict[str, Any] = {
        name: text.replace("\r\n", "\n") for name, text in texts.items() if name in TEXTS
    }
    if "subject" in values:
        values["subject"] = " ".join(values["subject"].splitlines())
    values |= {"account_id": account_id, "type_id": type_id}
    if all(getattr(draft, name) == value for name, value in values.items()):
        return draft
    if draft.version != version:
        raise Conflict(
            _("This message was saved in another window meanwhile."),
            code="STALE_VERSION",
            details={
                "version": draft.version,
                "theirs": {name: getattr(draft, name) for name in TEXTS},
                "yours": {name: values[name] for name in TEXTS if name in values},
            },
        )
    if account_id != draft.account_id and account_id is not None:
        _known(accounts_usable_by(viewer).filter(id=account_id).exists())
    if type_id != draft.type_id and type_id is not None:
        _known(type_id in {one.id for one in types_to_choose(viewer)})
    for name, value in values.items():
        setattr(draft, name, value)
    return _kept(draft)


def _known(is_there: bool) -> None:
    if not is_there:
        raise NotFound("There is no such account or message type.")


def _open_one(viewer: Viewer, draft_id: int) -> Draft:
    """Locked, and not sent yet."""
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message_id is not None:
        raise Conflict(_("It was sent already."), code="SENT_ALREADY", details={"message": draft.message_id})
    return draft


def _kept(draft: Draft) -> Draft:
    draft.version += 1
    draft.save()
    return draft


@transaction.atomic
def draft_insert(*, viewer: Viewer, draft_id: int, template_id: int, how: str = "") -> Draft:
    """Put a template in (CM-44): in the place of the default one, else at the top; the subject only if it is empty.

    how: "replace" or "both", what to do with a default template somebody edited. Raises NotFound, NotAllowed,
    Conflict TEMPLATE_EDITED, SENT_ALREADY.
    """
    draft = _open_one(viewer, draft_id)
    template = template_visible_to(viewer, template_id, May.USE)
    subject, html = template_filled(viewer, draft, template)
    stands = first_block(draft.html, TEMPLATE) if draft.inserted else None
    if stands is not None and stands.strip() != draft.inserted.strip() and how not in ("replace", "both"):
        raise Conflict(_("You changed the template that is in the message."), code="TEMPLATE_EDITED")
    if stands is not None and how != "both":
        draft.html = swapped(draft.html, html)
    else:
        draft.html = f"{block(TEMPLATE, html)}\n\n{draft.html.lstrip()}"
    draft.inserted, draft.template = "", template
    draft.subject = draft.subject if draft.subject.strip() else " ".join(subject.split())
    return _kept(draft)


@transaction.atomic
def draft_delete(*, viewer: Viewer, draft_id: int) -> None:
    draft = _open_one(viewer, draft_id)
    draft.deleted_at = timezone.now()
    draft.save()


@transaction.atomic
def draft_undelete(*, viewer: Viewer, draft_id: int) -> Draft:
    draft = draft_of(viewer, draft_id, lock=True, deleted=True)
    draft.deleted_at = None
    draft.save()
    return draft


@transaction.atomic
def draft_file_add(*, viewer: Viewer, draft_id: int, name: str, content_type: str, data: bytes) -> DraftFile:
    """Raises InputError TOO_LARGE when a message cannot hold it beside the others."""
    draft = _open_one(viewer, draft_id)
    there = sum(draft.files.values_list("blob__size_bytes", flat=True))
    if there + len(data) > FILES_MAX:
        words = _("%(name)s was not added: all files together may have %(n)s MB.")
        raise InputError(
            words % {"name": name[:100], "n": FILES_MAX // 1_000_000}, code="TOO_LARGE", field="files"
        )
    made = _file(draft, name, content_type, blob_put(data).sha256)
    _kept(draft)
    return made


def _file(draft: Draft, name: str, content_type: str, sha256: str) -> DraftFile:
    clean = "".join(sign for sign in name.replace("\\", "/").rpartition("/")[2] if sign.isprintable()).strip()
    kind = content_type.split(";")[0].strip().lower()
    plain = (
        kind.isascii() and kind.count("/") == 1 and all(sign.isalnum() or sign in "/.+-_" for sign in kind)
    )
    return DraftFile.objects.create(
        draft=draft,
        blob_id=sha256,
        name=clean[-255:] or "file",
        content_type=kind[:120] if plain and not kind.startswith(("multipart/", "message/")) else _OCTETS,
    )


@transaction.atomic
def draft_file_remove(*, viewer: Viewer, draft_id: int, file_id: int) -> None:
    draft = _open_one(viewer, draft_id)
    if draft.files.filter(id=file_id).delete()[0]:
        _kept(draft)


def letter_of(draft: Draft) -> Letter:
    """What is sent: marks taken out, ids and files with it. Each version of a draft is sent once."""
    return Letter(
        to=draft.to,
        cc=draft.cc,
        bcc=draft.bcc,
        subject=draft.subject,
        html=sent_html(draft.html),
        text=draft.text,
        account_id=draft.account_id,
        type_id=draft.type_id,
        record_id=draft.record_id if draft.record and draft.record.deleted_at is None else None,
        template_id=draft.template_id,
        files=[(file.name, file.content_type, file.blob_id) for file in draft.files.order_by("id")],
        in_reply_to=draft.reply_id,
        references=tuple(draft.references.split()),
        key=f"draft-{draft.id}-{draft.version}",
    )


def draft_preview(*, viewer: Viewer, draft: Draft) -> Preview:
    """The message as it would be read, from the bytes that would be sent (CM-48). Raises as `message_send`."""
    return taken_apart(message_bytes(viewer=viewer, letter=letter_of(draft)), None)


@transaction.atomic
def draft_send(*, viewer: Viewer, draft_id: int, without_subject: bool = False) -> Message:
    """Send it once: a second call gives the same message (CM-49). Whatever is refused, the draft stays as it is.

    Raises NotFound; InputError BAD_ADDRESS (details: index, bad: all of them), NO_SUBJECT, FIELDS_OPEN; Conflict
    NO_SENDER; and as `message_send`.
    """
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message is not None:
        return draft.message
    if draft.account_id is None and sender_default(viewer) is None:
        words = _("There is no account you may send from. Add one in Settings, Mail accounts.")
        raise Conflict(words, code="NO_SENDER", field="account")
    bad = bad_recipients(draft)
    if bad:
        first = bad[0]
        words = f"{first['typed']}: {first['why']}"
        details = {"index": first["index"], "bad": list(bad)}
        raise InputError(words, code="BAD_ADDRESS", field=first["field"], details=details)
    unfilled = fields_open(draft)
    if unfilled:
        words = _("These fields of the template have no value; write the words or take them out: %(fields)s")
        raise InputError(words % {"fields": ", ".join(unfilled)}, code="FIELDS_OPEN", field="html")
    if not draft.subject.strip() and not without_subject:
        raise InputError(_("There is no subject. Send it like this?"), code="NO_SUBJECT", field="subject")
    draft.message = message_send(viewer=viewer, letter=letter_of(draft))
    draft.save()
    return draft.message


@transaction.atomic
def draft_unsend(*, viewer: Viewer, draft_id: int) -> Draft:
    """Take it back while nothing has left; the draft is there again. Raises NotFound, Conflict RUN_ACTIVE."""
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message is not None:
        message_unsend(viewer=viewer, message_id=draft.message.id)
        draft.message = None
        _kept(draft)
    return draft
