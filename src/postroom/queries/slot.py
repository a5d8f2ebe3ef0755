"""How many campaigns may be sent at the same time now, and who waits."""

from pathlib import Path

from django.conf import settings

from postroom.mail.slot import Slots
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.workspace import Instance
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer


def memory_free_mb() -> int:
    """What the system could still give without swapping (MemAvailable), in MB; 1,000,000 where it does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 1_000_000
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) // 1024 if found else 1_000_000


def slots_now() -> Slots:
    instance = Instance.objects.filter(id=1).first()
    allowed = settings.POSTROOM_MEMORY_MB
    return Slots(
        configured=instance.parallel_runs if instance else 0,
        free=allowed or memory_free_mb(),
        reserve=settings.POSTROOM_MEMORY_RESERVE_MB,
        each=settings.POSTROOM_RUN_MEMORY_MB,
        running=Campaign.objects.filter(state=CampaignState.RUNNING).count(),
        is_allowance=bool(allowed),
    )


def place_in_line(campaign: Campaign) -> int:
    """1 = the next to begin; 0 when it does not wait. Counts campaigns of all workspaces: they share the machine."""
    if campaign.state != CampaignState.WAITING_FOR_SLOT or campaign.waits_since is None:
        return 0
    waiting = Campaign.objects.filter(state=CampaignState.WAITING_FOR_SLOT)
    before = waiting.filter(waits_since__lt=campaign.waits_since).count()
    return 1 + before + waiting.filter(waits_since=campaign.waits_since, id__lt=campaign.id).count()


def runs_waiting(viewer: Viewer) -> list[tuple[Campaign, int]]:
    """The viewer's firm's campaigns that wait for a slot, each with its place in the line."""
    waiting = Campaign.objects.filter(
        shared_with(viewer, Campaign), state=CampaignState.WAITING_FOR_SLOT, deleted_at=None
    )
    return [(campaign, place_in_line(campaign)) for campaign in waiting.order_by("waits_since", "id")[:100]]
