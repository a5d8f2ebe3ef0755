"""Making, changing and deleting mail accounts (CM-16 to CM-31, SA-04 to SA-35)."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.account_approval import approval_ask, approval_reset_needed
from postroom.actions.account_check import keys_known, values_clean
from postroom.actions.account_loss import accounts_recheck
from postroom.actions.account_mailbox import mailbox_changed, mailbox_save
from postroom.actions.account_probe import fingerprint, moved_secrets, probe_passed, secrets_mine
from postroom.actions.account_reading import collector_save
from postroom.actions.audit import audit
from postroom.actions.local_address import account_gone, account_moved, refuse_groups
from postroom.actions.sharing import place_new, place_saved
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.mail.address import canonical
from postroom.models.account import (
    Account,
    AccountKind,
    AccountStatus,
    Approval,
    Collector,
    Protocol,
)
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.message_type import MessageType
from postroom.models.profile import May, Right, Share, Visibility
from postroom.models.user import User
from postroom.models.workspace import AuditLine, Workspace
from postroom.queries.account import account_to_edit, account_uses
from postroom.queries.account_fields import SECRET, SENDER, SET
from postroom.queries.message_type import types_to_choose
from postroom.queries.user import private_hosts_allowed, users_visible_to
from postroom.queries.viewer import Viewer, can, demand

#: Where IMAP usually is for who had POP3 there.
_IMAP_PORT = {110: 143, 995: 993}


@transaction.atomic
def account_save(
    *, viewer: Viewer, values: Mapping[str, Any], account_id: int = 0, version: int | None = None
) -> Account:
    """Make an account (id 0) or change one; what `values` leaves out stays as it is.

    values: SET, and kind (only of a new one), protocol, owner (user id), type_in, type_out (id or None), sharing
    (bool), collector_on, collector_folder, collector_interval_s, mailbox_from (a day),
    mailbox_folders (ids), for_notices. A blank password leaves the stored one.
    Tested settings are `ok` when a check of exactly these passed lately; changed ones are `untested`.
    Raises InputError (`field`), NotFound, NotAllowed, Conflict STALE_VERSION, COLLECTOR_EXISTS, POP3_LOCKED.
    """
    if account_id:
        account = account_to_edit(viewer, account_id, lock=True)
        _not_stale(account, version, values)
        before = fingerprint(account)
    else:
        account = _new(viewer, str(values.get("kind") or AccountKind.OWN))
        before = ""
    mailbox, was_mailbox = (account.imap_host, account.imap_login), account.is_mailbox
    servers = account.smtp_host, account.imap_host
    was = {name: getattr(account, name) for name in SENDER}
    _set_protocol(account, values.get("protocol"))
    _set_values(viewer, account, values)
    _set_owner(viewer, account, values.get("owner"))
    _set_types(viewer, account, values)
    _name_is_free(account)
    if account.kind == AccountKind.PLATFORM:
        if account_id and approval_reset_needed(was, account):
            _ask_again(viewer, account)
    else:
        after = fingerprint(account)
        if after != before:
            _set_status(viewer, account, after)
    if was["address"] != account.address or servers != (account.smtp_host, account.imap_host):
        account.plus_tag = False  # seen working elsewhere
    if was["address"] != account.address:
        refuse_groups([canonical(account.address)])
    if account_id:
        account.version += 1
    account.save()
    if account_id and was["address"]:
        account_moved(account, was["address"])
    if mailbox != (account.imap_host, account.imap_login):
        # another mailbox: what was read of the old one says nothing of it
        mailbox_changed(account)
    collector_save(viewer, account, values)
    mailbox_save(account, values, was=was_mailbox)
    if not account_id:
        place_saved(viewer, account)
    _set_sharing(viewer, account, values.get("sharing"))
    if viewer.manages and values.get("for_notices") is not None:
        _set_notices(viewer, account, bool(values["for_notices"]))
    audit(viewer, "changed" if account_id else "made", "account", account.id, name=account.name)
    return account


def _new(viewer: Viewer, kind: str) -> Account:
    demand(viewer, Right.ACCOUNTS_ADD)
    if kind not in AccountKind.values:
        raise InputError(_("An account is own or platform."), field="kind")
    account = Account(workspace=viewer.workspace, owner=viewer.user, kind=kind)
    place_new(viewer, account, default=Visibility.PRIVATE)
    if kind == AccountKind.PLATFORM:
        # nothing of its own to test: whether it may send is the operator's word
        account.approval, account.status = Approval.DRAFT, AccountStatus.OK
    return account


def _ask_again(viewer: Viewer, account: Account) -> None:
    """What the operator agreed to, or is looking at, is another thing now (SA-13)."""
    if account.approval in (Approval.APPROVED, Approval.PENDING):
        approval_ask(viewer, account)


def _not_stale(account: Account, version: int | None, values: Mapping[str, Any]) -> None:
    if version is None or version == account.version:
        return
    shown = [name for name in SET if name in values and name not in SECRET]
    line = AuditLine.objects.filter(noun="account", noun_id=account.id).select_related("user").order_by("-id")
    latest = line.first()
    raise Conflict(
        _("Somebody else has changed this account in the meantime. Look at it again before you save."),
        code="STALE_VERSION",
        details={
            "version": account.version,
            "by": str(latest.user) if latest and latest.user else "",
            "theirs": {name: getattr(account, name) for name in shown},
            "yours": {name: values[name] for name in shown},
        },
    )


def _set_protocol(account: Account, wanted: object) -> None:
    """From POP3 to IMAP, once and for good (CM-04); the other way never (CM-02)."""
    protocol = str(wanted or account.protocol).lower()
    if protocol not in Protocol.values:
        raise InputError(_("The protocol is imap."), field="protocol")
    if protocol == account.protocol:
        return
    if protocol == Protocol.POP3:
        if account.pop3_locked:
            raise Conflict(
                _("This account was changed to IMAP; there is no way back to POP3."),
                code="POP3_LOCKED",
                field="protocol",
            )
        raise InputError(
            _("New POP3 accounts cannot be made: use IMAP."), field="protocol", code="POP3_CLOSED"
        )
    account.protocol, account.pop3_locked = Protocol.IMAP, True
    account.imap_port = _IMAP_PORT.get(account.imap_port, account.imap_port)


def _set_owner(viewer: Viewer, account: Account, owner_id: object) -> None:
    if owner_id in (None, "") or str(owner_id) == str(account.owner_id):
        return
    if not can(viewer, Right.ACCOUNTS_MANAGE):
        raise NotAllowed(_("Only the owner of the workspace gives an account to somebody else."))
    found: User | None = next(
        (user for user in users_visible_to(viewer) if str(user.id) == str(owner_id)), None
    )
    if found is None:
        raise InputError(_("The owner must be an active user of this workspace."), field="owner")
    account.secrets_by_id = account.secrets_by_id or account.owner_id
    account.owner = found


def _set_values(viewer: Viewer, account: Account, values: Mapping[str, Any]) -> None:
    full = {name: values.get(name, "" if name in SECRET else getattr(account, name)) for name in SET}
    moved = moved_secrets(account, full)
    for name in SECRET:
        stored = getattr(account, name)
        if not full[name] and stored:
            # a stored password goes to another server only by the word of the person whose it is
            if name in moved and not secrets_mine(viewer, account):
                raise InputError(_("The server has changed: type the password again."), field=name)
            full[name] = stored
    workspace = Workspace.objects.get(id=viewer.workspace.id)
    clean = values_clean(
        full,
        kind=account.kind,
        allow_private=private_hosts_allowed(),
        allow_clear_text=workspace.allow_clear_text_login,
    )
    keys_known(viewer.workspace.id, account, clean)
    stored = [name for name in SECRET if clean[name]]
    if stored and all(clean[name] != getattr(account, name) for name in stored):
        account.secrets_by = viewer.user
    for name, value in clean.items():
        setattr(account, name, value)


def _set_types(viewer: Viewer, account: Account, values: Mapping[str, Any]) -> None:
    """Default message types (CM-24): ones the viewer may use, or the one that is there already."""
    for name in ("type_in", "type_out"):
        if name not in values:
            continue
        wanted = values[name]
        kept: MessageType | None = getattr(account, name)
        offered = [*types_to_choose(viewer), *([kept] if kept else [])]
        found = next((one for one in offered if str(one.id) == str(wanted)), None)
        if found is None and wanted not in (None, ""):
            raise InputError(_("There is no such message type."), field=name)
        setattr(account, name, found)


def _name_is_free(account: Account) -> None:
    """One owner has one account of a name (CM-16); a marketing account's name is known to the whole firm (SA-04)."""
    taken = Account.objects.filter(
        workspace_id=account.workspace_id, name__iexact=account.name, deleted_at=None
    ).exclude(id=account.id)
    if account.kind == AccountKind.PLATFORM:
        taken = taken.filter(kind=AccountKind.PLATFORM) | taken.filter(owner=account.owner)
    else:
        taken = taken.filter(owner=account.owner)
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


