"""People as a file: headings and choices in the reader's words, which an import of the file understands again."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from postroom.queries.contact import EXPORT_FIELDS, contact_export
from postroom.queries.viewer import Viewer
from postroom.web.contacts.forms import KINDS, LANGUAGES


def exported(viewer: Viewer, **which: Any) -> Iterator[list[object]]:
    """Rows of queries.contact.contact_export, the heading first. which: its filters. Raises what that does."""
    return _told(contact_export(viewer, **which))


def _told(rows: Iterator[list[str]]) -> Iterator[list[object]]:
    headings = {
        "email": _("E-mail address"),
        "name": _("First name"),
        "surname": _("Surname"),
        "salutation": _("Salutation"),
        "company": _("Company"),
        "kind": _("Kind"),
        "language": _("Language"),
    }
    spoken: dict[str, dict[str, Any]] = {"kind": dict(KINDS), "language": {**dict(LANGUAGES), "": ""}}
    own = next(rows)[len(EXPORT_FIELDS) :]
    yield [*(headings[name] for name in EXPORT_FIELDS), *own]
    for row in rows:
        told = [
            spoken[name].get(value, value) if name in spoken else value
            for name, value in zip(EXPORT_FIELDS, row, strict=False)
        ]
        yield [*told, *row[len(EXPORT_FIELDS) :]]
