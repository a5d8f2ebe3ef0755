"""Contacts > Exclusion sets: made, read, changed. They are applied from a draft: applying.py."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.exclusion import (
    exclusion_change,
    exclusion_delete,
    exclusion_make,
    exclusion_put_back,
    exclusion_take_out,
)
from postroom.actions.exclusion_read import exclusions_ask
from postroom.errors import Conflict, InputError
from postroom.models.exclusion import Exclusion
from postroom.models.profile import May, Right
from postroom.queries.exclusion import (
    PAGE,
    exclusion_entries,
    exclusion_visible_to,
    exclusions_visible_to,
    reading_state,
)
from postroom.queries.sharing import rights_on, share_counts
from postroom.queries.viewer import can, demand
from postroom.web.exclusions.api import exported, uploaded
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()[:200]
    sets = list(exclusions_visible_to(request.viewer, words=words)[:500])
    rights = rights_on(request.viewer, sets)
    values = {
        "rows": [(one, rights[one.id], reading_state(one)) for one in sets],
        "counts": share_counts(sets),
        "words": words,
        "may_make": can(request.viewer, Right.EXCLUSIONS_EDIT),
    }
    return render(request, "exclusions/index.html", values)


def new(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.EXCLUSIONS_EDIT)
    typed = {name: request.POST.get(name, "") for name in ("name", "source", "text", "url", "file")}
    values: dict[str, Any] = {"typed": typed, "folder": settings.POSTROOM_EXCLUSION_FOLDER is not None}
    if request.method != "POST":
        return render(request, "exclusions/new.html", values)
    source = typed["source"] or "text"
    try:
        text = typed["text"]
        if source == "text" and (upload := request.FILES.get("upload")):
            text = f"{text}\n{uploaded(upload)}"
        made = exclusion_make(
            viewer=request.viewer,
            name=typed["name"],
            source=source,
            text=text,
            place=typed.get(source, "") if source != "text" else "",
        )
    except InputError as error:
        wrong = {error.field or "name": said(error)}
        return render(request, "exclusions/new.html", {**values, "wrong": wrong}, status=422)
    if made.source != "text":
        exclusions_ask([made.id])
    toast(
        request, _("The set “%(name)s” is made. Nothing happens until somebody applies it.") % {"name": made}
    )
    return redirect("exclusion", made.id)


def show(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    found = exclusion_visible_to(request.viewer, exclusion_id)
    return _page(request, found)


def _page(request: ViewerRequest, found: Exclusion, status: int = 200, **more: Any) -> HttpResponse:
    may = rights_on(request.viewer, [found])[found.id]
    state = reading_state(found)
    version = f"{state}-{found.read_at}-{found.error}"
    if request.htmx:
        return unchanged(request, version) or _whole_page_again()
    words, text = request.GET.get("q", "").strip()[:200], request.GET.get("after", "")
    after = number(text, 0)
    entries = exclusion_entries(found, words=words, after=after) if May.VIEW in may else []
    values = {
        "one": found,
        "may": may,
        "may_edit": May.EDIT in may and can(request.viewer, Right.EXCLUSIONS_EDIT),
        "state": state,
        "version": version,
        "entries": entries[:PAGE],
        "following": entries[PAGE - 1].id if len(entries) > PAGE else 0,
        "is_first": not after,
        "words": words,
        **more,
    }
    return render(request, "exclusions/show.html", values, status=status)


def _whole_page_again() -> HttpResponse:
    answer = HttpResponse()
    answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def add(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    before = exclusion_visible_to(request.viewer, exclusion_id)
    text = request.POST.get("text", "")
    if upload := request.FILES.get("upload"):
        text = f"{text}\n{uploaded(upload)}"
    changed = exclusion_change(viewer=request.viewer, exclusion_id=exclusion_id, add=text)
    count = changed.size - before.size
    words = ngettext("%(n)s entry is new.", "%(n)s entries are new.", count)
    toast(request, words % {"n": count})
    return redirect("exclusion", exclusion_id)


@require_POST
def remove(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    ids = numbers(request.POST.getlist("id"))
    count = exclusion_take_out(viewer=request.viewer, exclusion_id=exclusion_id, ids=ids)
    words = ngettext("%(n)s entry is removed.", "%(n)s entries are removed.", count)
    toast(request, words % {"n": count})
    return redirect("exclusion", exclusion_id)


@require_POST
def change(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    """Name, and where it is read."""
    version = request.POST.get("version", "")
    try:
        changed = exclusion_change(
            viewer=request.viewer,
            exclusion_id=exclusion_id,
            version=number(version, None),
            name=request.POST.get("name", ""),
            place=request.POST.get("place"),
        )
    except (InputError, Conflict) as error:
        found = exclusion_visible_to(request.viewer, exclusion_id)
        typed = {"name": request.POST.get("name", ""), "place": request.POST.get("place", "")}
        status = 409 if isinstance(error, Conflict) else 422
        return _page(request, found, status, wrong=said(error), typed=typed)
    if changed.source != "text":
        exclusions_ask([changed.id])
    toast(request, _("Saved."))
    return redirect("exclusion", exclusion_id)


@require_POST
def read(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    """Read it again; the page that asked comes back."""
    found = exclusion_visible_to(request.viewer, exclusion_id, May.USE)
    exclusions_ask([found.id], again=True)
    back = request.POST.get("back", "")
    own = back.startswith("/contacts/exclusions/") and "//" not in back and "\\" not in back
    return redirect(back if own else f"/contacts/exclusions/{exclusion_id}/")


@require_POST
def delete(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    gone = exclusion_delete(viewer=request.viewer, exclusion_id=exclusion_id)
    words = _("The set “%(name)s” is deleted. Drafts it was applied to stay as they are.")
    toast(request, words % {"name": gone}, undo=f"/contacts/exclusions/{exclusion_id}/restore/")
    return redirect("exclusions")


@require_POST
def restore(request: ViewerRequest, exclusion_id: int) -> HttpResponse:
    back = exclusion_put_back(viewer=request.viewer, exclusion_id=exclusion_id)
    toast(request, _("The set “%(name)s” is back.") % {"name": back})
    return redirect("exclusions")


def export(request: ViewerRequest, exclusion_id: int) -> HttpResponseBase:
    return exported(request.viewer, exclusion_id)
