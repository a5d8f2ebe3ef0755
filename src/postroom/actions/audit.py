"""Who changed what."""

from typing import Any

from postroom.models.workspace import AuditLine
from postroom.queries.viewer import Viewer


def audit(viewer: Viewer, verb: str, noun: str, noun_id: int | None, **details: Any) -> None:
    """One line in the workspace's audit trail."""
    AuditLine.objects.create(
        workspace=viewer.workspace, user=viewer.user, verb=verb, noun=noun, noun_id=noun_id, details=details
    )
