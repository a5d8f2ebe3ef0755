"""How names are compared when people search and sort: accents folded, Polish, Bulgarian and English order.

The database has no ICU, so both are made here and stored. Sort keys are compared byte by byte (collation "C").
"""

import unicodedata
from functools import lru_cache

SORT_KEY_MAX = 80

# Letters that Unicode does not take apart.
_WHOLE = {
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "ø": "o",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "þ": "th",
    "ı": "i",
    "ħ": "h",
    "ŧ": "t",
    "ŋ": "n",
    "й": "й",  # a letter of its own in Bulgarian, though Unicode takes it apart
}
# Letters with a place of their own in the Polish alphabet, after the plain one: "~" comes after all of ASCII.
_POLISH = {"ą": "a~", "ć": "c~", "ę": "e~", "ł": "l~", "ń": "n~", "ó": "o~", "ś": "s~", "ź": "z~", "ż": "z~~"}
_BLANKS = dict.fromkeys(map(ord, '-–—_.,;/\\()[]"„”“«»\t\r\n\u00a0'), " ")
_NOTHING = dict.fromkeys(map(ord, "'’‘`~"), "")


class _Letters(dict[int, str]):
    """What becomes of each character, worked out when it is first seen."""

    def __init__(self, known: dict[int, str]) -> None:
        super().__init__(known)

    def __missing__(self, point: int) -> str:
        sign = chr(point)
        plain = _WHOLE.get(sign)
        if plain is None:
            apart = unicodedata.normalize("NFKD", sign)
            plain = "".join(_WHOLE.get(c, c) for c in apart if not unicodedata.combining(c)).lower()
        self[point] = plain
        return plain


_FOLD = _Letters({})
_SORT = _Letters({**_BLANKS, **_NOTHING, **{ord(sign): key for sign, key in _POLISH.items()}})
_SORT_ASCII = {point: sign for point, sign in {**_BLANKS, **_NOTHING}.items() if point < 128}


def fold(text: str) -> str:
    """Lower case without accents, for "contains": "Zażółć" -> "zazolc". Cyrillic stays Cyrillic."""
    text = text.lower()
    return text if text.isascii() else unicodedata.normalize("NFC", text).translate(_FOLD)


def search_words(query: str) -> list[str]:
    """The folded words of a search; a row is found when it contains every one. At most 8."""
    return fold(query.replace("\0", " ")).split()[:8]


def sort_key(*parts: str) -> str:
    """The place of a name in a list; parts that are empty are left out, all empty gives "".

    Word by word, without regard to case and punctuation; "ą" comes after "az", before "b"; "é" counts as "e".
    """
    text = " ".join(filter(None, parts)).lower()
    if text.isascii():
        text = text.translate(_SORT_ASCII)
    else:
        text = unicodedata.normalize("NFC", text).translate(_SORT)
    return " ".join(text.split())[:SORT_KEY_MAX]


# First names and surnames come again and again in a long file.
_fold_name = lru_cache(1 << 15)(fold)
_key_name = lru_cache(1 << 15)(sort_key)


def name_key(name: str) -> str:
    """`sort_key` of a name that is asked for again and again, as those of lists are."""
    return _key_name(name)


def contact_search_text(*, name: str, surname: str, company: str, email: str) -> str:
    """What `ContactSearch.text` holds."""
    return f"{_fold_name(name)} {_fold_name(surname)} {_fold_name(company)} {fold(email)}".lstrip()


def contact_sort_key(*, name: str, surname: str, company: str, email: str) -> str:
    """What `ContactSearch.sort_key` holds: surname and name, else the company, else the address."""
    if surname or name:
        key = f"{_key_name(surname)} {_key_name(name)}".strip()[:SORT_KEY_MAX]
        if key:
            return key
    return sort_key(company) or sort_key(email)
