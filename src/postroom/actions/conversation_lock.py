"""Two people never answer the same mail unknowingly: who was slower hears of the other before anything is sent."""

from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.errors import Conflict
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.queries.conversation import conversation_begun_in
from postroom.queries.viewer import Viewer

#: How long after it was sent a mail of another program may come to be known.
READ_LATE = timedelta(days=1)


def answer_demand(
    viewer: Viewer, conversation_id: int | None, since: datetime | None, anyway: bool = False
) -> None:
    """Call in the transaction that sends: the conversation is locked until its end, so of two only one is first.

    since: when the viewer began to write. anyway: they know and send all the same. None = nothing to ask.

    Raises Conflict ANSWERED_MEANWHILE (details: kind "sent" or "writing", who, at, id).
    """
    if conversation_id is None or since is None:
        return
    conversation = conversation_begun_in(viewer, conversation_id, lock=True)
    if conversation is None or anyway:
        return
    # what was sent with another program is here only after its folder was read
    sent = Message.objects.filter(
        conversation=conversation, direction="out", created_at__gt=since, at__gt=since - READ_LATE
    )
    answer = sent.exclude(user=viewer.user).select_related("user").order_by("-id").first()
    if answer is not None:
        who = str(answer.user) if answer.user else answer.from_name or answer.from_address
        at = answer.at or answer.created_at
        raise _meanwhile(
            _("%(who)s answered meanwhile, at %(at)s.") % _told(who, at), "sent", who, at, answer.id
        )
    others = Draft.objects.filter(
        conversation=conversation, message=None, deleted_at=None, version__gt=1, updated_at__gt=since
    )
    draft = others.exclude(user=viewer.user).select_related("user").order_by("-updated_at").first()
    if draft is not None:
        who, at = str(draft.user), draft.updated_at
        words = _("%(who)s is writing an answer too, last at %(at)s.") % _told(who, at)
        raise _meanwhile(words, "writing", who, at, draft.id)


def _told(who: str, at: datetime) -> dict[str, str]:
    return {"who": who, "at": timezone.localtime(at).strftime("%H:%M")}


def _meanwhile(words: str, kind: str, who: str, at: datetime, number: int) -> Conflict:
    details: dict[str, object] = {"kind": kind, "who": who, "at": at.isoformat(), "id": number}
    return Conflict(words, code="ANSWERED_MEANWHILE", details=details)
