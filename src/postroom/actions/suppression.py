"""Who may no longer be written to: entries are added, lifted, and put back within the undo time."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from postroom.actions.notify import SUPPRESSION, notify
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import InputError, NotFound
from postroom.mail.address import canonical
from postroom.mail.suppression import Entry, parse_entry
from postroom.models.suppression import Suppression, SuppressionForm, SuppressionSource
from postroom.models.user import User
from postroom.models.workspace import AuditLine
from postroom.queries.viewer import Viewer

#: Lines of one import.
LINES_MAX = 1_000_000
_LINE_MAX = 1000
_WHY_MAX = 500


def suppression_add(
    *,
    workspace_id: int,
    entry_form: str,
    value: str,
    source: str,
    why: str = "",
    by: User | None = None,
    event_id: int | None = None,
    contact_list_id: int | None = None,
) -> bool:
    """Stop mail to what the entry covers, at once. Adding the same again changes nothing.

    value: an address; for "domain" and "subdomains" the bare domain; for "local" the part before the at-sign.

    Returns whether the entry is new. Raises InputError for a value that does not fit the form.
    """
    with transaction.atomic():
        _, is_new = Suppression.objects.get_or_create(
            workspace_id=workspace_id,
            form=SuppressionForm(entry_form),
            value=_normal(entry_form, value),
            owner=None,
            contact_list_id=contact_list_id,
            source=SuppressionSource(source),
            defaults={"why": why, "by": by, "event_id": event_id},
        )
        if is_new:
            notify(SUPPRESSION, workspace_id)
    return is_new


def suppression_enter(*, viewer: Viewer, entry: str, why: str = "") -> tuple[Entry, bool]:
    """Add what a person typed: user@firm.pl, @firm.pl, @*.firm.pl or name@. Returns (entry, whether it is new).

    Raises InputError BAD_ENTRY.
    """
    parsed = parse_entry(entry)
    is_new = suppression_add(
        workspace_id=viewer.workspace.id,
        entry_form=parsed.form,
        value=parsed.value,
        source=SuppressionSource.MANUAL,
        why=" ".join(why.replace("\0", " ").split())[:_WHY_MAX],
        by=viewer.user,
    )
    return parsed, is_new


@dataclass
class SuppressionReport:
    """What became of the lines of a file. rejected: (line, what stood there, why)."""

    accepted: int = 0
    duplicates: int = 0
    rejected: list[tuple[int, str, str]] = field(default_factory=list)


def suppression_import(*, viewer: Viewer, lines: Iterable[str], why: str = "") -> SuppressionReport:
    """Add an entry a line; empty lines and what follows a "#" are passed over. Good lines are stored, bad ones told.

    Raises InputError for more than LINES_MAX lines; nothing is stored then.
    """
    report = SuppressionReport()
    wanted: dict[tuple[str, str], None] = {}
    for number, line in enumerate(lines, start=1):
        if number > LINES_MAX:
            raise InputError(
                gettext("At most %(n)s lines can be brought in at once.") % {"n": LINES_MAX}, field="file"
            )
        text = line[:_LINE_MAX].split("#", 1)[0].strip().strip('"').rstrip(";,").strip('"')
        if not text:
            continue
        try:
            entry = parse_entry(text)
        except InputError as error:
            report.rejected.append((number, text[:100].replace("\0", "␀"), error.message))
            continue
        if (entry.form, entry.value) in wanted:
            report.duplicates += 1
        wanted[(entry.form, entry.value)] = None
    rows = [
        Suppression(
            workspace=viewer.workspace,
            form=form,
            value=value,
            source=SuppressionSource.IMPORT,
            why=" ".join(why.replace("\0", " ").split())[:_WHY_MAX],
            by=viewer.user,
        )
        for form, value in wanted
    ]
    own = Suppression.objects.filter(workspace=viewer.workspace)
    with transaction.atomic():
        before = own.count()
        Suppression.objects.bulk_create(rows, ignore_conflicts=True, batch_size=5000)
        report.accepted = own.count() - before
        notify(SUPPRESSION, viewer.workspace.id)
    report.duplicates += len(rows) - report.accepted
    return report


def suppression_lift(*, viewer: Viewer, ids: Collection[int]) -> tuple[int, int]:
    """Take entries away: what they covered may be written to again. Returns (how many, undo step).

    Raises NotFound when none of them is in the workspace.
    """
    with transaction.atomic():
        gone = list(
            Suppression.objects.select_for_update().filter(workspace=viewer.workspace, owner=None, id__in=ids)
        )
        if not gone:
            raise NotFound("This entry is not here any more.")
        step = undo_keep(viewer, "suppressions", [_row(entry) for entry in gone])
        Suppression.objects.filter(id__in=[entry.id for entry in gone]).delete()
        AuditLine.objects.bulk_create(
            AuditLine(
                workspace=viewer.workspace,
                user=viewer.user,
                verb="lift",
                noun="suppression",
                noun_id=entry.id,
                details={"form": entry.form, "value": entry.value, "source": entry.source},
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
            entry, _ = Suppression.objects.get_or_create(
                workspace=viewer.workspace,
                owner=None,
                **{name: row[name] for name in ("form", "value", "source", "contact_list_id")},
                defaults={name: row[name] for name in ("why", "by_id", "event_id")},
            )
            Suppression.objects.filter(id=entry.id).update(at=at)
        notify(SUPPRESSION, viewer.workspace.id)
    return len(rows)


def _row(entry: Suppression) -> dict[str, Any]:
    names = ("form", "value", "source", "contact_list_id", "why", "by_id", "event_id")
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
