"""A message that a program sends by a template of people: filled in once, for the first recipient."""

from collections.abc import Mapping

from django.utils import timezone

from postroom.mail.address import canonical, parse_many
from postroom.mail.fields import canonical_key
from postroom.mail.template import compile_text
from postroom.models.account import Account
from postroom.models.profile import May
from postroom.queries.contact import contacts_visible_to
from postroom.queries.content import sender_constants, template_fields
from postroom.queries.draft_file import files_bring
from postroom.queries.preview import contact_fields
from postroom.queries.records import record_values, record_visible_to
from postroom.queries.template import template_visible_to
from postroom.queries.viewer import Viewer


def template_written(
    *,
    viewer: Viewer,
    template_id: int,
    fields: Mapping[str, str],
    to: str,
    account: Account | None,
    record_id: int | None,
) -> tuple[str, str, str]:
    """(subject, HTML, text) of the template. fields: by key, before what is known of recipient, sender and record.

    to: as typed; the first of them is the recipient of whom things are known. Raises NotFound, NotAllowed,
    MissingValue (field: its key) for one that is empty and has no fallback.
    """
    template = template_visible_to(viewer, template_id, May.USE)
    given = {canonical_key(key.strip()): value for key, value in fields.items()}
    values = _known(viewer, to, account, record_id) | given
    known = template_fields(viewer.workspace.id) | set(given)
    filled = {key: value for key, value in values.items() if value.strip()}

    def written(source: str, html: bool = False) -> str:
        return compile_text(source, html=html, known_fields=known).render(filled)

    subject = " ".join(written(template.subject).split())
    return subject, written(template.html, html=True), written(template.text)


def template_brings(*, viewer: Viewer, template_id: int) -> list[tuple[str, str, str]]:
    """The files of the template, as a Letter has them. Raises NotFound, NotAllowed."""
    template = template_visible_to(viewer, template_id, May.USE)
    return [(one.name, one.content_type, one.blob_id) for one in files_bring(template)]


def _known(viewer: Viewer, to: str, account: Account | None, record_id: int | None) -> dict[str, str]:
    values: dict[str, str] = {}
    first = next((one for one in parse_many(to) if not one[2]), None)
    if first is not None:
        contact = contacts_visible_to(viewer).filter(canonical=canonical(first[1])).first()
        values = {"email": first[1], "full_name": first[0], **contact_fields(contact)}
    if record_id is not None:
        values |= record_values(record_visible_to(viewer, record_id))
    return values | (sender_constants(account, viewer.workspace, timezone.now()) if account else {})
