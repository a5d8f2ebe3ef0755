"""What stands under Settings: everything about e-mail together, then the firm, then oneself (CM-01)."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from postroom.models.profile import Right
from postroom.queries.user import notices_go_out
from postroom.queries.viewer import Viewer, administers, can


@dataclass(frozen=True)
class Entry:
    url: str
    word: str
    hint: str
    #: Something about it wants attention.
    warning: str = ""


def hub(viewer: Viewer) -> list[tuple[str, list[Entry]]]:
    """Heading and entries; those the viewer has no right to are left out."""
    mail, firm, me = _mail(viewer), _firm(viewer), _me(viewer)
    titles = (_("E-mail messages"), _("The firm"), _("Me"))
    return [(title, found) for title, found in zip(titles, (mail, firm, me), strict=True) if found]


def _mail(viewer: Viewer) -> list[Entry]:
    sends, logs = can(viewer, Right.CAMPAIGNS_SEND), can(viewer, Right.LOG_VIEW)
    has_accounts = sends or can(viewer, Right.ACCOUNTS_ADD) or can(viewer, Right.ACCOUNTS_MANAGE)
    return _allowed(
        (
            True,
            Entry("/messages/write/", _("New message"), _("Write to one person or a few.")),
        ),
        (
            True,
            Entry(
                "/settings/signature/", _("Signature"), _("What stands below your letters, for each account.")
            ),
        ),
        (
            True,
            Entry(
                "/settings/pictures/",
                _("Pictures in mail"),
                _("From whom they are fetched without asking; nobody at first."),
            ),
        ),
        (
            can(viewer, Right.TYPES_MANAGE),
            Entry(
                "/settings/types/",
                _("Message types"),
                _("What a mail is about, in your own words, and which profiles may choose it."),
            ),
        ),
        (
            sends or can(viewer, Right.TEMPLATES_EDIT),
            Entry("/templates/", _("Templates"), _("Subjects and texts to begin with, with fields.")),
        ),
        (
            has_accounts,
            Entry(
                "/settings/accounts/",
                _("Mail accounts"),
                _("What we send from and what we read, with limits and a check of every setting."),
            ),
        ),
        (
            can(viewer, Right.ACCOUNTS_APPROVE),
            Entry(
                "/settings/approvals/",
                _("Approvals"),
                _("Which accounts may send through the firm's mail server."),
            ),
        ),
        (
            has_accounts,
            Entry(
                "/settings/sending/",
                pgettext("page", "Sending"),
                _("Limits of accounts and of the firm, and what waits."),
            ),
        ),
        (
            can(viewer, Right.DOMAINS_MANAGE),
            Entry(
                "/settings/domains/",
                _("Domains"),
                _("What proves that mail is yours: SPF, DKIM, DMARC, returned mail, addresses."),
            ),
        ),
        (
            True,
            Entry(
                "/groups/", _("E-mail groups"), _("Addresses of the domain whose mail goes to many people.")
            ),
        ),
        (logs, Entry("/settings/audit/", _("Audit trail"), _("Who changed what, and when."))),
    )


def _firm(viewer: Viewer) -> list[Entry]:
    runs = administers(viewer)
    return _allowed(
        (
            can(viewer, Right.USERS_MANAGE),
            Entry(
                "/settings/people/",
                _("People & profiles"),
                _("Who works here, invitations, and what each may do."),
            ),
        ),
        (
            viewer.manages,
            Entry(
                "/settings/workspace/",
                _("Workspace"),
                _("Name, time zone, the address of this program, notices, returned mail."),
                "" if notices_go_out() else _("No account for notices yet."),
            ),
        ),
        (
            can(viewer, Right.WORKSPACE_MANAGE),
            Entry("/settings/webhooks/", _("Webhooks"), _("Other programs are told what becomes of mail.")),
        ),
        (
            runs,
            Entry("/settings/relay/", _("Firm's mail server"), _("What marketing accounts send through.")),
        ),
        (
            runs,
            Entry(
                "/settings/workspaces/",
                _("Workspaces"),
                _("The firms on this installation: places, campaigns at the same time, messages a day."),
            ),
        ),
    )


def _me(viewer: Viewer) -> list[Entry]:
    return _allowed(
        (
            True,
            Entry(
                "/settings/profile/",
                _("My profile"),
                _("Language, time zone, light or dark, keys, password, second factor."),
            ),
        ),
        (
            True,
            Entry(
                "/groups/signals/places/",
                _("Signals"),
                _("Where short live messages to your groups reach you besides these pages."),
            ),
        ),
        (
            can(viewer, Right.TOKENS_ADD),
            Entry("/settings/tokens/", _("API tokens"), _("Keys for other programs.")),
        ),
    )


def _allowed(*pairs: tuple[bool, Entry]) -> list[Entry]:
    return [entry for allowed, entry in pairs if allowed]
