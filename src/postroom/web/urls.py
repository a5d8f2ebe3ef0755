"""Every address of the pages. One folder a noun; the API stands below /api/v1/."""

from django.urls import include, path

from postroom.web import home
from postroom.web.api import api
from postroom.web.api_document import document

handler400 = "postroom.web.errors.bad_request"
handler403 = "postroom.web.errors.forbidden"
handler404 = "postroom.web.errors.not_found"
handler500 = "postroom.web.errors.server_error"

#: Address and folder. More exact addresses first.
NOUNS = (
    ("setup/", "setup"),
    ("u/", "unsubscribe"),
    ("settings/accounts/", "accounts"),
    ("settings/approvals/", "approvals"),
    ("settings/domains/", "domains"),
    ("settings/relay/", "relay"),
    ("settings/types/", "types"),
    ("settings/people/", "people"),
    ("settings/profiles/", "profiles"),
    ("settings/tokens/", "tokens"),
    ("settings/sending/", "sending"),
    ("settings/workspaces/", "workspaces"),
    ("settings/audit/", "audit"),
    ("settings/status/", "status"),
    ("settings/webhooks/", "webhooks"),
    ("invited/", "invitations"),
    ("settings/", "settings"),
    ("messages/", "conversations"),
    ("messages/", "messages"),
    ("groups/", "groups"),
    ("archive/returns/", "returns"),
    ("archive/", "archive"),
    ("campaigns/", "campaigns"),
    ("contacts/lists/", "lists"),
    ("contacts/imports/", "imports"),
    ("contacts/suppressed/", "suppressions"),
    ("contacts/exclusions/", "exclusions"),
    ("contacts/", "contacts"),
    ("records/", "records"),
    ("templates/", "mail_templates"),
    ("sharing/", "sharing"),
    ("help/", "help"),
)

urlpatterns = [
    path("", home.home, name="home"),
    path("now/", home.now, name="now"),
    path("more/", home.more, name="more"),
    path("healthz", home.healthz, name="healthz"),
    path("", include("postroom.web.auth.urls")),
    path("api/openapi.json", document, name="openapi"),
    path("api/v1/", api.urls),
    *(path(prefix, include(f"postroom.web.{folder}.urls")) for prefix, folder in NOUNS),
]
