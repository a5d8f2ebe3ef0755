"""The audit trail: who changed what, and who changed a thing last (GW-02)."""

from django.db.models import QuerySet

from postroom.models.profile import Right
from postroom.models.workspace import AuditLine
from postroom.queries.viewer import Viewer, demand


def last_change(viewer: Viewer, noun: str, noun_id: int) -> str:
    """Name of who changed this thing last; "" when nobody is on record."""
    found = AuditLine.objects.filter(workspace=viewer.workspace, noun=noun, noun_id=noun_id)
    line = found.select_related("user").order_by("-id").first()
    return str(line.user) if line and line.user else ""


def audit_lines(
    viewer: Viewer, *, user_id: int = 0, noun: str = "", before: int = 0
) -> "QuerySet[AuditLine]":
    """Newest first. before: an id to go on from. Raises NotAllowed."""
    demand(viewer, Right.LOG_VIEW)
    found = AuditLine.objects.filter(workspace=viewer.workspace).select_related("user").order_by("-id")
    if user_id:
        found = found.filter(user_id=user_id)
    if noun:
        found = found.filter(noun=noun)
    return found.filter(id__lt=before) if before else found


def audit_nouns(viewer: Viewer) -> list[str]:
    """Kinds of things that have lines here."""
    found = AuditLine.objects.filter(workspace=viewer.workspace).order_by("noun")
    return list(found.values_list("noun", flat=True).distinct())
