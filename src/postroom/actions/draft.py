"""Messages being written: kept while typing, sent once, taken back within the undo window."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.conversation_lock import answer_demand
from postroom.actions.draft_file import file_put
from postroom.actions.message_send import Letter, message_bytes, message_send, message_unsend
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.address import canonical, parse_many
from postroom.mail.answer import typed
from postroom.mail.blocks import (
    DEFAULT,
    SIGNATURE,
    TEMPLATE,
    block,
    first_block,
    is_same,
    own_words,
    put_in,
    sent_html,
    swapped,
    without_cursor,
)
from postroom.models.delivery import Delivery, DeliveryState
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.models.profile import May
from postroom.queries.account import accounts_usable_by
from postroom.queries.draft import (
    bad_recipients,
    draft_filled,
    draft_of,
    fields_open,
    recipients_once,
    sender_default,
    template_filled,
)
from postroom.queries.draft_file import files_bring
from postroom.queries.message import message_sent_visible_to
from postroom.queries.message_type import types_to_choose
from postroom.queries.preview import Preview, taken_apart
from postroom.queries.signature import signature_of
from postroom.queries.template import template_visible_to
from postroom.queries.viewer import Viewer

TEXTS = ("to", "cc", "bcc", "subject", "html", "text")


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

    With another sender comes the signature for it, unless somebody changed the one that stands there.

    Raises NotFound, Conflict SENT_ALREADY, STALE_VERSION (details: version, theirs, yours).
    """
    draft = _open_one(viewer, draft_id)
    values: dict[str, Any] = {
        name: text.replace("\r\n", "\n") for name, text in texts.items() if name in TEXTS
    }
    if "subject" in values:
        values["subject"] = " ".join(values["subject"].splitlines())
    if "html" in values:
        values["html"] = without_cursor(values["html"])
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
    was = draft.account_id
    for name, value in values.items():
        setattr(draft, name, value)
    if account_id != was:
        _sign(viewer, draft, was)
    return _kept(draft)


def _sign(viewer: Viewer, draft: Draft, was: int | None) -> None:
    old, new = signature_of(viewer, was), signature_of(viewer, draft.account_id)
    stands = first_block(draft.html, SIGNATURE)
    if stands is not None and is_same(stands, old):
        draft.html = swapped(draft.html, SIGNATURE, block(SIGNATURE, new) if new else "")


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
def draft_insert(
    *, viewer: Viewer, draft_id: int, template_id: int, how: str = "", typed_html: str | None = None
) -> Draft:
    """Put a template in (CM-44): in the place of the default one, else where the cursor stands, else at the top; the
    subject only if it is empty; its files come along.

    how: "replace" or "both", what to do with a default template somebody edited. typed_html: the text with the mark of
    the cursor. Raises NotFound, NotAllowed, Conflict TEMPLATE_EDITED, SENT_ALREADY.
    """
    draft = _open_one(viewer, draft_id)
    template = template_visible_to(viewer, template_id, May.USE)
    subject, html = template_filled(viewer, draft, template)
    stands = first_block(draft.html, DEFAULT)
    if stands is not None and not is_same(stands, draft.inserted) and how not in ("replace", "both"):
        raise Conflict(_("You changed the template that is in the message."), code="TEMPLATE_EDITED")
    new = block(TEMPLATE, html)
    if stands is not None and how != "both":
        draft.html = swapped(draft.html, DEFAULT, new)
    else:
        draft.html = put_in(typed_html or draft.html, new)
    draft.template = template
    draft.subject = draft.subject if draft.subject.strip() else " ".join(subject.split())
    there = set(draft.files.values_list("name", "blob_id"))
    for file in files_bring(template):
        if (file.name, file.blob_id) not in there:
            file_put(draft, file.name, file.content_type, file.blob_id)
    return _kept(draft)


@transaction.atomic
def draft_pick(
    *, viewer: Viewer, draft_id: int, field: str, kind: str, number: int, address: str, name: str
) -> Draft:
    """One more recipient, chosen from the lists: who it is stays with the mail (CM-42).

    kind: user, contact or record; the caller looked up that the viewer may see it. Raises NotFound, BadAddress.
    """
    draft = _open_one(viewer, draft_id)
    before = getattr(draft, field)
    if canonical(address) not in {canonical(spec) for _n, spec, error in parse_many(before) if not error}:
        joined = f"{before.rstrip().rstrip(',;')}, " if before.strip() else ""
        setattr(draft, field, joined + typed(name, address))
    draft.picked[canonical(address)] = {"kind": kind, "id": number}
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


def letter_of(draft: Draft, *, is_done: bool = False) -> Letter:
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
        people=draft.picked,
        send_at=draft.send_at,
        conversation_id=draft.conversation_id,
        is_done=is_done,
        key=f"draft-{draft.id}-{draft.version}",
    )


