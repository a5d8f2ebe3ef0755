"""Reading mail accounts: one's own, shared and granted ones (CM-27); who manages accounts sees all of them.

What others may do with an account: use = send from it, view = read its mailbox, edit = change it. Servers, logins and
the results of checks are told only to those who may change it (SA-24); passwords to nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.utils import timezone

from postroom.errors import NotAllowed, NotFound
from postroom.models.account import (
    Account,
    AccountKind,
    AccountStatus,
    Approval,
    Collector,
    LimitBucket,
    Probe,
)
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.domain import Domain
from postroom.models.message_type import MessageType
from postroom.models.profile import May, Right, Share, Visibility
from postroom.models.workspace import Membership, Role
from postroom.queries.account_fields import SECRET, TOLD_ALL, TOLD_EDITORS
from postroom.queries.sharing import rights_on, shared_with
from postroom.queries.viewer import Viewer, can, viewer_of

#: Campaign states in which an account is needed (CM-31).
IN_USE = (
    CampaignState.SCHEDULED,
    CampaignState.FREEZING,
    CampaignState.RUNNING,
    CampaignState.WAITING_FOR_SLOT,
    CampaignState.PAUSED,
    CampaignState.NEEDS_ACCOUNT,
)
#: The state of a side whose limit is used up; everything else that pauses is "paused".
PAUSED_LIMIT = "paused_limit"


@dataclass(frozen=True, slots=True)
class Side:
    """How one side of an account does.

    state: ok, untested, failing, paused, paused_limit, off; of a platform account also an Approval.
    since, until: aware UTC or None.
    """

    state: str
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None
    read_at: datetime | None = None
    #: Of the trouble: LOGIN_REFUSED, ...; "" when only words are known.
    code: str = ""


@dataclass(frozen=True, slots=True)
class AccountRow:
    account: Account
    sending: Side
    reading: Side
    #: Its owner is no longer an active user: somebody must take it over (CM-17).
    orphan: bool
    #: What the viewer may do with it.
    rights: frozenset[str]
    #: Others than its owner may use or read it.
    shared: bool

    @property
    def may_edit(self) -> bool:
        return May.EDIT in self.rights


def accounts_visible_to(viewer: Viewer) -> "QuerySet[Account]":
    """Not deleted, by name."""
    found = Account.objects.filter(workspace=viewer.workspace, deleted_at=None)
    if not can(viewer, Right.ACCOUNTS_MANAGE):
        found = found.filter(shared_with(viewer, Account))
    return found.select_related("owner", "workspace", "type_in", "type_out").order_by("name", "id")


def accounts_editable_by(viewer: Viewer) -> Q:
    """The filter of accounts whose settings this viewer sees and changes."""
    if can(viewer, Right.ACCOUNTS_MANAGE):
        return Q(workspace=viewer.workspace)
    return shared_with(viewer, Account, May.EDIT)


def accounts_usable_by(viewer: Viewer) -> "QuerySet[Account]":
    """Accounts to send from. One for programs (CM-26): its owner, who was given it by name, and every API token."""
    granted = Share.objects.filter(
        Q(profile__in=viewer.profiles) | Q(user=viewer.user),
        workspace=viewer.workspace,
        noun=Account.NOUN,
        may__contains=[str(May.USE)],
    )
    named = Q(id__in=granted.values("noun_id")) & ~Q(visibility=Visibility.PRIVATE)
    usable = shared_with(viewer, Account, May.USE) & (Q(integration=False) | Q(owner=viewer.user) | named)
    if viewer.scopes is not None:
        usable |= Q(workspace=viewer.workspace, integration=True)
    return Account.objects.filter(usable, deleted_at=None).order_by("name", "id")


def account_rights(viewer: Viewer, accounts: Iterable[Account]) -> dict[int, frozenset[str]]:
    """What the viewer may do with each of these, by id. accounts.manage is the right to change, not to send or read."""
    rights = rights_on(viewer, accounts)
    if can(viewer, Right.ACCOUNTS_MANAGE):
        rights = {number: given | {str(May.EDIT)} for number, given in rights.items()}
    return rights


def account_visible_to(viewer: Viewer, account_id: int, *, lock: bool = False) -> Account:
    """Raises NotFound when it is not there or not this viewer's to see."""
    found = accounts_visible_to(viewer)
    account = (found.select_for_update(of=("self",)) if lock else found).filter(id=account_id).first()
    if account is None:
        raise NotFound("There is no such mail account.")
    return account


