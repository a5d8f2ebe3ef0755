"""What every page needs: the menu, who looks, what goes out now."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from postroom.models.profile import Right
from postroom.queries.member import places_of
from postroom.queries.platform import approvals_waiting
from postroom.queries.shell import shell_figures
from postroom.queries.viewer import Viewer, administers, can


@dataclass(frozen=True)
class Item:
    url: str
    word: str
    icon: str = ""
    count: int = 0
    new: int = 0
    #: "page" = this very page, "open" = the page is below it, "" = elsewhere
    at: str = ""
    children: tuple["Item", ...] = ()


def _settings(viewer: Viewer, accounts: int) -> tuple[tuple, ...]:
    """What stands below Settings: (address, word, figure?), those the viewer may open."""
    people, log = can(viewer, Right.USERS_MANAGE), can(viewer, Right.LOG_VIEW)
    approves, runs = can(viewer, Right.ACCOUNTS_APPROVE), administers(viewer)
    return (
        ("/settings/accounts/", _("Mail accounts"), accounts),
        ("/settings/sending/", pgettext("page", "Sending")),
        *((("/settings/types/", _("Message types")),) if can(viewer, Right.TYPES_MANAGE) else ()),
        *((("/settings/approvals/", _("Approvals"), approvals_waiting(viewer)),) if approves else ()),
        *((("/settings/domains/", _("Domains")),) if can(viewer, Right.DOMAINS_MANAGE) else ()),
        *((("/settings/relay/", _("Firm's mail server")),) if runs else ()),
        *((("/settings/people/", _("People & profiles")),) if people else ()),
        *((("/settings/workspace/", _("Workspace")),) if viewer.manages else ()),
        *((("/settings/workspaces/", _("Workspaces")),) if runs else ()),
        *((("/settings/webhooks/", _("Webhooks")),) if can(viewer, Right.WORKSPACE_MANAGE) else ()),
        *((("/settings/status/", _("Mailer status")), ("/settings/audit/", _("Audit trail"))) if log else ()),
        ("/settings/profile/", _("My profile")),
    )


def _menu(path: str, figures: dict[str, Any], viewer: Viewer) -> list[Item]:
    return [
        _item(path, "/messages/", _("Messages"), "inbox", new=figures["unread"]),
        _item(path, "/campaigns/", _("Campaigns"), "send"),
        _item(
            path,
            "/contacts/",
            _("Contacts"),
            "users",
            children=(
                ("/contacts/", _("People")),
                ("/records/", _("Firms & records")),
                ("/contacts/lists/", _("Lists")),
                ("/contacts/imports/", _("Imports")),
                ("/contacts/suppressed/", _("Suppressed")),
                ("/contacts/exclusions/", _("Exclusion sets")),
            ),
        ),
        _item(path, "/groups/", _("Groups"), "at"),
        _item(path, "/templates/", _("Templates"), "file-text"),
        _item(path, "/archive/", _("Archive & reports"), "archive"),
        _item(
            path,
            "/settings/",
            _("Settings"),
            "settings",
            # only where they are shown: who administers costs a query
            children=_settings(viewer, figures["accounts"]) if path.startswith("/settings/") else (),
        ),
    ]


def _item(path: str, url: str, word: str, icon: str, *, new: int = 0, children: tuple = ()) -> Item:
    if not path.startswith((url, *(child[0] for child in children))):
        return Item(url, word, icon, new=new)
    below = []
    best = max((child[0] for child in children if path.startswith(child[0])), key=len, default="")
    for child in children:
        below.append(
            Item(
                child[0],
                child[1],
                count=child[2] if len(child) > 2 else 0,
                at="page" if child[0] == best else "",
            )
        )
    return Item(url, word, icon, new=new, at="open" if best else "page", children=tuple(below))


def now_values(going_out: Any) -> dict[str, Any]:
    """For components/now.html: the campaign on its way, and what must change for the block to be drawn again."""
    if going_out is None:
        return {"going_out": None}
    version = f"{going_out.id}-{going_out.figures.done}-{going_out.per_minute}-{going_out.minutes_left}"
    return {"going_out": going_out, "now_version": version}


def _oidc_name() -> str:
    """What the firm's own sign-in server is called; "" when there is none."""
    return settings.POSTROOM_OIDC_NAME if settings.POSTROOM_OIDC_URL else ""


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor. Signed-out pages get the language only."""
    viewer = getattr(request, "viewer", None)
    theme = viewer.user.theme if viewer else "auto"
    if viewer is None:
        return {"viewer": None, "theme": theme, "oidc_name": _oidc_name()}
    figures = shell_figures(viewer)
    return {
        "viewer": viewer,
        "theme": theme,
        "menu": _menu(request.path, figures, viewer),
        "unread": figures["unread"],
        "places": places_of(viewer),
        **now_values(figures["going_out"]),
        "single_keys": viewer.user.single_keys,
    }
