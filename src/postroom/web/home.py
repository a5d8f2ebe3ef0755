"""The way in, the fifth tab of a phone, and the sign of life."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from postroom.queries.campaign import campaign_going_out
from postroom.web.context import now_values
from postroom.web.live import unchanged
from postroom.web.viewer import ViewerRequest


def home(request: HttpRequest) -> HttpResponse:
    return redirect("/campaigns/")


def more(request: HttpRequest) -> HttpResponse:
    return render(request, "more.html")


def now(request: ViewerRequest) -> HttpResponse:
    """The campaign on its way, for the foot of the side bar."""
    values = now_values(campaign_going_out(request.viewer))
    return unchanged(request, values.get("now_version", "")) or render(request, "components/now.html", values)


@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok\n", content_type="text/plain")