def account_to_edit(viewer: Viewer, account_id: int, *, lock: bool = False) -> Account:
    """Raises NotFound as `account_visible_to`; NotAllowed when it is seen, but not this viewer's to change."""
    account = account_visible_to(viewer, account_id, lock=lock)
    if May.EDIT not in account_rights(viewer, [account])[account.id]:
        owner = str(account.owner) if account.owner else ""
        raise NotAllowed(details={"may": str(May.EDIT), "owner": owner})
    return account


def account_rows(viewer: Viewer, accounts: Iterable[Account]) -> list[AccountRow]:
    """accounts: ones the viewer sees."""
    accounts = list(accounts)
    rights, full = account_rights(viewer, accounts), limits_full(accounts)
    there = members_active(viewer.workspace.id, [account.owner_id for account in accounts])
    return [
        AccountRow(
            account,
            _sending(account, full.get(account.id)),
            _reading(account),
            account.owner_id not in there,
            rights[account.id],
            account.visibility != Visibility.PRIVATE,
        )
        for account in accounts
    ]


def members_active(workspace_id: int, user_ids: Iterable[int | None]) -> set[int]:
    """Which of these people belong to the workspace and are switched on."""
    members = Membership.objects.filter(
        workspace_id=workspace_id, user_id__in=set(user_ids), is_active=True, user__is_active=True
    )
    return set(members.values_list("user_id", flat=True))


def account_row(viewer: Viewer, account: Account) -> AccountRow:
    return account_rows(viewer, [account])[0]


