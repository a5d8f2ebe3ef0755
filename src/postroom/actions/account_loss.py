"""Campaigns that lose their account: its sharing ends, its owner is switched off (SA-24)."""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from postroom.actions.sysmail import notice_tell
from postroom.models.account import Account
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.profile import May
from postroom.models.user import User
from postroom.queries.account import members_active
from postroom.queries.sharing import shared_with
from postroom.queries.user import instance_url
from postroom.queries.viewer import viewer_of

#: States in which a campaign would go on by itself, or by one press.
WANTED = (
    CampaignState.SCHEDULED,
    CampaignState.FREEZING,
    CampaignState.RUNNING,
    CampaignState.WAITING_FOR_SLOT,
    CampaignState.PAUSED,
)
#: Values of Campaign.reason.
UNSHARED, OWNER_OFF = "account_unshared", "account_owner_off"


@transaction.atomic
def accounts_recheck(*, workspace_id: int, account_ids: Sequence[int] | None = None) -> list[int]:
    """Halt campaigns whose sender may no longer use their account, and tell the sender; ids of the halted ones.

    Call it after anything that takes rights on accounts away: sharing, profiles, membership, a login switched off.
    account_ids: only through these; None = of the whole workspace.
    """
    campaigns = Campaign.objects.select_for_update(of=("self",)).filter(
        Q(account__isnull=False), workspace_id=workspace_id, state__in=WANTED, deleted_at=None
    )
    if account_ids is not None:
        campaigns = campaigns.filter(account_id__in=account_ids)
    found = list(campaigns.select_related("account", "started_by", "created_by"))
    there = members_active(workspace_id, [one.account.owner_id for one in found if one.account])
    usable: dict[int, set[int]] = {}
    halted = []
    for campaign in found:
        account, sender = campaign.account, campaign.started_by or campaign.created_by
        if account is None or sender is None:
            continue
        if account.owner_id not in there:
            reason = OWNER_OFF
        elif account.integration or not sender.is_active:
            continue  # programs may go on using it; of who has left, the firm decides
        elif account.id not in _usable(usable, sender, workspace_id, found):
            reason = UNSHARED
        else:
            continue
        campaign.state, campaign.reason = CampaignState.NEEDS_ACCOUNT, reason
        campaign.until, campaign.throttled = None, ""
        campaign.save(update_fields=["state", "reason", "until", "throttled"])
        _tell(campaign, account, sender)
        halted.append(campaign.id)
    return halted


def _usable(
    known: dict[int, set[int]], sender: User, workspace_id: int, found: Iterable[Campaign]
) -> set[int]:
    """Ids of the accounts of `found` that this person may send from."""
    if sender.id not in known:
        viewer = viewer_of(sender, workspace_id)
        ids = [campaign.account_id for campaign in found if campaign.account_id]
        accounts = Account.objects.filter(id__in=ids)
        known[sender.id] = (
            set(accounts.filter(shared_with(viewer, Account, May.USE)).values_list("id", flat=True))
            if viewer
            else set()
        )
    return known[sender.id]


def _tell(campaign: Campaign, account: Account, sender: User) -> None:
    def words() -> tuple[str, str]:
        values = {"campaign": campaign.name, "account": account.name}
        said = _(
            "The campaign %(campaign)s has stopped: you can no longer send from the account %(account)s."
        )
        advice = _("Choose another account on its page, and it goes on where it stopped:")
        text = f"{said % values}\n\n{advice}\n{instance_url()}/campaigns/{campaign.id}/"
        return _("Postroom: %(campaign)s needs a mail account") % values, text

    notice_tell(sender, words)
