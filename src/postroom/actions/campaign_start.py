"""Starting a campaign: what must hold, freezing its people and values, taking a start back (DESIGN 4.1)."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.campaign import draft
from postroom.actions.campaign_account import account_demand
from postroom.actions.figures import LANES, figures_add
from postroom.actions.job import enqueue
from postroom.actions.override import overrides_fix, sender_demand
from postroom.actions.slot import line_check, slot_wait
from postroom.errors import Conflict, InputError, NotAllowed
from postroom.mail.fields import CONTACT_KEYS
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.contact import ContactList
from postroom.models.delivery import CampaignFigures, Delivery, Shard
from postroom.models.profile import May
from postroom.queries.campaign import campaign_to_change
from postroom.queries.campaign_check import audience_of
from postroom.queries.content import campaign_compiled
from postroom.queries.platform import platform_demand
from postroom.queries.preview import campaign_trial
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer


@transaction.atomic
def campaign_start(
    *, viewer: Viewer, campaign_id: int, force_receipts: bool = False, undo_s: float | None = None
) -> Campaign:
    """Check that it may go, then hand it to the freezing job. The first message leaves after the undo window.

    Raises Conflict: NO_ACCOUNT, ACCOUNT_UNTESTED, ACCOUNT_NOT_APPROVED, DOMAIN_UNVERIFIED, NO_RELAY, NO_RECIPIENTS,
    COLLECTOR_REQUIRED (unless force_receipts), IN_USE; BadTemplate when subject or body cannot be compiled,
    InputError when both bodies are empty, or for a sender that is not the viewer's to use.
    """
    campaign = draft(viewer, campaign_id)
    account = campaign.account
    if account is None or account.deleted_at is not None:
        raise Conflict("Choose the account it is sent from.", code="NO_ACCOUNT", field="account")
    account_demand(viewer, account)
    sender_demand(viewer, campaign)
    if account.status == AccountStatus.UNTESTED:
        raise Conflict(
            "This account was never checked. Open it and press Check settings.", code="ACCOUNT_UNTESTED"
        )
    if account.status == AccountStatus.FAILING:
        raise Conflict(
            gettext("This account does not work: %(words)s Check its settings.")
            % {"words": account.status_reason},
            code="ACCOUNT_FAILING",
        )
    platform_demand(account)
    if not campaign.html.strip() and not campaign.text.strip():
        raise InputError("The message is empty. Write something first.", field="html")
    if not campaign.subject.strip():
        raise InputError("The subject is empty.", field="subject")
    if (
        (campaign.receipt_delivery or campaign.receipt_read)
        and not force_receipts
        and not returns_read(account)
    ):
        raise Conflict(
            "Receipts are asked for, but nobody reads the mailbox they return to."
            " Switch reading on for this account, or send without receipts.",
            code="COLLECTOR_REQUIRED",
            details={"account": account.id},
        )
    _usable(viewer, campaign)
    campaign_compiled(campaign, account)
    campaign_trial(campaign)
    if not campaign.lists.filter(deleted_at=None, size__gt=0).exists():
        raise Conflict("There is nobody to send to. Choose a list with people in it.", code="NO_RECIPIENTS")
    if campaign.exclusion_steps.exists() and not audience_of(campaign).people:
        raise Conflict(
            "The exclusion sets leave nobody to send to. Take the last step back.", code="NO_RECIPIENTS"
        )
    line_check(viewer.workspace)
    wait = settings.POSTROOM_START_UNDO_SECONDS if undo_s is None else undo_s
    campaign.state = CampaignState.FREEZING
    campaign.started_by = viewer.user
    campaign.start_at = timezone.now() + timedelta(seconds=wait)
    campaign.reason = ""
    campaign.version += 1
    campaign.save()
    audit(viewer, "started", "campaign", campaign.id)
    enqueue("campaign_freeze", campaign_id=campaign.id)
    return campaign


def _usable(viewer: Viewer, campaign: Campaign) -> None:
    """The lists may have been taken back since they were chosen. Raises NotAllowed (details: lists)."""
    lists = campaign.lists.filter(deleted_at=None)
    usable = ContactList.objects.filter(shared_with(viewer, ContactList, May.USE), deleted_at=None)
    names = list(lists.exclude(id__in=usable.values("id")).values_list("name", flat=True)[:5])
    if names:
        raise NotAllowed(
            gettext("You may not send to these lists any more: %(names)s. Ask their owner, or choose others.")
            % {"names": ", ".join(names)},
            details={"may": "use", "lists": names},
        )


def returns_read(account: Account) -> bool:
    """Whether what comes back for this account is read: by the ingress of a bounce host, or by its own collector."""
    return (
        bool(account.workspace.bounce_host) or Collector.objects.filter(account=account, is_on=True).exists()
    )


_FREEZE = """
INSERT INTO postroom_delivery (workspace_id, campaign_id, position, contact_id, address, canonical, name, fields,
    state, reason, attempts, queued_at, code, words, bounce_class, dsn_requested, tries, retry_shard,
    arrival, reading)
