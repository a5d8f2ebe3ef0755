"""A campaign from draft to finished: the writes behind its screen (DESIGN section 4)."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from postroom.actions.audit import audit
from postroom.actions.job import enqueue
from postroom.actions.notify import SHARD, notify
from postroom.actions.shard import LANES, told_settle
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.fields import CONTACT_KEYS
from postroom.models.account import Account, AccountStatus, Collector
from postroom.models.campaign import Attachment, Campaign, CampaignState
from postroom.models.contact import ContactList
from postroom.models.delivery import CampaignFigures, Delivery, DeliveryState, Shard
from postroom.models.profile import May
from postroom.models.template import Template
from postroom.queries.campaign import campaign_visible_to
from postroom.queries.content import campaign_compiled
from postroom.queries.preview import campaign_trial
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer

#: What may be edited while a campaign is a draft.
EDITABLE = (
    "name",
    "subject",
    "html",
    "text",
    "receipt_delivery",
    "receipt_read",
    "unsubscribe_header",
    "on_missing",
    "on_doubt",
)


@transaction.atomic
def campaign_create(*, viewer: Viewer, name: str, template_id: int | None = None, **values: Any) -> Campaign:
    """A new draft; with a template its subject and bodies are copied in."""
    campaign = Campaign(workspace=viewer.workspace, created_by=viewer.user, name=_name(name))
    if template_id is not None:
        usable = Template.objects.filter(shared_with(viewer, Template, May.USE), deleted_at=None)
        template = usable.filter(id=template_id).first()
        if template is None:
            raise NotFound("There is no such template.")
        campaign.template = template
        campaign.subject, campaign.html, campaign.text = template.subject, template.html, template.text
    account = Account.objects.filter(shared_with(viewer, Account, May.USE), deleted_at=None)
    account = account.order_by("-status", "id")
    campaign.account = (
        account.filter(owner=viewer.user).first() or account.filter(status=AccountStatus.OK).first()
    )
    campaign.save()
    if values:
        return campaign_edit(viewer=viewer, campaign_id=campaign.id, version=campaign.version, **values)
    return campaign


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= 120:
        raise InputError("Give the campaign a name of 1 to 120 characters.", field="name")
    return name


def _draft(viewer: Viewer, campaign_id: int) -> Campaign:
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
    if campaign.state != CampaignState.DRAFT:
        raise Conflict("This campaign is not a draft any more; its content is fixed.", code="RUN_ACTIVE")
    return campaign


@transaction.atomic
def campaign_edit(
    *,
    viewer: Viewer,
    campaign_id: int,
    version: int,
    account_id: int | None = None,
    list_ids: list[int] | None = None,
    **values: Any,
) -> Campaign:
    """Change a draft. A stale version raises Conflict STALE_VERSION whose details hold both texts."""
    campaign = _draft(viewer, campaign_id)
    if campaign.version != version:
        raise Conflict(
            "Somebody else saved this campaign meanwhile.",
            code="STALE_VERSION",
            details={
                "theirs": {key: getattr(campaign, key) for key in EDITABLE},
                "yours": values,
                "version": campaign.version,
            },
        )
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise InputError(
            gettext("Not a field of a campaign: %(fields)s.") % {"fields": ", ".join(sorted(unknown))}
        )
    if "name" in values:
        values["name"] = _name(values["name"])
    if "subject" in values:
        values["subject"] = " ".join(str(values["subject"]).splitlines())
    for key, value in values.items():
        setattr(campaign, key, value)
    if account_id is not None:
        usable = Account.objects.filter(shared_with(viewer, Account, May.USE), deleted_at=None)
        account = usable.filter(id=account_id).first()
        if account is None:
            raise NotFound("There is no such account.")
        campaign.account = account
    if list_ids is not None:
        lists = ContactList.objects.filter(
            shared_with(viewer, ContactList, May.USE), id__in=list_ids, deleted_at=None
        )
        if lists.count() != len(set(list_ids)):
            raise NotFound("There is no such list.")
        campaign.lists.set(lists)
    campaign.version += 1
    campaign.save()
    return campaign


@transaction.atomic
def attachment_add(
    *, viewer: Viewer, campaign_id: int, name: str, content_type: str, sha256: str
) -> Attachment:
    campaign = _draft(viewer, campaign_id)
    clean = name.replace("\\", "/").rpartition("/")[2].strip().replace("\r", "").replace("\n", "") or "file"
    return Attachment.objects.create(
        campaign=campaign,
        blob_id=sha256,
        name=clean[:255],
        content_type=content_type[:120] or "application/octet-stream",
    )


@transaction.atomic
def attachment_remove(*, viewer: Viewer, campaign_id: int, attachment_id: int) -> None:
    campaign = _draft(viewer, campaign_id)
    campaign.attachments.filter(id=attachment_id).delete()


@transaction.atomic
def campaign_delete(*, viewer: Viewer, campaign_id: int) -> None:
    """Only drafts go; what was sent stays in the archive."""
    campaign = _draft(viewer, campaign_id)
    campaign.deleted_at = timezone.now()
    campaign.save()
    audit(viewer, "deleted", "campaign", campaign.id)


@transaction.atomic
def campaign_undelete(*, viewer: Viewer, campaign_id: int) -> None:
    if not Campaign.objects.filter(id=campaign_id, workspace=viewer.workspace).update(deleted_at=None):
        raise NotFound("There is no such campaign.")


@transaction.atomic
def campaign_start(
    *, viewer: Viewer, campaign_id: int, force_receipts: bool = False, undo_s: float | None = None
) -> Campaign:
    """Check that it may go, then hand it to the freezing job. The first message leaves after the undo window.

    Raises Conflict: NO_ACCOUNT, ACCOUNT_UNTESTED, NO_RECIPIENTS, COLLECTOR_REQUIRED (unless force_receipts), IN_USE;
    BadTemplate when subject or body cannot be compiled, InputError when both bodies are empty.
    """
    campaign = _draft(viewer, campaign_id)
    account = campaign.account
    if account is None or account.deleted_at is not None:
        raise Conflict("Choose the account it is sent from.", code="NO_ACCOUNT", field="account")
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
    campaign_compiled(campaign, account)
    campaign_trial(campaign)
    if not campaign.lists.filter(deleted_at=None, size__gt=0).exists():
        raise Conflict("There is nobody to send to. Choose a list with people in it.", code="NO_RECIPIENTS")
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
    campaign.total = total
    campaign.frozen_fields = used
    campaign.state = CampaignState.RUNNING
    campaign.started_at = campaign.start_at
    campaign.save()
    notify(SHARD)


@transaction.atomic
def campaign_unstart(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """Take a start back while nothing has left: a draft again. Raises Conflict once a shard was claimed."""
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
    if campaign.state not in (CampaignState.FREEZING, CampaignState.RUNNING, CampaignState.PAUSED):
        raise Conflict("There is nothing to take back.", code="NOT_RUNNING")
    shards = Shard.objects.select_for_update().filter(campaign=campaign)
    if any(shard.mark or shard.epoch for shard in shards):
        raise Conflict("The first messages have left already. You can pause it.", code="RUN_ACTIVE")
    Delivery.objects.filter(campaign=campaign).delete()
    shards.delete()
    CampaignFigures.objects.filter(campaign=campaign).delete()
    campaign.state, campaign.total, campaign.started_at, campaign.start_at = (
        CampaignState.DRAFT,
        0,
        None,
        None,
    )
    campaign.save()
    audit(viewer, "took back", "campaign", campaign.id)
    return campaign


@transaction.atomic
def campaign_pause(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """No further message begins; what is on the wire ends. Shards and retries wait."""
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
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
def campaign_resume(*, viewer: Viewer, campaign_id: int) -> Campaign:
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
    if campaign.state not in (CampaignState.PAUSED, CampaignState.NEEDS_ACCOUNT):
        raise Conflict("Only a paused campaign can go on.", code="NOT_PAUSED")
    account = campaign.account
    if account is None or account.deleted_at is not None:
        raise Conflict("Choose the account it is sent from.", code="NO_ACCOUNT")
    if account.status == AccountStatus.FAILING:
        raise Conflict(
            gettext("This account does not work: %(words)s Check its settings.")
            % {"words": account.status_reason},
            code="ACCOUNT_FAILING",
        )
    campaign.state, campaign.reason, campaign.until = CampaignState.RUNNING, "", None
    campaign.save()
    audit(viewer, "resumed", "campaign", campaign.id)
    notify(SHARD)
    return campaign


@transaction.atomic
def campaign_cancel(*, viewer: Viewer, campaign_id: int) -> Campaign:
    """Nothing more is sent. Rows that did not leave become `skipped(cancelled)`."""
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
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
    campaign = campaign_visible_to(viewer, campaign_id, lock=True)
    if send_again and campaign.state == CampaignState.CANCELLED:
        raise Conflict("This campaign was cancelled; nothing more of it is sent.", code="NOT_RUNNING")
    rows = Delivery.objects.select_for_update().filter(campaign=campaign, trouble=DeliveryState.UNCERTAIN)
    if delivery_ids is not None:
        rows = rows.filter(id__in=delivery_ids)
    ids = list(rows.values_list("id", flat=True))
    if not ids:
        return 0
    decided = "send again" if send_again else "counted as accepted"
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE postroom_delivery
                  SET tries = tries || jsonb_build_object('at', state_at, 'kind', 'uncertain', 'code', code,
                                                          'words', words, 'by', %s::text, 'decided', %s::text),
                      state = CASE WHEN %s THEN 'deferred' ELSE 'accepted' END,
                      trouble = CASE WHEN %s THEN 'deferred' END,
                      state_at = clock_timestamp(), words = '', code = 0, reason = 'decided',
                      retry_at = CASE WHEN %s THEN clock_timestamp() END, retry_shard = 0
                WHERE id = ANY(%s)""",
            [str(viewer.user), decided, send_again, send_again, send_again, ids],
        )
        target = "deferred" if send_again else "accepted"
        cursor.execute(
            f"UPDATE postroom_campaignfigures SET uncertain = uncertain - %s, {target} = {target} + %s"
            " WHERE campaign_id = %s AND lane = 0",
            [len(ids), len(ids), campaign.id],
        )
    if send_again and campaign.state == CampaignState.FINISHED:
        campaign.state, campaign.finished_at = CampaignState.RUNNING, None
        campaign.save()
    audit(viewer, f"decided: {decided}", "campaign", campaign.id, count=len(ids))
    notify(SHARD)
    return len(ids)
