"""Profiles of users: their rights and people; what was shared with a deleted one becomes its owner's alone."""

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.account_loss import accounts_recheck
from postroom.actions.audit import audit
from postroom.actions.member import may_give
from postroom.errors import Conflict, InputError, NotFound
from postroom.models.profile import ArchiveScope, Profile, ProfileMember, Right
from postroom.models.workspace import Membership
from postroom.queries.changes import last_change
from postroom.queries.profile import profile_visible_to
from postroom.queries.viewer import Viewer, demand

NAME_MAX = 120
RIGHTS = frozenset(str(right) for right in Right)


@transaction.atomic
def profile_add(
    *,
    viewer: Viewer,
    name: str,
    rights: Sequence[str] = (),
    is_default: bool = False,
    archive_scope: str = ArchiveScope.TEAM,
) -> Profile:
    """Raises NotAllowed, InputError, Conflict NAME_TAKEN."""
    demand(viewer, Right.USERS_MANAGE)
    made = Profile(workspace=viewer.workspace, name=_name(viewer, name), rights=_rights(rights))
    made.archive_scope = _scope(archive_scope)
    may_give(viewer, [made])
    made.is_default = is_default
    made.save()
    audit(viewer, "made", "profile", made.id, name=made.name, rights=made.rights)
    return made


@transaction.atomic
def profile_change(
    *,
    viewer: Viewer,
    profile_id: int,
    version: int,
    name: str | None = None,
    rights: Sequence[str] | None = None,
    is_default: bool | None = None,
    archive_scope: str | None = None,
) -> Profile:
    """None = as it is. Raises NotAllowed, NotFound, InputError, Conflict NAME_TAKEN, STALE_VERSION."""
    demand(viewer, Right.USERS_MANAGE)
    found = _locked(viewer, profile_id)
    may_give(viewer, [found])
    if found.version != version:
        raise Conflict(
            _("Somebody else has changed this in the meantime. Look at both texts, then save again."),
            code="STALE_VERSION",
            details={
                "version": found.version,
                "by": last_change(viewer, "profile", found.id),
                "theirs": {
                    "name": found.name,
                    "rights": found.rights,
                    "is_default": found.is_default,
                    "archive_scope": found.archive_scope,
                },
                "yours": {
                    "name": name,
                    "rights": rights and sorted(rights),
                    "is_default": is_default,
                    "archive_scope": archive_scope,
                },
            },
        )
    if name is not None:
        found.name = _name(viewer, name, but=found.id)
    if rights is not None:
        found.rights = _rights(rights)
    if is_default is not None:
        found.is_default = is_default
    if archive_scope is not None:
        found.archive_scope = _scope(archive_scope)
    may_give(viewer, [found])
    found.version += 1
    found.save()
    kept = {"rights": found.rights, "archive_scope": found.archive_scope}
    audit(viewer, "changed", "profile", found.id, name=found.name, **kept)
    return found


@transaction.atomic
def profile_people(*, viewer: Viewer, profile_id: int, user_ids: Sequence[int]) -> Profile:
    """Who has the profile, all at once. Raises NotAllowed, NotFound, InputError."""
    demand(viewer, Right.USERS_MANAGE)
    found = _locked(viewer, profile_id)
    may_give(viewer, [found])
    wanted = set(user_ids)
    members = set(
        Membership.objects.filter(workspace=viewer.workspace, user_id__in=wanted).values_list(
            "user_id", flat=True
        )
    )
    if members != wanted:
        raise InputError(_("There is no such person in this workspace."), field="users")
    had = set(found.members.values_list("user_id", flat=True))
    found.members.exclude(user_id__in=wanted).delete()
    ProfileMember.objects.bulk_create(
        ProfileMember(profile=found, user_id=number) for number in sorted(wanted - had)
    )
    if wanted != had:
        accounts_recheck(workspace_id=viewer.workspace.id)
        audit(viewer, "people", "profile", found.id, name=found.name, people=len(wanted))
    return found


@transaction.atomic
def profile_delete(*, viewer: Viewer, profile_id: int) -> Profile:
    """Its people lose its rights; what was shared with it alone becomes its owner's. Raises NotAllowed, NotFound."""
    demand(viewer, Right.USERS_MANAGE)
    found = _locked(viewer, profile_id)
    may_give(viewer, [found])
    # who works "for" this profile works as the workspace says from now on
    Membership.objects.filter(workspace=viewer.workspace, place_profile=found).update(
        place="", place_profile=None
    )
    audit(viewer, "deleted", "profile", found.id, name=found.name)
    found.delete()
    accounts_recheck(workspace_id=viewer.workspace.id)
    return found


def _locked(viewer: Viewer, profile_id: int) -> Profile:
    profile_visible_to(viewer, profile_id)
    found = Profile.objects.select_for_update().filter(id=profile_id).first()
    if found is None:  # deleted between the two
        raise NotFound
    return found


def _name(viewer: Viewer, name: str, but: int = 0) -> str:
    clean = " ".join(name.replace("\0", " ").split())
    if not clean or len(clean) > NAME_MAX:
        raise InputError(
            _("A profile needs a name of at most %(n)s characters.") % {"n": NAME_MAX}, field="name"
        )
    same = Profile.objects.filter(workspace=viewer.workspace, name__iexact=clean).exclude(id=but)
    if same.exists():
        raise Conflict(
            _("There is a profile “%(name)s” already.") % {"name": clean}, code="NAME_TAKEN", field="name"
        )
    return clean


def _rights(rights: Sequence[str]) -> list[str]:
    if not set(rights) <= RIGHTS:
        raise InputError(_("There is no such right."), field="rights")
    return sorted(set(rights))


def _scope(scope: str) -> str:
    if scope not in ArchiveScope.values:
        raise InputError(
            _("The archive shows one's own mail, that of the team, or all."), field="archive_scope"
        )
    return scope
