"""The operator's word on accounts that send through the firm's own server (SA-13).

draft -> pending -> approved | rejected; approved <-> suspended; another sender -> pending again.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.sysmail import notice_tell
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.models.account import Account, AccountKind, Approval
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import Contact
from postroom.models.user import User
from postroom.models.workspace import Workspace
from postroom.queries.account import account_to_edit
from postroom.queries.account_fields import SENDER
from postroom.queries.platform import account_for_approval
from postroom.queries.user import instance_url
from postroom.queries.viewer import Viewer


def approval_reset_needed(before: Account | Mapping[str, Any], after: Account | Mapping[str, Any]) -> bool:
    """Whether the operator agreed to another sender than this: address, display name or overrides differ."""

    def sender(one: Account | Mapping[str, Any]) -> list[Any]:
        return [one[name] if isinstance(one, Mapping) else getattr(one, name) for name in SENDER]

    return sender(before) != sender(after)


def approval_ask(viewer: Viewer, account: Account) -> None:
    """It waits for the operator from now on; small workspaces need no word (approve_below). The caller saves it.

    What goes out through it pauses meanwhile: the operator agreed to another sender.
    """
    now = timezone.now()
    was = account.approval
    account.approval, account.approval_reason = Approval.PENDING, ""
    account.approval_by, account.approval_at = None, None
    account.submitted_by, account.submitted_at = viewer.user, now
    if _small(account.workspace_id):
        account.approval, account.approval_at = Approval.APPROVED, now
    elif was == Approval.APPROVED:
        _hold_campaigns(account, "account_pending")


def _hold_campaigns(account: Account, reason: str) -> None:
    going = (CampaignState.RUNNING, CampaignState.WAITING_FOR_SLOT)
    Campaign.objects.filter(account=account, state__in=going).update(
        state=CampaignState.PAUSED, reason=reason, until=None, throttled=""
    )


def _small(workspace_id: int) -> bool:
    limit = Workspace.objects.values_list("approve_below", flat=True).get(id=workspace_id)
    if not limit:
        return False
    contacts = Contact.objects.filter(workspace_id=workspace_id)
    return contacts.order_by()[: limit + 1].count() <= limit


@transaction.atomic
def account_submit(*, viewer: Viewer, account_id: int) -> Account:
    """Hand the account in. One that waits or is approved stays so.

    Raises NotFound, NotAllowed, Conflict NOT_PLATFORM, ACCOUNT_SUSPENDED.
    """
    account = account_to_edit(viewer, account_id, lock=True)
    if account.kind != AccountKind.PLATFORM:
        raise Conflict(_("Only accounts on the firm's server need an approval."), code="NOT_PLATFORM")
    if account.approval == Approval.SUSPENDED:
        raise Conflict(
            _("This account is suspended: %(reason)s") % {"reason": account.approval_reason},
            code="ACCOUNT_SUSPENDED",
        )
    if account.approval in (Approval.DRAFT, Approval.NONE, Approval.REJECTED):
        approval_ask(viewer, account)
        account.save()
        audit(viewer, "handed in", "account", account.id, name=account.name, state=account.approval)
    return account


@transaction.atomic
def account_approve(*, viewer: Viewer, account_id: int, version: int | None = None) -> Account:
    """It may send. version: of the account as the approver saw it.

    Raises NotFound, NotAllowed (no right; OWN_ACCOUNT: it is the approver's own), Conflict STALE_VERSION, NOT_PENDING.
    """
    account = account_for_approval(viewer, account_id)
    if viewer.user.id in (account.owner_id, account.submitted_by_id) and _others_active(viewer.user):
        raise NotAllowed(_("Somebody else approves your own account."), code="OWN_ACCOUNT")
    if version is not None and version != account.version:
        raise Conflict(
            _("The account was changed meanwhile. Look at it again."),
            code="STALE_VERSION",
            details={"version": account.version},
        )
    if account.approval not in (Approval.PENDING, Approval.REJECTED, Approval.SUSPENDED):
        raise Conflict(_("This account does not wait for an approval."), code="NOT_PENDING")
    return _decide(viewer, account, Approval.APPROVED, "", "approved")


def _others_active(user: User) -> bool:
    return User.objects.filter(is_active=True).exclude(id=user.id).exists()


@transaction.atomic
def account_reject(*, viewer: Viewer, account_id: int, reason: str) -> Account:
    """Raises NotFound, NotAllowed, InputError (no reason), Conflict NOT_PENDING."""
    account = account_for_approval(viewer, account_id)
    if account.approval != Approval.PENDING:
        raise Conflict(_("This account does not wait for an approval."), code="NOT_PENDING")
    return _decide(viewer, account, Approval.REJECTED, _reason(reason), "rejected")


@transaction.atomic
def account_suspend(*, viewer: Viewer, account_id: int, reason: str) -> Account:
    """It may send no more; its running campaigns pause. Raises NotFound, NotAllowed, InputError, Conflict."""
    account = account_for_approval(viewer, account_id)
    if account.approval != Approval.APPROVED:
        raise Conflict(_("Only an approved account can be suspended."), code="NOT_APPROVED")
    _hold_campaigns(account, "account_suspended")
    return _decide(viewer, account, Approval.SUSPENDED, _reason(reason), "suspended")


def _reason(reason: str) -> str:
    reason = " ".join("".join(sign if sign.isprintable() else " " for sign in reason).split())[:500]
    if not reason:
        raise InputError(_("Say why: the person who made the account reads it."), field="reason")
    return reason


def _decide(viewer: Viewer, account: Account, approval: str, reason: str, verb: str) -> Account:
    account.approval, account.approval_reason = approval, reason
    account.approval_by, account.approval_at = viewer.user, timezone.now()
    account.version += 1
    account.save(update_fields=["approval", "approval_reason", "approval_by", "approval_at", "version"])
    audit(viewer, verb, "account", account.id, name=account.name, reason=reason)
    for person in {account.owner, account.submitted_by} - {viewer.user}:
        notice_tell(person, lambda: _decided(account))
    return account


def _decided(account: Account) -> tuple[str, str]:
    """Subject and text of what its owner is told."""
    values = {"account": account.name, "address": account.address, "reason": account.approval_reason}
    subject, said = {
        Approval.APPROVED: (
            _("Postroom: the account %(account)s may send"),
            _("The account %(account)s (%(address)s) was approved. Campaigns can be sent from it now."),
        ),
        Approval.REJECTED: (
            _("Postroom: the account %(account)s was not approved"),
            _("The account %(account)s (%(address)s) was not approved: %(reason)s"),
        ),
        Approval.SUSPENDED: (
            _("Postroom: the account %(account)s was suspended"),
            _("Nothing is sent from the account %(account)s (%(address)s) for now: %(reason)s"),
        ),
    }[Approval(account.approval)]
    return subject % values, f"{said % values}\n\n{instance_url()}/settings/accounts/{account.id}/"
