"""Taking back what was done to a group, whatever it was: deleted, members taken out, options put right."""

from postroom.actions.group import group_options_put_back, group_put_back
from postroom.actions.group_member import members_put_back
from postroom.models.undo import UndoStep
from postroom.queries.viewer import Viewer


def group_undo(*, viewer: Viewer, step_id: int) -> int:
    """The group's id. Raises Conflict UNDO_GONE, NAME_TAKEN, NotFound, NotAllowed."""
    mine = UndoStep.objects.filter(workspace=viewer.workspace, user=viewer.user, id=step_id)
    noun = mine.values_list("noun", flat=True).first()
    if noun == "group members":
        return members_put_back(viewer=viewer, step_id=step_id)[0]
    if noun == "group options":
        return group_options_put_back(viewer=viewer, step_id=step_id).id
    return group_put_back(viewer=viewer, step_id=step_id).id
