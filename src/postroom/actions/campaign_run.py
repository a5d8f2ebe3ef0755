"""A campaign on its way: pause, go on, cancel, finish, and what a person decides about doubt."""

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.campaign_account import account_change
from postroom.actions.doubt import DECIDED, decision_write, told_settle
from postroom.actions.job import enqueue
from postroom.actions.notify import SHARD, notify
from postroom.actions.override import sender_demand
from postroom.actions.slot import slot_wait
from postroom.actions.webhook_tell import deliveries_tell
from postroom.errors import Conflict
from postroom.models.account import AccountStatus
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.delivery import Delivery, DeliveryState
from postroom.queries.campaign import campaign_to_change
from postroom.queries.platform import platform_demand
from postroom.queries.viewer import Viewer


@transaction.atomic
def campaign_pause(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """No further message begins; what is on the wire ends. Shards and retries wait."""
    campaign = campaign_to_change(viewer, campaign_id)
    if campaign.state not in (CampaignState.RUNNING, CampaignState.WAITING_FOR_SLOT):
        raise Conflict("Only a campaign that is being sent can be paused.", code="NOT_RUNNING")
    campaign.state, campaign.reason, campaign.until = CampaignState.PAUSED, "person", None
    campaign.save()
    audit(viewer, "paused", "campaign", campaign.id)
    return campaign


def campaign_stop(*, campaign_id: int, reason: str) -> None:
    """Pause a running campaign because of something a person has to see to."""
    Campaign.objects.filter(id=campaign_id, state=CampaignState.RUNNING).update(
        state=CampaignState.PAUSED, reason=reason, until=None, throttled=""
    )


@transaction.atomic
def campaign_resume(*, viewer: Viewer, campaign_id: int, account_id: int | None = None) -> Campaign:
    """account_id: another account to go on with; only for a campaign that has lost its own (SA-24).

    Raises NotFound, NotAllowed, InputError sender_address, Conflict NOT_PAUSED, NO_ACCOUNT, NEEDS_ACCOUNT,
    ACCOUNT_UNTESTED, ACCOUNT_FAILING, and what `platform_demand` raises.
    """
    campaign = campaign_to_change(viewer, campaign_id)
    if campaign.state not in (CampaignState.PAUSED, CampaignState.NEEDS_ACCOUNT):
        raise Conflict("Only a paused campaign can go on.", code="NOT_PAUSED")
    if campaign.state == CampaignState.NEEDS_ACCOUNT or account_id is not None:
        account_change(viewer, campaign, account_id)
        sender_demand(viewer, campaign)
    account = campaign.account
    if account is None or account.deleted_at is not None:
        raise Conflict("Choose the account it is sent from.", code="NO_ACCOUNT")
    if account.status == AccountStatus.FAILING:
        raise Conflict(
            gettext("This account does not work: %(words)s Check its settings.")
            % {"words": account.status_reason},
            code="ACCOUNT_FAILING",
        )
    platform_demand(account)
    if campaign.total or campaign.started_at:
        slot_wait(campaign)
    else:  # it lost its account before its recipients were fixed
        campaign.state, campaign.reason = CampaignState.FREEZING, ""
        campaign.save()
        enqueue("campaign_freeze", campaign_id=campaign.id)
    audit(viewer, "resumed", "campaign", campaign.id)
    notify(SHARD)
    return campaign


@transaction.atomic
def campaign_cancel(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """Nothing more is sent. Rows that did not leave become `skipped(cancelled)`."""
    campaign = campaign_to_change(viewer, campaign_id)
    if campaign.state in (CampaignState.DRAFT, CampaignState.FINISHED, CampaignState.CANCELLED):
        raise Conflict("There is nothing to cancel.", code="NOT_RUNNING")
    campaign.state, campaign.reason, campaign.finished_at = CampaignState.CANCELLED, "", timezone.now()
    campaign.save()
    audit(viewer, "cancelled", "campaign", campaign.id)
    notify(SHARD)
    return campaign


@transaction.atomic
def campaign_sweep(*, campaign_id: int) -> int:
    """After a cancel: close the shards and skip what they still held; returns how many somebody still holds."""
    campaign = Campaign.objects.filter(id=campaign_id, state=CampaignState.CANCELLED).first()
    if campaign is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lease_until > clock_timestamp() FROM postroom_shard WHERE campaign_id = %s AND NOT is_done"
            " ORDER BY id FOR UPDATE",
            [campaign_id],
        )
        held = sum(1 for (is_held,) in cursor.fetchall() if is_held)
        if held:
            return held
        # A row below the mark of its shard without an outcome was left by a dead worker: in doubt, not skipped.
        cursor.execute(
            """UPDATE postroom_delivery d
                  SET state = 'uncertain', trouble = 'uncertain', reason = 'worker_lost', code = 0, words = '',
                      attempts = d.attempts + 1, state_at = clock_timestamp(), retry_shard = 0,
                      tries = CASE WHEN d.words <> '' THEN d.tries || jsonb_build_object(
                          'at', d.state_at, 'kind', d.state, 'code', d.code, 'words', d.words) ELSE d.tries END
                 FROM postroom_shard s, postroom_delivery was
                WHERE was.id = d.id AND s.campaign_id = %s AND NOT s.is_done AND s.mark > 0
                  AND d.campaign_id = s.campaign_id AND d.retry_at IS NULL AND d.state IN ('queued', 'deferred')
                  AND ((s.delivery_ids IS NULL AND d.retry_shard = 0 AND d.position >= s.first
                        AND d.position < s.first + s.mark)
                    OR (d.retry_shard = s.id AND d.id = ANY(s.delivery_ids[1:s.mark])))
            RETURNING d.id, was.state""",
            [campaign_id],
        )
        doubtful = cursor.fetchall()
        uncertain, were_deferred = len(doubtful), sum(1 for _, was in doubtful if was == "deferred")
        told_settle(cursor, [delivery_id for delivery_id, _ in doubtful])
        cursor.execute(
            """UPDATE postroom_delivery SET state = 'skipped', trouble = 'skipped', reason = 'cancelled',
                      state_at = clock_timestamp(), retry_at = NULL, retry_shard = 0
                WHERE campaign_id = %s AND state = 'queued'""",
            [campaign_id],
        )
        skipped = cursor.rowcount
        cursor.execute(
            """UPDATE postroom_delivery SET state = 'failed', trouble = 'failed', reason = 'cancelled',
                      retry_at = NULL, retry_shard = 0
                WHERE campaign_id = %s AND state = 'deferred'""",
            [campaign_id],
        )
        failed = cursor.rowcount
        # The epoch too: a worker that wakes up late may only settle the doubt noted here.
        cursor.execute(
            "UPDATE postroom_shard SET is_done = true, epoch = epoch + 1 WHERE campaign_id = %s AND NOT is_done",
            [campaign_id],
        )
        cursor.execute(
            """UPDATE postroom_campaignfigures SET uncertain = uncertain + %s, skipped = skipped + %s,
                      failed = failed + %s, deferred = deferred - %s WHERE campaign_id = %s AND lane = 0""",
            [uncertain, skipped, failed, failed + were_deferred, campaign_id],
        )
    return 0


def campaigns_sweep() -> None:
    """`campaign_sweep` for every cancelled campaign with open shards or waiting rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.id FROM postroom_campaign c WHERE c.state = 'cancelled' AND (
                 EXISTS (SELECT 1 FROM postroom_shard s WHERE s.campaign_id = c.id AND NOT s.is_done) OR
                 EXISTS (SELECT 1 FROM postroom_delivery d WHERE d.campaign_id = c.id AND d.retry_at IS NOT NULL))"""
        )
        waiting = [row[0] for row in cursor.fetchall()]
    for campaign_id in waiting:
        campaign_sweep(campaign_id=campaign_id)


