"""Reading exclusion sets, and what they left out of a draft."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone

from postroom.errors import NotFound
from postroom.models.campaign import Campaign
from postroom.models.exclusion import CampaignExclusion, Exclusion, ExclusionEntry, ExclusionSource
from postroom.models.profile import May
from postroom.queries.sharing import demand_may, shared_with
from postroom.queries.viewer import Viewer

PAGE = 50
#: A copy of a page or file that is older is read again before it is used.
FRESH = timedelta(minutes=10)
#: A failure so recent is not tried again by itself.
RECENT = timedelta(minutes=1)
#: A reading that takes longer has failed, whatever became of it.
PATIENCE = timedelta(minutes=2)


def exclusions_visible_to(
    viewer: Viewer, *, words: str = "", may: May | None = None
) -> "QuerySet[Exclusion]":
    found = Exclusion.objects.filter(shared_with(viewer, Exclusion, may), deleted_at=None)
    for word in words.split()[:8]:
        found = found.filter(name__icontains=word.replace("\0", ""))
    return found.select_related("created_by").order_by("name", "id")


def exclusion_visible_to(
    viewer: Viewer, exclusion_id: int, may: May | None = None, *, lock: bool = False
) -> Exclusion:
    """One set. Raises NotFound, and NotAllowed where it is seen but `may` is missing."""
    rows = exclusions_visible_to(viewer)
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(id=exclusion_id).first()
    if found is None:
        raise NotFound("There is no such exclusion set.")
    if may is not None:
        demand_may(viewer, found, may)
    return found


def exclusion_entries(exclusion: Exclusion, *, words: str = "", after: int = 0) -> list[ExclusionEntry]:
    """At most PAGE + 1 entries in the order they came. after: the last id of the page before."""
    found = ExclusionEntry.objects.filter(exclusion=exclusion, id__gt=after)
    word = words.strip().lower().removeprefix("@").replace("\0", "")
    if word:
        found = found.filter(value__contains=word)
    return list(found.order_by("id")[: PAGE + 1])


def reading_state(exclusion: Exclusion, now: datetime | None = None) -> str:
    """ "fresh" (may be applied), "reading", "failed" (see `error`) or "old"."""
    now = now or timezone.now()
    if exclusion.source == ExclusionSource.TEXT:
        return "fresh"
    asked = exclusion.asked_at
    if exclusion.error:  # asked_at says when it was tried; after a while it is tried again
        return "failed" if asked is not None and now - asked < RECENT else "old"
    if asked is not None:
        return "reading" if now - asked < PATIENCE else "failed"
    return "fresh" if exclusion.read_at and now - exclusion.read_at < FRESH else "old"


@dataclass(frozen=True)
class Applied:
    """What was left out of a draft. steps: oldest first; is_old: people came onto its lists afterwards."""

    steps: list[CampaignExclusion]
    people: int = 0
    is_old: bool = False


def applied_to(campaign: Campaign) -> Applied:
    steps = list(campaign.exclusion_steps.select_related("by").order_by("id"))
    if not steps:
        return Applied([])
    last = steps[-1]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT (SELECT count(*) FROM postroom_campaignomission WHERE campaign_id = %(campaign)s),
                      EXISTS (SELECT 1 FROM postroom_campaign_lists cl
                                JOIN postroom_contactlist l ON l.id = cl.contactlist_id AND l.deleted_at IS NULL
                               WHERE cl.campaign_id = %(campaign)s AND (NOT cl.contactlist_id = ANY(%(lists)s)
                                  OR EXISTS (SELECT 1 FROM postroom_listmember m
                                              WHERE m.contact_list_id = l.id AND m.id > %(last)s)))""",
            {"campaign": campaign.id, "lists": last.list_ids, "last": last.last_member},
        )
        people, is_old = cursor.fetchone()
    return Applied(steps, people, is_old)
