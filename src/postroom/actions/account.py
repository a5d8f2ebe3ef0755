"""Making, changing and deleting mail accounts (CM-16 to CM-31)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.account_check import values_clean
from postroom.actions.account_probe import fingerprint, probe_passed
from postroom.actions.audit import audit
from postroom.actions.notify import COLLECT, notify
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.user import User
from postroom.models.workspace import Workspace
from postroom.queries.account import (
    account_uses,
    account_visible_to,
    accounts_visible_to,
    collector_of,
)
from postroom.queries.user import private_hosts_allowed, users_visible_to
from postroom.queries.viewer import Viewer

#: What a person sets on an account itself.
FIELDS = (
    "name",
    "address",
    "display_name",
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_authenticate",
    "smtp_login",
    "smtp_password",
    "imap_host",
    "imap_port",
    "imap_security",
    "imap_login",
    "imap_password",
    "smtp_same_as_imap",
    "verify_certificate",
    "signs_dkim",
    "per_minute",
    "per_hour",
    "per_day",
    "connections",
)


@transaction.atomic
def account_save(
    *, viewer: Viewer, values: Mapping[str, Any], account_id: int = 0, version: int | None = None
) -> Account:
    """Make an account (id 0) or change one; what `values` leaves out stays as it is.

    values: FIELDS, and owner (user id), collector_on, collector_folder, collector_interval_s, for_notices. A blank
    password leaves the stored one. Tested settings are `ok` when a check of exactly these passed lately; changed ones
    are `untested`.
    Raises InputError (`field`), NotFound, NotAllowed, Conflict STALE_VERSION, COLLECTOR_EXISTS.
    """
    if account_id:
        account = account_visible_to(viewer, account_id, lock=True)
        _not_stale(account, version)
        before = fingerprint(account)
    else:
        account = Account(workspace=viewer.workspace, owner=viewer.user)
        before = ""
    mailbox = account.imap_host, account.imap_login
    _set_owner(viewer, account, values.get("owner"))
    _set_values(viewer, account, values)
    _name_is_free(account)
    after = fingerprint(account)
    if after != before:
        _set_status(viewer, account, after)
    if account_id:
        account.version += 1
    account.save()
    if mailbox != (account.imap_host, account.imap_login):
        # another mailbox: what was read of the old one says nothing of it
        Collector.objects.filter(account=account).update(uidvalidity=0, last_uid=0, take_from=timezone.now())
    _save_collector(viewer, account, values)
    if viewer.manages and values.get("for_notices") is not None:
        _set_notices(viewer, account, bool(values["for_notices"]))
    audit(viewer, "changed" if account_id else "made", "account", account.id, name=account.name)
    return account


def _not_stale(account: Account, version: int | None) -> None:
    if version is not None and version != account.version:
        raise Conflict(
            _("Somebody else has changed this account in the meantime. Look at it again before you save."),
            code="STALE_VERSION",
            details={"version": account.version},
        )


def _set_owner(viewer: Viewer, account: Account, owner_id: object) -> None:
    if owner_id in (None, "") or str(owner_id) == str(account.owner_id):
        return
    if not viewer.manages:
        raise NotAllowed(_("Only the owner of the workspace gives an account to somebody else."))
    found: User | None = next(
        (user for user in users_visible_to(viewer) if str(user.id) == str(owner_id)), None
    )
    if found is None:
        raise InputError(_("The owner must be an active user of this workspace."), field="owner")
    account.owner = found


def _set_values(viewer: Viewer, account: Account, values: Mapping[str, Any]) -> None:
    moved = [
        f"{side}_password"
        for side in ("smtp", "imap")
        if str(values.get(f"{side}_host", getattr(account, f"{side}_host")))
        != getattr(account, f"{side}_host")
    ]
    full = {name: values.get(name, "" if "password" in name else getattr(account, name)) for name in FIELDS}
    for name in ("smtp_password", "imap_password"):
        stored = getattr(account, name)
        if not full[name] and stored:
            # a stored password goes to another server only by the word of the person whose it is
            if name in moved and account.owner_id != viewer.user.id:
                raise InputError(_("The server has changed: type the password again."), field=name)
            full[name] = stored
    workspace = Workspace.objects.get(id=viewer.workspace.id)
    clean = values_clean(
        full, allow_private=private_hosts_allowed(), allow_clear_text=workspace.allow_clear_text_login
    )
    for name, value in clean.items():
        setattr(account, name, value)


def _name_is_free(account: Account) -> None:
    taken = Account.objects.filter(
        workspace_id=account.workspace_id, owner=account.owner, name__iexact=account.name, deleted_at=None
    ).exclude(id=account.id)
    if taken.exists():
        raise InputError(
            _("This owner has an account of this name already."), field="name", code="NAME_TAKEN"
        )


def _set_status(viewer: Viewer, account: Account, mark: str) -> None:
    """Settings that were checked and not changed since are proven; others are untested."""
    passed = probe_passed(viewer, mark)
    account.status = AccountStatus.OK if passed else AccountStatus.UNTESTED
    account.status_reason, account.status_since = "", timezone.now()
    account.paused_until, account.troubles = None, 0
    if passed:
        account.last_test, account.capabilities = passed.last_test, passed.capabilities


def _save_collector(viewer: Viewer, account: Account, values: Mapping[str, Any]) -> None:
    collector = collector_of(account) if account.id else None
    wanted = values.get("collector_on")
    if collector is None:
        if wanted is None or not account.imap_host:
            return
        collector = Collector(account=account)
    if wanted is not None:
        collector.is_on = bool(wanted) and bool(account.imap_host)
    folder = str(values.get("collector_folder") or collector.folder).strip()
    if len(folder) > 255 or not folder.isprintable():
        raise InputError(_("This is no name of a folder."), field="collector_folder")
    interval = values.get("collector_interval_s") or collector.interval_s
    if not 60 <= int(interval) <= 86400:
        raise InputError(_("Between 1 and 1440 minutes."), field="collector_interval")
    if folder != collector.folder:
        collector.uidvalidity = collector.last_uid = 0
    collector.folder, collector.interval_s = folder, int(interval)
    if collector.is_on:
        _not_read_twice(viewer, account, folder)
    collector.next_run_at = None
    collector.error, collector.error_code, collector.error_since, collector.failures = "", "", None, 0
    collector.save()


def _not_read_twice(viewer: Viewer, account: Account, folder: str) -> None:
    """Of one mailbox there is one reader, whatever the account (BC-07); it is named to those who may see it."""
    others = Collector.objects.filter(
        is_on=True,
        folder=folder,
        account__imap_host__iexact=account.imap_host,
        account__imap_login=account.imap_login,
        account__deleted_at=None,
    ).exclude(account=account)
    other = others.select_related("account").order_by("id").first()
    if other is None:
        return
    words, details = _("This mailbox is read for another account already."), {}
    if accounts_visible_to(viewer).filter(id=other.account_id).exists():
        words = _("This mailbox is read for the account %(name)s already.") % {"name": other.account.name}
        details = {"account": other.account_id}
    raise Conflict(words, code="COLLECTOR_EXISTS", details=dict(details))


def _set_notices(viewer: Viewer, account: Account, wanted: bool) -> None:
    workspace = Workspace.objects.select_for_update().get(id=viewer.workspace.id)
    if wanted:
        workspace.notice_account = account
    elif workspace.notice_account_id == account.id:
        workspace.notice_account = None
    workspace.save(update_fields=["notice_account"])


@transaction.atomic
def account_delete(*, viewer: Viewer, account_id: int) -> None:
    """Wipe its secrets and take it out of every list; its mails stay. Raises NotFound, Conflict ACCOUNT_IN_USE."""
    account = account_visible_to(viewer, account_id, lock=True)
    used = account_uses(account)
    if used:
        names = ", ".join(campaign.name for campaign in used[:5])
        raise Conflict(
            _("Campaigns are still going out through this account: %(names)s. Finish or cancel them first.")
            % {"names": names},
            code="ACCOUNT_IN_USE",
            details={"campaigns": [campaign.id for campaign in used]},
        )
    collector = collector_of(account)
    if collector and collector.is_on:
        raise Conflict(
            _("Its mailbox is being read, so returned mail would be missed. Switch reading off first."),
            code="ACCOUNT_IN_USE",
            details={"collector": collector.id},
        )
    Campaign.objects.filter(account=account, state=CampaignState.DRAFT).update(account=None)
    Workspace.objects.filter(notice_account=account).update(notice_account=None)
    account.smtp_password = account.imap_password = ""
    account.deleted_at, account.version = timezone.now(), account.version + 1
    account.save()
    audit(viewer, "deleted", "account", account.id, name=account.name)


def account_collect_now(*, viewer: Viewer, account_id: int) -> None:
    """Have its mailbox read at once. Raises NotFound; Conflict when reading is off."""
    collector = collector_of(account_visible_to(viewer, account_id))
    if collector is None or not collector.is_on:
        raise Conflict(_("Reading is switched off for this account."), code="COLLECTOR_OFF")
    notify(COLLECT, collector.id)


@transaction.atomic
def collector_switch(*, viewer: Viewer, account_id: int, on: bool) -> None:
    """Read the account's mailbox from now on, or no longer. Raises NotFound; Conflict NO_MAILBOX without IMAP."""
    account = account_visible_to(viewer, account_id, lock=True)
    if on and not account.imap_host:
        raise Conflict(
            _("This account has no reading side yet: add its IMAP server first."), code="NO_MAILBOX"
        )
    _save_collector(viewer, account, {"collector_on": on})
    audit(viewer, "switched reading on" if on else "switched reading off", "account", account.id)
