"""Who belongs to a workspace: roles, profiles, switching off, taking out; the last owner stays (GW-01)."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext as _

from postroom.actions.account_loss import accounts_recheck
from postroom.actions.audit import audit
from postroom.actions.local_address import person_gone
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.models.account import Account
from postroom.models.profile import OFFICE_RIGHTS, Profile, ProfileMember, Right, Share
from postroom.models.user import User
from postroom.models.workspace import Membership, Role, Workspace
from postroom.queries.member import membership_visible_to, seats_taken
from postroom.queries.profile import SCOPES, archive_scope
from postroom.queries.viewer import Viewer, can, demand


def workspace_make(*, name: str, language: str = "en", time_zone: str = "Europe/Warsaw") -> Workspace:
    """A workspace with its first profile, which everybody who joins gets."""
    workspace = Workspace.objects.create(name=name, language=language, time_zone=time_zone)
    Profile.objects.create(
        workspace=workspace,
        name=gettext("Office"),
        rights=[str(right) for right in OFFICE_RIGHTS],
        is_default=True,
    )
    return workspace


def member_add(
    *, workspace: Workspace, user: User, role: str = Role.MEMBER, profile_ids: Sequence[int] | None = None
) -> Membership:
    """The person belongs to the workspace from now on, with these profiles; None = those that come by themselves."""
    membership = Membership.objects.create(workspace=workspace, user=user, role=role)
    profiles = Profile.objects.filter(workspace=workspace)
    given = profiles.filter(is_default=True) if profile_ids is None else profiles.filter(id__in=profile_ids)
    ProfileMember.objects.bulk_create(ProfileMember(profile=profile, user=user) for profile in given)
    return membership


@transaction.atomic
def member_change(
    *,
    viewer: Viewer,
    user_id: int,
    role: str | None = None,
    profile_ids: Sequence[int] | None = None,
    primary_id: int | None = None,
) -> Membership:
    """role, profiles: None = as it is. primary_id: whose default template they get (CM-11); 0 = none.

    Raises NotAllowed, NotFound, InputError, Conflict LAST_OWNER.
    """
    membership = _membership(viewer, user_id)
    may_touch(viewer, membership.role)
    if role is not None and role != membership.role:
        may_touch(viewer, role)
        if membership.role == Role.OWNER:
            _another_owner(membership)
        audit(viewer, "role", "user", user_id, name=str(membership.user), before=membership.role, after=role)
        membership.role = role
        membership.save(update_fields=["role"])
    if profile_ids is not None:
        _set_profiles(viewer, membership, profile_ids)
    if primary_id is not None:
        mine = ProfileMember.objects.filter(profile__workspace=viewer.workspace, user_id=user_id)
        mine.update(is_primary=False)
        mine.filter(profile_id=primary_id).update(is_primary=True)
    return membership


def _membership(viewer: Viewer, user_id: int) -> Membership:
    """Locked, and the workspace before it: two owners who take each other out wait in line, not for each other."""
    demand(viewer, Right.USERS_MANAGE)
    Workspace.objects.select_for_update().get(id=viewer.workspace.id)
    return membership_visible_to(viewer, user_id, lock=True)


def may_touch(viewer: Viewer, role: str) -> None:
    """Nobody makes or changes somebody above themselves: owners see to owners, owners and admins to admins."""
    if role not in Role.values:
        raise InputError(_("A role is owner, admin or member."), field="role")
    if role == Role.OWNER and viewer.role != Role.OWNER:
        raise NotAllowed(_("Only an owner sees to owners."))
    if role == Role.ADMIN and not viewer.manages:
        raise NotAllowed(_("Only owners and administrators see to administrators."))


def may_give(viewer: Viewer, profiles: Sequence[Profile]) -> None:
    """Nobody gives rights, or an archive, that they do not have themselves. Raises NotAllowed."""
    beyond = {right for profile in profiles for right in profile.rights} - viewer.rights
    if beyond and not viewer.manages:
        raise NotAllowed(
            _("This profile holds rights that you do not have yourself. Ask the owner of the workspace."),
            details={"rights": sorted(beyond)},
        )
    widest = max((SCOPES.index(profile.archive_scope) for profile in profiles), default=0)
    if widest > SCOPES.index(archive_scope(viewer)):
        raise NotAllowed(
            _(
                "This profile opens more of the archive than you see yourself. Ask the owner of the workspace."
            ),
            details={"archive_scope": SCOPES[widest]},
        )


def profiles_known(viewer: Viewer, profile_ids: Sequence[int]) -> list[Profile]:
    """Raises InputError when one is not of the workspace."""
    found = list(Profile.objects.filter(workspace=viewer.workspace, id__in=set(profile_ids)).order_by("name"))
    if len(found) != len(set(profile_ids)):
        raise InputError(_("There is no such profile."), field="profiles")
    return found


def _set_profiles(viewer: Viewer, membership: Membership, profile_ids: Sequence[int]) -> None:
    wanted = {profile.id: profile for profile in profiles_known(viewer, profile_ids)}
    mine = ProfileMember.objects.filter(profile__workspace=viewer.workspace, user=membership.user)
    had = {link.profile_id: link.profile for link in mine.select_related("profile")}
    changed = [
        profile for number, profile in {**had, **wanted}.items() if (number in had) != (number in wanted)
    ]
    if not changed:
        return
    may_give(viewer, changed)
    mine.exclude(profile_id__in=wanted).delete()
    ProfileMember.objects.bulk_create(
        ProfileMember(profile=profile, user=membership.user)
        for number, profile in wanted.items()
        if number not in had
    )
    accounts_recheck(workspace_id=viewer.workspace.id)
    names = sorted(profile.name for profile in wanted.values())
    audit(viewer, "profiles", "user", membership.user_id, name=str(membership.user), after=names)


@transaction.atomic
def member_switch(*, viewer: Viewer, user_id: int, on: bool, accounts_to: int = 0) -> Membership:
    """Nobody who is switched off everywhere signs in; their things stay. accounts_to: who gets their mail accounts;
    0 = nobody yet, so they are flagged and their mailboxes not read (CM-17).

    Raises NotAllowed, NotFound, InputError, Conflict LAST_OWNER, SEAT_LIMIT.
    """
    membership = _membership(viewer, user_id)
    may_touch(viewer, membership.role)
    if on:
        if not (membership.is_active and membership.user.is_active):
            seats_check(viewer.workspace)
    else:
        if user_id == viewer.user.id:
            raise Conflict(
                _("You cannot switch yourself off. Another one who sees to people can."), code="SELF"
            )
        _another_owner(membership)
        _hand_over(viewer, membership, accounts_to)
    membership.is_active = on
    membership.save(update_fields=["is_active"])
    _login(membership.user)
    if not on:
        accounts_recheck(workspace_id=viewer.workspace.id)
    audit(viewer, "switched on" if on else "switched off", "user", user_id, name=str(membership.user))
    return membership


@transaction.atomic
def member_remove(*, viewer: Viewer, user_id: int, accounts_to: int = 0) -> None:
    """They belong here no longer. What they made stays; their mail accounts go to accounts_to, or are flagged.

    Raises NotAllowed, NotFound, InputError, Conflict LAST_OWNER.
    """
    membership = _membership(viewer, user_id)
    may_touch(viewer, membership.role)
    _another_owner(membership)
    _hand_over(viewer, membership, accounts_to)
    left = Account.objects.filter(workspace=viewer.workspace, owner_id=user_id, deleted_at=None)
    left.filter(secrets_by=None).update(secrets_by=user_id)
    left.update(owner=None)
    ProfileMember.objects.filter(profile__workspace=viewer.workspace, user_id=user_id).delete()
    Share.objects.filter(workspace=viewer.workspace, user_id=user_id).delete()
    viewer.workspace.apitoken_set.filter(user_id=user_id).delete()
    user = membership.user
    membership.delete()
    person_gone(viewer, user)
    audit(viewer, "removed", "user", user_id, name=str(user))
    _login(user)
    accounts_recheck(workspace_id=viewer.workspace.id)


def seats_check(workspace: Workspace, more: int = 1) -> None:
    """Inside a transaction. Raises Conflict SEAT_LIMIT (details: seats, taken) when no place is left (GW-07)."""
    locked = Workspace.objects.select_for_update().get(id=workspace.id)
    taken = seats_taken(locked)
    if locked.seats and taken + more > locked.seats:
        raise Conflict(
            _(
                "All %(seats)s places of this workspace are taken, invitations counted. Take somebody out, revoke an "
                "invitation, or ask the administrator of this installation for more places."
            )
            % {"seats": locked.seats},
            code="SEAT_LIMIT",
            details={"seats": locked.seats, "taken": taken},
        )


def _login(user: User) -> None:
    """Who is switched off in every workspace cannot sign in; who belongs to none can, and is told so."""
    rows = list(user.memberships.values_list("is_active", flat=True))
    user.is_active = not rows or any(rows)
    user.save(update_fields=["is_active"])


def _another_owner(membership: Membership) -> None:
    """Raises Conflict LAST_OWNER. Of two owners who take each other out at once, the second fails."""
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(
        workspace_id=membership.workspace_id, role=Role.OWNER, is_active=True, user__is_active=True
    )
    if not owners.exclude(id=membership.id).exists():
        raise Conflict(
            _("%(name)s is the last owner of %(firm)s. Make somebody else an owner first.")
            % {"name": membership.user, "firm": membership.workspace},
            code="LAST_OWNER",
        )


def _hand_over(viewer: Viewer, membership: Membership, to: int) -> None:
    """Give the person's mail accounts of this workspace to another active member; 0 = to nobody."""
    if not to:
        return
    if not can(viewer, Right.ACCOUNTS_MANAGE):
        raise NotAllowed(details={"right": str(Right.ACCOUNTS_MANAGE)})
    fit = Membership.objects.filter(
        workspace=viewer.workspace, user_id=to, is_active=True, user__is_active=True
    ).exclude(user=membership.user)
    if not fit.exists():
        raise InputError(_("The owner must be an active user of this workspace."), field="accounts_to")
    theirs = Account.objects.filter(workspace=viewer.workspace, deleted_at=None)
    taken = {name.casefold() for name in theirs.filter(owner_id=to).values_list("name", flat=True)}
    for account in theirs.filter(owner=membership.user).select_for_update():
        if account.name.casefold() in taken:
            account.name = f"{account.name} ({membership.user})"[:120]
        account.secrets_by_id = account.secrets_by_id or account.owner_id
        account.owner_id, account.version = to, account.version + 1
        account.save(update_fields=["owner", "secrets_by", "name", "version"])
        audit(viewer, "owner", "account", account.id, name=account.name, before=str(membership.user))
