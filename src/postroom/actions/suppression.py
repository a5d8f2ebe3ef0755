"""Who may no longer be written to: entries are added, lifted, and put back within the undo time."""

from collections.abc import Collection

from django.db import connection, transaction

from postroom.errors import InputError, NotFound
from postroom.mail.address import canonical
from postroom.models.suppression import Suppression, SuppressionForm, SuppressionSource
from postroom.models.user import User

#: Delivery processes listen here; the payload is the workspace's id.
CHANNEL = "postroom_suppression"


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
            _tell(workspace_id)
    return is_new


def suppression_lift(*, workspace_id: int, ids: Collection[int]) -> list[Suppression]:
    """Take entries away; what was taken comes back as it was, for `suppression_put_back`.

    Raises NotFound when none of them is in the workspace.
    """
    with transaction.atomic():
        gone = list(Suppression.objects.select_for_update().filter(workspace_id=workspace_id, id__in=ids))
        if not gone:
            raise NotFound("This entry is not here any more.")
        Suppression.objects.filter(id__in=[entry.id for entry in gone]).delete()
        _tell(workspace_id)
    return gone


def _normal(entry_form: str, value: str) -> str:
    """The value as it is compared: canonical, lower case, domains as A-labels."""
    value = value.strip().lower()
    if entry_form == SuppressionForm.ADDRESS:
        return canonical(value)
    if entry_form == SuppressionForm.LOCAL:
        return canonical(f"{value}@example.org").rpartition("@")[0]
    if entry_form in {SuppressionForm.DOMAIN, SuppressionForm.SUBDOMAINS}:
        return canonical(f"x@{value}").rpartition("@")[2]
    raise InputError(
        "An entry covers an address, a domain, subdomains or a name at any domain.", field="form"
    )


def _tell(workspace_id: int) -> None:
    """Heard when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(workspace_id)])
