"""The OpenAPI document, at /api/openapi.json, with every answer an operation may give."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from ninja import NinjaAPI
from ninja.operation import Operation

_WORDS = {
    400: "The request cannot be read.",
    401: "Sign in, or send a valid token.",
    403: "A right, the token's scope or the X-CSRFToken header is missing.",
    404: "There is no such thing here, or it is not the caller's to see.",
    409: "The state of the thing forbids it; `code` says what.",
    413: "More than this is taken at once.",
    422: "A value cannot be used; `field` names it.",
    429: "Too many requests in this minute.",
}
_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_ABOUT = (
    "Everything the pages do. Come with `Authorization: Bearer pr_...` (Settings > API tokens), or signed in with the"
    " X-CSRFToken header. A list answers a page as `items`, and under `next` what the next request gives as `at`;"
    " null = there is no more. What can be changed by several people carries a `version`, which a change must repeat;"
    " 409 STALE_VERSION holds both texts."
)


class Api(NinjaAPI):
    """Names each operation by noun and act, and adds the answers that all have in common."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        noun, name = operation.view_func.__module__.split(".")[-2], operation.view_func.__name__
        return f"{noun}.{name}"

    def get_openapi_schema(self, **more: Any) -> Any:
        schema = super().get_openapi_schema(**more)
        schema["info"]["description"] = _ABOUT
        for path, acts in schema["paths"].items():
            for act in acts.values():
                _answers(path, act)
        return schema


def _answers(path: str, act: dict[str, Any]) -> None:
    """Everywhere a stranger, a narrow token and a hurry are turned away; a body may be unreadable or of other shape."""
    also = [401, 403, 429]
    if "{" in path:
        also.append(404)
    if "requestBody" in act:
        also += [400, 413, 422]
    if any(one["in"] == "query" for one in act.get("parameters", ())):
        also.append(422)
    for status in also:
        act["responses"].setdefault(status, {"content": _PROBLEM})
    for status, answer in act["responses"].items():
        answer["description"] = _WORDS.get(int(status), answer.get("description", "OK"))
    act["responses"] = dict(sorted(act["responses"].items(), key=lambda pair: int(pair[0])))


def document(request: HttpRequest) -> JsonResponse:
    """For everybody: it says what the program can do, nothing of this installation."""
    from postroom.web.api import api

    return JsonResponse(api.get_openapi_schema())
