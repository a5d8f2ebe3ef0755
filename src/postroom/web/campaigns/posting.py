"""Addresses that take a POST only. Who comes with a GET was sent by the sign-in page, and goes to the campaign."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect

from postroom.web.viewer import ViewerRequest


def post_or_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answer(request: ViewerRequest, campaign_id: int, **more: Any) -> HttpResponse:
        if request.method != "POST":
            return redirect("campaign", campaign_id)
        return view(request, campaign_id, **more)

    return answer
