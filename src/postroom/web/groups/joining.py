"""The page of the link by which an outsider says that he wants mail of a group: opening it changes nothing."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from postroom.actions.member_consent import member_asked, member_confirm
from postroom.errors import NotFound
from postroom.models.group import GroupMember
from postroom.web.said import said
from postroom.web.unsubscribe.views import masked


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    try:
        member = member_confirm(token) if request.method == "POST" else member_asked(token)
    except NotFound as error:
        return render(request, "groups/join.html", {"gone": said(error)}, status=404)
    values = {
        "group": member.group.address,
        "firm": member.group.workspace.name,
        "address": masked(member.address),
        "done": member.state != GroupMember.State.UNCONFIRMED,
    }
    return render(request, "groups/join.html", values)
