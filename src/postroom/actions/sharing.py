"""Making things private or shared, and where new ones land (GW-04, GW-06)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.account_loss import accounts_recheck
from postroom.actions.audit import audit
from postroom.errors import InputError
from postroom.models.account import Account
from postroom.models.profile import May, Profile, Share, Visibility
from postroom.models.user import User
from postroom.models.workspace import Membership
from postroom.queries.sharing import ALL, demand_may, may_run, thing_visible_to
from postroom.queries.viewer import Viewer


@dataclass(frozen=True)
class Sharing:
    """What a page or the API asks for. profiles, users: {id: what they may}; everyone: what all may."""

    visibility: str
    everyone: Sequence[str] | None = None
    profiles: Mapping[int, Sequence[str]] = field(default_factory=dict)
    users: Mapping[int, Sequence[str]] = field(default_factory=dict)


def place_new(viewer: Viewer, thing: Any, *, default: str = "") -> None:
    """Give a new, still unsaved thing the visibility of its maker's working location; `place_saved` follows the save.

    default: what holds without a location of one's own; "" = as the workspace says.
    """
    place = Membership.objects.filter(workspace=viewer.workspace, user=viewer.user).first()
    chosen = place.place if place else ""
    thing.visibility = chosen or default or viewer.workspace.default_visibility


def place_saved(viewer: Viewer, thing: Any) -> None:
    """Share a new thing with the profile of its maker's working location."""
    if thing.visibility != Visibility.PROFILES:
        return
    place = Membership.objects.filter(workspace=viewer.workspace, user=viewer.user).first()
    if place and place.place_profile_id and place.place_profile_id in viewer.profiles | _managed(viewer):
        Share.objects.create(
            workspace=viewer.workspace,
            noun=thing.NOUN,
            noun_id=thing.id,
            profile_id=place.place_profile_id,
            may=list(thing.everyone),
        )


def _managed(viewer: Viewer) -> frozenset[int]:
    if not viewer.manages:
        return frozenset()
    return frozenset(Profile.objects.filter(workspace=viewer.workspace).values_list("id", flat=True))


def sharing_save(*, viewer: Viewer, thing: Any, sharing: Sharing) -> None:
    """Replace who may do what with a thing (saved, locked, its owner's or managed by the viewer: the caller checks).

    Raises InputError for a word, profile or person the workspace does not know.
    """
    if sharing.visibility not in Visibility.values:
        raise InputError(_("Choose private, profiles or everybody."), field="visibility")
    everyone = list(thing.everyone if sharing.everyone is None else _words(sharing.everyone))
    rows = [
        Share(workspace=viewer.workspace, noun=thing.NOUN, noun_id=thing.id, may=_words(words), **whom)
        for whom, words in _whom(viewer, sharing)
        if _words(words)
    ]
    thing.visibility, thing.everyone = sharing.visibility, everyone
    thing.save(update_fields=["visibility", "everyone"])
    Share.objects.filter(workspace=viewer.workspace, noun=thing.NOUN, noun_id=thing.id).delete()
    if sharing.visibility != Visibility.PRIVATE:
        Share.objects.bulk_create(rows)
    audit(viewer, "shared", thing.NOUN, thing.id, visibility=sharing.visibility, everyone=everyone)
    if thing.NOUN == Account.NOUN:
        accounts_recheck(workspace_id=thing.workspace_id, account_ids=[thing.id])


@transaction.atomic
def sharing_change(*, viewer: Viewer, noun: str, noun_id: int, sharing: Sharing) -> Any:
    """`sharing_save` for who may change the thing: its owner, who manages it, who was given "edit".

    Raises NotFound, NotAllowed, InputError.
    """
    thing = thing_visible_to(viewer, noun, noun_id, lock=True)
    if not may_run(viewer, noun):
        demand_may(viewer, thing, May.EDIT)
    sharing_save(viewer=viewer, thing=thing, sharing=sharing)
    return thing


def _words(words: Sequence[str]) -> list[str]:
    """view comes with edit and export: nobody changes or takes out what they may not see."""
    chosen = {str(word) for word in words}
    if not chosen <= ALL:
        raise InputError(_("Choose from view, use, edit and export."), field="sharing")
    if chosen & {May.EDIT, May.EXPORT}:
        chosen.add(str(May.VIEW))
    return sorted(chosen)


def _whom(viewer: Viewer, sharing: Sharing) -> list[tuple[dict[str, int], Sequence[str]]]:
    known = set(Profile.objects.filter(workspace=viewer.workspace).values_list("id", flat=True))
    people = set(
        User.objects.filter(memberships__workspace=viewer.workspace, is_active=True).values_list(
            "id", flat=True
        )
    )
    if not set(sharing.profiles) <= known:
        raise InputError(_("There is no such profile."), field="profiles")
    if not set(sharing.users) <= people:
        raise InputError(_("There is no such person in this workspace."), field="users")
    pairs: list[tuple[dict[str, int], Sequence[str]]] = []
    pairs += [({"profile_id": number}, words) for number, words in sharing.profiles.items()]
    pairs += [({"user_id": number}, words) for number, words in sharing.users.items()]
    return pairs
