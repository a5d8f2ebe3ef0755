"""People with a login: making them, the link for a new password, what they set for themselves; and the workspace."""

from collections.abc import Mapping
from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.account_check import host_clean
from postroom.actions.account_loss import accounts_recheck
from postroom.actions.audit import audit
from postroom.actions.local_address import refuse_groups
from postroom.actions.member import member_add, seats_check
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.address import parse
from postroom.models.profile import Right, Visibility
from postroom.models.user import User
from postroom.models.workspace import Instance, Membership, Role, Workspace
from postroom.queries.account import accounts_visible_to
from postroom.queries.changes import last_change
from postroom.queries.domain import proved_elsewhere
from postroom.queries.user import instance_url
from postroom.queries.viewer import Viewer, administers, demand

LANGUAGES = ("en", "pl", "bg")
THEMES = ("auto", "light", "dark")


@transaction.atomic
def user_create(
    *, email: str, name: str = "", role: str = Role.MEMBER, workspace_id: int | None = None
) -> User:
    """A person without a password (give them `user_link`), member of the workspace, or of the only one there is.

    Raises InputError, NotFound, Conflict EMAIL_TAKEN, NAME_TAKEN, SEAT_LIMIT.
    """
    address = parse(email).spec.lower()
    if role not in Role.values:
        raise InputError("A role is owner, admin or member.", field="role")
    spaces = (
        Workspace.objects.filter(id=workspace_id) if workspace_id else Workspace.objects.order_by("id")[:2]
    )
    found = list(spaces)
    if len(found) != 1:
        raise NotFound(
            "There is no workspace yet." if not found else "There are several workspaces: name one."
        )
    if User.objects.filter(email=address).exists():
        raise Conflict(_("%(email)s has a login already.") % {"email": address}, code="EMAIL_TAKEN")
    refuse_groups([address], "email")
    seats_check(found[0])
    language, zone = found[0].language, found[0].time_zone
    user = User.objects.create_user(address, None, name=name.strip(), language=language, time_zone=zone)
    member_add(workspace=found[0], user=user, role=role)
    return user


@transaction.atomic
def user_switch(*, email: str, on: bool) -> list[str]:
    """Switch a login off or on again. Mailboxes of a switched-off owner are not read (CM-17).

    Returns the names of accounts that need another owner. Raises NotFound, Conflict LAST_OWNER.
    """
    user = User.objects.select_for_update().filter(email=email.strip().lower()).first()
    if user is None:
        raise NotFound(_("Nobody signs in here as %(email)s.") % {"email": email.strip()})
    for place in user.memberships.filter(role=Role.OWNER):
        others = Membership.objects.filter(
            workspace_id=place.workspace_id, role=Role.OWNER, is_active=True, user__is_active=True
        )
        if not on and not others.exclude(user=user).exists():
            raise Conflict(
                _("%(email)s is the last owner of %(firm)s.")
                % {"email": user.email, "firm": place.workspace},
                code="LAST_OWNER",
            )
    user.is_active = on
    user.save(update_fields=["is_active"])
    if on:
        user.memberships.update(is_active=True)
    else:
        for place in user.memberships.all():
            accounts_recheck(workspace_id=place.workspace_id)
    return [] if on else list(user.accounts.filter(deleted_at=None).values_list("name", flat=True))


def user_link(*, email: str) -> str:
    """A link with which this person chooses a password, once. Raises NotFound. Never log it."""
    user = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if user is None:
        raise NotFound(_("Nobody signs in here as %(email)s.") % {"email": email.strip()})
    key = f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}"
    return f"{instance_url()}/password/reset/key/{key}/"


def profile_save(*, viewer: Viewer, values: Mapping[str, Any]) -> User:
    """values: name, language, time_zone, theme, single_keys. Raises InputError."""
    user = User.objects.get(id=viewer.user.id)
    if values["language"] not in LANGUAGES:
        raise InputError(_("This language is not spoken here."), field="language")
    if values["theme"] not in THEMES:
        raise InputError(_("Choose light, dark or as the system."), field="theme")
    for name in ("name", "language", "time_zone", "theme"):
        setattr(user, name, str(values[name]).strip())
    user.single_keys = bool(values["single_keys"])
    user.save(update_fields=["name", "language", "time_zone", "theme", "single_keys"])
    return user


@transaction.atomic
def workspace_save(*, viewer: Viewer, values: Mapping[str, Any]) -> Workspace:
    """values: name, language, time_zone, bounce_host, allow_clear_text_login, confirm_members (left out = as it was),
    notice_account (id or None), blocked_files (endings; None = as they were), url, allow_private_hosts; the last two
    are the instance's and read only from who administers it. version: as it was read; left out = whatever it is.

    Raises NotAllowed, InputError, Conflict STALE_VERSION.
    """
    demand(viewer, Right.WORKSPACE_MANAGE)
    workspace = Workspace.objects.select_for_update().get(id=viewer.workspace.id)
    _not_stale(viewer, workspace, values)
    if not str(values["name"]).strip():
        raise InputError(_("Give the firm a name."), field="name")
    workspace.name = str(values["name"]).strip()
    workspace.language, workspace.time_zone = values["language"], values["time_zone"]
    host = str(values["bounce_host"]).strip()
    workspace.bounce_host = host_clean(host, "bounce_host", allow_private=True) if host else ""
    if proved_elsewhere(workspace.id, workspace.bounce_host):
        raise InputError(
            _("%(name)s is another workspace's: it has proved that domain.")
            % {"name": workspace.bounce_host},
            field="bounce_host",
            code="DOMAIN_TAKEN",
        )
    if values.get("default_visibility") in Visibility.values:
        workspace.default_visibility = values["default_visibility"]
    if values.get("blocked_files") is not None:
        workspace.blocked_files = list(values["blocked_files"])
    workspace.allow_clear_text_login = bool(values["allow_clear_text_login"])
    workspace.confirm_members = bool(values.get("confirm_members", workspace.confirm_members))
    chosen = values.get("notice_account")
    account = accounts_visible_to(viewer).filter(id=chosen).first() if chosen else None
    if chosen and account is None:
        raise InputError(_("There is no such mail account."), field="notice_account")
    workspace.notice_account = account
    workspace.version += 1
    workspace.save()
    if administers(viewer):
        Instance.objects.update_or_create(
            id=1, defaults={"url": values["url"], "allow_private_hosts": bool(values["allow_private_hosts"])}
        )
    audit(viewer, "changed", "workspace", workspace.id, name=workspace.name)
    return workspace


def _not_stale(viewer: Viewer, workspace: Workspace, values: Mapping[str, Any]) -> None:
    if values.get("version") in (None, workspace.version):
        return
    shown = ("name", "language", "time_zone", "bounce_host", "allow_clear_text_login")
    raise Conflict(
        _("Somebody else has changed the workspace in the meantime. Look at both, then save again."),
        code="STALE_VERSION",
        details={
            "version": workspace.version,
            "by": last_change(viewer, "workspace", workspace.id),
            "theirs": {name: getattr(workspace, name) for name in shown},
            "yours": {name: values[name] for name in shown},
        },
    )
