"""Adding, changing and deleting people we may write to."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from postroom.actions.audit import audit, audit_edit
from postroom.actions.import_run import search_write
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.address import canonical, parse
from postroom.mail.fields import RESERVED
from postroom.mail.fold import contact_search_text, contact_sort_key, fold
from postroom.models.contact import AttributeKey, Contact, ContactKind, ContactSearch, ListMember
from postroom.models.profile import Right
from postroom.queries.changes import last_change
from postroom.queries.contact import contacts_visible_to
from postroom.queries.viewer import Viewer, demand

#: People deleted in one go, so that the undo step stays small.
DELETE_MAX = 10_000
_TEXT_MAX = 200
_ATTRIBUTE_MAX = 10_000


@dataclass(frozen=True)
class ContactValues:
    """What a person's page holds. attributes: by key; "" removes one."""

    email: str
    name: str = ""
    surname: str = ""
    salutation: str = ""
    company: str = ""
    kind: str = ContactKind.OTHER
    language: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


def contact_add(*, viewer: Viewer, values: ContactValues) -> Contact:
    """Raises BadAddress, InputError, and Conflict CONTACT_EXISTS (details: contact_id) when the address is here."""
    demand(viewer, Right.CONTACTS_EDIT)
    fields = _checked(viewer, values)
    try:
        with transaction.atomic():
            contact = Contact.objects.create(workspace=viewer.workspace, **fields)
            ContactSearch.objects.create(
                contact=contact, workspace=viewer.workspace, text=_text(contact), sort_key=_key(contact)
            )
            audit(viewer, "made", "contact", contact.id, name=str(contact))
    except IntegrityError:
        raise _exists(viewer, fields["canonical"]) from None
    return contact


def contact_edit(*, viewer: Viewer, contact_id: int, version: int, values: ContactValues) -> Contact:
    """version: the one the person saw. Raises Conflict STALE_VERSION when somebody was faster."""
    demand(viewer, Right.CONTACTS_EDIT)
    fields = _checked(viewer, values)
    try:
        with transaction.atomic():
            rows = contacts_visible_to(viewer).select_for_update(of=("self",))
            contact = rows.filter(id=contact_id).first()
            if contact is None:
                raise NotFound("This person is not here any more.")
            if contact.version != version:
                raise Conflict(
                    "Somebody else changed this person in the meantime. Compare, then save again.",
                    code="STALE_VERSION",
                    details={
                        "version": contact.version,
                        "by": last_change(viewer, "contact", contact.id),
                        "theirs": {name: getattr(contact, name) for name in fields},
                        "yours": fields,
                    },
                )
            for name, value in fields.items():
                setattr(contact, name, value)
            contact.version += 1
            contact.save()
            search_write([(contact.id, contact.name, contact.surname, contact.company, contact.email)])
            audit_edit(viewer, "contact", contact.id, name=str(contact))
    except IntegrityError:
        raise _exists(viewer, fields["canonical"]) from None
    return contact


def contact_delete(*, viewer: Viewer, ids: Collection[int]) -> tuple[int, int]:
    """Delete people; their deliveries stay, with name and address. Returns (how many, undo step).

    Raises NotFound when none is there, InputError for more than DELETE_MAX.
    """
    demand(viewer, Right.CONTACTS_EDIT)
    if len(ids) > DELETE_MAX:
        raise InputError(gettext("At most %(n)s people can be deleted at once.") % {"n": DELETE_MAX})
    with transaction.atomic(), connection.cursor() as cursor:
        found = contacts_visible_to(viewer).select_for_update(of=("self",))
        contacts = list(found.filter(id__in=ids))
        if not contacts:
            raise NotFound("These people are not here any more.")
        gone = [contact.id for contact in contacts]
        lists: dict[int, list[int]] = {}
        for contact_id, list_id in ListMember.objects.filter(contact__in=gone).values_list(
            "contact_id", "contact_list_id"
        ):
            lists.setdefault(contact_id, []).append(list_id)
        rows = [_row(contact) | {"lists": lists.get(contact.id, [])} for contact in contacts]
        step = undo_keep(viewer, "contacts", rows)
        members_removed(cursor, "contact_id = ANY(%s)", [gone])
        for table in ("importundo", "contactsearch"):
            cursor.execute(f"DELETE FROM postroom_{table} WHERE contact_id = ANY(%s)", [gone])
        cursor.execute("UPDATE postroom_delivery SET contact_id = NULL WHERE contact_id = ANY(%s)", [gone])
        cursor.execute("DELETE FROM postroom_contact WHERE id = ANY(%s)", [gone])
    return len(gone), step