@transaction.atomic
def campaigns_finish() -> int:
    """Close running campaigns with nothing left to try. How many."""
    with connection.cursor() as cursor:
        # Locked first, looked at afterwards: a person may be deciding doubt just now.
        cursor.execute(
            "SELECT id FROM postroom_campaign WHERE state = 'running' ORDER BY id FOR UPDATE SKIP LOCKED"
        )
        running = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            """UPDATE postroom_campaign c SET state = 'finished', finished_at = clock_timestamp(), throttled = ''
                WHERE c.id = ANY(%s)
                  AND NOT EXISTS (SELECT 1 FROM postroom_shard s WHERE s.campaign_id = c.id AND NOT s.is_done)
                  AND NOT EXISTS (SELECT 1 FROM postroom_delivery d
                                   WHERE d.campaign_id = c.id AND d.retry_at IS NOT NULL)
            RETURNING c.id""",
            [running],
        )
        return len(cursor.fetchall())


@transaction.atomic
def uncertain_decide(
    *, viewer: Viewer, campaign_id: int, delivery_ids: list[int] | None, send_again: bool
) -> int:
    """A person settles doubt: send again (same Message-ID), or leave it and count it as accepted. How many rows.

    delivery_ids: None = all uncertain rows of the campaign.
    """
    campaign = campaign_to_change(viewer, campaign_id)
    if send_again and campaign.state == CampaignState.CANCELLED:
        raise Conflict("This campaign was cancelled; nothing more of it is sent.", code="NOT_RUNNING")
    rows = Delivery.objects.select_for_update().filter(campaign=campaign, trouble=DeliveryState.UNCERTAIN)
    if delivery_ids is not None:
        rows = rows.filter(id__in=delivery_ids)
    ids = list(rows.values_list("id", flat=True))
    if not ids:
        return 0
    decided = DECIDED[send_again]
    with connection.cursor() as cursor:
        decision_write(cursor, ids, by=str(viewer.user), send_again=send_again)
        target = "deferred" if send_again else "accepted"
        cursor.execute(
            f"UPDATE postroom_campaignfigures SET uncertain = uncertain - %s, {target} = {target} + %s"
            " WHERE campaign_id = %s AND lane = 0",
            [len(ids), len(ids), campaign.id],
        )
    if send_again and campaign.state == CampaignState.FINISHED:
        campaign.state, campaign.finished_at = CampaignState.RUNNING, None
        campaign.save()
    deliveries_tell([(number, "decided") for number in ids])
    audit(viewer, f"decided: {decided}", "campaign", campaign.id, count=len(ids))
    notify(SHARD)
    return len(ids)
