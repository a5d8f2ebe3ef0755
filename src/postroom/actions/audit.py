"""Who changed what."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from postroom.models.workspace import AuditLine
from postroom.queries.viewer import Viewer


def audit(viewer: Viewer, verb: str, noun: str, noun_id: int | None, **details: Any) -> None:
    """One line in the workspace's audit trail."""
    AuditLine.objects.create(
        workspace=viewer.workspace, user=viewer.user, verb=verb, noun=noun, noun_id=noun_id, details=details
    )


#: Saves of one person on one thing within this time are one line: an editor saves by itself.
ONE_SITTING = timedelta(minutes=10)


def audit_edit(viewer: Viewer, noun: str, noun_id: int, **details: Any) -> None:
    """Like `audit` with "changed"; the newest line of this thing is brought up to now when it says the same."""
    newest = AuditLine.objects.filter(workspace=viewer.workspace, noun=noun, noun_id=noun_id)
    line = newest.order_by("-id").first()
    now = timezone.now()
    same = line and line.verb == "changed" and line.user_id == viewer.user.id and line.at > now - ONE_SITTING
    if line and same:
        AuditLine.objects.filter(id=line.id).update(at=now, details={**line.details, **details})
    else:
        audit(viewer, "changed", noun, noun_id, **details)
