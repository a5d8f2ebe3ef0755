"""Choosing whom to write to: colleagues, contractors with their contact persons, and everybody else (CM-42)."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from postroom.errors import BadAddress, InputError, NotFound
from postroom.mail.address import parse
from postroom.mail.fold import fold, search_words
from postroom.models.contact import Contact, ContactKind
from postroom.models.record import RecordKind, RecordPerson
from postroom.models.search import SearchNoun
from postroom.models.workspace import Membership
from postroom.queries.account import accounts_visible_to
from postroom.queries.contact import contacts_visible_to
from postroom.queries.records import records_page, records_visible_to
from postroom.queries.search_grams import things_holding
from postroom.queries.viewer import Viewer

EMPLOYEES, CONTRACTORS, OTHERS = "employees", "contractors", "others"
TABS = (EMPLOYEES, CONTRACTORS, OTHERS)
USER, CONTACT, RECORD = "user", "contact", "record"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Pick:
    """Somebody to write to. addresses: (whose or what it is, address), the first is proposed; why: none is known."""

    kind: str
    id: int
    name: str
    note: str
    addresses: tuple[tuple[str, str], ...]
    why: str = ""

    @property
    def label(self) -> str:
        return self.name or next((address for _whose, address in self.addresses), "–")


def people_to_pick(viewer: Viewer, tab: str, words: str = "") -> list[Pick]:
    """At most SHOWN of each sort by name; words: all must be in name, company or address, accents and case aside."""
    if tab == EMPLOYEES:
        return [*_users(viewer, words), *_contacts(viewer, ContactKind.EMPLOYEE, words)][: 2 * SHOWN]
    if tab == CONTRACTORS:
        return [*_records(viewer, words), *_contacts(viewer, ContactKind.CONTRACTOR, words)]
    return _contacts(viewer, ContactKind.OTHER, words)


def person_picked(viewer: Viewer, kind: str, number: int, address: str) -> tuple[str, str]:
    """(name, address) of one of them. Raises NotFound; InputError for an address that is not theirs."""
    one = next((pick for pick in _one(viewer, kind, number)), None)
    if one is None:
        raise NotFound(_("This person is not here."))
    for whose, known in one.addresses:
        if known == address:
            return (whose if kind == RECORD else one.name), known
    raise InputError(one.why or _("This is not an address of theirs."), code="BAD_ADDRESS", field="address")


def _one(viewer: Viewer, kind: str, number: int) -> list[Pick]:
    if kind == USER:
        return _users(viewer, "", number)
    if kind == CONTACT:
        found = contacts_visible_to(viewer).filter(id=number)
        return [_contact(one) for one in found]
    if kind == RECORD:
        seen = records_visible_to(viewer).filter(id=number, kind=RecordKind.CONTRACTOR)
        return _with_people(viewer, [(one.id, one.name, one.number) for one in seen])
    return []


def _users(viewer: Viewer, words: str, number: int = 0) -> list[Pick]:
    found = Membership.objects.filter(workspace=viewer.workspace, is_active=True, user__is_active=True)
    if number:
        found = found.filter(user_id=number)
    accounts: dict[int | None, list[tuple[str, str]]] = {}
    for account in accounts_visible_to(viewer):
        accounts.setdefault(account.owner_id, []).append((account.name, account.address))
    picks = []
    for member in found.select_related("user").order_by("user__name", "user__email")[:2000]:
        user = member.user
        known = {user.email: ""}
        for name, address in accounts.get(user.id, []):
            known.setdefault(address.lower(), name)
        text = fold(f"{user.name} {' '.join(known)}")
        if all(word in text for word in search_words(words)):
            pairs = tuple((whose, address) for address, whose in known.items() if address)
            picks.append(Pick(USER, user.id, str(user), "", pairs, "" if pairs else _nothing()))
    return picks[:SHOWN]


def _contacts(viewer: Viewer, kind: str, words: str) -> list[Pick]:
    found = contacts_visible_to(viewer).filter(kind=kind)
    asked = search_words(words)
    known = things_holding(SearchNoun.CONTACT, viewer.workspace.id, asked)
    if known is not None:
        found = found.filter(id__in=known)
    for word in asked:
        found = found.filter(contactsearch__text__contains=word)
    return [_contact(one) for one in found.order_by("contactsearch__sort_key", "id")[:SHOWN]]


def _contact(contact: Contact) -> Pick:
    """All addresses that are known of a contact: its own, and those among its free fields."""
    pairs = [("", contact.email)] if contact.email else []
    for key, value in sorted(contact.attributes.items()):
        if isinstance(value, str) and "@" in value and _is_address(value) and value.lower() != contact.email:
            pairs.append((key, value.strip()))
    name = " ".join(part for part in (contact.name, contact.surname) if part)
    return Pick(CONTACT, contact.id, name, contact.company, tuple(pairs), "" if pairs else _nothing())


def _records(viewer: Viewer, words: str) -> list[Pick]:
    rows, _next = records_page(viewer, words=words, kind=RecordKind.CONTRACTOR, size=SHOWN)
    return _with_people(viewer, [(one.id, one.name, one.number) for one in rows])


def _with_people(viewer: Viewer, rows: Iterable[tuple[int, str, str]]) -> list[Pick]:
    rows = list(rows)
    linked = RecordPerson.objects.filter(
        Q(record__in=[number for number, _name, _no in rows]), contact__in=contacts_visible_to(viewer)
    )
    people: dict[int, list[tuple[str, str]]] = {}
    for one in linked.select_related("contact").order_by("position", "id"):
        if one.contact.email:
            people.setdefault(one.record_id, []).append((str(one.contact), one.contact.email))
    return [
        Pick(RECORD, number, name, no, tuple(people.get(number, ())), "" if number in people else _nobody())
        for number, name, no in rows
    ]


def _is_address(text: str) -> bool:
    try:
        parse(text)
    except BadAddress:
        return False
    return True


def _nothing() -> str:
    return _("No address is known.")


def _nobody() -> str:
    return _("It has no contact person with an address that you may see.")
