"""Signals: who may send one to a group, who is told, and what waits on a person's pages."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from postroom.models.group import Group, GroupMember, GroupPerson, WhoMayPost
from postroom.models.signal import Channel, SignalCopy
from postroom.models.user import User
from postroom.models.workspace import Membership
from postroom.queries.group import is_member, may_change
from postroom.queries.viewer import Viewer

#: A signal is about now: on pages opened later it is not shown any more.
SHOWN_FOR = timedelta(hours=12)


def may_signal(viewer: Viewer, group: Group) -> bool:
    """Who may write to the group may signal it; one that takes mail after approval is signalled by its managers."""
    if may_change(viewer, group) or group.who_may_post == WhoMayPost.ANYONE:
        return True
    if group.who_may_post == WhoMayPost.MEMBERS:
        return is_member(viewer, group)
    if group.who_may_post == WhoMayPost.NAMED:
        return GroupPerson.objects.filter(group=group, address=viewer.user.email).exists()
    return False


def people_signalled(group: Group) -> list[int]:
    """Ids of the people of the workspace behind the group's members, by login, alias or mail account.

    Sub-groups are opened, but for those that take no signals; outsiders are never told.
    """
    seen, fresh = {group.id}, {group.id}
    told: set[int] = set()
    while fresh:
        rows = GroupMember.objects.filter(group__in=fresh).exclude(state=GroupMember.State.UNCONFIRMED)
        people = rows.filter(subgroup=None).values_list(
            "address", "local_address__user", "local_address__account__owner"
        )
        addresses = set()
        for address, user, owner in people:
            addresses.add(address)
            told |= {one for one in (user, owner) if one}
        told |= set(User.objects.filter(email__in=addresses).values_list("id", flat=True))
        below = rows.filter(subgroup__deleted_at=None, subgroup__signal_disabled=False)
        fresh = set(below.exclude(subgroup=None).values_list("subgroup_id", flat=True)) - seen
        seen |= fresh
    here = Membership.objects.filter(workspace=group.workspace_id, is_active=True, user__is_active=True)
    return sorted(here.filter(user__in=told).values_list("user_id", flat=True))


def signals_waiting(viewer: Viewer) -> list[SignalCopy]:
    """Not put away yet and not too old, newest first, at most five."""
    found = SignalCopy.objects.filter(user=viewer.user, seen_at=None, signal__workspace=viewer.workspace)
    fresh = found.filter(signal__sent_at__gt=timezone.now() - SHOWN_FOR)
    return list(fresh.select_related("signal__group", "signal__user").order_by("-id")[:5])


def channels_of(viewer: Viewer) -> list[Channel]:
    """One's own, oldest first."""
    return list(Channel.objects.filter(Q(workspace=viewer.workspace), user=viewer.user).order_by("id"))
