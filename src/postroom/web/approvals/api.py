"""The operator's word on platform accounts, in the API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from postroom.actions.account_approval import account_approve, account_reject, account_submit, account_suspend
from postroom.models.account import Account
from postroom.queries.platform import accounts_to_approve, platform_domain
from postroom.queries.viewer import Viewer
from postroom.web.problem import problems

router = Router(tags=["approvals"])


class ApprovalOut(Schema):
    account_id: int
    name: str
    address: str
    display_name: str
    #: pending, approved, rejected, suspended; draft = not handed in
    approval: str
    reason: str
    submitted_by: int | None
    submitted_at: str | None
    approval_by: int | None
    approval_at: str | None
    version: int
    #: The proved domain the address lies in; "" = none.
    domain: str
    #: What DNS says: {"spf" | "dkim" | "dmarc": "ok" | "missing" | "wrong" | "unreachable" | "" (not looked at)}
    checks: dict[str, str]


class Seen(Schema):
    #: Of the account as it was read; a stale one is refused with 409 STALE_VERSION.
    version: int | None = None


class Reason(Schema):
    reason: Annotated[str, Field(max_length=2000)]


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(account: Account) -> dict[str, Any]:
    domain, states, _returns = platform_domain(account)
    return {
        "account_id": account.id,
        "name": account.name,
        "address": account.address,
        "display_name": account.display_name,
        "approval": account.approval,
        "reason": account.approval_reason,
        "submitted_by": account.submitted_by_id,
        "submitted_at": account.submitted_at.isoformat() if account.submitted_at else None,
        "approval_by": account.approval_by_id,
        "approval_at": account.approval_at.isoformat() if account.approval_at else None,
        "version": account.version,
        "domain": domain,
        "checks": {one.what: one.state for one in states},
    }


@router.get("/approvals", response={200: list[ApprovalOut], **problems(403)})
def approval_list(request: HttpRequest) -> list[dict[str, Any]]:
    """Every platform account that was handed in, the longest waiting first."""
    return [_out(one) for one in accounts_to_approve(_viewer(request))]


@router.post("/accounts/{account_id}/submit", response={200: ApprovalOut, **problems(403, 404, 409, 422)})
def submit(request: HttpRequest, account_id: int) -> dict[str, Any]:
    """Hand it in. 409 NOT_PLATFORM, ACCOUNT_SUSPENDED."""
    return _out(account_submit(viewer=_viewer(request), account_id=account_id))


@router.post(
    "/accounts/{account_id}/approve", response={200: ApprovalOut, **problems(400, 403, 404, 409, 422)}
)
def approve(request: HttpRequest, account_id: int, body: Seen) -> dict[str, Any]:
    """403 OWN_ACCOUNT: somebody else approves one's own. 409 NOT_PENDING, STALE_VERSION."""
    return _out(account_approve(viewer=_viewer(request), account_id=account_id, version=body.version))


@router.post(
    "/accounts/{account_id}/reject", response={200: ApprovalOut, **problems(400, 403, 404, 409, 422)}
)
def reject(request: HttpRequest, account_id: int, body: Reason) -> dict[str, Any]:
    """409 NOT_PENDING."""
    return _out(account_reject(viewer=_viewer(request), account_id=account_id, reason=body.reason))


@router.post(
    "/accounts/{account_id}/suspend", response={200: ApprovalOut, **problems(400, 403, 404, 409, 422)}
)
def suspend(request: HttpRequest, account_id: int, body: Reason) -> dict[str, Any]:
    """Its running campaigns pause. 409 NOT_APPROVED."""
    return _out(account_suspend(viewer=_viewer(request), account_id=account_id, reason=body.reason))
