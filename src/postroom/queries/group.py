"""Reading e-mail groups: who sees them, who may change them, their members, and whether a name is free.

Everybody of a workspace sees its groups and who is in them. `groups.manage` makes, changes and deletes all of them;
the managers of one group change that one (EG-05).
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.errors import NotAllowed, NotFound
from postroom.models.account import Account
from postroom.models.domain import Domain, LocalAddress
from postroom.models.group import Group, GroupMember, GroupPerson, Posting, PostingState
from postroom.models.profile import May, Right
from postroom.models.user import User
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, can

#: The eight options: key of the API (those of CommuniGate Pro) -> column. Their defaults stand in the model (EG-15).
OPTIONS = {
    "SetReplyTo": "set_reply_to",
    "Expand": "expand",
    "RemoveAuthor": "remove_author",
    "RejectAutomatic": "reject_automatic",
    "RemoveToAndCc": "remove_to_and_cc",
    "EmailDisabled": "email_disabled",
    "FinalDelivery": "final_delivery",
    "SignalDisabled": "signal_disabled",
}
#: What else can be set, under the same kind of key.
MORE = {
    "IncludeExternalAuthor": "include_external_author",
    "VerifyToCc": "verify_to_cc",
    "WhoMayPost": "who_may_post",
    "SizeMax": "size_max",
    "Archive": "archive",
    "RealName": "real_name",
    "Description": "description",
}
#: Column -> what is recommended.
RECOMMENDED: dict[str, bool] = {name: getattr(Group(), name) for name in OPTIONS.values()}

MEMBERS_PER_PAGE = 100


def groups_visible_to(viewer: Viewer) -> "QuerySet[Group]":
    """By address."""
    found = Group.objects.filter(workspace=viewer.workspace, deleted_at=None)
    return found.select_related("domain", "account").order_by("address")


def group_one(viewer: Viewer, group_id: int, *, lock: bool = False) -> Group:
    """Raises NotFound."""
    found = groups_visible_to(viewer).filter(id=group_id)
    group = (found.select_for_update(of=("self",)) if lock else found).first()
    if group is None:
        raise NotFound(_("This group is not here any more."))
    return group


def group_rows(viewer: Viewer, words: str = "") -> "QuerySet[Group]":
    """By address, each with `member_count` and `held_count`. words: part of the address or the name, case aside."""
    found = groups_visible_to(viewer).annotate(
        member_count=Count("members", distinct=True),
        held_count=Count("postings", filter=Q(postings__state="held"), distinct=True),
    )
    words = words.replace("\0", "").strip()
    if words:
        found = found.filter(Q(address__icontains=words) | Q(real_name__icontains=words))
    return found


def may_change(viewer: Viewer, group: Group) -> bool:
    """Who may make groups may change each; a manager of this one may change it."""
    if can(viewer, Right.GROUPS_MANAGE):
        return True
    return GroupPerson.objects.filter(group=group, user=viewer.user).exists()


def demand_change(viewer: Viewer, group: Group) -> None:
    """Raises NotAllowed."""
    if not may_change(viewer, group):
        raise NotAllowed(
            _("Only who manages groups, or this one, changes it."),
            details={"right": str(Right.GROUPS_MANAGE)},
        )


def group_to_change(viewer: Viewer, group_id: int) -> Group:
    """Locked. Raises NotFound, NotAllowed."""
    group = group_one(viewer, group_id, lock=True)
    demand_change(viewer, group)
    return group


def managers_of(group: Group) -> list[User]:
    """People who are told of failures and decide on held postings, by name."""
    found = User.objects.filter(
        id__in=GroupPerson.objects.filter(group=group).exclude(user=None).values("user_id"), is_active=True
    )
    return sorted(found, key=lambda user: str(user).casefold())


def named_of(group: Group) -> list[str]:
    """Addresses that may write to the group where it takes mail of named people only."""
    found = GroupPerson.objects.filter(group=group).exclude(address="")
    return list(found.order_by("address").values_list("address", flat=True))


def may_read_postings(viewer: Viewer, group: Group) -> bool:
    """Managers do; members too where the group keeps its postings for them."""
    return may_change(viewer, group) or (group.archive and is_member(viewer, group))


def is_member(viewer: Viewer, group: Group) -> bool:
    """With their login address or one that belongs to them or their mail account; in sub-groups too."""
    mine = GroupMember.objects.filter(
        Q(address=viewer.user.email)
        | Q(local_address__user=viewer.user)
        | Q(local_address__account__owner=viewer.user),
        group__workspace=viewer.workspace,
        group__deleted_at=None,
    )
    reached = set(mine.values_list("group_id", flat=True))
    fresh = set(reached)
    while fresh and group.id not in reached:
        above = GroupMember.objects.filter(subgroup__in=fresh, group__deleted_at=None)
        fresh = set(above.values_list("group_id", flat=True)) - reached
        reached |= fresh
    return group.id in reached


def kind_of(member: GroupMember) -> str:
    """local, group or external."""
    if member.subgroup_id:
        return "group"
    return "local" if member.local_address_id else "external"


@dataclass(frozen=True)
class MembersPage:
    """rows: by address, with `added_by` loaded. counts: kind -> how many of the group.

    following: `at` of the next page, "" at the end.
    """

    rows: list[GroupMember]
    counts: dict[str, int]
    following: str


_KINDS = {
    "group": Q(subgroup__isnull=False),
    "local": Q(subgroup=None, local_address__isnull=False),
    "external": Q(subgroup=None, local_address=None),
}
_PAUSED, _ASKED = Q(state=GroupMember.State.PAUSED), Q(state=GroupMember.State.UNCONFIRMED)


def members_page(
    viewer: Viewer,
    group_id: int,
    *,
    words: str = "",
    kind: str = "",
    at: str = "",
    size: int = MEMBERS_PER_PAGE,
) -> MembersPage:
    """words: part of the address or name. kind: local, group, external, paused, unconfirmed, "" = all.

    Raises NotFound.
    """
    group = group_one(viewer, group_id)
    everybody = GroupMember.objects.filter(group=group)
    counted = everybody.aggregate(
        all=Count("id"),
        paused=Count("id", filter=_PAUSED),
        unconfirmed=Count("id", filter=_ASKED),
        **{name: Count("id", filter=test) for name, test in _KINDS.items()},
    )
    found = everybody.select_related("added_by", "subgroup").order_by("address")
    if kind in _KINDS:
        found = found.filter(_KINDS[kind])
    elif kind in ("paused", "unconfirmed"):
        found = found.filter(_PAUSED if kind == "paused" else _ASKED)
    words = words.replace("\0", "").strip()
    if words:
        found = found.filter(Q(address__icontains=words) | Q(name__icontains=words))
    if at:
        found = found.filter(address__gt=at.replace("\0", ""))
    rows = list(found[: size + 1])
    more = len(rows) > size
    return MembersPage(rows[:size], counted, rows[size - 1].address if more else "")


def group_counts(group: Group) -> tuple[int, int, int]:
    """Members, postings that were taken, postings that wait for a decision."""
    found = Posting.objects.filter(group=group).exclude(state=PostingState.REFUSED)
    counted = found.aggregate(all=Count("id"), held=Count("id", filter=Q(state=PostingState.HELD)))
    return GroupMember.objects.filter(group=group).count(), counted["all"], counted["held"]


def group_senders(viewer: Viewer, group: Group) -> list[Account]:
    """Accounts its copies could leave through: those the viewer may send from, and the one that is set; by name."""
    usable = Account.objects.filter(shared_with(viewer, Account, May.USE), deleted_at=None)
    found = {account.id: account for account in usable}
    if group.account:
        found[group.account.id] = group.account
    return sorted(found.values(), key=lambda account: account.name.casefold())


def member_addresses(group: Group) -> list[str]:
    """All, by address."""
    return list(group.members.order_by("address").values_list("address", flat=True))


def parents_of(group: Group) -> list[Group]:
    """Groups that have this one among their members, by address."""
    found = Group.objects.filter(deleted_at=None, members__subgroup=group)
    return list(found.distinct().order_by("address"))


def people_reached(group: Group) -> int:
    """How many different addresses a posting of an outsider reaches, sub-groups opened all the way."""
    seen, fresh = {group.id}, {group.id}
    addresses: set[str] = set()
    while fresh:
        rows = GroupMember.objects.filter(group__in=fresh, state=GroupMember.State.ACTIVE)
        addresses |= set(rows.filter(subgroup=None).values_list("address", flat=True))
        below = rows.filter(subgroup__deleted_at=None, subgroup__email_disabled=False)
        fresh = set(below.exclude(subgroup=None).values_list("subgroup_id", flat=True)) - seen
        seen |= fresh
    return len(addresses)


def way_down(top: int, bottom: int) -> list[str]:
    """Addresses of the groups from `top` down to `bottom` through members, both included; [] = there is no way."""
    came: dict[int, int] = {top: 0}
    fresh = [top]
    while fresh and bottom not in came:
        rows = GroupMember.objects.filter(group__in=fresh, subgroup__isnull=False, subgroup__deleted_at=None)
        fresh = []
        for above, below in rows.values_list("group_id", "subgroup_id"):
            if below not in came:
                came[below] = above
                fresh.append(below)
    if bottom not in came:
        return []
    way, at = [], bottom
    while at:
        way.append(at)
        at = came[at]
    names = dict(Group.objects.filter(id__in=way).values_list("id", "address"))
    return [names[number] for number in reversed(way)]


def domains_for_groups(viewer: Viewer) -> list[Domain]:
    """Proved domains of the workspace, by name."""
    return list(Domain.objects.filter(workspace=viewer.workspace, proved_at__isnull=False).order_by("name"))


def taken_by(workspace_id: int, address: str, but: int = 0) -> str:
    """What has this address: group, quarantine, local, user, account; "" = nobody. but: a group that may have it.

    address: canonical, in a domain of the workspace. Lists of people have no address; forwarders of the firm's server
    are local addresses.
    """
    groups = Group.objects.filter(address=address).exclude(id=but)
    if groups.filter(deleted_at=None).exists():
        return "group"
    if groups.filter(quarantined_until__gt=timezone.now()).exists():
        return "quarantine"
    if User.objects.filter(email=address, memberships__workspace=workspace_id).exists():
        return "user"
    if Account.objects.filter(workspace=workspace_id, deleted_at=None, address__iexact=address).exists():
        return "account"
    if LocalAddress.objects.filter(workspace=workspace_id, address=address).exists():
        return "local"
    return ""


def group_named(viewer: Viewer, address: str) -> Group:
    """By its address, as typed on a command line. Raises NotFound."""
    group = groups_visible_to(viewer).filter(address=address.strip().lower()).first()
    if group is None:
        raise NotFound(_("There is no group %(address)s.") % {"address": address})
    return group


def options_of(group: Group) -> dict[str, Any]:
    """{key of the API: value}: the eight, and the rest."""
    return {key: getattr(group, name) for key, name in {**OPTIONS, **MORE}.items()}
