"""Messages being written: one's own only, whoever manages the workspace."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils import timezone

from postroom.errors import BadTemplate, MissingValue, NotFound
from postroom.mail.address import canonical, parse_many
from postroom.mail.blocks import open_fields, refilled
from postroom.mail.fields import OTHER_KEYS, RECORD_ANY, canonical_key
from postroom.mail.template import Field, compile_text, escape_html
from postroom.models.account import Account, AccountStatus
from postroom.models.draft import Draft
from postroom.models.message import Message
from postroom.models.template import Template
from postroom.queries.account import accounts_usable_by
from postroom.queries.contact import contacts_visible_to
from postroom.queries.content import known_fields, sender_constants, template_fields
from postroom.queries.preview import contact_fields
from postroom.queries.records import record_values
from postroom.queries.viewer import Viewer

PER_PAGE = 50
PEOPLE = ("to", "cc", "bcc")


def drafts_of(viewer: Viewer) -> "QuerySet[Draft]":
    """Those somebody typed in and did not send, the last touched first."""
    found = _unsent(viewer)
    return found.filter(version__gt=1).order_by("-updated_at", "-id")


def _unsent(viewer: Viewer) -> "QuerySet[Draft]":
    return Draft.objects.filter(workspace=viewer.workspace, user=viewer.user, deleted_at=None, message=None)


def draft_docked(viewer: Viewer, conversation_id: int) -> Draft | None:
    """The answer that this person began in a conversation and did not send, the last touched."""
    return _unsent(viewer).filter(conversation=conversation_id).order_by("-updated_at", "-id").first()


def draft_of_sent(viewer: Viewer, message_id: int) -> int | None:
    """The id of one's own draft that became this message."""
    found = Draft.objects.filter(workspace=viewer.workspace, user=viewer.user, message=message_id)
    return found.values_list("id", flat=True).first()


def drafts_page(viewer: Viewer, *, page: int = 1) -> "Page[Draft]":
    return Paginator(drafts_of(viewer), PER_PAGE).get_page(page)


def draft_of(viewer: Viewer, draft_id: int, *, lock: bool = False, deleted: bool = False) -> Draft:
    """One's own, sent ones too. deleted: only a deleted one. Raises NotFound."""
    rows = Draft.objects.filter(workspace=viewer.workspace, user=viewer.user, id=draft_id)
    rows = rows.filter(deleted_at__isnull=not deleted)
    found = (
        rows.select_for_update() if lock else rows.select_related("account", "type", "in_reply_to", "record")
    ).first()
    if found is None:
        raise NotFound("There is no such draft. It may have been deleted.")
    return found


def sender_default(viewer: Viewer) -> Account | None:
    """One's own account that works, else the one used last, else any; None without any (CM-43)."""
    usable = accounts_usable_by(viewer)
    own = usable.filter(owner=viewer.user, status=AccountStatus.OK).first()
    if own is not None:
        return own
    sent = Message.objects.filter(
        workspace=viewer.workspace, user=viewer.user, purpose="single", account__in=usable
    )
    last = sent.order_by("-id").values_list("account_id", flat=True).first()
    return (
        usable.filter(id=last or 0).first()
        or usable.filter(status=AccountStatus.OK).first()
        or usable.first()
    )


def recipients_of(draft: Draft) -> dict[str, list[tuple[str, str, str]]]:
    """By field: (name, address, why it is none or "") of each that was typed, in order."""
    return {field: parse_many(getattr(draft, field)) for field in PEOPLE}


def bad_recipients(draft: Draft) -> Sequence[dict[str, Any]]:
    """What was typed as a recipient and is none: field, index (from 0 within it), typed, why."""
    return [
        {"field": field, "index": index, "typed": spec[:100], "why": error}
        for field, people in recipients_of(draft).items()
        for index, (_name, spec, error) in enumerate(people)
        if error
    ]


def fields_open(draft: Draft) -> list[str]:
    """Template fields that were not filled in, as written: a message with one is not sent (CM-48)."""
    return fields_open_in(draft.workspace_id, draft.subject, draft.html)


def fields_open_in(workspace_id: int, subject: str, html: str) -> list[str]:
    """The same of a subject and a typed text."""
    keys = known_fields(workspace_id) | OTHER_KEYS
    in_subject = [
        one
        for one in open_fields(_as_block(subject))
        if _key(one) in keys or _key(one).startswith(RECORD_ANY)
    ]
    return list(dict.fromkeys([*in_subject, *open_fields(html)]))


def _as_block(subject: str) -> str:
    return f"<!-- template -->{subject}<!-- /template -->"


def _key(field: str) -> str:
    words = field.strip("{}% -").split("|")[0].split()
    return canonical_key(words[0]) if words else ""


def template_filled(viewer: Viewer, draft: Draft, template: Template) -> tuple[str, str]:
    """Subject and HTML of a template with what is known of the first recipient; unknown fields stay as written."""
    person = next(iter(recipients_once(draft)), None)
    values, known = _values(viewer, draft, person), template_fields(viewer.workspace.id)
    source = template.html or escape_html(template.text)
    return _filled(template.subject, False, values, known), _filled(source, True, values, known)


def recipients_once(draft: Draft) -> list[tuple[str, str]]:
    """(name, address) of those it can be shown as, each once, in order: blind copies only where nobody else gets it."""
    typed = recipients_of(draft)
    good = {field: [one for one in typed[field] if not one[2]] for field in PEOPLE}
    found: dict[str, tuple[str, str]] = {}
    for name, spec, _error in [*good["to"], *good["cc"]] or good["bcc"]:
        found.setdefault(canonical(spec), (name, spec))
    return list(found.values())


def draft_filled(viewer: Viewer, draft: Draft, person: tuple[str, str] | None) -> tuple[str, str]:
    """Subject and typed text with the fields that still stand open filled for one of the recipients, where known.

    person: (name, address); None = nobody yet.
    """
    if not fields_open(draft):
        return draft.subject, draft.html
    values, known = _values(viewer, draft, person), template_fields(viewer.workspace.id)
    subject = _filled(draft.subject, False, values, known)
    return subject, refilled(draft.html, lambda inner: _filled(inner, True, values, known))


def _values(viewer: Viewer, draft: Draft, person: tuple[str, str] | None) -> dict[str, str]:
    values: dict[str, str] = {}
    if person is not None:
        found = contacts_visible_to(viewer).filter(canonical=canonical(person[1])).first()
        values = {"email": person[1], "full_name": person[0], **contact_fields(found)}
    if draft.account is not None:
        values |= sender_constants(draft.account, viewer.workspace, timezone.now())
    values |= record_values(draft.record)
    return {key: value for key, value in values.items() if value.strip()}


def _filled(source: str, html: bool, values: Mapping[str, str], known: Collection[str]) -> str:
    try:
        compiled = compile_text(source, html=html, known_fields=known)
        if compiled.parts is None:
            return compiled.render(values)
    except (MissingValue, BadTemplate):
        return source
    written = []
    for part in compiled.parts:
        if isinstance(part, Field):
            value = values.get(part.key, part.fallback)
            if value is None:
                written.append(f"{{{{ {part.key} }}}}")
            else:
                written.append(escape_html(value) if html and part.key in values else value)
        else:
            written.append(part)
    return "".join(written)
