"""One message, written by a person or a program, to a few people: each recipient has a row, a try and an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.blob import blob_put
from postroom.actions.conversation_sent import sent_join, sent_leave
from postroom.actions.mailbox_change import sent_copy_ask
from postroom.actions.webhook_tell import states_tell
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.address import canonical, parse_many
from postroom.mail.compose import Content, Mailbox, compile_message
from postroom.mail.frame import AttachmentFile
from postroom.models.account import Account, AccountStatus
from postroom.models.delivery import Delivery
from postroom.models.message import Message
from postroom.models.message_type import MessageType
from postroom.models.profile import May
from postroom.queries.account import accounts_usable_by
from postroom.queries.blob import blob_read
from postroom.queries.content import Addressing, addressing_of
from postroom.queries.draft_file import FILES_MAX, file_ending_demand
from postroom.queries.message import message_sent_visible_to
from postroom.queries.platform import platform_demand
from postroom.queries.records import record_visible_to
from postroom.queries.sharing import shared_with
from postroom.queries.suppression import recipients_refused
from postroom.queries.viewer import Viewer

RECIPIENTS_MAX = 500
SUBJECT_MAX = 998


@dataclass(frozen=True, slots=True)
class Letter:
    """What is to be sent. to, cc, bcc: lists as typed; files: (name, content type, sha256 of a stored blob).

    send_at: not before; None = at once, after the undo window. key: "" or the same for each repetition of one wish.
    """

    to: str = ""
    cc: str = ""
    bcc: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    account_id: int | None = None
    type_id: int | None = None
    #: What it is about (CM-39).
    record_id: int | None = None
    #: What it was begun from; only noted.
    template_id: int | None = None
    files: Sequence[tuple[str, str, str]] = ()
    #: Of the recipients, those chosen from the lists: canonical address -> {"kind", "id"} (CM-42).
    people: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    receipt_read: bool = False
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    #: Where it was written; None = that of what it answers, else a new one. is_done: no answer to it is waited for.
    conversation_id: int | None = None
    is_done: bool = False
    send_at: datetime | None = None
    undo_s: float | None = None
    key: str = ""


@dataclass(slots=True)
class _People:
    """The recipients by header, each address once: what stands in To is not sent again for Cc or Bcc."""

    to: list[Mailbox] = field(default_factory=list)
    cc: list[Mailbox] = field(default_factory=list)
    bcc: list[Mailbox] = field(default_factory=list)

    @property
    def all(self) -> list[Mailbox]:
        return [*self.to, *self.cc, *self.bcc]


def message_send(*, viewer: Viewer, letter: Letter) -> Message:
    """Queue it. The same key again gives the same message (CM-49).

    Raises InputError (to, cc, bcc: details index; RECIPIENT_SUPPRESSED; EMPTY; TOO_LARGE), NotFound, Conflict
    NO_SENDER, ACCOUNT_UNTESTED, ACCOUNT_FAILING and those of a platform account.
    """
    if len(letter.key) > 100 or not letter.key.isprintable():
        raise InputError(_("A key has at most 100 characters."), field="key")
    known = _known(viewer, letter.key)
    if known is not None:
        return known
    people = _people(letter)
    account = _account(viewer, letter.account_id)
    recipients_refused(viewer, [box.address for box in people.all])
    _checked(letter, viewer.workspace.blocked_files)
    kind = _type(viewer, letter.type_id) or account.type_out
    if letter.record_id is not None:
        record_visible_to(viewer, letter.record_id)
    try:
        with transaction.atomic():
            return _queue(viewer, account, letter, people, kind)
    except IntegrityError:
        known = _known(viewer, letter.key)  # the other half of a double click was faster
        if known is None:
            raise
        return known


def _known(viewer: Viewer, key: str) -> Message | None:
    if not key:
        return None
    return Message.objects.filter(workspace=viewer.workspace, user=viewer.user, send_key=key).first()


def message_bytes(*, viewer: Viewer, letter: Letter, address: str = "") -> bytes:
    """What would be sent, built by the code that sends; the id in it is nobody's (CM-48).

    address: of the recipient whose copy it is; "" = the first. It may have no recipients and no words yet. Raises as
    `message_send`.
    """
    people = _typed(letter)
    account = _account(viewer, letter.account_id)
    nobody = Delivery(id=0, address=address or (people.all[0].address if people.all else account.address))
    return _bytes(account, letter, people, addressing_of(account), nobody)


def _people(letter: Letter) -> _People:
    people = _typed(letter)
    if not people.all:
        raise InputError(_("Say who it is for."), code="NO_RECIPIENTS", field="to")
    if len(people.all) > RECIPIENTS_MAX:
        words = _("A message goes to %(n)s people at most; use a campaign for more.") % {"n": RECIPIENTS_MAX}
        raise InputError(words, code="TOO_MANY_RECIPIENTS", field="to")
    return people


def _typed(letter: Letter) -> _People:
    people, seen = _People(), set()
    for name in ("to", "cc", "bcc"):
        for index, (display, spec, error) in enumerate(parse_many(getattr(letter, name))):
            if error:
                words = f"{spec[:100]}: {error}"
                raise InputError(words, code="BAD_ADDRESS", field=name, details={"index": index})
            if canonical(spec) not in seen:
                seen.add(canonical(spec))
                getattr(people, name).append(Mailbox(display, spec))
    return people


def _account(viewer: Viewer, account_id: int | None) -> Account:
    usable = accounts_usable_by(viewer).select_related("workspace", "type_out")
    if account_id is not None:
        account = usable.filter(id=account_id).first()
        if account is None:
            raise NotFound("There is no such mail account.")
    else:
        account = usable.filter(owner=viewer.user, status=AccountStatus.OK).first() or usable.first()
        if account is None:
            raise Conflict(
                _("There is no account you may send from. Add one in Settings, Mail accounts."),
                code="NO_SENDER",
            )
    if account.status == AccountStatus.UNTESTED:
        raise Conflict(
            "This account was never checked. Open it and press Check settings.", code="ACCOUNT_UNTESTED"
        )
    if account.status == AccountStatus.FAILING:
        raise Conflict(
            _("This account does not work: %(words)s Check its settings.") % {"words": account.status_reason},
            code="ACCOUNT_FAILING",
        )
    platform_demand(account)
    return account


def _checked(letter: Letter, blocked: Sequence[str]) -> None:
    if not letter.html.strip() and not letter.text.strip() and not letter.files:
        raise InputError(_("The message is empty. Write something first."), code="EMPTY", field="html")
    for name, _kind, _sha256 in letter.files:
        file_ending_demand(blocked, name)
    if len(letter.subject.encode()) > SUBJECT_MAX:
        raise InputError(_("The subject is too long."), field="subject")
    if "\0" in letter.subject + letter.html + letter.text:
        raise InputError("A text cannot hold a NUL character.", field="text")


def _type(viewer: Viewer, type_id: int | None) -> MessageType | None:
    if type_id is None:
        return None
    usable = MessageType.objects.filter(shared_with(viewer, MessageType, May.USE), deleted_at=None)
    found = usable.filter(id=type_id).first()
    if found is None:
        raise NotFound("There is no such message type.")
    return found


def _queue(
    viewer: Viewer, account: Account, letter: Letter, people: _People, kind: MessageType | None
) -> Message:
    wait = timedelta(seconds=settings.POSTROOM_START_UNDO_SECONDS if letter.undo_s is None else letter.undo_s)
    at = letter.send_at or timezone.now() + wait
    message = Message.objects.create(
        workspace=viewer.workspace,
        account=account,
        direction="out",
        purpose="single",
        subject=" ".join(letter.subject.split()),
        from_address=account.address,
        **{f"{name}_address": _line(getattr(people, name)) for name in ("to", "cc", "bcc")},
        user=viewer.user,
        type=kind,
        people={
            key: letter.people[key]
            for key in (canonical(box.address) for box in people.all)
            if key in letter.people
        },
        record_id=letter.record_id,
        template_id=letter.template_id,
        send_key=letter.key,
        send_at=at,
        is_read=True,
    )
    rows = Delivery.objects.bulk_create(
        Delivery(
            workspace=viewer.workspace,
            message=message,
            address=box.address,
            canonical=canonical(box.address),
            name=box.name,
            queued_at=timezone.now(),
            retry_at=at,  # the shard it is sent from is made when it is due
        )
        for box in people.all
    )
    addressing = addressing_of(account)
    raw = _bytes(account, letter, people, addressing, rows[0])
    message.raw = blob_put(raw)
    message.message_id = addressing.token(rows[0].id)
    message.save(update_fields=["raw", "message_id"])
    sent_join(
        viewer=viewer,
        message=message,
        raw=raw,
        conversation_id=letter.conversation_id,
        is_done=letter.is_done,
    )
    sent_copy_ask(message)
    return message


def _line(boxes: Sequence[Mailbox]) -> str:
    return ", ".join(f"{box.name} <{box.address}>" if box.name else box.address for box in boxes)


def _bytes(
    account: Account, letter: Letter, people: _People, addressing: Addressing, first: Delivery
) -> bytes:
    """One message for all of them; its id is the token of the first recipient."""
    files = [AttachmentFile(name, kind, blob_read(sha256)) for name, kind, sha256 in letter.files]
    if sum(len(one.data) for one in files) > FILES_MAX:
        words = _("The files are larger than %(n)s MB together.") % {"n": FILES_MAX // 1_000_000}
        raise InputError(words, code="TOO_LARGE", field="files")
    content = Content(
        subject=" ".join(letter.subject.split()),
        html=letter.html,
        text=letter.text,
        header_from=Mailbox(account.display_name, account.address),
        reply_to=Mailbox(account.reply_to_name, account.reply_to_address)
        if account.reply_to_address and account.reply_to_address.lower() != account.address.lower()
        else None,
        message_id_domain=account.address.rpartition("@")[2],
        attachments=tuple(files),
        receipt_read=letter.receipt_read,
        list_unsubscribe_mailto=False,
        unsubscribe_url_in_header=False,  # a letter is no mailing, and each copy would hold the first one's link
        eight_bit_allowed=False,
        literal=True,
        header_to=tuple(people.to) or (Mailbox("", account.address),),
        header_cc=tuple(people.cc),
        in_reply_to=letter.in_reply_to,
        references=letter.references,
    )
    compiled = compile_message(content, frozenset(), date=timezone.localtime())
    values, _mail_from = addressing.values(first.id, address=first.address)
    raw = b"".join(compiled.render(values).segments)
    limit = (account.capabilities or {}).get("size")
    if isinstance(limit, int) and 0 < limit < len(raw):
        words = _("The message has %(n)s MB; the server of this account takes %(max)s MB.")
        values_mb = {"n": f"{len(raw) / 1e6:.1f}", "max": f"{limit / 1e6:.1f}"}
        raise InputError(words % values_mb, code="TOO_LARGE", field="files")
    return raw


@transaction.atomic
def message_unsend(*, viewer: Viewer, message_id: int) -> Message:
    """Take it back while nothing has left. Raises NotFound, Conflict RUN_ACTIVE."""
    message = message_sent_visible_to(viewer, message_id)
    rows = list(Delivery.objects.select_for_update().filter(message=message))
    if any(row.retry_at is None or row.attempts for row in rows):
        raise Conflict(_("It is on its way already."), code="RUN_ACTIVE")
    Delivery.objects.filter(id__in=[row.id for row in rows]).update(
        state="skipped", trouble="skipped", reason="cancelled", retry_at=None, state_at=timezone.now()
    )
    states_tell([row.id for row in rows])
    sent_leave(message)
    return message


def message_json(message: Message) -> dict[str, Any]:
    """What the API answers: the message and what became of it for each recipient."""
    rows = Delivery.objects.filter(message=message).order_by("id")
    return {
        "id": message.id,
        "subject": message.subject,
        "from": message.from_address,
        "to": message.to_address,
        "cc": message.cc_address,
        "bcc": message.bcc_address,
        "account": message.account_id,
        "type": message.type_id,
        "record": message.record_id,
        "template": message.template_id,
        "send_at": message.send_at.isoformat() if message.send_at else None,
        "created_at": message.created_at.isoformat(),
        "message_id": message.message_id,
        "recipients": [
            {
                "address": row.address,
                "name": row.name,
                "state": row.state,
                "reason": row.reason,
                "code": row.code,
                "words": row.words,
                "arrival": row.arrival,
                "reading": row.reading,
            }
            for row in rows
        ],
    }
