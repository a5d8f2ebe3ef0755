"""After a fault of our own that comes again and again: nobody waits for ever, and a person is told."""

from django.db import connection, transaction

from postroom.models.campaign import Campaign, CampaignState
from postroom.models.workspace import AuditLine


@transaction.atomic
def shard_give_up(*, shard_id: int, campaign_id: int | None, kind: str, tries: int) -> None:
    """A shard (or one after another of a campaign) broke the lane that sends it `tries` times; kind: of exception.

    The campaign is paused and says why. Single messages (campaign_id None) fail; those at or below the mark stay in
    doubt.
    """
    if campaign_id is None:
        _messages_fail(shard_id, kind)
        return
    campaign = Campaign.objects.select_for_update(of=("self",)).filter(id=campaign_id).first()
    if campaign is None or campaign.state != CampaignState.RUNNING:
        return
    campaign.state, campaign.until, campaign.throttled = CampaignState.PAUSED, None, ""
    campaign.reason = (
        f"Postroom stopped this campaign because of a fault of its own ({kind}), met {tries} times."
        " Press Go on to try again; if it stops again, the administrator finds more in the log."
    )
    campaign.save()
    _note(campaign, "paused", kind)


def _messages_fail(shard_id: int, kind: str) -> None:
    words = f"Postroom could not send this because of a fault of its own ({kind}). The log says more."
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE postroom_delivery d
                  SET state = now.state, trouble = now.state, reason = 'fault', code = 0, words = %s,
                      state_at = clock_timestamp(), retry_shard = 0
                 FROM postroom_shard s, LATERAL unnest(s.delivery_ids) WITH ORDINALITY AS ids(id, n),
                      LATERAL (SELECT CASE WHEN ids.n <= s.mark THEN 'uncertain' ELSE 'failed' END AS state) AS now
                WHERE s.id = %s AND NOT s.is_done AND s.campaign_id IS NULL AND d.id = ids.id
                  AND d.retry_shard = s.id AND d.state IN ('queued', 'deferred') AND d.retry_at IS NULL""",
            [words, shard_id],
        )
        # The epoch too: a worker that wakes up late may only settle the doubt noted here.
        cursor.execute(
            "UPDATE postroom_shard SET is_done = true, epoch = epoch + 1 WHERE id = %s AND campaign_id IS NULL",
            [shard_id],
        )


@transaction.atomic
def freeze_failed(*, campaign_id: int, reason: str = "", kind: str = "") -> None:
    """Recipients and values could not be fixed, and will not be: a draft again, with the reason.

    reason: words of ours; without them it was a fault, whose kind of exception is told.
    """
    campaign = Campaign.objects.select_for_update(of=("self",)).filter(id=campaign_id).first()
    if campaign is None or campaign.state != CampaignState.FREEZING:
        return
    campaign.state, campaign.start_at = CampaignState.DRAFT, None
    campaign.reason = reason or (
        f"The campaign could not be prepared because of a fault of Postroom itself ({kind})."
        " Start it again; if it fails again, the administrator finds more in the log."
    )
    campaign.version += 1
    campaign.save()
    _note(campaign, "back to draft", kind or reason)


def _note(campaign: Campaign, verb: str, why: str) -> None:
    AuditLine.objects.create(
        workspace_id=campaign.workspace_id,
        verb=verb,
        noun="campaign",
        noun_id=campaign.id,
        details={"fault": why},
    )
