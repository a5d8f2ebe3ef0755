"""The working location of a person: where their new things land (GW-06). Nothing that is there moves."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.errors import InputError
from postroom.models.profile import Visibility
from postroom.models.workspace import Membership
from postroom.queries.profile import places_for
from postroom.queries.viewer import Viewer


@transaction.atomic
def place_set(*, viewer: Viewer, place: str) -> None:
    """place: "" as the workspace says, "private", "workspace" or "profiles:<id>" of one's own. Raises InputError."""
    known = {
        "",
        str(Visibility.PRIVATE),
        str(Visibility.WORKSPACE),
        *(value for value, _name in places_for(viewer)),
    }
    if place not in known:
        raise InputError(_("Choose a place that is yours."), field="place")
    kind, _colon, number = place.partition(":")
    Membership.objects.filter(workspace=viewer.workspace, user=viewer.user).update(
        place=kind, place_profile_id=int(number) if number else None
    )
