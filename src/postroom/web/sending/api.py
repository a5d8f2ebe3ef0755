"""What holds campaigns back, in the API: limits of the firm and its accounts, slots, and who waits for one."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from postroom.actions.sending import firm_limits_save, slots_save
from postroom.queries.account import accounts_visible_to
from postroom.queries.limit import limits_used, rests_until
from postroom.queries.slot import runs_waiting, slots_now
from postroom.queries.viewer import Viewer, viewer_of
from postroom.web.problem import problems

router = Router(tags=["sending"])
#: Accounts told in one answer.
TOLD = 200
Limit = Annotated[int, Field(ge=0, le=2_000_000_000)]
FIRM = ("per_minute", "per_hour", "per_day", "parallel_runs", "parallel_runs_each")


class FirmIn(Schema):
    """0 = no limit. They hold over all accounts of the workspace."""

    per_minute: Limit
    per_hour: Limit
    #: Campaigns of one person sent at the same time.
    parallel_runs_each: Limit


class FirmOut(FirmIn):
    #: These two the administrator of the installation sets.
    per_day: int
    parallel_runs: int


class UsedOut(Schema):
    #: account or workspace
    whose: str
    window_s: int
    limit: int
    used: int


class AccountOut(Schema):
    id: int
    address: str
    limits: list[UsedOut]
    #: The end of the pause after every so many messages.
    rests_until: str | None


class SlotsOut(Schema):
    """slots: campaigns of all workspaces sent at once; by: "memory" or "configured"."""

    slots: int
    running: int
    configured: int
    by: str


class WaitingOut(Schema):
    campaign: int
    name: str
    #: 1 = the next to begin.
    place: int


class SendingOut(Schema):
    workspace: FirmOut
    accounts: list[AccountOut]
    slots: SlotsOut
    waiting: list[WaitingOut]


class SlotsIn(Schema):
    #: 0 = as the memory allows.
    parallel_runs: Limit


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _out(viewer: Viewer) -> dict[str, Any]:
    now, accounts = slots_now(), []
    shown = list(accounts_visible_to(viewer)[:TOLD])
    limits, rests = limits_used(shown), rests_until(shown)
    for account in shown:
        names = ("whose", "window_s", "limit", "used")
        used = [{name: getattr(one, name) for name in names} for one in limits[account.id]]
        until = rests.get(account.id)
        accounts.append(
            {
                "id": account.id,
                "address": account.address,
                "limits": used,
                "rests_until": until.isoformat(timespec="milliseconds") if until else None,
            }
        )
    return {
        "workspace": {name: getattr(viewer.workspace, name) for name in FIRM},
        "accounts": accounts,
        "slots": {name: getattr(now, name) for name in ("slots", "running", "configured", "by")},
        "waiting": [
            {"campaign": campaign.id, "name": campaign.name, "place": place}
            for campaign, place in runs_waiting(viewer)
        ],
    }


@router.get("/sending", response={200: SendingOut, **problems()})
def sending_show(request: HttpRequest) -> dict[str, Any]:
    """Every limit with what is used of it now; accounts that the caller sees, the first 200."""
    return _out(_viewer(request))


@router.put("/sending", response={200: SendingOut, **problems(403, 422)})
def sending_change(request: HttpRequest, body: FirmIn) -> dict[str, Any]:
    """The firm's own limits."""
    viewer = _viewer(request)
    firm_limits_save(viewer=viewer, **body.dict())
    return _out(viewer_of(viewer.user, viewer.workspace.id) or viewer)


@router.put("/sending/slots", response={200: SendingOut, **problems(403, 422)})
def slots_change(request: HttpRequest, body: SlotsIn) -> dict[str, Any]:
    """Campaigns of all workspaces sent at once; for who administers the installation."""
    viewer = _viewer(request)
    slots_save(viewer=viewer, **body.dict())
    return _out(viewer)
