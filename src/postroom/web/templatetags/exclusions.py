"""{% applied_exclusions campaign %}: which exclusion sets were applied to a draft, or that none was."""

from typing import Any

from django import template

from postroom.models.campaign import Campaign
from postroom.models.exclusion import ExclusionEntry
from postroom.queries.exclusion import applied_to

register = template.Library()


@register.inclusion_tag("exclusions/applied.html")
def applied_exclusions(campaign: Campaign) -> dict[str, Any]:
    return {"campaign": campaign, "applied": applied_to(campaign)}


@register.filter
def entry_text(entry: ExclusionEntry) -> str:
    return f"@{entry.value}" if entry.is_domain else entry.value
