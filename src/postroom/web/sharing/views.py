"""The dialog "Who may see and use it" of everything that can be private or shared."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from postroom.actions.sharing import Sharing, sharing_change
from postroom.errors import InputError, NotAllowed
from postroom.models.profile import May
from postroom.queries.sharing import SharingOf, sharing_of
from postroom.web.said import said
from postroom.web.sharing.words import PAGES, allowed_words, completed
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def sharing(request: ViewerRequest, noun: str, noun_id: int) -> HttpResponse:
    found = sharing_of(request.viewer, noun, noun_id)
    if not found.may_change:
        raise NotAllowed(_("Only its owner and who may change it decide who sees it."))
    if request.method != "POST":
        return _page(request, noun, found)
    try:
        sharing_change(viewer=request.viewer, noun=noun, noun_id=noun_id, sharing=_asked(request, noun))
    except InputError as error:
        return _page(request, noun, found, wrong=said(error), status=422)
    toast(request, _("Who may see and use “%(name)s” is saved.") % {"name": found.thing})
    back = request.POST.get("back", "")
    return redirect(back if _own(back) else PAGES.get(noun, "/"))


def _page(
    request: ViewerRequest, noun: str, found: SharingOf, *, wrong: str = "", status: int = 200
) -> HttpResponse:
    words = allowed_words(noun)
    back = (
        request.POST.get("back") or request.headers.get("HX-Current-URL", "") or request.GET.get("back", "")
    )
    thing = found.thing
    values: dict[str, Any] = {
        "found": found,
        "noun": noun,
        "words": words,
        "owner": getattr(thing, thing.OWNER),
        "everyone": _row("everyone", thing.everyone, words),
        "profiles": [(one, _row(f"p{one.id}", given, words)) for one, given in found.profiles],
        "people": [(one, _row(f"u{one.id}", given, words)) for one, given in found.people],
        "back": _path(back, request.get_host()),
        "wrong": wrong,
    }
    template = "sharing/form.html" if request.htmx else "sharing/page.html"
    return render(request, template, values, status=status)


def _row(name: str, given: Any, words: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "switches": [(may, label, may in given) for may, label in words.items()]}


@require_GET
def person(request: ViewerRequest, noun: str, noun_id: int) -> HttpResponse:
    """One more row of the dialog: ?add=<number of a user>, beside what is ticked; and the choice without them."""
    found = sharing_of(request.viewer, noun, noun_id)
    if not found.may_change:
        raise NotAllowed(_("Only its owner and who may change it decide who sees it."))
    left = [one for one in found.others if f"u{one.id}" not in request.GET]
    user = next((one for one in left if str(one.id) == request.GET.get("add", "")), None)
    values = {
        "user": user,
        "row": _row(f"u{user.id}", _usual(noun), allowed_words(noun)) if user else None,
        "others": [one for one in left if one != user],
    }
    return render(request, "sharing/person.html", values)


def _usual(noun: str) -> list[str]:
    """What somebody who is added is given at first."""
    return [word for word in (May.VIEW, May.USE) if word in allowed_words(noun)]


def _asked(request: ViewerRequest, noun: str) -> Sharing:
    """p<id>, u<id>, everyone: what is ticked; add: a person chosen without the row that scripts would make."""
    given = request.POST
    named: dict[str, dict[int, list[str]]] = {"p": {}, "u": {}}
    for name in given:
        which = number(name[1:], None)
        if name[:1] in named and which is not None:
            named[name[0]][which] = completed(noun, given.getlist(name))
    added = number(given.get("add", ""), None)
    if added is not None:
        named["u"].setdefault(added, completed(noun, _usual(noun)))
    return Sharing(
        visibility=given.get("visibility", ""),
        everyone=completed(noun, given.getlist("everyone"))
        if given.get("visibility") == "workspace"
        else None,
        profiles=named["p"],
        users=named["u"],
    )


def _path(url: str, host: str) -> str:
    """The path of an address of ours, "" for any other."""
    path = url.partition(f"://{host}")[2] if "://" in url else url
    return path if _own(path) else ""


def _own(path: str) -> bool:
    return path.startswith("/") and path.isprintable() and "//" not in path and "\\" not in path
