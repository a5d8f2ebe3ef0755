"""Numbers as they come from a form or an address: ids, versions, places."""

from collections.abc import Iterable
from typing import TypeVar

#: One digit fewer than the greatest number of the database (a signed 64-bit one) has.
_DIGITS_MAX = 18

T = TypeVar("T", int, None)


def number(text: str, default: T) -> int | T:
    """The number whose digits these are; `default` for anything else: no ASCII digits, or too many."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MAX else default


def numbers(texts: Iterable[str]) -> list[int]:
    """Those that are numbers."""
    found = (number(text, None) for text in texts)
    return [one for one in found if one is not None]
