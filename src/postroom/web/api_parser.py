"""What comes in through the API: JSON and query strings whose text the database can hold."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from ninja.parser import Parser

from postroom.errors import InputError


class TextParser(Parser):
    """Refuses NUL and halves of surrogate pairs, which no text has and PostgreSQL cannot store."""

    def parse_body(self, request: HttpRequest) -> Any:
        value = json.loads(request.body)
        text_check(value)
        return value

    def parse_querydict(
        self, data: "MultiValueDict[str, Any]", list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        found = super().parse_querydict(data, list_fields, request)
        text_check(found)
        return found


def text_check(value: Any) -> None:
    """Raises InputError, which names the field as far as it is known. However deep the value is: without recursion."""
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        field, one = waiting.pop()
        if isinstance(one, str):
            if not _storable(one):
                raise InputError(_("This is no text: it has characters that mean nothing."), field=field)
        elif isinstance(one, dict):
            waiting += [("", key) for key in one]
            waiting += [(str(key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            waiting += [(field, inner) for inner in one]


def _storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
