"""Reading mail accounts: one's own, shared and granted ones (CM-27); who manages accounts sees all of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from postroom.errors import NotFound
from postroom.models.account import Account, AccountStatus, Collector, Probe
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.profile import Right
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, can

#: Campaign states in which an account is needed (CM-31).
IN_USE = (
    CampaignState.SCHEDULED,
    CampaignState.FREEZING,
    CampaignState.RUNNING,
    CampaignState.WAITING_FOR_SLOT,
    CampaignState.PAUSED,
    CampaignState.NEEDS_ACCOUNT,
)


#: What the API shows as it is stored.
SHOWN = (
    "id",
    "name",
    "address",
    "display_name",
    "smtp_host",
    "smtp_port",
    "smtp_security",
    "smtp_authenticate",
    "smtp_login",
    "imap_host",
    "imap_port",
    "imap_security",
    "imap_login",
    "smtp_same_as_imap",
    "verify_certificate",
    "signs_dkim",
    "per_minute",
    "per_hour",
    "per_day",
    "connections",
    "status",
    "status_reason",
    "last_test",
    "capabilities",
    "version",
)


@dataclass(frozen=True, slots=True)
class Side:
    """How one side of an account does. state: ok, untested, failing, paused, off; since, until: aware UTC or None."""

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


def accounts_visible_to(viewer: Viewer) -> "QuerySet[Account]":
    """Not deleted, by name."""
    found = Account.objects.filter(workspace=viewer.workspace, deleted_at=None)
    if not can(viewer, Right.ACCOUNTS_MANAGE):
        found = found.filter(shared_with(viewer, Account))
    return found.select_related("owner", "workspace").order_by("name", "id")


def account_visible_to(viewer: Viewer, account_id: int, *, lock: bool = False) -> Account:
    """Raises NotFound when it is not there or not this viewer's to see."""
    found = accounts_visible_to(viewer)
    account = (found.select_for_update(of=("self",)) if lock else found).filter(id=account_id).first()
    if account is None:
        raise NotFound("There is no such mail account.")
    return account


def account_rows(viewer: Viewer, *, find: str = "", state: str = "") -> list[AccountRow]:
    """find: part of name, address, host, login or owner; state: one of Side's, of the sending side ("" = all)."""
    found = accounts_visible_to(viewer)
    for word in find.split():
        port = Q(smtp_port=int(word)) | Q(imap_port=int(word)) if word.isdecimal() and len(word) < 6 else Q()
        found = found.filter(
            Q(name__icontains=word)
            | Q(address__icontains=word)
            | Q(smtp_host__icontains=word)
            | Q(imap_host__icontains=word)
            | Q(smtp_login__icontains=word)
            | Q(owner__name__icontains=word)
            | port
        )
    rows = [
        account_row(a)
        for a in found.prefetch_related(Prefetch("collectors", Collector.objects.order_by("id")))
    ]
    return [row for row in rows if not state or state in (row.sending.state, row.reading.state)]


def account_row(account: Account) -> AccountRow:
    owner = account.owner
    return AccountRow(account, _sending(account), _reading(account), owner is None or not owner.is_active)


def _sending(account: Account) -> Side:
    if account.paused_until and account.paused_until > timezone.now():
        return Side(AccountStatus.PAUSED, account.status_reason, until=account.paused_until)
    since = account.status_since if account.status == AccountStatus.FAILING else None
    return Side(account.status, account.status_reason, since=since)


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


def probe_visible_to(viewer: Viewer, probe_id: int) -> Probe:
    """Only the person who asked sees it."""
    probe = Probe.objects.filter(id=probe_id, workspace=viewer.workspace, user=viewer.user).first()
    if probe is None:
        raise NotFound("There is no such check. It may be older than ten minutes.")
    return probe


def account_json(account: Account) -> dict[str, Any]:
    """What the API shows; never a secret."""
    collector, row = collector_of(account), account_row(account)
    return {
        **{name: getattr(account, name) for name in SHOWN},
        "owner": account.owner_id,
        "smtp_has_password": bool(account.smtp_password),
        "imap_has_password": bool(account.imap_password),
        "has_password": bool(account.smtp_password or account.imap_password),
        "sending": row.sending.state,
        "reading": row.reading.state,
        "collector": {
            "is_on": bool(collector and collector.is_on),
            "folder": collector.folder if collector else "INBOX",
            "interval_s": collector.interval_s if collector else 900,
        },
        "created_at": account.created_at,
    }
