"""Inviting people: a link that works once, sent by mail or handed over; the database keeps its digest only."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.local_address import refuse_groups
from postroom.actions.member import may_give, may_touch, member_add, profiles_known, seats_check
from postroom.actions.message import notice_queue
from postroom.errors import Conflict, InputError, NotAllowed, NotFound
from postroom.mail.address import parse
from postroom.models.account import Account, AccountStatus
from postroom.models.profile import Invitation, Profile, Right
from postroom.models.user import User
from postroom.models.workspace import Membership, Role, Workspace
from postroom.queries.member import invitation_visible_to, invitations_open
from postroom.queries.user import instance_url
from postroom.queries.viewer import Viewer, demand, viewer_of

GOOD_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Invited:
    """link: to hand over, shown once; mailed: it also went out by mail."""

    invitation: Invitation
    link: str
    mailed: bool


@transaction.atomic
def invitation_add(
    *, viewer: Viewer, email: str, role: str = Role.MEMBER, profile_ids: Sequence[int] = ()
) -> Invited:
    """Raises NotAllowed, BadAddress, InputError, Conflict SEAT_LIMIT, MEMBER_ALREADY, NAME_TAKEN, INVITED_ALREADY."""
    demand(viewer, Right.USERS_MANAGE)
    address = parse(email).spec.lower()
    may_touch(viewer, role)
    may_give(viewer, profiles_known(viewer, profile_ids))
    seats_check(viewer.workspace)
    if Membership.objects.filter(workspace=viewer.workspace, user__email=address).exists():
        raise Conflict(
            _("%(email)s belongs to this workspace already.") % {"email": address},
            code="MEMBER_ALREADY",
            field="email",
        )
    refuse_groups([address], "email")
    if invitations_open(viewer.workspace).filter(email=address).exists():
        raise Conflict(
            _("%(email)s is invited already. Send that invitation again, or revoke it.") % {"email": address},
            code="INVITED_ALREADY",
            field="email",
        )
    secret = _secret()
    made = Invitation.objects.create(
        workspace=viewer.workspace,
        email=address,
        role=role,
        profile_ids=sorted(set(profile_ids)),
        digest=_digest(secret),
        invited_by=viewer.user,
        expires_at=timezone.now() + GOOD_FOR,
    )
    audit(viewer, "invited", "invitation", made.id, name=address, role=role)
    return _send(viewer, made, secret)


@transaction.atomic
def invitation_resend(*, viewer: Viewer, invitation_id: int) -> Invited:
    """With a new link, good for as long as a new one; the old link is dead. Raises NotAllowed, NotFound, SEAT_LIMIT."""
    demand(viewer, Right.USERS_MANAGE)
    found = invitation_visible_to(viewer, invitation_id, lock=True)
    _could_have_written(viewer, found)
    if found.expires_at <= timezone.now():  # an expired one holds no place
        seats_check(viewer.workspace)
    secret = _secret()
    found.digest, found.expires_at = _digest(secret), timezone.now() + GOOD_FOR
    found.save(update_fields=["digest", "expires_at"])
    audit(viewer, "invited again", "invitation", found.id, name=found.email)
    return _send(viewer, found, secret)


def _could_have_written(viewer: Viewer, invitation: Invitation) -> None:
    """Whoever holds the link becomes what it says: nobody else is handed one. Raises NotAllowed."""
    may_touch(viewer, invitation.role)
    given = Profile.objects.filter(workspace=viewer.workspace, id__in=invitation.profile_ids)
    may_give(viewer, list(given))


def invitation_is_theirs(viewer: Viewer, invitation: Invitation) -> bool:
    """Whether the viewer may send it again: for the page."""
    try:
        _could_have_written(viewer, invitation)
    except NotAllowed:
        return False
    return True


@transaction.atomic
def invitation_revoke(*, viewer: Viewer, invitation_id: int) -> Invitation:
    """Raises NotAllowed, NotFound."""
    demand(viewer, Right.USERS_MANAGE)
    found = invitation_visible_to(viewer, invitation_id, lock=True)
    may_touch(viewer, found.role)
    found.revoked_at = timezone.now()
    found.save(update_fields=["revoked_at"])
    audit(viewer, "revoked", "invitation", found.id, name=found.email)
    return found


def invitation_of(secret: str, *, lock: bool = False) -> Invitation:
    """The invitation behind a link. Raises NotFound, Conflict INVITATION_USED, _REVOKED, _EXPIRED."""
    found = Invitation.objects.select_related("workspace", "invited_by").filter(digest=_digest(secret))
    invitation = (found.select_for_update(of=("self",)) if lock else found).first()
    if invitation is None:
        raise NotFound(
            _(
                "This invitation is not known. If a newer one was sent to you, use the link in the newest mail."
            )
        )
    if invitation.accepted_at:
        raise Conflict(_("This invitation was used already. Sign in instead."), code="INVITATION_USED")
    if invitation.revoked_at:
        raise Conflict(
            _("This invitation was taken back. Ask who invited you for a new one."), code="INVITATION_REVOKED"
        )
    if invitation.expires_at <= timezone.now():
        raise Conflict(
            _("This invitation has expired. Ask who invited you to send it again."), code="INVITATION_EXPIRED"
        )
    return invitation


@transaction.atomic
def invitation_accept(*, secret: str, user: User | None = None, name: str = "", password: str = "") -> User:
    """Join as the signed-in `user`, whose address must be the invited one, or as a new person with name and password.

    Raises what invitation_of raises, NotAllowed, InputError, Conflict LOGIN_EXISTS.
    """
    invitation = invitation_of(secret, lock=True)
    if user is not None:
        if user.email != invitation.email:
            raise NotAllowed(
                _("This invitation is for %(email)s. Sign out and open the link again.")
                % {"email": invitation.email}
            )
    elif User.objects.filter(email=invitation.email).exists():
        raise Conflict(_("This address has a login already. Sign in, then join."), code="LOGIN_EXISTS")
    else:
        user = _new_user(invitation, name, password)
    _join(invitation, user)
    return user


@transaction.atomic
def invited_user(*, email: str) -> User | None:
    """Whom a sign-in server vouches for: the login of this address, made from its invitations when there is none."""
    address = email.strip().lower()
    user = User.objects.filter(email=address).first()
    open_ones = Invitation.objects.select_for_update(of=("self",)).select_related("workspace", "invited_by")
    found = list(
        open_ones.filter(
            email=address, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).order_by("id")
    )
    if user is None and not found:
        return None
    for invitation in found:
        user = user or _new_user(invitation, "", None)
        _join(invitation, user)
    return user


def _new_user(invitation: Invitation, name: str, password: str | None) -> User:
    """password None: they come in another way, and may choose one later."""
    workspace = invitation.workspace
    name = " ".join(name.replace("\0", " ").split())
    if password is not None:
        if not name or len(name) > 120:
            raise InputError(_("Tell your colleagues your name."), field="name")
        try:
            validate_password(password, User(email=invitation.email, name=name))
        except ValidationError as error:
            raise InputError(" ".join(error.messages), field="password") from error
    return User.objects.create_user(
        invitation.email,
        password,
        name=name,
        language=workspace.language,
        time_zone=workspace.time_zone,
    )


def _join(invitation: Invitation, user: User) -> None:
    workspace = invitation.workspace
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    if not Membership.objects.filter(workspace=workspace, user=user).exists():
        member_add(workspace=workspace, user=user, role=invitation.role, profile_ids=invitation.profile_ids)
    viewer = viewer_of(user, workspace.id)
    if viewer:
        audit(viewer, "joined", "user", user.id, name=str(user))


def _secret() -> str:
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _send(viewer: Viewer, invitation: Invitation, secret: str) -> Invited:
    link = f"{instance_url()}/invited/{secret}/"
    workspace = Workspace.objects.select_related("notice_account").get(id=viewer.workspace.id)
    account = workspace.notice_account
    if not _sends(account):
        return Invited(invitation, link, False)
    assert account is not None
    known = User.objects.filter(email=invitation.email).first()
    with translation.override(known.language if known else workspace.language):
        subject = _("Invitation to %(firm)s") % {"firm": workspace.name}
        text = _(
            "%(name)s invites you to work in %(firm)s with Postroom.\n\nOpen this link to join:\n%(link)s\n\n"
            "It works once and for seven days. If you expect no invitation, do nothing."
        ) % {"name": viewer.user, "firm": workspace.name, "link": link}
    notice_queue(account=account, recipient=invitation.email, subject=subject, text=text)
    return Invited(invitation, link, True)


def _sends(account: Account | None) -> bool:
    return account is not None and account.deleted_at is None and account.status != AccountStatus.FAILING
