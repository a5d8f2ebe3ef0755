"""The special fields a template may use, by group, and the values of a contact's own."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SpecialField:
    """key: what is written between the braces; label: English msgid for the field picker."""

    key: str
    group: str
    label: str


#: Group -> its label (msgid), in the order of the field picker.
GROUPS: dict[str, str] = {
    "contact": "Recipient",
    "sender": "Sender",
    "record": "Linked record",
    "workspace": "Workspace",
    "date": "Date",
    "links": "Links",
}

#: Every contact has these; free attributes stand beside them. `contact.name` and `name` are the same field.
CONTACT_FIELDS: tuple[SpecialField, ...] = (
    SpecialField("name", "contact", "First name"),
    SpecialField("surname", "contact", "Surname"),
    SpecialField("full_name", "contact", "First name and surname"),
    SpecialField("salutation", "contact", "Salutation"),
    SpecialField("company", "contact", "Company"),
    SpecialField("email", "contact", "E-mail address"),
)

#: Values that do not come from the contact.
OTHER_FIELDS: tuple[SpecialField, ...] = (
    SpecialField("sender.name", "sender", "Sender's name"),
    SpecialField("sender.email", "sender", "Sender's e-mail address"),
    SpecialField("workspace.name", "workspace", "Name of the workspace"),
    SpecialField("date.today", "date", "Today's date"),
    SpecialField("links.unsubscribe", "links", "Unsubscribe link"),
)

#: Of the record that a single message is about; its own fields stand beside them as record.KEY. A mailing has none.
RECORD_FIELDS: tuple[SpecialField, ...] = (
    SpecialField("record.name", "record", "Name of the record"),
    SpecialField("record.number", "record", "Number of the record"),
    SpecialField("record.url", "record", "Address of the record"),
)
#: Among the known fields of a template: whatever begins so is known, and empty where there is no such thing.
RECORD_ANY = "record."

CATALOGUE: tuple[SpecialField, ...] = CONTACT_FIELDS + OTHER_FIELDS

CONTACT_KEYS = frozenset(field.key for field in CONTACT_FIELDS)
OTHER_KEYS = frozenset(field.key for field in OTHER_FIELDS)

#: The one field that composing fills by itself, from RecipientValues.
UNSUBSCRIBE_LINK = "links.unsubscribe"

#: Words that cannot be the key of a free attribute: groups, and words of the template language.
RESERVED = (
    frozenset(GROUPS)
    | CONTACT_KEYS
    | {"true", "false", "nil", "null", "empty", "blank", "now", "today", "and", "or", "not"}
    | {"contains", "in", "if", "else", "for", "with", "as", "forloop"}
)


def canonical_key(path: str) -> str:
    """The one name of a field: `contact.name` -> `name`; others stay as they are."""
    return path.removeprefix("contact.")


def contact_values(
    *,
    email: str,
    name: str = "",
    surname: str = "",
    salutation: str = "",
    company: str = "",
    full_name: str = "",
    attributes: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """All values of one contact by field key. full_name falls back to name and surname; attributes never hide them."""
    values: dict[str, object] = dict(attributes or {})
    values.update(
        email=email,
        name=name,
        surname=surname,
        salutation=salutation,
        company=company,
        full_name=full_name or f"{name} {surname}".strip(),
    )
    return values
