"""A template filled in for one person, before any campaign exists: made by the code that sends (CM-48)."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.formats import date_format

from postroom.mail.compose import Content, Mailbox, RecipientValues, compile_message
from postroom.mail.paragraphs import as_html
from postroom.models.contact import Contact
from postroom.queries.content import template_fields
from postroom.queries.preview import contact_fields, taken_apart
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
    fields = contact_fields(contact)
    own = viewer.user.email
    content = Content(
        subject=getattr(source, "subject", ""),
        html=as_html(getattr(source, "html", "")),
        text=getattr(source, "text", ""),
        header_from=Mailbox(viewer.user.name, own),
        message_id_domain=own.rpartition("@")[2],
        list_unsubscribe_mailto=False,
        unsubscribe_url_in_header=False,
        constants={
            "sender.name": viewer.user.name or own,
            "sender.email": own,
            "workspace.name": viewer.workspace.name,
            "date.today": date_format(timezone.localdate(), "DATE_FORMAT"),
        },
        empty_values=True,
    )
    compiled = compile_message(content, template_fields(viewer.workspace.id), date=timezone.now())
    person = RecipientValues(
        address=contact.email if contact else own, token="preview", fields=fields, unsubscribe_url="#"
    )
    shown = taken_apart(b"".join(compiled.render(person).segments), contact)
    missing = [
        key
        for key in sorted(compiled.fields)
        if not str(fields.get(key, "")).strip() and not compiled.has_fallback[key]
    ]
    return TemplatePreview(shown.subject, shown.html, shown.text, missing)
