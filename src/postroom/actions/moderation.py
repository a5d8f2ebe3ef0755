"""Deciding on a held posting, on its page or by the link in the mail that a manager got; one decision counts."""

from dataclasses import dataclass
from datetime import timedelta

from django.core import signing
from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.posting_hold import posting_decide
from postroom.errors import Conflict, NotFound
from postroom.models.group import Posting, PostingState
from postroom.models.user import User
from postroom.queries.group import demand_change
from postroom.queries.group_posting import posting_one
from postroom.queries.posting import MODERATION, moderation_token
from postroom.queries.viewer import Viewer, viewer_of

#: How long the link in a mail works.
LINK_KEPT = timedelta(days=30)

__all__ = ["moderation_read", "moderation_token", "posting_moderate"]


@transaction.atomic
def posting_moderate(
    *, viewer: Viewer, group_id: int, posting_id: int, send: bool, by_mail: bool = False
) -> Posting:
    """Let a held posting through to the recipients fixed when it was held, or throw it away.

    by_mail: for the audit trail.
    Raises NotFound, NotAllowed, Conflict DECIDED (details: by, at, sent) when somebody was faster.
    """
    posting = posting_one(viewer, group_id, posting_id)
    demand_change(viewer, posting.group)
    locked = Posting.objects.select_for_update().get(id=posting_id)
    if locked.state != PostingState.HELD:
        raise _decided(locked)
    decided = posting_decide(posting_id=posting_id, send=send, by=viewer.user)
    verb = "approved" if send else "rejected"
    shown = {"name": posting.group.address, "author": posting.author, "subject": posting.subject[:200]}
    if by_mail:
        shown["way"] = "mail"
    audit(viewer, verb, "group", group_id, posting=posting_id, **shown)
    return decided


def _decided(posting: Posting) -> Conflict:
    sent = posting.state != PostingState.DROPPED
    if posting.decided_by is None:
        return Conflict(
            _("This posting does not wait for a decision."), code="DECIDED", details={"sent": sent}
        )
    words = _("%(who)s has let it through already.") if sent else _("%(who)s has thrown it away already.")
    return Conflict(
        words % {"who": posting.decided_by},
        code="DECIDED",
        details={
            "by": str(posting.decided_by),
            "at": posting.decided_at.isoformat(timespec="seconds") if posting.decided_at else None,
            "sent": sent,
        },
    )


@dataclass(frozen=True)
class Summons:
    """Who was asked to decide on what."""

    viewer: Viewer
    group_id: int
    posting_id: int


def moderation_read(token: str) -> Summons:
    """Raises NotFound when it is not ours or too old, or when that person works here no longer."""
    gone = NotFound(_("This link works no longer. Sign in to see what waits."))
    try:
        workspace_id, group_id, posting_id, user_id = signing.loads(token, salt=MODERATION, max_age=LINK_KEPT)
    except (signing.BadSignature, ValueError, TypeError) as error:
        raise gone from error
    user = User.objects.filter(id=user_id).first()
    viewer = viewer_of(user, workspace_id) if user else None
    if viewer is None:
        raise gone
    return Summons(viewer, group_id, posting_id)
