"""The account a campaign goes out through: whether it may, and another one when it has lost its own (SA-24)."""

from django.db import connection
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from postroom.errors import Conflict, NotFound
from postroom.mail.override import FROM_ADDRESS, FROM_NAME
from postroom.models.account import Account, AccountStatus
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.delivery import Shard
from postroom.queries.account import accounts_usable_by
from postroom.queries.viewer import Viewer


def account_demand(viewer: Viewer, account: Account) -> None:
    """Raises Conflict NO_ACCOUNT when the viewer may not send from it (any more)."""
    if not accounts_usable_by(viewer).filter(id=account.id).exists():
        raise Conflict(
            _("You may not send from the account of this campaign. Choose another one."),
            code="NO_ACCOUNT",
            field="account",
        )


def _senders_drop(campaign: Campaign, account: Account) -> None:
    """Senders fixed for single recipients were the rule of the old account (SA-08); another one has its own."""
    rules = ("override_from", "override_from_address", "override_from_name")
    if all(getattr(campaign.account, rule) == getattr(account, rule) for rule in rules):
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE postroom_delivery SET fields = fields - %(keys)s::text[]
                WHERE campaign_id = %(campaign)s AND state IN ('queued', 'deferred', 'uncertain')
                  AND fields ?| %(keys)s""",
            {"campaign": campaign.id, "keys": [FROM_ADDRESS, FROM_NAME]},
        )


def account_change(viewer: Viewer, campaign: Campaign, account_id: int | None) -> None:
    """Give a campaign (locked; the caller saves it) an account of which the viewer may send; what is not sent goes
    out through it. None: the one it has, if the viewer may use that again.

    Raises NotFound, Conflict NOT_HALTED, NEEDS_ACCOUNT, ACCOUNT_UNTESTED, STILL_SENDING.
    """
    if campaign.state != CampaignState.NEEDS_ACCOUNT:
        raise Conflict(_("Only a campaign that has lost its account gets another one."), code="NOT_HALTED")
    wanted = account_id or campaign.account_id or 0
    account = accounts_usable_by(viewer).filter(id=wanted).first()
    if account is None and account_id is None:
        raise Conflict(
            _("You may no longer send from its account: choose another one."),
            code="NEEDS_ACCOUNT",
            field="account",
        )
    if account is None:
        raise NotFound("There is no such account.")
    if account.status == AccountStatus.UNTESTED:
        raise Conflict(
            "This account was never checked. Open it and press Check settings.", code="ACCOUNT_UNTESTED"
        )
    if account.id == campaign.account_id:
        return
    left = Shard.objects.select_for_update().filter(campaign=campaign, is_done=False)
    if left.filter(lease_until__gt=Now()).exclude(worker="").exists():
        raise Conflict(
            _("The last messages through the old account are just ending. Try again in a moment."),
            code="STILL_SENDING",
        )
    _senders_drop(campaign, account)
    campaign.account = account
    Shard.objects.filter(campaign=campaign, is_done=False).update(account=account)
