"""Postings that wait for a moderator: recipients and content are fixed when it is held; the first decision counts."""

from urllib.parse import quote

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from postroom.actions.message import Notice, notice_queue
from postroom.actions.notify import POSTING, notify
from postroom.actions.posting_onward import posting_onward
from postroom.actions.retry import retry_shard_make
from postroom.actions.webhook_tell import postings_tell
from postroom.errors import Conflict
from postroom.mail.decision import ASKED
from postroom.mail.letter import letter_read
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.group import Posting, PostingState
from postroom.models.message import Message
from postroom.models.user import User
from postroom.queries.blob import blob_read
from postroom.queries.content import Addressing, instance_url
from postroom.queries.posting import managers_to_tell, moderation_token

#: Characters of the posting that a notice shows.
_EXCERPT = 1500


def moderators_tell(posting: Posting, account: Account, raw: bytes) -> None:
    """A notice to each manager: the way to the page, and how to decide by mail; the posting with its group."""
    lines = letter_read(raw).text.strip()[:_EXCERPT].splitlines()
    excerpt = "\n".join(f"    {line}".rstrip() for line in lines)
    for user in managers_to_tell(posting.group_id):
        with override(user.language):
            subject = _("A mail to %(group)s waits for your decision") % {"group": posting.group.address}
            text = _(
                "%(author)s wrote to %(group)s:\n\n    %(subject)s\n\n%(excerpt)s\n\nIt goes to the members when one of"
                " the managers lets it through:\n%(url)s\n"
            ) % {
                "author": posting.author or "?",
                "group": posting.group.address,
                "subject": posting.subject,
                "excerpt": excerpt,
                "url": f"{instance_url()}/groups/decide/{moderation_token(posting, user)}/",
            }
            message = answerable_queue(account=account, user=user, subject=subject, text=text)
        message.deliveries.update(fields={"posting": posting.id, "user": user.id})


def answerable_queue(*, account: Account, user: User, subject: str, text: str, notice_id: int = 0) -> Message:
    """A notice that its reader may answer with one word, in the language that is active.

    notice_id: the delivery of the notice that is answered; 0 = of this one.
    """
    yes, no = ASKED.get(user.language, ASKED["en"])

    def write(addressing: Addressing, delivery_id: int) -> Notice:
        address, tag = addressing.decision(notice_id or delivery_id)
        ways = {word: f"mailto:{address}?subject={quote(word + tag)}" for word in (yes, no)}
        how = _(
            "Or answer this mail with one word: %(yes)s or %(no)s. These links begin such a mail:\n\n"
            "%(yes)s: %(yes_link)s\n%(no)s: %(no_link)s\n"
        ) % {"yes": yes, "no": no, "yes_link": ways[yes], "no_link": ways[no]}
        return Notice(subject + tag, f"{text}\n{how}", address)

    return notice_queue(account=account, recipient=user.email, subject=subject, write=write)


@transaction.atomic
def posting_decide(*, posting_id: int, send: bool, by: User | None) -> Posting:
    """Let a held posting through, or throw it away. Rights are the caller's to check.

    Raises Posting.DoesNotExist, Conflict DECIDED when somebody was faster.
    """
    posting = (
        Posting.objects.select_for_update(of=("self",))
        .select_related("message__account", "group__workspace", "group__domain")
        .get(id=posting_id)
    )
    if posting.state != PostingState.HELD:
        raise Conflict(_("Somebody has decided already."), code="DECIDED")
    posting.decided_by, posting.decided_at = by, timezone.now()
    message = posting.message
    if message is None:  # held for a fault, before its copies were made
        posting.state = PostingState.TAKEN if send else PostingState.DROPPED
        posting.save()
        if not send:
            postings_tell([(posting.id, "refused")])
        notify(POSTING)
        return posting
    waiting = Delivery.objects.filter(message=message, state="queued", retry_shard=0)
    if not send:
        waiting.update(state="skipped", trouble="skipped", reason="cancelled", state_at=timezone.now())
        posting.state, posting.reason = PostingState.DROPPED, "rejected"
        posting.save()
        postings_tell([(posting.id, "refused")])
        return posting
    waiting.update(queued_at=timezone.now())
    ids = list(waiting.order_by("id").values_list("id", flat=True))
    for begin in range(0, len(ids), 1000):
        retry_shard_make(posting.group.workspace_id, message.account_id or 0, None, ids[begin : begin + 1000])
    posting.state, posting.reason = PostingState.SENT, ""
    posting.save()
    postings_tell([(posting.id, "accepted")])
    posting_onward(posting, blob_read(posting.raw_id or ""), message.account)
    return posting
