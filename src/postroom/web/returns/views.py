"""Archive > Returned: the common list of returned addresses, and reading every mailbox for them (AR-02, AR-03)."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from postroom.actions.returns import returns_synchronise
from postroom.errors import InputError
from postroom.models.profile import Right
from postroom.queries.account import accounts_visible_to
from postroom.queries.returns import Returned, ReturnsFilter, returns_page
from postroom.queries.status import mailboxes_of
from postroom.queries.viewer import can, demand
from postroom.web.download import csv_answer, moment
from postroom.web.live import unchanged
from postroom.web.status.log import shown
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest

#: Lines of one file.
EXPORT_MOST = 200_000
CLASSES = (
    ("address_gone", gettext_lazy("Address does not exist")),
    ("mailbox_state", gettext_lazy("Mailbox full or closed")),
    ("sender", gettext_lazy("Refused because of us")),
    ("infrastructure", gettext_lazy("Network or system")),
)


def index(request: ViewerRequest) -> HttpResponse:
    viewer = request.viewer
    show, wrong = _filter(request)
    rows, before = returns_page(viewer, show, before=number(request.GET.get("before", ""), 0))
    values = {
        "rows": rows,
        "before": before,
        "show": show,
        "wrong": wrong,
        "classes": CLASSES,
        "accounts": accounts_visible_to(viewer)[:200],
        "since": request.GET.get("since", "")[:20],
        "until": request.GET.get("until", "")[:20],
        "can_export": can(viewer, Right.CONTACTS_EXPORT),
        **(_boxes(request) if request.GET.get("boxes") else {}),
    }
    return render(request, "returns/index.html", values, status=422 if wrong else 200)


def _filter(request: ViewerRequest) -> tuple[ReturnsFilter, str]:
    log, wrong = shown(request)
    kind = request.GET.get("class", "")
    found = ReturnsFilter(
        find=log.find.strip(),
        bounce_class=kind if kind in dict(CLASSES) else "",
        account_id=log.account_id,
        campaign_id=number(request.GET.get("campaign", ""), None),
        since=log.since,
        until=log.until,
    )
    return found, wrong


def class_word(name: str) -> str:
    return str(dict(CLASSES).get(name, ""))


def export(request: ViewerRequest) -> StreamingHttpResponse:
    viewer = request.viewer
    demand(viewer, Right.LOG_VIEW)
    demand(viewer, Right.CONTACTS_EXPORT)
    show, wrong = _filter(request)
    if wrong:
        raise InputError(wrong)

    def rows() -> Iterator[list[object]]:
        yield [
            _("Time"),
            _("Address"),
            _("Why"),
            _("Code"),
            _("Server's words"),
            _("Campaign"),
            _("Account"),
            _("Folder"),
        ]
        before = 0
        for _page in range(EXPORT_MOST // 1000):
            page, before = returns_page(viewer, replace(show), before=before, size=1000)
            yield from (_line(one) for one in page)
            if not before:
                return

    return csv_answer("returned", rows())


def _line(one: Returned) -> list[object]:
    why, code = class_word(one.bounce_class), " ".join(part for part in (one.code, one.status) if part)
    return [moment(one.at), one.address, why, code, one.words, one.campaign, one.account, one.folder]


@require_POST
def synchronise(request: ViewerRequest) -> HttpResponse:
    asked, found = returns_synchronise(viewer=request.viewer)
    words = ngettext("One mailbox is read now.", "%(n)s mailboxes are read now.", asked) % {"n": asked}
    if found:
        more = ngettext("One report found its message.", "%(n)s reports found their message.", found)
        words = f"{words} {more % {'n': found}}"
    toast(request, words if asked or found else _("No mailbox is switched on."))
    return redirect("/archive/returns/?boxes=1")


def boxes(request: ViewerRequest) -> HttpResponse:
    """How the reading of each mailbox went, while somebody waits for it."""
    values = _boxes(request)
    return unchanged(request, values["version"]) or render(request, "returns/boxes.html", values)


def _boxes(request: ViewerRequest) -> dict[str, Any]:
    demand(request.viewer, Right.LOG_VIEW)
    found = mailboxes_of(request.viewer)
    version = hashlib.sha256(repr([(one.id, reading) for one, reading in found]).encode()).hexdigest()[:16]
    return {"boxes": found, "version": version}