def limits_full(accounts: Iterable[Account]) -> dict[int, datetime]:
    """Accounts that have sent all that an hour or a day lets them: when the first of it leaves the window."""
    found: dict[int, datetime] = {}
    now = timezone.now()
    for seconds, name in ((3600, "per_hour"), (86400, "per_day")):
        limited = {account.id: getattr(account, name) for account in accounts if getattr(account, name)}
        if not limited:
            continue
        first = int((now.timestamp() - seconds) // (seconds / 60))
        taken = LimitBucket.objects.filter(account_id__in=limited, window_s=seconds, slice_at__gt=first)
        for row in taken.order_by("account_id").values("account_id").annotate(sent=Sum("taken")):
            if row["sent"] >= limited[row["account_id"]]:
                oldest = taken.filter(account_id=row["account_id"]).order_by("slice_at")
                at = (oldest.values_list("slice_at", flat=True)[0] + 62) * seconds / 60
                until = datetime.fromtimestamp(at, UTC)
                found[row["account_id"]] = max(until, found.get(row["account_id"], until))
    return {number: max(until, now + timedelta(seconds=1)) for number, until in found.items()}


def _sending(account: Account, full_until: datetime | None) -> Side:
    platform = account.kind == AccountKind.PLATFORM
    if platform and account.approval != Approval.APPROVED:
        return Side(account.approval, account.approval_reason, since=account.approval_at)
    if account.paused_until and account.paused_until > timezone.now():
        return Side(AccountStatus.PAUSED, account.status_reason, until=account.paused_until)
    if account.status == AccountStatus.FAILING:
        return Side(account.status, account.status_reason, since=account.status_since)
    if full_until:
        return Side(PAUSED_LIMIT, until=full_until)
    return (
        Side(Approval.APPROVED, since=account.approval_at)
        if platform
        else Side(account.status, account.status_reason)
    )


def _reading(account: Account) -> Side:
    collector = collector_of(account)
    if not account.imap_host or collector is None or not collector.is_on:
        return Side("off")
    if collector.error:
        return Side("failing", collector.error, since=collector.error_since, code=collector.error_code)
    if collector.last_ok_at is None:
        state = "ok" if (account.last_test.get("imap") or {}).get("ok") else "untested"
        return Side(state)
    return Side("ok", read_at=collector.last_ok_at)


def collector_of(account: Account) -> Collector | None:
    """The reading side as the page shows it: one folder. None until reading was set up."""
    return min(account.collectors.all(), key=lambda collector: collector.id, default=None)


def account_uses(account: Account) -> list[Campaign]:
    """Campaigns that would stop without it."""
    return list(Campaign.objects.filter(account=account, state__in=IN_USE, deleted_at=None).order_by("id"))


def same_address(account: Account) -> list[str]:
    """Names of other accounts of the workspace with this address (allowed, but warned: CM-18)."""
    others = Account.objects.filter(
        workspace_id=account.workspace_id, address__iexact=account.address, deleted_at=None
    ).exclude(id=account.id)
    return list(others.values_list("name", flat=True))


def mail_arrives(account: Account) -> bool:
    """False when DNS was asked where mail to this address goes, and said: nowhere (SA-09, SA-15)."""
    domain = account.address.rpartition("@")[2]
    if account.kind == AccountKind.PLATFORM:
        row = Domain.objects.filter(workspace_id=account.workspace_id, name=domain).first()
        found = (row.checks if row else {}).get("mx") or {}
    else:
        found = account.last_test.get("mx") or {}
        if found.get("domain") != domain:
            return True
    return found.get("state") not in ("missing", "wrong")


def probe_visible_to(viewer: Viewer, probe_id: int) -> Probe:
    """Only the person who asked sees it."""
    probe = Probe.objects.filter(id=probe_id, workspace=viewer.workspace, user=viewer.user).first()
    if probe is None:
        raise NotFound("There is no such check. It may be older than ten minutes.")
    return probe


def account_json(row: AccountRow) -> dict[str, Any]:
    """What the API shows; never a secret, and servers and logins only to those who may change them."""
    account, collector = row.account, collector_of(row.account)
    answer = {
        **{name: getattr(account, name) for name in TOLD_ALL},
        "owner": account.owner_id,
        "shared": row.shared,
        "rights": sorted(WORD[right] for right in row.rights if right in WORD),
        "type_in": _type_id(account.type_in),
        "type_out": _type_id(account.type_out),
        "status": AccountStatus.PAUSED if row.sending.state == PAUSED_LIMIT else row.sending.state,
        "status_reason": row.sending.reason,
        "status_since": row.sending.since,
        "status_until": row.sending.until,
        "sending": row.sending.state,
        "reading": row.reading.state,
        "created_at": account.created_at,
    }
    if not row.may_edit:
        return answer
    has = {name.replace("_password", "_has_password"): bool(getattr(account, name)) for name in SECRET}
    return {
        **answer,
        **{name: getattr(account, name) for name in TOLD_EDITORS},
        **has,
        "has_password": any(has.values()),
        "collector": {
            "is_on": bool(collector and collector.is_on),
            "folder": collector.folder if collector else "INBOX",
            "interval_s": collector.interval_s if collector else 900,
            "take_from": collector.take_from if collector else None,
        },
    }


#: What is granted on an account, in the words of its pages and API (CM-27).
WORD = {str(May.USE): "send", str(May.VIEW): "read", str(May.EDIT): "manage"}


def _type_id(kept: MessageType | None) -> int | None:
    """A deleted type is no default any more (CM-24)."""
    return kept.id if kept and kept.deleted_at is None else None


def types_gone(account: Account) -> list[tuple[str, str]]:
    """(field, name) of default types that were deleted since they were chosen."""
    kept = (("type_in", account.type_in), ("type_out", account.type_out))
    return [(field, one.name) for field, one in kept if one and one.deleted_at]


def accounts_all(*, workspace_id: int | None = None) -> list[dict[str, Any]]:
    """Every account of the installation, by workspace and name. For the command line."""
    found = Account.objects.filter(deleted_at=None).select_related("owner", "workspace")
    if workspace_id is not None:
        found = found.filter(workspace_id=workspace_id)
    rows = list(found.order_by("workspace_id", "name", "id"))
    full = limits_full(rows)
    return [
        {
            "id": account.id,
            "name": account.name,
            "address": account.address,
            "kind": account.kind,
            "owner": account.owner.email if account.owner else "",
            "workspace": account.workspace.name,
            "status": _sending(account, full.get(account.id)).state,
        }
        for account in rows
    ]


def account_for_host(account_id: int) -> tuple[Viewer, Account]:
    """An account of any workspace, seen by the owner of its workspace. For the command line. Raises NotFound."""
    found = Account.objects.filter(id=account_id, deleted_at=None).first()
    if found is None:
        raise NotFound("There is no such mail account.")
    viewer = viewer_for_host(found.workspace_id)
    return viewer, account_visible_to(viewer, account_id)


def viewer_for_host(workspace_id: int) -> Viewer:
    """The owner of a workspace, in whose name the command line works. Raises NotFound."""
    owner = Membership.objects.filter(
        workspace_id=workspace_id, role=Role.OWNER, is_active=True, user__is_active=True
    ).first()
    viewer = viewer_of(owner.user, owner.workspace_id) if owner else None
    if viewer is None:
        raise NotFound("There is no such workspace, or nobody owns it.")
    return viewer
