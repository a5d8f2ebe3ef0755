"""Keeping what a person deletes for a while, and handing it back once."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from postroom.errors import Conflict
from postroom.models.undo import UndoStep
from postroom.queries.viewer import Viewer

KEPT = timedelta(hours=1)


def undo_keep(viewer: Viewer, noun: str, rows: list[dict[str, Any]]) -> int:
    """Keep the rows of what is about to be deleted; returns the number of the step. Call in the same transaction."""
    UndoStep.objects.filter(workspace=viewer.workspace, created_at__lt=timezone.now() - KEPT).delete()
    return UndoStep.objects.create(workspace=viewer.workspace, user=viewer.user, noun=noun, rows=rows).id


def undo_take(viewer: Viewer, noun: str, step_id: int) -> list[dict[str, Any]]:
    """The rows of a step of this person, once. Raises Conflict UNDO_GONE when taken already or too old."""
    step = (
        UndoStep.objects.select_for_update()
        .filter(workspace=viewer.workspace, user=viewer.user, noun=noun, id=step_id)
        .first()
    )
    if step is None:
        raise Conflict("This cannot be taken back any more.", code="UNDO_GONE")
    rows = list(step.rows)
    step.delete()
    return rows
