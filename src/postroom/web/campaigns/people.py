"""One recipient of a campaign: what happened, in the servers' own words, and what a person may decide."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from postroom.actions.campaign_run import uncertain_decide
from postroom.errors import InputError, NotFound
from postroom.mail.csvfile import write_rows
from postroom.models.delivery import Delivery
from postroom.queries.blob import blob_read
from postroom.queries.campaign import campaign_visible_to, figures_of
from postroom.queries.delivery import (
    Entry,
    deliveries_stream,
    delivery_visible_to,
    event_visible_to,
    neighbours,
    timeline_visible_to,
)
from postroom.web.campaigns.posting import post_or_back
from postroom.web.campaigns.words import sentence, skip_words
from postroom.web.download import in_words, moment
from postroom.web.said import said_with_reply
from postroom.web.states import look
from postroom.web.toast import toast
from postroom.web.typed import numbers
from postroom.web.viewer import ViewerRequest


def detail(request: ViewerRequest, campaign_id: int, delivery_id: int) -> HttpResponse:
    """The side panel; a page of its own where there is no room for it (or no script)."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    delivery = delivery_visible_to(request.viewer, delivery_id)
    if delivery.campaign_id != campaign.id:
        raise NotFound(_("There is no such recipient."))
    before, after = neighbours(delivery)
    values = {
        "campaign": campaign,
        "delivery": delivery,
        "entries": [_shown(entry) for entry in timeline_visible_to(request.viewer, delivery_id)],
        "before": before,
        "after": after,
    }
    template = "campaigns/detail.html" if request.htmx else "campaigns/person.html"
    return render(request, template, values)


def _shown(entry: Entry) -> dict[str, Any]:
    return {"entry": entry, "look": look(entry.what), "sentence": sentence(entry)}


@post_or_back
def decide(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """One doubtful recipient, or all: send again, or count as accepted."""
    text = request.POST.get("delivery", "")
    ids = numbers([text]) or None
    decision = request.POST.get("decision")
    if decision not in ("again", "leave"):
        raise InputError(_("Choose what shall happen."), field="decision")
    again = decision == "again"
    count = uncertain_decide(
        viewer=request.viewer, campaign_id=campaign_id, delivery_ids=ids, send_again=again
    )
    if not count:
        words = _("Nothing was in doubt any more.")
    elif again:
        words = ngettext("%(n)s message goes out again.", "%(n)s messages go out again.", count)
    else:
        words = ngettext("%(n)s counts as accepted.", "%(n)s count as accepted.", count)
    toast(request, words % {"n": count} if count else words)
    page = reverse("campaign", args=[campaign_id])
    more = figures_of([campaign_visible_to(request.viewer, campaign_id)])[campaign_id].uncertain
    return redirect(f"{page}?show=uncertain" if ids and more else page)  # the next one to decide


def raw(request: ViewerRequest, event_id: int) -> HttpResponse:
    """A report as it came: text, never interpreted."""
    event = event_visible_to(request.viewer, event_id)
    answer = HttpResponse(blob_read(event.raw_id), content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = f'inline; filename="report-{event.id}.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def _answer(row: Delivery) -> str:
    """The server's words; what we say ourselves, and why somebody was left out, in the reader's language."""
    if row.words:
        return f"{row.code or ''} {said_with_reply(row.words)}".strip()
    return skip_words(row.reason) if row.state == "skipped" and row.reason else ""


def export(request: ViewerRequest, campaign_id: int) -> StreamingHttpResponse:
    """The rows of the present filter as CSV that no spreadsheet runs."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    rows = deliveries_stream(
        request.viewer, campaign, show=request.GET.get("show", "all"), search=request.GET.get("q", "").strip()
    )

    def cells() -> Iterator[Sequence[object]]:
        yield (
            pgettext("person", "Name"),
            _("Address"),
            _("State"),
            _("Arrival"),
            _("Reading"),
            _("Time"),
            _("Tries"),
            _("Server's words"),
        )
        for row in rows:
            yield (
                row.name,
                row.address,
                look(row.state).word,
                look(row.arrival).word,
                look(row.reading).word,
                moment(row.state_at),
                row.attempts,
                _answer(row),
            )

    answer = StreamingHttpResponse(write_rows(in_words(cells())), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="campaign-{campaign.id}.csv"'
    return answer
