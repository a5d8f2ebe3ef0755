"""The first copy of a campaign that was printed is kept for the archive: the very bytes (AR-01)."""

from postroom.actions.blob import blob_put
from postroom.models.campaign import Campaign


def campaign_sample_keep(*, campaign_id: int, raw: bytes) -> None:
    """Once a campaign; what was kept before stays."""
    if Campaign.objects.filter(id=campaign_id, sample=None).exists():
        blob = blob_put(raw)
        Campaign.objects.filter(id=campaign_id, sample=None).update(sample=blob)
