"""Moderators decide by answering the notice that they got. Its token stands for one of them and one posting.

A program's answer decides nothing and is never answered; who comes too late, or is not understood, gets a short mail.
"""

from collections.abc import Mapping, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from postroom.actions.message import notice_queue
from postroom.actions.moderation import LINK_KEPT, posting_moderate
from postroom.actions.posting_hold import answerable_queue
from postroom.errors import Conflict, PostroomError
from postroom.mail.decision import decision_of
from postroom.mail.letter import letter_read
from postroom.mail.letterhead import head_of
from postroom.mail.posting import automatic_signs
from postroom.mail.report import Kind, Recognised
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.event import Event, Strength
from postroom.models.group import Posting, PostingState
from postroom.models.user import User
from postroom.queries.matching import DECIDED, Found
from postroom.queries.posting import is_own_return
from postroom.queries.viewer import Viewer, viewer_of

#: The kind of an event that was such an answer.
DECISION = "decision"
#: Answers that one notice gets because they were not understood: a program that hides what it is comes no further.
_ASKED_MOST = 3


def decisions_take(
    events: Sequence[Event],
    raws: Mapping[str, bytes],
    seen: Sequence[Recognised],
    found: Sequence[Found | None],
) -> set[int]:
    """Do what moderators decided, in the caller's transaction; ids of the events that were their answers."""
    taken = set()
    for event, mail, match in zip(events, seen, found, strict=True):
        if match is not None and match.found_by == DECIDED and not mail.reports:
            notice = _notice(event, match.delivery_id)
            if notice is not None:
                _take(event, raws[event.raw_id], mail, notice)
                taken.add(event.id)
    return taken


def _notice(event: Event, delivery_id: int) -> Delivery | None:
    """A mailbox of somebody else, who got a copy of the answer, decides nothing."""
    notice = (
        Delivery.objects.select_related("message__account__workspace")
        .filter(id=delivery_id, fields__has_keys=["posting", "user"])
        .first()
    )
    if notice is None or notice.message is None or notice.message.account is None:
        return None
    return notice if event.source != "imap" or event.account_id == notice.message.account_id else None


def _take(event: Event, raw: bytes, mail: Recognised, notice: Delivery) -> None:
    head = head_of(raw)
    sender = head.mail_from if event.source == "imap" else event.envelope_from
    automatic = mail.auto_submitted or mail.kind is Kind.AUTO_REPLY
    automatic = automatic or bool(automatic_signs(sender, head, own_return=is_own_return(sender)))
    event.kind = str(Kind.AUTO_REPLY) if automatic else DECISION
    event.subject, event.from_address = head.subject[:998], mail.from_address[:254].replace("\0", "")
    event.workspace_id, event.strength = notice.workspace_id, Strength.SIGNED
    event.save(update_fields=["kind", "subject", "from_address", "workspace", "strength"])
    user = User.objects.filter(id=notice.fields["user"]).first()
    viewer = viewer_of(user, notice.workspace_id) if user else None
    asked_at = notice.queued_at or timezone.now()
    if automatic or viewer is None or asked_at < timezone.now() - LINK_KEPT:
        return
    with override(viewer.user.language):
        _decide(viewer, notice, decision_of(mail.subject, letter_read(raw).text))


def _decide(viewer: Viewer, notice: Delivery, send: bool | None) -> None:
    posting = Posting.objects.select_related("group").filter(id=notice.fields["posting"]).first()
    assert notice.message is not None
    account = notice.message.account
    if posting is None or account is None:
        return
    if send is None:
        _not_understood(viewer, notice, account, posting)
        return
    try:
        posting_moderate(
            viewer=viewer, group_id=posting.group_id, posting_id=posting.id, send=send, by_mail=True
        )
    except PostroomError as error:
        posting.refresh_from_db()
        sent = posting.state != PostingState.DROPPED
        if isinstance(error, Conflict) and posting.decided_by_id == viewer.user.id and sent is send:
            return  # the same word twice
        subject = _("Re: A mail to %(group)s") % {"group": posting.group.address}
        notice_queue(
            account=account, recipient=viewer.user.email, subject=subject, text=_said(posting, error.message)
        )


def _not_understood(viewer: Viewer, notice: Delivery, account: Account, posting: Posting) -> None:
    asked = notice.fields.get("asked", 0)
    if asked >= _ASKED_MOST:
        return
    Delivery.objects.filter(id=notice.id).update(fields={**notice.fields, "asked": asked + 1})
    subject = _("Re: A mail to %(group)s") % {"group": posting.group.address}
    words = _("Your answer does not say clearly what is to become of it, so nothing was done.")
    answerable_queue(
        account=account,
        user=viewer.user,
        subject=subject,
        text=_said(posting, words),
        notice_id=notice.id,
    )


def _said(posting: Posting, words: str) -> str:
    return f"    {posting.author}: {posting.subject}\n\n{words}\n"
