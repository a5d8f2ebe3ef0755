"""Searches for the servers of an address."""

from postroom.errors import NotFound
from postroom.models.account import Discovery
from postroom.queries.viewer import Viewer


def discovery_visible_to(viewer: Viewer, discovery_id: int) -> Discovery:
    """Only the person who asked sees it. Raises NotFound."""
    found = Discovery.objects.filter(id=discovery_id, workspace=viewer.workspace, user=viewer.user).first()
    if found is None:
        raise NotFound("There is no such search. It may be older than ten minutes.")
    return found
