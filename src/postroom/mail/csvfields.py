"""Which column of a table is which field of a contact: by its name in Polish, Bulgarian or English, else by content."""

import re
import unicodedata
from collections.abc import Sequence

from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.fields import RESERVED

# Names without case, accents and signs. What stands first is the surest.
_NAMES: dict[str, tuple[str, ...]] = {
    "email": (
        *(
            "email",
            "email address",
            "e mail",
            "mail",
            "adres email",
            "adres e mail",
            "adres mailowy",
            "poczta",
        ),
        *(
            "email adres",
            "имейл",
            "имеил",
            "е поща",
            "електронна поща",
            "имейл адрес",
            "имеил адрес",
            "елпоща",
        ),
        *("poczta elektroniczna", "adres poczty elektronicznej", "adres", "ел поща"),
    ),
    "name": (
        "imie",
        "imię",
        "name",
        "first name",
        "firstname",
        "given name",
        "forename",
        "име",
        "собствено име",
    ),
    "surname": (
        *("nazwisko", "surname", "last name", "lastname", "family name", "фамилия", "фамилно име", "презиме"),
    ),
    "full_name": (
        *("imie i nazwisko", "nazwisko i imie", "imie nazwisko", "nazwisko imie", "full name", "fullname"),
        *(
            "contact name",
            "contact",
            "kontakt",
            "osoba",
            "osoba kontaktowa",
            "име и фамилия",
            "имена",
            "контакт",
        ),
        *("лице за контакт", "display name", "име фамилия", "три имена"),
    ),
    "salutation": (
        "zwrot",
        "zwrot grzecznosciowy",
        "powitanie",
        "salutation",
        "greeting",
        "обръщение",
        "поздрав",
    ),
    "company": (
        *("firma", "nazwa firmy", "company", "company name", "organisation", "organization", "organizacja"),
        *(
            "przedsiebiorstwo",
            "kontrahent",
            "фирма",
            "компания",
            "организация",
            "дружество",
            "име на фирмата",
        ),
        *("име на фирма", "nazwa", "nazwa kontrahenta", "клиент", "klient"),
    ),
}
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ß": "ss"})


def guess_mapping(header: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[int, str]:
    """Column number -> field key, for the columns that can be told; each key once.

    header: names of the columns, empty when the file has none. rows: some rows of data.
    """
    ranked = sorted(
        (rank, column, key)
        for column, name in enumerate(header)
        for key, rank in [_KNOWN.get(_folded(name), ("", 0))]
        if key
    )
    mapping: dict[int, str] = {}
    for _, column, key in ranked:
        if key not in mapping.values():
            mapping[column] = key
    # Addresses tell themselves apart: a column named "Adres" that holds streets is not one.
    shares = _address_shares(rows, max([len(header), *map(len, rows)], default=0))
    named = next((column for column, key in mapping.items() if key == "email"), None)
    best = max(shares, key=lambda column: (shares[column], column == named, -column), default=None)
    if best is not None and shares[best] >= 0.5 and (named is None or shares[named] < 0.5):
        mapping = {column: key for column, key in mapping.items() if key != "email"}
        mapping[best] = "email"
    elif named is not None and rows and shares.get(named, 0.0) == 0.0 and _folded(header[named]) == "adres":
        del mapping[named]
    return dict(sorted(mapping.items()))


def looks_like_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names columns instead of holding a contact. False for no rows."""
    if not rows:
        return False
    first = [cell.strip() for cell in rows[0]]
    if any(_is_address(cell) for cell in first):
        return False
    if any(_folded(cell) in _KNOWN for cell in first):
        return True
    filled = [cell for cell in first if cell]
    distinct = len(set(filled)) == len(filled) and not any(
        re.fullmatch(r"[\d\s.,+()/-]+", cell) for cell in filled
    )
    return bool(filled) and distinct and any(_is_address(cell) for row in rows[1:] for cell in row)


def attribute_key(name: str) -> str:
    """A key for a free attribute from the name of a column: "Kod rabatowy" -> "kod_rabatowy"; never "" or reserved."""
    key = re.sub(r"\W+", "_", unicodedata.normalize("NFC", name).lower()).strip("_")[:60]
    if not key:
        return "field"
    if key[0].isdigit():
        key = f"field_{key}"
    return f"{key}_" if key in RESERVED else key


def _address_shares(rows: Sequence[Sequence[str]], columns: int) -> dict[int, float]:
    shares = {}
    for column in range(columns):
        cells = [row[column].strip() for row in rows if column < len(row) and row[column].strip()]
        if cells:
            shares[column] = sum(map(_is_address, cells)) / len(cells)
    return shares


def _is_address(cell: str) -> bool:
    if "@" not in cell:
        return False
    try:
        canonical(cell.strip())
    except BadAddress:
        return False
    return True


def _folded(name: str) -> str:
    """Lower case, no accents, words apart by one blank: "E-mail " -> "e mail", "FirstName" -> "firstname"."""
    name = unicodedata.normalize("NFKD", name.lower().translate(_LETTERS).replace("й", "\ue000"))
    name = "".join(character for character in name if not unicodedata.combining(character)).replace(
        "\ue000", "й"
    )
    return " ".join(re.findall(r"[^\W_]+", name))


_KNOWN = {_folded(name): (key, rank) for key, names in _NAMES.items() for rank, name in enumerate(names)}