def contact_put_back(*, viewer: Viewer, step_id: int) -> int:
    """Undo a deletion: people with their numbers, lists and deliveries. Whose address was added anew stays out.

    Returns how many are back. Raises Conflict UNDO_GONE.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        rows = undo_take(viewer, "contacts", step_id)
        taken = set(
            Contact.objects.filter(
                workspace=viewer.workspace, canonical__in=[row["canonical"] for row in rows]
            ).values_list("canonical", flat=True)
        )
        rows = [row for row in rows if row["canonical"] not in taken]
        lists = [(row["id"], list_id) for row in rows for list_id in row.pop("lists")]
        contacts = [Contact(workspace=viewer.workspace, **row) for row in rows]
        Contact.objects.bulk_create(contacts)
        ContactSearch.objects.bulk_create(
            ContactSearch(contact=c, workspace=viewer.workspace, text=_text(c), sort_key=_key(c))
            for c in contacts
        )
        cursor.execute(
            "UPDATE postroom_delivery d SET contact_id = c.id FROM postroom_contact c"
            " WHERE c.id = ANY(%s) AND d.workspace_id = c.workspace_id AND d.canonical = c.canonical"
            " AND d.contact_id IS NULL",
            [[c.id for c in contacts]],
        )
        if lists:
            members_added(cursor, lists)
    return len(contacts)


def members_added(cursor: Any, pairs: list[tuple[int, int]]) -> int:
    """Put (contact, list) pairs on lists that are still there, and count them in; how many are new."""
    cursor.execute(
        """
        WITH added AS (
            INSERT INTO postroom_listmember (contact_list_id, contact_id, added_at)
            SELECT l.id, p.contact, now() FROM unnest(%s::bigint[], %s::bigint[]) AS p (contact, list)
            JOIN postroom_contactlist l ON l.id = p.list
            ON CONFLICT (contact_list_id, contact_id) DO NOTHING RETURNING contact_list_id
        ), counted AS (
            SELECT contact_list_id, count(*) AS n FROM added GROUP BY 1
        ), kept AS (
            UPDATE postroom_contactlist l SET size = size + n FROM counted WHERE l.id = contact_list_id
        )
        SELECT count(*) FROM added
        """,
        [[contact for contact, _ in pairs], [list_id for _, list_id in pairs]],
    )
    return int(cursor.fetchone()[0])


def members_removed(cursor: Any, where: str, values: list[Any]) -> int:
    """Take members off their lists (where: a condition of ours on the members) and count them out; how many."""
    cursor.execute(
        f"""
        WITH gone AS (
            DELETE FROM postroom_listmember WHERE {where} RETURNING contact_list_id
        ), counted AS (
            SELECT contact_list_id, count(*) AS n FROM gone GROUP BY 1
        ), kept AS (
            UPDATE postroom_contactlist l SET size = greatest(0, size - n) FROM counted WHERE l.id = contact_list_id
        )
        SELECT count(*) FROM gone
        """,
        values,
    )
    return int(cursor.fetchone()[0])


def attribute_key_add(*, viewer: Viewer, label: str) -> AttributeKey:
    """The free field of this name; made when there is none. Its key is the label in plain letters.

    Raises InputError for a label without a letter.
    """
    demand(viewer, Right.CONTACTS_EDIT)
    label = " ".join(label.replace("\0", " ").split())[:120]
    words = "".join(sign if sign.isalnum() else " " for sign in fold(label)).split()
    key = "_".join(words)[:60]
    if not key:
        raise InputError("Give the field a name.", field="label")
    if key[0].isdigit() or key in RESERVED or key in {"kind", "language"}:
        key = f"field_{key}"[:60]
    found, _ = AttributeKey.objects.get_or_create(
        workspace=viewer.workspace, key=key, defaults={"label": label}
    )
    return found


def _checked(viewer: Viewer, values: ContactValues) -> dict[str, Any]:
    fields = {
        name: " ".join(str(value).split()) for name, value in asdict(values).items() if name != "attributes"
    }
    for name in ("name", "surname", "salutation", "company"):
        if len(fields[name]) > _TEXT_MAX:
            raise InputError(gettext("At most %(n)s characters fit here.") % {"n": _TEXT_MAX}, field=name)
    if fields["kind"] not in ContactKind.values:
        raise InputError("Choose one of the kinds.", field="kind")
    try:
        fields["email"] = parse(values.email).spec
    except InputError as error:
        error.field = "email"
        raise
    fields["canonical"] = canonical(fields["email"])
    known = set(AttributeKey.objects.filter(workspace=viewer.workspace).values_list("key", flat=True))
    attributes = {key: str(value).strip() for key, value in values.attributes.items() if str(value).strip()}
    for key, value in attributes.items():
        if key not in known:
            raise InputError(gettext("There is no field %(field)s here.") % {"field": key}, field=key)
        if len(value) > _ATTRIBUTE_MAX or "\0" in value:
            raise InputError(gettext("At most %(n)s characters fit here.") % {"n": _ATTRIBUTE_MAX}, field=key)
    return fields | {"attributes": attributes}


def _exists(viewer: Viewer, address: str) -> Conflict:
    other = contacts_visible_to(viewer).filter(canonical=address).first()
    return Conflict(
        gettext("%(name)s has this address already.") % {"name": other}
        if other
        else gettext("This address is here already, on a list that you do not see."),
        code="CONTACT_EXISTS",
        field="email",
        details={"contact_id": other.id} if other else {},
    )


_KEPT = (
    *("id", "kind", "email", "canonical", "name", "surname", "salutation", "company", "language"),
    *("attributes", "import_run_id", "version"),
)


def _row(contact: Contact) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in _KEPT}


def _text(contact: Contact) -> str:
    return contact_search_text(
        name=contact.name, surname=contact.surname, company=contact.company, email=contact.email
    )


def _key(contact: Contact) -> str:
    return contact_sort_key(
        name=contact.name, surname=contact.surname, company=contact.company, email=contact.email
    )