def _set_sharing(viewer: Viewer, account: Account, wanted: object) -> None:
    """The switch of SA-24: everybody may use it, nobody else sees or changes its settings."""
    if wanted is None or bool(wanted) == (account.visibility == Visibility.WORKSPACE):
        return
    if wanted:
        account.visibility, account.everyone = Visibility.WORKSPACE, [str(May.USE)]
    else:
        granted = Share.objects.filter(
            workspace_id=account.workspace_id, noun=Account.NOUN, noun_id=account.id
        ).exists()
        account.visibility = Visibility.PROFILES if granted else Visibility.PRIVATE
    account.save(update_fields=["visibility", "everyone"])
    audit(viewer, "shared", "account", account.id, visibility=account.visibility)
    accounts_recheck(workspace_id=account.workspace_id, account_ids=[account.id])


def _set_notices(viewer: Viewer, account: Account, wanted: bool) -> None:
    """The one account of the workspace that notices and programs send from by default (CM-26)."""
    workspace = Workspace.objects.select_for_update().get(id=viewer.workspace.id)
    if wanted:
        workspace.notice_account = account
    elif workspace.notice_account_id == account.id:
        workspace.notice_account = None
    workspace.save(update_fields=["notice_account"])


@transaction.atomic
def account_delete(*, viewer: Viewer, account_id: int) -> None:
    """Wipe its secrets and take it out of every list; its mails stay.

    Raises NotFound, NotAllowed, Conflict IN_USE (details: campaigns, collectors).
    """
    account = account_to_edit(viewer, account_id, lock=True)
    campaigns = account_uses(account)
    collectors = list(Collector.objects.filter(account=account, is_on=True).order_by("id"))
    if campaigns or collectors:
        words = _("Its mailbox is being read, so returned mail would be missed. Switch reading off first.")
        if campaigns:
            names = ", ".join(campaign.name for campaign in campaigns[:5])
            said = _(
                "Campaigns are still going out through this account: %(names)s. Finish or cancel them first."
            )
            words = said % {"names": names}
        raise Conflict(
            words,
            code="IN_USE",
            details={
                "campaigns": [{"id": campaign.id, "name": campaign.name} for campaign in campaigns],
                "collectors": [{"id": one.id, "name": one.folder} for one in collectors],
            },
        )
    Campaign.objects.filter(account=account, state=CampaignState.DRAFT).update(account=None)
    Workspace.objects.filter(notice_account=account).update(notice_account=None)
    for name in SECRET:
        setattr(account, name, "")
    account.deleted_at, account.version = timezone.now(), account.version + 1
    account.save()
    account_gone(viewer, account)
    audit(viewer, "deleted", "account", account.id, name=account.name)