SELECT k.workspace_id, %(campaign)s, row_number() OVER (ORDER BY k.id), k.id, k.email, k.canonical,
       trim(k.name || ' ' || k.surname), {fields}, 'queued', '', 0, clock_timestamp(), 0, '', '', false, '[]', 0,
       'unknown', 'none'
  FROM postroom_contact k
 WHERE k.workspace_id = %(workspace)s AND k.id IN (
       SELECT m.contact_id FROM postroom_listmember m
         JOIN postroom_campaign_lists cl ON cl.contactlist_id = m.contact_list_id
         JOIN postroom_contactlist l ON l.id = m.contact_list_id AND l.deleted_at IS NULL
        WHERE cl.campaign_id = %(campaign)s)
   AND NOT EXISTS (SELECT 1 FROM postroom_campaignomission o
                    WHERE o.campaign_id = %(campaign)s AND o.contact_id = k.id)
"""
_COLUMN = {
    "name": "k.name",
    "surname": "k.surname",
    "salutation": "k.salutation",
    "company": "k.company",
    "email": "k.email",
    "full_name": "trim(k.name || ' ' || k.surname)",
}


@transaction.atomic
def campaign_freeze(*, campaign_id: int) -> None:
    """Fix recipients and values: one delivery row each, cut into shards. Does nothing unless `freezing`."""
    campaign = Campaign.objects.select_for_update(of=("self",)).filter(id=campaign_id).first()
    if campaign is None or campaign.state != CampaignState.FREEZING or campaign.account is None:
        return
    used = sorted(campaign_compiled(campaign, campaign.account).fields)
    values: dict[str, Any] = {"campaign": campaign.id, "workspace": campaign.workspace_id}
    pairs = []
    for number, key in enumerate(used):
        values[f"key{number}"] = key
        column = _COLUMN[key] if key in CONTACT_KEYS else f"coalesce(k.attributes ->> %(key{number})s, '')"
        pairs.append(f"%(key{number})s::text, {column}")
    fields = f"jsonb_build_object({', '.join(pairs)})" if pairs else "'{}'::jsonb"
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(fields=fields), values)
        total = cursor.rowcount
        cursor.execute(
            """INSERT INTO postroom_shard (workspace_id, account_id, campaign_id, first, size, mark, epoch, step,
                   worker, ready_at, is_done, accepted, failed, deferred, uncertain, skipped)
               SELECT %s, %s, %s, n, least(%s, %s - n + 1), 0, 0, 0, '', %s, false, 0, 0, 0, 0, 0
                 FROM generate_series(1, %s, %s) AS n""",
            [
                campaign.workspace_id,
                campaign.account_id,
                campaign.id,
                settings.POSTROOM_SHARD_SIZE,
                total,
                campaign.start_at,
                total,
                settings.POSTROOM_SHARD_SIZE,
            ],
        )
    CampaignFigures.objects.bulk_create(
        [CampaignFigures(campaign=campaign, lane=lane) for lane in range(LANES)]
    )
    overrides_fix(campaign)
    _skip_duplicates(campaign)
    campaign.total = total
    campaign.frozen_fields = used
    campaign.started_at = campaign.start_at
    account = Account.objects.select_related("workspace").get(id=campaign.account.id)
    platform_demand(account)  # it may have been suspended since the start
    if account.status == AccountStatus.FAILING:
        campaign.state, campaign.reason = CampaignState.PAUSED, "account_failing"
        campaign.save()
    else:
        slot_wait(campaign)


# Both addresses of a row count, as within one campaign.
_DUPLICATES = """
WITH heard AS (
  SELECT DISTINCT a.address
    FROM postroom_campaign c JOIN postroom_delivery o ON o.campaign_id = c.id,
         unnest(ARRAY[o.canonical, o.primary_canonical]) AS a(address)
   WHERE c.workspace_id = %(workspace)s AND c.id <> %(campaign)s AND coalesce(c.mailing_id, c.id) = %(mailing)s
     AND o.state <> 'skipped' AND a.address IS NOT NULL)
