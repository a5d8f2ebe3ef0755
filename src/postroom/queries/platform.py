"""Accounts on the firm's own server: whether they may send, and what is not as it should be (SA-03, SA-13)."""

from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from postroom.errors import Conflict, NotAllowed, NotFound
from postroom.models.account import Account, AccountKind, Approval
from postroom.models.profile import Right
from postroom.models.workspace import Instance
from postroom.queries.account import account_visible_to
from postroom.queries.domain import domain_for, signed_by_us
from postroom.queries.viewer import Viewer, can


def platform_demand(account: Account) -> None:
    """Nothing for an own account. Raises Conflict ACCOUNT_NOT_APPROVED, DOMAIN_UNVERIFIED, NO_RELAY."""
    if account.kind != AccountKind.PLATFORM:
        return
    if account.approval != Approval.APPROVED:
        raise Conflict(
            _("The account %(name)s may not send yet: it is not approved.") % {"name": account.name},
            code="ACCOUNT_NOT_APPROVED",
            field="account",
            details={"account": account.id, "approval": account.approval, "reason": account.approval_reason},
        )
    name = account.address.rpartition("@")[2]
    if domain_for(account.workspace_id, name) is None:
        raise Conflict(
            _("%(domain)s is not proved to be this firm's. Prove it under Settings, Domains.")
            % {"domain": name},
            code="DOMAIN_UNVERIFIED",
            field="account",
            details={"account": account.id, "domain": name},
        )
    if not Instance.objects.filter(id=1).exclude(relay_host="").exists():
        raise Conflict(
            _("The firm's mail server is not set up yet, under Settings, Firm's mail server."),
            code="NO_RELAY",
            field="account",
        )


@dataclass(frozen=True, slots=True)
class DomainState:
    """state: ok, missing, wrong, unreachable, or "" = never looked."""

    what: str
    state: str


def platform_domain(account: Account) -> tuple[str, list[DomainState], bool]:
    """Of a platform account whose domain is proved: the domain, what DNS says of SPF, DKIM and DMARC, and whether
    return paths end in a host of ours. ("", [], ...) for any other account."""
    if account.kind != AccountKind.PLATFORM:
        return "", [], True
    domain = domain_for(account.workspace_id, account.address.rpartition("@")[2])
    if domain is None:
        return "", [], True
    checks = domain.checks
    dkim = "ok" if signed_by_us(account) else "missing"
    states = [DomainState(what, (checks.get(what) or {}).get("state", "")) for what in ("spf", "dmarc")]
    return domain.name, [states[0], DomainState("dkim", dkim), states[1]], bool(account.workspace.bounce_host)


def accounts_to_approve(viewer: Viewer) -> "QuerySet[Account]":
    """All platform accounts of the workspace that were handed in once, those that wait first. Raises NotAllowed."""
    if not can(viewer, Right.ACCOUNTS_APPROVE):
        raise NotAllowed(details={"right": str(Right.ACCOUNTS_APPROVE)})
    found = Account.objects.filter(
        workspace=viewer.workspace, kind=AccountKind.PLATFORM, deleted_at=None
    ).exclude(approval=Approval.DRAFT)
    return found.select_related("owner", "workspace", "submitted_by", "approval_by").order_by(
        "submitted_at", "id"
    )


def approvals_waiting(viewer: Viewer) -> int:
    """How many accounts wait for this viewer's word; 0 for who has none."""
    if not can(viewer, Right.ACCOUNTS_APPROVE):
        return 0
    return accounts_to_approve(viewer).filter(approval=Approval.PENDING).count()


def account_for_approval(viewer: Viewer, account_id: int) -> Account:
    """Locked. Raises NotFound; NotAllowed when it is seen but the right is missing."""
    if not can(viewer, Right.ACCOUNTS_APPROVE):
        account_visible_to(viewer, account_id)
        raise NotAllowed(details={"right": str(Right.ACCOUNTS_APPROVE)})
    found = Account.objects.select_for_update(of=("self",)).select_related("workspace")
    account = found.filter(
        id=account_id, workspace=viewer.workspace, kind=AccountKind.PLATFORM, deleted_at=None
    ).first()
    if account is None:
        raise NotFound("There is no such mail account.")
    return account
