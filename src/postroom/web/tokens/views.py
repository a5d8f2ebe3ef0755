"""My profile > API tokens."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from postroom.actions.token import token_add, token_revoke
from postroom.errors import InputError
from postroom.models.profile import Right
from postroom.queries.scopes import WORDS
from postroom.queries.token import tokens_visible_to
from postroom.queries.viewer import demand
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

#: Days a token may be good for; 0 = until it is revoked.
TERMS = (30, 90, 365, 0)


def index(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.TOKENS_ADD)
    if request.method != "POST":
        return _page(request, typed={"days": 90, "scopes": []})
    days = request.POST.get("days", "")
    typed = {
        "name": request.POST.get("name", ""),
        "scopes": request.POST.getlist("scopes"),
        "days": number(days, -1),
    }
    try:
        made, secret = token_add(viewer=request.viewer, **typed)  # type: ignore[arg-type]
    except InputError as error:
        return _page(request, 422, typed=typed, wrong=said(error), wrong_field=error.field)
    return _page(request, typed={"days": 90, "scopes": []}, made=made, secret=secret)


def _page(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    values = {
        "tokens": tokens_visible_to(request.viewer),
        "nouns": [(noun, words, f"{noun}:read", f"{noun}:write") for noun, words in sorted(WORDS.items())],
        "terms": TERMS,
        "now": timezone.now(),
        **more,
    }
    return render(request, "people/tokens.html", values, status=status)


@require_POST
def revoke(request: ViewerRequest, token_id: int) -> HttpResponse:
    gone = token_revoke(viewer=request.viewer, token_id=token_id)
    toast(request, _("The token “%(name)s” opens nothing any more.") % {"name": gone.name})
    return redirect("tokens")
