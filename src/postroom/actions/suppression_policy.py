"""Shared or personal suppressions: which of them a firm uses, and making personal ones everybody's (SX-05)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef

from postroom.actions.audit import audit
from postroom.actions.notify import SUPPRESSION, notify
from postroom.actions.suppression import scope_owner
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotAllowed, NotFound
from postroom.models.profile import Right
from postroom.models.suppression import Suppression
from postroom.models.workspace import Workspace
from postroom.queries.viewer import Viewer, demand

POLICIES = ("shared", "personal", "both")

# One row for each different entry, with whether the shared list has it already.
_PROMOTED = """
SELECT DISTINCT ON (s.form, s.value) s.id, s.owner_id, EXISTS (
       SELECT 1 FROM postroom_suppression t WHERE t.workspace_id = s.workspace_id AND t.value = s.value
          AND t.form = s.form AND t.owner_id IS NULL AND t.contact_list_id IS NULL)
  FROM postroom_suppression s
 WHERE s.workspace_id = %(workspace)s AND s.contact_list_id IS NULL
   AND CASE WHEN %(user)s = 0 THEN s.owner_id IS NOT NULL ELSE s.owner_id = %(user)s END
   AND (%(ids)s::bigint[] IS NULL OR s.id = ANY(%(ids)s))
 ORDER BY s.form, s.value, s.id
"""


def suppression_policy_save(*, viewer: Viewer, policy: str) -> None:
    """Hides entries or shows them again; none is deleted, and all that is visible is in force (docs/adr/0009)."""
    demand(viewer, Right.WORKSPACE_MANAGE)
    if policy not in POLICIES:
        raise InputError("Choose shared, personal or both.", field="policy")
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(id=viewer.workspace.id)
        before, workspace.suppression_policy = workspace.suppression_policy, policy
        workspace.save(update_fields=["suppression_policy"])
        audit(viewer, "changed", "suppression policy", workspace.id, before=before, after=policy)
        notify(SUPPRESSION, workspace.id)
    viewer.workspace.suppression_policy = policy


@dataclass(frozen=True)
class Promotion:
    """new: entries that become everybody's; already: those the shared list has, or that are there twice."""

    new: int
    already: int


def promotion_of(viewer: Viewer, ids: Collection[int] | None = None, *, of_all: bool = False) -> Promotion:
    """What a promotion would do. ids: None = all. of_all: everybody's personal entries, not only one's own."""
    chosen, total = _promoted(viewer, ids, of_all)
    return Promotion(len(chosen), total - len(chosen))


def suppression_promote(
    *, viewer: Viewer, ids: Collection[int] | None = None, of_all: bool = False
) -> tuple[Promotion, int]:
    """Make personal entries everybody's, with their maker, date and reason. Returns (what was done, undo step).

    What the shared list has already stays where it is. Raises what scope_owner raises, NotFound when there are none.
    """
    with transaction.atomic():
        chosen, total = _promoted(viewer, ids, of_all)
        if not total:
            raise NotFound("There is no own entry here any more.")
        owners: dict[int, list[int]] = {}
        for entry_id, owner_id in chosen:
            owners.setdefault(owner_id, []).append(entry_id)
        rows: list[dict[str, Any]] = [{"owner": owner, "ids": found} for owner, found in owners.items()]
        step = undo_keep(viewer, "promotion", rows)
        try:
            with transaction.atomic():
                Suppression.objects.filter(id__in=[entry_id for entry_id, _ in chosen]).update(owner=None)
        except IntegrityError as error:
            raise Conflict("Somebody changed the shared list just now. Look again.") from error
        audit(viewer, "promoted", "suppression", None, count=len(chosen), of_all=of_all)
        notify(SUPPRESSION, viewer.workspace.id)
    return Promotion(len(chosen), total - len(chosen)), step


def promotion_undo(*, viewer: Viewer, step_id: int) -> int:
    """The entries are personal again. Returns how many. Raises Conflict UNDO_GONE."""
    count = 0
    with transaction.atomic():
        for row in undo_take(viewer, "promotion", step_id):
            shared = Suppression.objects.filter(workspace=viewer.workspace, owner=None, id__in=row["ids"])
            twin = Suppression.objects.filter(
                workspace=viewer.workspace,
                owner=row["owner"],
                contact_list=None,
                **{name: OuterRef(name) for name in ("form", "value", "source")},
            )
            count += shared.filter(Exists(twin)).delete()[0]
            count += shared.update(owner=row["owner"])
        audit(viewer, "took back", "suppression", None, count=count)
        notify(SUPPRESSION, viewer.workspace.id)
    return count


def _promoted(viewer: Viewer, ids: Collection[int] | None, of_all: bool) -> tuple[list[tuple[int, int]], int]:
    """([(entry, its owner) that becomes shared], personal entries in all)"""
    scope_owner(viewer, personal=False)
    if of_all and not viewer.manages:
        raise NotAllowed
    values = {
        "workspace": viewer.workspace.id,
        "user": 0 if of_all else viewer.user.id,
        "ids": None if ids is None else list(ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_PROMOTED, values)
        different = cursor.fetchall()
    own = Suppression.objects.filter(workspace=viewer.workspace, contact_list=None)
    own = own.exclude(owner=None) if of_all else own.filter(owner=viewer.user)
    if ids is not None:
        own = own.filter(id__in=ids)
    return [(row[0], row[1]) for row in different if not row[2]], own.count()
