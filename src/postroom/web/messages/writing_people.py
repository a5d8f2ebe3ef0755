"""The selector of recipients: a dialog of the composer, a page of its own without JavaScript."""

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from postroom.actions.draft import draft_pick
from postroom.errors import NotFound
from postroom.queries.draft import PEOPLE, draft_of
from postroom.queries.person_pick import EMPLOYEES, TABS, people_to_pick, person_picked
from postroom.web.messages.writing import by_script, post_or_back, saved_json
from postroom.web.viewer import ViewerRequest


def people(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """tab: employees, contractors or others; q: words; field: to, cc or bcc."""
    draft = draft_of(request.viewer, draft_id)
    tab, words = request.GET.get("tab", EMPLOYEES), request.GET.get("q", "").strip()[:200]
    field = request.GET.get("field", "to")
    values = {
        "draft": draft,
        "tab": tab if tab in TABS else EMPLOYEES,
        "field": field if field in PEOPLE else "to",
        "q": words,
        "picks": people_to_pick(request.viewer, tab if tab in TABS else EMPLOYEES, words),
    }
    return render(request, "messages/pick.html" if by_script(request) else "messages/pick_page.html", values)


@post_or_back
def pick(request: ViewerRequest, draft_id: int) -> HttpResponse:
    """Add the chosen person to a field; who it is is kept with the mail."""
    kind, _colon, rest = request.POST.get("who", "").partition(":")
    number, _colon, address = rest.partition(":")
    field = request.POST.get("field", "to")
    if not (number.isdecimal() and len(number) < 19) or field not in PEOPLE:
        raise NotFound("There is no such person.")
    name, known = person_picked(request.viewer, kind, int(number), address)
    draft = draft_pick(
        viewer=request.viewer,
        draft_id=draft_id,
        field=field,
        kind=kind,
        number=int(number),
        address=known,
        name=name,
    )
    if by_script(request):
        return JsonResponse({**saved_json(request, draft), "field": field, "text": getattr(draft, field)})
    return redirect("draft", draft_id)
