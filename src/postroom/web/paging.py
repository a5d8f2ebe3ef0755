"""Lists of the API, a page an answer: `next` of one answer is `at` of the next request; None = there is no more."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from django.utils.translation import gettext as _
from ninja import Query

from postroom.errors import InputError

T = TypeVar("T")

#: Where a page begins: what the answer before said under `next`; "" = at the start.
At = Annotated[str, Query(max_length=400)]
_MOST = 2**53


def number_at(at: str) -> int:
    """The number that a place of ours consists of; 0 at the start. Raises InputError."""
    if not at:
        return 0
    if not (at.isascii() and at.isdecimal() and len(at) < 17 and int(at) <= _MOST):
        raise InputError(_("This is no place in the list: give what `next` of an answer said."), field="at")
    return int(at)


def page_of(rows: Sequence[T], at: str, size: int) -> tuple[Sequence[T], str | None]:
    """A page of rows counted from the start, and the place of the page after it."""
    begin = number_at(at)
    end = begin + size
    return rows[begin:end], str(end) if len(rows) > end else None


def cut(rows: Sequence[Any], size: int, name: str = "id") -> tuple[Sequence[Any], str | None]:
    """Of rows read one beyond the page: the page, and the place after its last row by that field."""
    if len(rows) <= size:
        return rows, None
    return rows[:size], str(getattr(rows[size - 1], name))
