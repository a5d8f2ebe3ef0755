"""What sending learns about an account: it works, it must rest, it is refused (DESIGN 4.7)."""

from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.log import Note, log_note
from postroom.actions.notify import SHARD, notify
from postroom.models.account import Account, AccountStatus
from postroom.models.campaign import Campaign, CampaignState


@transaction.atomic
def account_rest(*, account_id: int, stage: str, words: str) -> timedelta:
    """Hold the account back for a while, longer with each trouble in a row; its running campaigns show why."""
    account = Account.objects.select_for_update().get(id=account_id)
    now = timezone.now()
    if account.paused_until and account.paused_until > now:
        return account.paused_until - now
    schedule = settings.POSTROOM_TROUBLE_SCHEDULE
    rest = timedelta(seconds=schedule[min(account.troubles, len(schedule) - 1)])
    account.troubles = min(account.troubles + 1, 1000)
    account.paused_until = now + rest
    account.status_reason = words[:500]
    account.save(update_fields=["troubles", "paused_until", "status_reason"])
    Campaign.objects.filter(account=account, state=CampaignState.RUNNING).update(
        throttled=words[:500] or stage, until=account.paused_until
    )
    _log(account, stage, "warning", words)
    return rest


@transaction.atomic
def account_refused(*, account_id: int, words: str) -> None:
    """The login was refused: the account is failing, its campaigns pause, its owner is told."""
    from postroom.actions.sysmail import notice_tell

    account = Account.objects.select_for_update(of=("self",)).select_related("owner").get(id=account_id)
    if account.status == AccountStatus.FAILING:
        return
    account.status, account.status_since = AccountStatus.FAILING, timezone.now()
    account.status_reason = words[:500]
    account.save(update_fields=["status", "status_since", "status_reason"])
    _pause_campaigns(account, "account_failing")
    _log(account, "login", "error", words)

    def notice() -> tuple[str, str]:
        values = {"account": account.name, "address": account.address}
        said = _("The server of %(address)s refused to let Postroom in:") % values
        advice = _("Its campaigns are paused. Open Settings, Mail accounts, and check the settings.")
        return _("Postroom: the account %(account)s was refused") % values, f"{said}\n\n{words}\n\n{advice}"

    notice_tell(account.owner, notice, but=account)


@transaction.atomic
def sender_refused(*, account_id: int, words: str) -> None:
    """The server refuses our sender address for good: no use in asking for every recipient. Campaigns pause."""
    account = Account.objects.select_for_update().get(id=account_id)
    _pause_campaigns(account, "sender_refused")
    account.status_reason = words[:500]
    account.save(update_fields=["status_reason"])
    _log(account, "mail", "error", words)


def _log(account: Account, stage: str, level: str, words: str) -> None:
    log_note(Note(account.workspace_id, account.id, "out", stage, words, level))


def _pause_campaigns(account: Account, reason: str) -> None:
    going = (CampaignState.RUNNING, CampaignState.WAITING_FOR_SLOT)
    Campaign.objects.filter(account=account, state__in=going).update(
        state=CampaignState.PAUSED, reason=reason, until=None, throttled=""
    )


def account_works(*, account_id: int, capabilities: dict[str, object]) -> None:
    """A message was accepted: troubles are over. Writes only when something changes."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE postroom_account SET troubles = 0, paused_until = NULL,"
            " status = CASE WHEN status = 'untested' THEN status ELSE 'ok' END, status_reason = ''"
            " WHERE id = %s AND (troubles > 0 OR paused_until IS NOT NULL)",
            [account_id],
        )
        if cursor.rowcount:
            cursor.execute(
                "UPDATE postroom_campaign SET throttled = '', until = NULL"
                " WHERE account_id = %s AND state = 'running' AND throttled <> ''",
                [account_id],
            )
    if capabilities:
        Account.objects.filter(id=account_id).exclude(capabilities=capabilities).update(
            capabilities=capabilities
        )


def account_resume(*, account_id: int) -> None:
    """Someone wants it tried again now."""
    Account.objects.filter(id=account_id).update(paused_until=None, troubles=0)
    notify(SHARD)
