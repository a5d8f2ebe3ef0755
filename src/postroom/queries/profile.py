"""Profiles of users: who has them, and what hangs on them."""

from dataclasses import dataclass

from django.db.models import Count

from postroom.errors import NotFound
from postroom.models.profile import ArchiveScope, Profile, Share, Visibility
from postroom.models.workspace import Membership
from postroom.queries.viewer import Viewer


@dataclass(frozen=True, slots=True)
class ProfileRow:
    profile: Profile
    people: int
    #: noun -> how many things are shared with it
    shared: dict[str, int]

    @property
    def things(self) -> int:
        return sum(self.shared.values())


def profile_rows(viewer: Viewer) -> list[ProfileRow]:
    """By name."""
    shared: dict[int, dict[str, int]] = {}
    grants = Share.objects.filter(workspace=viewer.workspace, profile__isnull=False)
    for number, noun, count in grants.values_list("profile_id", "noun").annotate(n=Count("id")):
        shared.setdefault(number, {})[noun] = count
    found = Profile.objects.filter(workspace=viewer.workspace).annotate(n=Count("members")).order_by("name")
    return [ProfileRow(row, row.n, shared.get(row.id, {})) for row in found]


def profile_visible_to(viewer: Viewer, profile_id: int) -> Profile:
    """Raises NotFound."""
    found = Profile.objects.filter(workspace=viewer.workspace, id=profile_id).first()
    if found is None:
        raise NotFound("There is no such profile.")
    return found


#: From the narrowest.
SCOPES = [str(scope) for scope in ArchiveScope]


def archive_scope(viewer: Viewer) -> str:
    """Whose sent mail the viewer finds: the widest of their profiles; all for who manages, own without a profile."""
    if viewer.manages:
        return str(ArchiveScope.ALL)
    mine = Profile.objects.filter(id__in=viewer.profiles).values_list("archive_scope", flat=True)
    return max(mine, key=SCOPES.index, default=str(ArchiveScope.OWN))


def places_for(viewer: Viewer) -> list[tuple[str, str]]:
    """(value, name) of the working locations beside private and everybody: the viewer's profiles (GW-06)."""
    found = Profile.objects.filter(workspace=viewer.workspace)
    if not viewer.manages:
        found = found.filter(id__in=viewer.profiles)
    return [(f"{Visibility.PROFILES}:{row.id}", row.name) for row in found.order_by("name")]


def place_of(viewer: Viewer) -> str:
    """The viewer's working location: "", "private", "workspace" or "profiles:<id>"."""
    found = Membership.objects.filter(workspace=viewer.workspace, user=viewer.user).first()
    if found is None or not found.place:
        return ""
    if found.place == Visibility.PROFILES:
        return f"{found.place}:{found.place_profile_id}" if found.place_profile_id else ""
    return found.place
