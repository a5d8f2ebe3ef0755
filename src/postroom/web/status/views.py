"""Settings > Mailer status: what goes out, what waits, how each mailbox is read, and the switches (CM-50 to CM-55)."""

import hashlib
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.account_reading import (
    account_collect_now,
    collector_switch,
    reading_all_now,
    readings_switch,
)
from postroom.models.profile import Right
from postroom.queries.log import trouble_count
from postroom.queries.status import MOST, StatusRow, mailer_status
from postroom.queries.viewer import Viewer, administers, can, demand
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.status.chart import chart
from postroom.web.status.log import newest_values
from postroom.web.toast import toast, toast_now
from postroom.web.typed import numbers
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    values = {
        **live_values(request.viewer),
        **newest_values(request.viewer),
        "trouble": trouble_count(request.viewer),
        "can_export": can(request.viewer, Right.CONTACTS_EXPORT),
        "can_pull": administers(request.viewer),
    }
    return render(request, "status/index.html", values)


def live(request: ViewerRequest) -> HttpResponse:
    """The block that renews itself."""
    values = live_values(request.viewer)
    return unchanged(request, values["version"]) or render(request, "status/live.html", values)


def live_values(viewer: Viewer) -> dict[str, Any]:
    rows, now, minutes = mailer_status(viewer)
    bad = [row for row in rows if row.reading.state == "auth_failed" and not row.reading.is_on]
    drawn = chart(minutes)
    wrong = [row for row in rows if row.reading.state in ("auth_failed", "error") or _not_sending(row)]
    values = {
        "rows": rows,
        "now": now,
        "chart": drawn,
        "switched_off": bad,
        "summary": _summary(rows, wrong),
        "most": MOST,
        "read_any": any(row.reading.is_on and row.row.may_edit for row in rows),
        "switch_any": any(row.reading.state != "none" and row.row.may_edit for row in rows),
    }
    values["version"] = _version(rows, now, drawn)
    return values


def _not_sending(row: StatusRow) -> bool:
    return row.row.sending.state in ("failing", "paused", "suspended")


def _summary(rows: list[StatusRow], wrong: list[StatusRow]) -> str:
    if not rows:
        return _("There is no mail account yet.")
    if not wrong:
        return _("Everything runs.")
    only_reading = [row for row in wrong if not _not_sending(row)]
    if len(only_reading) == len(wrong):
        return ngettext(
            "Everything runs, except one mailbox.", "Everything runs, except %(n)s mailboxes.", len(wrong)
        ) % {"n": len(wrong)}
    return ngettext("One account has trouble.", "%(n)s accounts have trouble.", len(wrong)) % {
        "n": len(wrong)
    }


def _version(rows: list[StatusRow], *more: object) -> str:
    """Of what is shown; the words that only grow older are not part of it."""
    shown = [
        (row.account.id, row.account.version, row.reading, row.used, row.minute, row.row.sending)
        for row in rows
    ]
    return hashlib.sha256(repr((shown, more)).encode()).hexdigest()[:16]


def _done(request: ViewerRequest, words: str) -> HttpResponse:
    """The block anew for htmx, the page anew for everybody else."""
    if request.htmx:
        return toast_now(render(request, "status/live.html", live_values(request.viewer)), words)
    toast(request, words)
    return redirect("status")


@require_POST
def all_now(request: ViewerRequest) -> HttpResponse:
    demand(request.viewer, Right.LOG_VIEW)
    count = reading_all_now(viewer=request.viewer)
    words = ngettext("One mailbox is read now.", "%(n)s mailboxes are read now.", count) % {"n": count}
    return _done(request, words if count else _("No mailbox is switched on."))


@require_POST
def now(request: ViewerRequest, account_id: int) -> HttpResponse:
    """The two arrows: read it at once; where it is off, switch it on (CM-55)."""
    demand(request.viewer, Right.LOG_VIEW)
    if request.POST.get("on") == "1":
        collector_switch(viewer=request.viewer, account_id=account_id, on=True)
        return _done(request, _("Its mailbox is read from now on."))
    account_collect_now(viewer=request.viewer, account_id=account_id)
    return _done(request, _("The mailbox is read now."))


@require_POST
def switch(request: ViewerRequest, account_id: int) -> HttpResponse:
    demand(request.viewer, Right.LOG_VIEW)
    on = request.POST.get("on") == "1"
    collector_switch(viewer=request.viewer, account_id=account_id, on=on)
    return _done(
        request, _("Its mailbox is read from now on.") if on else _("Its mailbox is not read any more.")
    )


@require_POST
def switch_many(request: ViewerRequest) -> HttpResponse:
    """Those chosen in the table (CM-53)."""
    demand(request.viewer, Right.LOG_VIEW)
    on = request.POST.get("on") == "1"
    found = readings_switch(
        viewer=request.viewer, account_ids=numbers(request.POST.getlist("account")), on=on
    )
    count = sum(1 for one in found if not one.code)
    words = (
        ngettext("One mailbox is switched on.", "%(n)s mailboxes are switched on.", count)
        if on
        else ngettext("One mailbox is switched off.", "%(n)s mailboxes are switched off.", count)
    ) % {"n": count}
    refused = [said(one.message) for one in found if one.code]
    return _done(request, " ".join([words if count or not refused else "", *refused[:3]]).strip())
