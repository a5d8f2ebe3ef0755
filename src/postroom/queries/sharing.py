"""What a viewer may do with one thing: the one rule of private, shared with profiles or people, shared with all.

Its owner and those who manage the workspace may do everything. Everybody else: what `everyone` says where visibility
is "workspace", and what is granted to them or their profiles by name unless it is private. Somebody who may do nothing
with a thing does not see that it is there (404); somebody who may do another thing with it is told so (403).
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from postroom.errors import NotAllowed
from postroom.models.profile import May, Share, Shared, Visibility
from postroom.queries.viewer import Viewer

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