def draft_preview(*, viewer: Viewer, draft: Draft, person: tuple[str, str] | None = None) -> Preview:
    """The message as it would be read, from the bytes that would be sent (CM-48). Raises as `message_send`.

    person: (name, address) of the recipient whose data fills the fields that still stand open; None = as it is.
    """
    letter = letter_of(draft)
    if person is not None:
        subject, html = draft_filled(viewer, draft, person)
        letter = replace(letter, subject=subject, html=sent_html(html))
    address = person[1] if person else ""
    return taken_apart(message_bytes(viewer=viewer, letter=letter, address=address), None)


@transaction.atomic
def draft_fill(*, viewer: Viewer, draft_id: int, address: str) -> Draft:
    """Fill the fields that stand open with the data of a recipient. Raises NotFound, Conflict SENT_ALREADY."""
    draft = _open_one(viewer, draft_id)
    person = next((one for one in recipients_once(draft) if canonical(one[1]) == canonical(address)), None)
    if person is None:
        raise NotFound(_("This person is no recipient of the message."))
    stands = first_block(draft.html, DEFAULT)
    untouched = stands is not None and is_same(stands, draft.inserted)
    draft.subject, draft.html = draft_filled(viewer, draft, person)
    if untouched:
        draft.inserted = first_block(draft.html, DEFAULT) or ""
    return _kept(draft)


@transaction.atomic
def draft_send(
    *,
    viewer: Viewer,
    draft_id: int,
    without_subject: bool = False,
    send_at: datetime | None = None,
    anyway: bool = False,
    is_done: bool = False,
) -> Message:
    """Send it once: a second call gives the same message (CM-49). Whatever is refused, the draft stays as it is.

    send_at: not before, aware; None = at once. anyway: though a colleague answers the same conversation.
    is_done: no answer is waited for.
    Raises NotFound; InputError BAD_ADDRESS (details: index, bad: all of them), NO_SUBJECT, FIELDS_OPEN, PAST; Conflict
    NO_SENDER, UPLOADING; and as `message_send` and `answer_demand`.
    """
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message is not None:
        return draft.message
    _ready(viewer, draft)
    if send_at is not None and send_at <= timezone.now():
        raise InputError(_("This moment is over. Choose a later one."), code="PAST", field="send_at")
    if not draft.subject.strip() and not without_subject:
        raise InputError(_("There is no subject. Send it like this?"), code="NO_SUBJECT", field="subject")
    answer_demand(viewer, draft.conversation_id, draft.created_at, anyway)
    draft.send_at = send_at
    draft.message = message_send(viewer=viewer, letter=letter_of(draft, is_done=is_done))
    draft.save()
    return draft.message


def _ready(viewer: Viewer, draft: Draft) -> None:
    """Whether it can be sent as it stands. Raises as `draft_send`."""
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
    if draft.uploads.exists():
        names = ", ".join(draft.uploads.values_list("name", flat=True))
        words = _("These files have not come whole; wait for them or take them out: %(names)s")
        raise Conflict(words % {"names": names}, code="UPLOADING", field="files")
    if not own_words(draft.html) and not draft.text.strip() and not draft.files.exists():
        raise InputError(_("The message is empty. Write something first."), code="EMPTY", field="html")


@transaction.atomic
def draft_unsend(*, viewer: Viewer, draft_id: int) -> Draft:
    """Take it back while nothing has left; the draft is there again. Raises NotFound, Conflict RUN_ACTIVE."""
    draft = draft_of(viewer, draft_id, lock=True)
    if draft.message is not None:
        message_unsend(viewer=viewer, message_id=draft.message.id)
        draft.message, draft.send_at = None, None
        _kept(draft)
    return draft


@transaction.atomic
def draft_again(*, viewer: Viewer, message_id: int) -> Draft:
    """A new draft like one that was sent, for those whom it did not reach; for all of them when it reached everybody.

    Raises NotFound; Conflict NO_DRAFT when it was not written here.
    """
    message = message_sent_visible_to(viewer, message_id)
    old = Draft.objects.filter(message=message, user=viewer.user).first()
    if old is None:
        raise Conflict(_("This message was not written here by you."), code="NO_DRAFT")
    rows = Delivery.objects.filter(message=message)
    missed = set(rows.filter(state=DeliveryState.FAILED).values_list("canonical", flat=True))
    files = list(old.files.order_by("id"))
    draft = Draft.objects.get(id=old.id)
    draft.pk, draft.message, draft.send_at, draft.version = None, None, None, 2
    draft._state.adding = True
    for field in ("to", "cc", "bcc"):
        people = [one for one in parse_many(getattr(old, field)) if not one[2]]
        kept = [typed(name, spec) for name, spec, _e in people if not missed or canonical(spec) in missed]
        setattr(draft, field, ", ".join(kept))
    draft.save()
    for file in files:
        file_put(draft, file.name, file.content_type, file.blob_id)
    return draft
