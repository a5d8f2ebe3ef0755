"""Settings > Domains: the list, and one domain with its records, keys, bounce host and addresses."""

from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from postroom.actions.domain import bounce_host_set, domain_add, domain_check_ask, domain_delete, domain_word
from postroom.actions.domain_key import key_drop, key_make, key_use
from postroom.actions.local_address import local_address_delete, local_addresses_add
from postroom.errors import Conflict, InputError, PostroomError
from postroom.models.domain import Domain, DomainCheck
from postroom.queries.account import accounts_visible_to
from postroom.queries.domain import addresses_of, bounce_host_below, domain_visible_to, domains_visible_to
from postroom.queries.user import users_visible_to
from postroom.queries.viewer import administers
from postroom.web.domains.words import cards_of, key_rows, shown_name
from postroom.web.live import unchanged
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number
from postroom.web.viewer import ViewerRequest


def index(request: ViewerRequest) -> HttpResponse:
    return _list(request)


def _list(request: ViewerRequest, status: int = 200, **more: object) -> HttpResponse:
    rows = [
        (domain, shown_name(domain.name), cards_of(domain, with_records=False))
        for domain in domains_visible_to(request.viewer).select_related("workspace")
    ]
    return render(request, "domains/index.html", {"rows": rows, **more}, status=status)


@require_POST
def new(request: ViewerRequest) -> HttpResponse:
    name = request.POST.get("name", "")
    try:
        made = domain_add(viewer=request.viewer, name=name)
    except (InputError, Conflict) as error:
        return _list(request, _status(error), wrong=said(error), typed=name)
    toast(request, _("%(name)s is added. Publish its records, then check.") % {"name": made.name})
    return redirect("domain", made.id)


def show(request: ViewerRequest, domain_id: int) -> HttpResponse:
    return _page(request, domain_id)


def _page(request: ViewerRequest, domain_id: int, status: int = 200, **more: object) -> HttpResponse:
    viewer = request.viewer
    domain = domain_visible_to(viewer, domain_id)
    values = {
        **_checks(request, domain),
        "rows": addresses_of(domain),
        "bounce_host": bounce_host_below(domain),
        "other_bounce_host": "" if bounce_host_below(domain) else domain.workspace.bounce_host,
        "owners": [
            *((f"account-{a.id}", f"{a.name} · {a.address}") for a in accounts_visible_to(viewer)),
            *((f"user-{u.id}", str(u)) for u in users_visible_to(viewer)),
        ],
        **more,
    }
    return render(request, "domains/show.html", values, status=status)


def _checks(request: ViewerRequest, domain: Domain) -> dict[str, Any]:
    live = domain.asked.filter(state__in=("waiting", "running")).order_by("-id").first()
    return {
        "domain": domain,
        "shown": shown_name(domain.name),
        "cards": cards_of(domain),
        "keys": key_rows(domain),
        "key_waits": any(key.state == "next" for key in domain.keys.all()),
        "can_vouch": administers(request.viewer),
        "live": live is not None,
        "waits_long": _waits_long(live),
        "version": f"{live.id}{live.state}{_waits_long(live)}" if live else "",
    }


def _waits_long(check: DomainCheck | None) -> bool:
    """Nobody took it up: the sync daemon does so within a second."""
    return (
        check is not None
        and check.state == "waiting"
        and timezone.now() - check.created_at > timedelta(seconds=5)
    )


def checks(request: ViewerRequest, domain_id: int) -> HttpResponse:
    """The block that renews itself while the daemon looks."""
    values = _checks(request, domain_visible_to(request.viewer, domain_id))
    return unchanged(request, values["version"]) or render(request, "domains/checks.html", values)


@require_POST
def check(request: ViewerRequest, domain_id: int) -> HttpResponse:
    domain_check_ask(viewer=request.viewer, domain_id=domain_id)
    if request.htmx:
        values = _checks(request, domain_visible_to(request.viewer, domain_id))
        return render(request, "domains/checks.html", values)
    return redirect("domain", domain_id)


