"""Campaigns that wait for a slot begin by themselves when one is free (PI-01)."""

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext

from postroom.actions.notify import SHARD, notify
from postroom.errors import Conflict
from postroom.mail.slot import Run, admitted
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.workspace import Workspace
from postroom.queries.slot import slots_now


def slot_wait(campaign: Campaign) -> None:
    """The campaign (locked, saved here) stands in line; it begins at once where a slot is free."""
    campaign.state, campaign.reason, campaign.until = CampaignState.WAITING_FOR_SLOT, "", None
    campaign.save()
    Campaign.objects.filter(id=campaign.id).update(waits_since=Now())
    slots_fill()
    campaign.refresh_from_db()


@transaction.atomic
def slots_fill() -> int:
    """Let waiting campaigns begin, as many as there are slots. How many began."""
    if not Campaign.objects.filter(state=CampaignState.WAITING_FOR_SLOT).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(7203006)")
    rows = Campaign.objects.filter(deleted_at=None).order_by("waits_since", "id")
    limits = Workspace.objects.filter(campaigns__state=CampaignState.WAITING_FOR_SLOT).values_list(
        "id", "parallel_runs", "parallel_runs_each"
    )
    found = {number: (firm, each) for number, firm, each in limits}
    begin = admitted(
        _runs(rows.filter(state=CampaignState.RUNNING)),
        _runs(rows.filter(state=CampaignState.WAITING_FOR_SLOT)),
        slots=slots_now().slots,
        of_workspace={number: pair[0] for number, pair in found.items()},
        of_user={number: pair[1] for number, pair in found.items()},
    )
    begun = Campaign.objects.filter(id__in=begin, state=CampaignState.WAITING_FOR_SLOT).update(
        state=CampaignState.RUNNING, waits_since=None
    )
    if begun:
        notify(SHARD)
    return begun


def _runs(rows: "QuerySet[Campaign]") -> list[Run]:
    values = rows.values_list("id", "workspace_id", "started_by_id")
    return [Run(number, workspace, user or 0) for number, workspace, user in values]


def line_check(workspace: Workspace) -> None:
    """Raises Conflict RUN_LIMIT when too many campaigns of the firm wait already (GW-07)."""
    waiting = Campaign.objects.filter(workspace=workspace, state=CampaignState.WAITING_FOR_SLOT).count()
    if waiting >= settings.POSTROOM_WAITING_RUNS:
        raise Conflict(
            gettext(
                "%(n)s campaigns of yours wait for their turn already. Start this one when some have begun."
            )
            % {"n": waiting},
            code="RUN_LIMIT",
            details={"waiting": waiting},
        )
