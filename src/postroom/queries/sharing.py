"""What a viewer may do with one thing: the one rule of private, shared with profiles or people, shared with all.

Its owner and those who manage the workspace may do everything. Everybody else: what `everyone` says where visibility
is "workspace", and what is granted to them or their profiles by name unless it is private. Somebody who may do nothing
with a thing does not see that it is there (404); somebody who may do another thing with it is told so (403).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet

from postroom.errors import NotAllowed, NotFound
from postroom.models.profile import May, Profile, Right, Share, Shared, Visibility
from postroom.models.user import User
from postroom.queries.viewer import Viewer, can

ALL = frozenset(str(may) for may in May)


def shared_with(viewer: Viewer, model: type[Shared], may: May | None = None) -> Q:
    """The filter of a query on `model`: the workspace's things with which the viewer may do `may`; None = anything."""
    home = Q(workspace=viewer.workspace)
    if viewer.manages:
        return home
    everyone = Q(visibility=Visibility.WORKSPACE)
    everyone &= Q(everyone__contains=[str(may)]) if may else ~Q(everyone=[])
    grants = _grants(viewer, model.NOUN)
    grants = grants.filter(may__contains=[str(may)]) if may else grants.exclude(may=[])
    named = ~Q(visibility=Visibility.PRIVATE) & Q(id__in=grants.values("noun_id"))
    return home & (Q(**{model.OWNER: viewer.user}) | everyone | named)


def _grants(viewer: Viewer, noun: str) -> "QuerySet[Share]":
    return Share.objects.filter(
        Q(profile__in=viewer.profiles) | Q(user=viewer.user), workspace=viewer.workspace, noun=noun
    )


def rights_on(viewer: Viewer, things: Iterable[Shared]) -> dict[int, frozenset[str]]:
    """What the viewer may do with each of these things of one kind (of this workspace), by id; one query for all."""
    things = list(things)
    rows: list[Any] = list(things)
    if viewer.manages or not rows:
        return {row.id: ALL for row in rows}
    given: dict[int, set[str]] = {}
    for share in _grants(viewer, rows[0].NOUN).filter(noun_id__in=[row.id for row in rows]):
        given.setdefault(share.noun_id, set()).update(share.may)
    found = {}
    for row in rows:
        may: set[str] = set()
        if getattr(row, f"{row.OWNER}_id") == viewer.user.id:
            may = set(ALL)
        elif row.visibility != Visibility.PRIVATE:
            may = set(given.get(row.id, ()))
            if row.visibility == Visibility.WORKSPACE:
                may |= set(row.everyone)
        found[row.id] = frozenset(may)
    return found


def may(viewer: Viewer, thing: Any, right: May) -> bool:
    """thing: one the viewer sees."""
    return str(right) in rights_on(viewer, [thing])[thing.id]


def demand_may(viewer: Viewer, thing: Any, right: May) -> None:
    """Raises NotAllowed (details: what is missing, and whose the thing is)."""
    if not may(viewer, thing, right):
        owner = getattr(thing, thing.OWNER)
        raise NotAllowed(details={"may": str(right), "owner": str(owner) if owner else ""})


def grants_of(thing: Any) -> list[Share]:
    """The profiles and people it is given to by name, profiles first."""
    found = Share.objects.filter(workspace=thing.workspace_id, noun=thing.NOUN, noun_id=thing.id)
    return list(found.select_related("profile", "user").order_by("user_id", "profile__name"))


#: Whose right of the workspace reaches everything of a noun, without being given it.
_RUN_BY = {"account": Right.ACCOUNTS_MANAGE, "type": Right.TYPES_MANAGE}


def shared_models() -> dict[str, type[Shared]]:
    """noun -> its table."""
    return {model.NOUN: model for model in Shared.__subclasses__()}


def may_run(viewer: Viewer, noun: str) -> bool:
    """Whether the viewer's rights in the workspace reach everything of this noun."""
    right = _RUN_BY.get(noun)
    return viewer.manages or (right is not None and can(viewer, right))


def thing_visible_to(viewer: Viewer, noun: str, noun_id: int, *, lock: bool = False) -> Any:
    """One thing of any noun. Raises NotFound."""
    model: Any = shared_models().get(noun)
    if model is None:
        raise NotFound()
    seen = Q(workspace=viewer.workspace) if may_run(viewer, noun) else shared_with(viewer, model)
    rows = model.objects.filter(seen, deleted_at=None, id=noun_id)
    thing = (rows.select_for_update() if lock else rows).first()
    if thing is None:
        raise NotFound()
    return thing


@dataclass(frozen=True)
class SharingOf:
    """Who may see and use one thing. profiles: all of the workspace; people: those it is given to by name;
    others: who could be added. The sets hold words of May, empty = nothing is given."""

    thing: Any
    may_change: bool
    profiles: list[tuple[Profile, frozenset[str]]]
    people: list[tuple[User, frozenset[str]]]
    others: list[User]


def sharing_of(viewer: Viewer, noun: str, noun_id: int) -> SharingOf:
    """Raises NotFound when the viewer does not see the thing."""
    thing = thing_visible_to(viewer, noun, noun_id)
    grants = grants_of(thing)
    to_profiles = {one.profile_id: frozenset(one.may) for one in grants if one.profile_id}
    named = {one.user_id for one in grants if one.user_id}
    profiles = Profile.objects.filter(workspace=viewer.workspace).order_by("name", "id")
    everybody = User.objects.filter(memberships__workspace=viewer.workspace, is_active=True)
    owner = getattr(thing, f"{thing.OWNER}_id")
    return SharingOf(
        thing=thing,
        may_change=may_run(viewer, noun) or may(viewer, thing, May.EDIT),
        profiles=[(one, to_profiles.get(one.id, frozenset())) for one in profiles],
        people=[(one.user, frozenset(one.may)) for one in grants if one.user],
        others=list(everybody.exclude(id__in={*named, owner}).order_by("name", "email")),
    )


def share_counts(things: Iterable[Any]) -> dict[int, tuple[int, int]]:
    """How many profiles and people each of these things of one kind is given to, by id; one query for all."""
    rows = list(things)
    if not rows:
        return {}
    found = Share.objects.filter(
        workspace=rows[0].workspace_id, noun=rows[0].NOUN, noun_id__in=[row.id for row in rows]
    ).exclude(may=[])
    counted = found.values("noun_id").annotate(profiles=Count("profile"), people=Count("user"))
    return {row["noun_id"]: (row["profiles"], row["people"]) for row in counted}
