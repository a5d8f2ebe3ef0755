"""A template filled in for one person, before any campaign exists."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format

from postroom.mail.fields import contact_values
from postroom.mail.html import to_text
from postroom.mail.template import compile_text
from postroom.models.contact import Contact
from postroom.queries.content import known_fields
from postroom.queries.viewer import Viewer


@dataclass(frozen=True)
class TemplatePreview:
    """What the person would read. missing: fields that are empty for them and have no fallback."""

    subject: str
    html: str
    text: str
    missing: list[str]


def template_preview(viewer: Viewer, source: object, contact: Contact | None) -> TemplatePreview:
    """source: has subject, html and text. Without a contact every field of the recipient is empty.

    The sender is the viewer: which account sends is not known here. Raises BadTemplate.
    """
    values: dict[str, object] = {
        "sender.name": viewer.user.name or viewer.user.email,
        "sender.email": viewer.user.email,
        "workspace.name": viewer.workspace.name,
        "date.today": date_format(timezone.localdate(), "DATE_FORMAT"),
        "links.unsubscribe": "#",
    }
    if contact is not None:
        values |= contact_values(
            email=contact.email,
            name=contact.name,
            surname=contact.surname,
            salutation=contact.salutation,
            company=contact.company,
            attributes=contact.attributes,
        )
    known = known_fields(viewer.workspace.id)
    parts: dict[str, str] = {}
    missing: list[str] = []
    for part in ("subject", "html", "text"):
        compiled = compile_text(getattr(source, part), html=part == "html", known_fields=known)
        parts[part] = compiled.render(values, empty_values=True)
        for key in sorted(compiled.fields):
            if (
                not str(values.get(key, "")).strip()
                and not compiled.has_fallback.get(key)
                and key not in missing
            ):
                missing.append(key)
    if not parts["text"].strip() and parts["html"]:
        parts["text"] = to_text(parts["html"])
    return TemplatePreview(parts["subject"], parts["html"], parts["text"], missing)
