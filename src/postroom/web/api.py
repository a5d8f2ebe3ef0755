"""The API below /api/v1/: the same queries and actions as the pages. Errors are {code, message, field?, details?}."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from ninja.errors import AuthenticationError, HttpError, ValidationError

from postroom.errors import PostroomError
from postroom.web.accounts.api import router as accounts
from postroom.web.api_document import Api
from postroom.web.api_parser import TextParser
from postroom.web.approvals.api import router as approvals
from postroom.web.archive.api import router as archive
from postroom.web.campaigns.api import router as campaigns
from postroom.web.contacts.api import router as contacts
from postroom.web.conversations.api import router as conversations
from postroom.web.domains.api import router as domains
from postroom.web.door import MemberAuth, TokenAuth
from postroom.web.errors import error_json, status_of
from postroom.web.exclusions.api import router as exclusions
from postroom.web.groups.api import router as groups
from postroom.web.groups.api_inside import router as groups_inside
from postroom.web.imports.api import router as imports
from postroom.web.lists.api import router as lists
from postroom.web.mail_templates.api import router as templates
from postroom.web.messages.api import router as messages
from postroom.web.people.api import router as people
from postroom.web.records.api import router as records
from postroom.web.sending.api import router as sending
from postroom.web.sharing.api import router as sharing
from postroom.web.status.api import router as status
from postroom.web.suppressions.api import router as suppressions
from postroom.web.tokens.api import router as tokens
from postroom.web.types.api import router as types
from postroom.web.webhooks.api import router as webhooks

api = Api(
    title="Postroom",
    version="1",
    auth=[TokenAuth(), MemberAuth()],
    parser=TextParser(),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
api.add_router("", accounts)
api.add_router("", approvals)
api.add_router("", campaigns)
api.add_router("", contacts)
api.add_router("", conversations)
api.add_router("", domains)
api.add_router("", imports)
api.add_router("", lists)
api.add_router("", templates)
api.add_router("", types)
api.add_router("", sharing)
api.add_router("", suppressions)
api.add_router("", exclusions)
api.add_router("", people)
api.add_router("", messages)
api.add_router("", tokens)
api.add_router("", sending)
api.add_router("", groups)
api.add_router("", groups_inside)
api.add_router("", status)
api.add_router("", records)
api.add_router("", archive)
api.add_router("", webhooks)


@api.exception_handler(PostroomError)
def _ours(request: HttpRequest, error: PostroomError) -> HttpResponse:
    return api.create_response(request, error_json(error), status=status_of(error))


@api.exception_handler(AuthenticationError)
def _stranger(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return api.create_response(request, {"code": "NOT_SIGNED_IN", "message": "Sign in first."}, status=401)


@api.exception_handler(HttpError)
def _http(request: HttpRequest, error: HttpError) -> HttpResponse:
    if isinstance(error.__cause__, PostroomError):  # what our parser found in the body
        return _ours(request, error.__cause__)
    code = {403: "CSRF", 429: "TOO_MANY"}.get(error.status_code, "BAD_REQUEST")
    return api.create_response(request, {"code": code, "message": str(error)}, status=error.status_code)


@api.exception_handler(SuspiciousOperation)
def _odd(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    if isinstance(error, RequestDataTooBig):
        body = {
            "code": "TOO_LARGE",
            "message": "That is more than is taken at once. Send it in parts, or as a file.",
        }
        return api.create_response(request, body, status=413)
    body = {"code": "BAD_REQUEST", "message": "The request cannot be read."}
    return api.create_response(request, body, status=400)


@api.exception_handler(ValidationError)
def _shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    first = error.errors[0] if error.errors else {"loc": (), "msg": "This cannot be read."}
    body: dict[str, Any] = {
        "code": "BAD_VALUE",
        "message": str(first["msg"]),
        "field": str(first["loc"][-1]) if first["loc"] else "",
        "details": {
            "errors": [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors]
        },
    }
    return api.create_response(request, body, status=422)