UPDATE postroom_delivery d
   SET state = 'skipped', trouble = 'skipped', reason = 'duplicate_in_run', state_at = clock_timestamp()
 WHERE d.campaign_id = %(campaign)s AND d.state = 'queued'
   AND (d.canonical IN (SELECT address FROM heard) OR d.primary_canonical IN (SELECT address FROM heard))
"""
# Nothing is left to send in these.
_CLOSE = """
UPDATE postroom_shard s SET is_done = true
 WHERE s.campaign_id = %(campaign)s AND NOT EXISTS (
       SELECT 1 FROM postroom_delivery d WHERE d.campaign_id = s.campaign_id AND d.state = 'queued'
          AND d.position >= s.first AND d.position < s.first + s.size)
"""


def _skip_duplicates(campaign: Campaign) -> None:
    """One copy a person over all campaigns of one mailing: who is in another of them already gets none here (PI-03)."""
    mailing = campaign.mailing_id or campaign.id
    with connection.cursor() as cursor:
        # One freezes after the other; also one that has no sibling yet, which may come and freeze meanwhile.
        cursor.execute("SELECT pg_advisory_xact_lock(7203007, %s)", [mailing])
        if not campaign.mailing_id and not campaign.siblings.exists():
            return
        values = {"campaign": campaign.id, "mailing": mailing, "workspace": campaign.workspace_id}
        cursor.execute(_DUPLICATES, values)
        skipped = cursor.rowcount
        if skipped:
            cursor.execute(_CLOSE, values)
    figures_add(campaign.id, {"skipped": skipped})


_TAKEN_BACK = (
    CampaignState.FREEZING,
    CampaignState.RUNNING,
    CampaignState.WAITING_FOR_SLOT,
    CampaignState.PAUSED,
)


@transaction.atomic
def campaign_unstart(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """Take a start back while nothing has left: a draft again. Raises Conflict once a shard was claimed."""
    campaign = campaign_to_change(viewer, campaign_id)
    if campaign.state not in _TAKEN_BACK:
        raise Conflict("There is nothing to take back.", code="NOT_RUNNING")
    shards = Shard.objects.select_for_update().filter(campaign=campaign)
    if any(shard.mark or shard.epoch for shard in shards):
        raise Conflict("The first messages have left already. You can pause it.", code="RUN_ACTIVE")
    Delivery.objects.filter(campaign=campaign).delete()
    shards.delete()
    CampaignFigures.objects.filter(campaign=campaign).delete()
    campaign.state, campaign.reason, campaign.until, campaign.throttled = CampaignState.DRAFT, "", None, ""
    campaign.total = campaign.from_fallback = campaign.to_fallback = 0
    campaign.started_at = campaign.start_at = campaign.waits_since = None
    campaign.frozen_fields = []
    campaign.save()
    audit(viewer, "took back", "campaign", campaign.id)
    return campaign