@require_POST
def word(request: ViewerRequest, domain_id: int) -> HttpResponse:
    try:
        domain = domain_word(viewer=request.viewer, domain_id=domain_id)
    except Conflict as error:
        return _page(request, domain_id, 409, wrong=said(error))
    toast(request, _("%(name)s counts as proved, on your word.") % {"name": domain.name})
    return redirect("domain", domain_id)


@require_POST
def delete(request: ViewerRequest, domain_id: int) -> HttpResponse:
    domain = domain_visible_to(request.viewer, domain_id)
    try:
        domain_delete(viewer=request.viewer, domain_id=domain_id)
    except Conflict as error:
        return _page(request, domain_id, 409, wrong=said(error))
    toast(request, _("%(name)s is deleted with its keys.") % {"name": domain.name})
    return redirect("domains")


@require_POST
def key_new(request: ViewerRequest, domain_id: int) -> HttpResponse:
    try:
        key = key_make(viewer=request.viewer, domain_id=domain_id)
    except Conflict as error:
        return _page(request, domain_id, 409, wrong=said(error))
    toast(
        request,
        _("The key %(selector)s is made. Once its record is seen, it signs.") % {"selector": key.selector},
    )
    return redirect("domain", domain_id)


@require_POST
def key_word(request: ViewerRequest, domain_id: int, key_id: int) -> HttpResponse:
    try:
        key = key_use(viewer=request.viewer, domain_id=domain_id, key_id=key_id)
    except Conflict as error:
        return _page(request, domain_id, 409, wrong=said(error))
    toast(request, _("%(selector)s signs from now on.") % {"selector": key.selector})
    return redirect("domain", domain_id)


@require_POST
def key_away(request: ViewerRequest, domain_id: int, key_id: int) -> HttpResponse:
    try:
        key_drop(viewer=request.viewer, domain_id=domain_id, key_id=key_id)
    except Conflict as error:
        return _page(request, domain_id, 409, wrong=said(error))
    toast(request, _("The key is thrown away."))
    return redirect("domain", domain_id)


@require_POST
def bounce_host(request: ViewerRequest, domain_id: int) -> HttpResponse:
    host = request.POST.get("bounce_host", "")
    try:
        bounce_host_set(viewer=request.viewer, domain_id=domain_id, host=host)
    except (InputError, Conflict) as error:
        return _page(request, domain_id, _status(error), wrong_host=said(error), typed_host=host)
    toast(request, _("Saved. Publish its records, then check."))
    return redirect("domain", domain_id)


@require_POST
def addresses(request: ViewerRequest, domain_id: int) -> HttpResponse:
    text, owner = request.POST.get("addresses", ""), request.POST.get("owner", "")
    kind, _dash, which = owner.partition("-")
    chosen = number(which, 0)
    try:
        added, here = local_addresses_add(
            viewer=request.viewer,
            domain_id=domain_id,
            text=text,
            account_id=chosen if kind == "account" else 0,
            user_id=chosen if kind == "user" else 0,
        )
    except InputError as error:
        values = {"wrong_addresses": said(error), "typed_addresses": text, "typed_owner": owner}
        return _page(request, domain_id, 422, **values)
    words = ngettext("%(n)s address is new.", "%(n)s addresses are new.", added) % {"n": added}
    if here:
        words += " " + ngettext("%(n)s was here.", "%(n)s were here.", here) % {"n": here}
    toast(request, words)
    return redirect("domain", domain_id)


@require_POST
def address_delete(request: ViewerRequest, domain_id: int, address_id: int) -> HttpResponse:
    gone = local_address_delete(viewer=request.viewer, domain_id=domain_id, address_id=address_id)
    toast(request, _("%(address)s is off the list.") % {"address": gone})
    return redirect("domain", domain_id)


def _status(error: PostroomError) -> int:
    return 409 if isinstance(error, Conflict) else 422
