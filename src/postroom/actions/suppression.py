"""Who may no longer be written to: entries are added, lifted, and put back within the undo time."""

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from postroom.actions.notify import SUPPRESSION, notify
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.address import canonical
from postroom.mail.suppression import Entry, parse_entry
from postroom.models.profile import Right
from postroom.models.suppression import Suppression, SuppressionForm, SuppressionSource
from postroom.models.user import User
from postroom.models.workspace import AuditLine
from postroom.queries.viewer import Viewer, demand

_WHY_MAX = 500


def suppression_add(
    *,
    workspace_id: int,
    entry_form: str,
    value: str,
    source: str,
    why: str = "",
    by: User | None = None,
    owner: User | None = None,
    event_id: int | None = None,
    contact_list_id: int | None = None,
) -> bool:
    """Stop mail to what the entry covers, at once. Adding the same again changes nothing.

    value: an address; for "domain" and "subdomains" the bare domain; for "local" the part before the at-sign.
    owner: only mail that this person starts.

    Returns whether the entry is new. Raises InputError for a value that does not fit the form.
    """
    with transaction.atomic():
        _, is_new = Suppression.objects.get_or_create(
            workspace_id=workspace_id,
            form=SuppressionForm(entry_form),
            value=_normal(entry_form, value),
            owner=owner,
            contact_list_id=contact_list_id,
            source=SuppressionSource(source),
            defaults={"why": why, "by": by, "event_id": event_id},
        )
        if is_new:
            notify(SUPPRESSION, workspace_id)
    return is_new


def scope_owner(viewer: Viewer, *, personal: bool) -> User | None:
    """Whose a new entry becomes; None = everybody's.

    Raises NotAllowed without the right to change the shared list; Conflict PERSONAL_OFF or SHARED_OFF where the policy
    of the workspace has no such entries.
    """
    policy = viewer.workspace.suppression_policy
    if personal:
        if policy == "shared":
            raise Conflict(
                "This firm keeps one list for everybody; there are no own ones.", code="PERSONAL_OFF"
            )
        return viewer.user
    demand(viewer, Right.SUPPRESSIONS_EDIT)
    if policy == "personal":
        raise Conflict(
            "In this firm everybody keeps an own list; nothing is added by hand here.", code="SHARED_OFF"
        )
    return None


def suppression_enter(
    *, viewer: Viewer, entry: str, why: str = "", personal: bool = False
) -> tuple[Entry, bool]:
    """Add what a person typed: user@firm.pl, @firm.pl, @*.firm.pl or name@. Returns (entry, whether it is new).

    Raises InputError BAD_ENTRY, and what scope_owner raises.
    """
    owner = scope_owner(viewer, personal=personal)
    parsed = parse_entry(entry)
    is_new = suppression_add(
        workspace_id=viewer.workspace.id,
        entry_form=parsed.form,
        value=parsed.value,
        source=SuppressionSource.MANUAL,
        why=why_clean(why),
        by=viewer.user,
        owner=owner,
    )
    return parsed, is_new


def why_clean(why: str) -> str:
    """A reason as it is stored: one line, not too long."""
    return " ".join(why.replace("\0", " ").split())[:_WHY_MAX]


def suppression_lift(*, viewer: Viewer, ids: Collection[int]) -> tuple[int, int]:
    """Take entries away, shared ones and one's own: mail may go there again. Returns (how many, undo step).

    Raises NotFound when none of them is there for this person, NotAllowed for shared ones without the right.
    """
    with transaction.atomic():
        mine = Q(owner=None) | Q(owner=viewer.user)
        gone = list(
            Suppression.objects.select_for_update().filter(mine, workspace=viewer.workspace, id__in=ids)
        )
        if not gone:
            raise NotFound("This entry is not here any more.")
        if any(entry.owner_id is None for entry in gone):
            demand(viewer, Right.SUPPRESSIONS_EDIT)
        step = undo_keep(viewer, "suppressions", [_row(entry) for entry in gone])
        Suppression.objects.filter(id__in=[entry.id for entry in gone]).delete()
        AuditLine.objects.bulk_create(
            AuditLine(
                workspace=viewer.workspace,
                user=viewer.user,
                verb="lift",
                noun="suppression",
                noun_id=entry.id,
                details={"form": entry.form, "value": entry.value, "source": entry.source}
                | ({"personal": True} if entry.owner_id else {}),
            )
            for entry in gone
        )
        notify(SUPPRESSION, viewer.workspace.id)
    return len(gone), step


def suppression_put_back(*, viewer: Viewer, step_id: int) -> int:
    """Undo a lift: entries with their source, date and reason. Returns how many. Raises Conflict UNDO_GONE."""
    with transaction.atomic():
        rows = undo_take(viewer, "suppressions", step_id)
        for row in rows:
            at = parse_datetime(row.pop("at"))
            names = ("form", "value", "source", "contact_list_id", "owner_id")
            entry, _ = Suppression.objects.get_or_create(
                workspace=viewer.workspace,
                **{name: row.get(name) for name in names},
                defaults={name: row[name] for name in ("why", "by_id", "event_id")},
            )
            Suppression.objects.filter(id=entry.id).update(at=at)
        notify(SUPPRESSION, viewer.workspace.id)
    return len(rows)


def _row(entry: Suppression) -> dict[str, Any]:
    names = ("form", "value", "source", "contact_list_id", "owner_id", "why", "by_id", "event_id")
    return {name: getattr(entry, name) for name in names} | {"at": entry.at.isoformat()}


def _normal(entry_form: str, value: str) -> str:
    """The value as it is compared: canonical, lower case, domains as A-labels."""
    value = value.strip().lower()
    if entry_form == SuppressionForm.ADDRESS:
        return canonical(value)
    if entry_form == SuppressionForm.LOCAL:
        return canonical(f"{value}@example.org").rpartition("@")[0]
    if entry_form == SuppressionForm.SUBDOMAINS:
        return canonical(f"x@a.{value}").rpartition("@")[2][2:]
    if entry_form == SuppressionForm.DOMAIN:
        return canonical(f"x@{value}").rpartition("@")[2]
    raise InputError(
        "An entry covers an address, a domain, subdomains or a name at any domain.", field="form"
    )
