"""Leaving people out of a draft by exclusion sets: looked at first, applied on demand, taken back (SX-08).

Set-based: however many people, each step is one statement over the lists. Neither lists nor contacts change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from postroom.actions.audit import audit
from postroom.actions.campaign import draft
from postroom.errors import Conflict, InputError
from postroom.mail.mask import mask_address, mask_name
from postroom.models.campaign import Campaign
from postroom.models.exclusion import CampaignExclusion, CampaignOmission, Exclusion
from postroom.models.profile import May
from postroom.queries.exclusion import exclusion_visible_to, reading_state
from postroom.queries.masking import is_masked
from postroom.queries.viewer import Viewer

#: Sets in one step.
SETS_MAX = 50
SAMPLE = 8

_HIT = """
  FROM postroom_contact k
 WHERE k.workspace_id = %(workspace)s
   AND k.id IN (SELECT m.contact_id FROM postroom_listmember m
                  JOIN postroom_campaign_lists cl ON cl.contactlist_id = m.contact_list_id
                  JOIN postroom_contactlist l ON l.id = m.contact_list_id AND l.deleted_at IS NULL
                 WHERE cl.campaign_id = %(campaign)s)
   AND NOT EXISTS (SELECT 1 FROM postroom_campaignomission o
                    WHERE o.campaign_id = %(campaign)s AND o.contact_id = k.id)
   AND (k.canonical IN (SELECT e.value FROM postroom_exclusionentry e
                         WHERE e.exclusion_id = ANY(%(sets)s) AND NOT e.is_domain)
     OR split_part(k.canonical, '@', 2) IN (SELECT e.value FROM postroom_exclusionentry e
                                             WHERE e.exclusion_id = ANY(%(sets)s) AND e.is_domain))
"""


@dataclass(frozen=True)
class Look:
    """What applying the sets would do. by_set: (set, people it means); sample: (name, address); people: of all sets."""

    people: int
    by_set: list[tuple[Exclusion, int]]
    sample: list[tuple[str, str]]


def exclusions_usable(viewer: Viewer, set_ids: Sequence[int]) -> list[Exclusion]:
    """The sets in this order. Raises NotFound, NotAllowed, InputError for none or too many."""
    ids = list(dict.fromkeys(set_ids))
    if not 1 <= len(ids) <= SETS_MAX:
        raise InputError("Choose one exclusion set or more.", field="sets")
    return [exclusion_visible_to(viewer, one, May.USE) for one in ids]


def exclusion_look(*, viewer: Viewer, campaign: Campaign, sets: Sequence[Exclusion]) -> Look:
    """Count and sample, with the copies of the sets that are here now.

    Who may send to a list without seeing it sees no one here either.
    """
    by_set = []
    with connection.cursor() as cursor:
        for one in sets:
            cursor.execute(f"SELECT count(*) {_HIT}", _values(campaign, [one]))
            by_set.append((one, int(cursor.fetchone()[0])))
        values = _values(campaign, sets)
        people = by_set[0][1]
        if len(sets) > 1:
            cursor.execute(f"SELECT count(*) {_HIT}", values)
            people = int(cursor.fetchone()[0])
        cursor.execute(
            f"SELECT trim(k.name || ' ' || k.surname), k.email {_HIT} ORDER BY k.id LIMIT {SAMPLE}", values
        )
        sample = list(cursor.fetchall())
    if is_masked(viewer, campaign):
        sample = [(mask_name(name), mask_address(email)) for name, email in sample]
    return Look(people, by_set, sample)


def _values(campaign: Campaign, sets: Sequence[Exclusion]) -> dict[str, Any]:
    return {
        "workspace": campaign.workspace_id,
        "campaign": campaign.id,
        "sets": [one.id for one in sets],
    }


@transaction.atomic
def exclusion_apply(*, viewer: Viewer, campaign_id: int, set_ids: Sequence[int]) -> CampaignExclusion:
    """Leave out whom the sets mean. A set that is read from elsewhere must have been read within the last minutes.

    Raises Conflict RUN_ACTIVE, EXCLUSION_UNREAD; NotFound, NotAllowed.
    """
    campaign = draft(viewer, campaign_id)
    sets = exclusions_usable(viewer, set_ids)
    unread = [one for one in sets if reading_state(one) != "fresh"]
    if unread:
        raise Conflict(
            "A set that lies elsewhere could not be read just now. Look at it again first.",
            code="EXCLUSION_UNREAD",
            details={
                "sets": [
                    {
                        "id": one.id,
                        "name": one.name,
                        "error": one.error,
                        "read_at": one.read_at.isoformat() if one.read_at else None,
                    }
                    for one in unread
                ]
            },
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM postroom_listmember")
        last = int(cursor.fetchone()[0])
        step = CampaignExclusion.objects.create(
            campaign=campaign,
            sets=[{"id": one.id, "name": one.name} for one in sets],
            list_ids=list(campaign.lists.values_list("id", flat=True)),
            last_member=last,
            by=viewer.user,
        )
        cursor.execute(
            "INSERT INTO postroom_campaignomission (step_id, campaign_id, contact_id)"
            f" SELECT %(step)s, %(campaign)s, k.id {_HIT}",
            {**_values(campaign, sets), "step": step.id},
        )
        step.people = cursor.rowcount
    step.save(update_fields=["people"])
    audit(viewer, "applied exclusion", "campaign", campaign.id, sets=step.sets, people=step.people)
    return step


@transaction.atomic
def exclusion_undo(*, viewer: Viewer, campaign_id: int) -> CampaignExclusion:
    """Take the newest step back: its people are in the draft again. Raises Conflict RUN_ACTIVE, NOTHING_APPLIED."""
    campaign = draft(viewer, campaign_id)
    step = campaign.exclusion_steps.order_by("-id").first()
    if step is None:
        raise Conflict("No exclusion set is applied here.", code="NOTHING_APPLIED")
    CampaignOmission.objects.filter(step=step).delete()
    audit(viewer, "took back exclusion", "campaign", campaign.id, sets=step.sets, people=step.people)
    gone = CampaignExclusion(id=step.id, sets=step.sets, people=step.people)
    step.delete()
    return gone
