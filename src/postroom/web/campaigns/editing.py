"""The editor of a draft: typed text is kept whatever happens, the preview shows what will be sent."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.actions.account_reading import collector_switch
from postroom.actions.blob import blob_put
from postroom.actions.campaign import attachment_add, attachment_remove, campaign_create, campaign_edit
from postroom.actions.campaign_start import campaign_start
from postroom.actions.message import campaign_test_send
from postroom.errors import Conflict, NotFound, PostroomError
from postroom.mail.fields import CATALOGUE, GROUPS
from postroom.models.campaign import Campaign
from postroom.models.message_type import MessageType
from postroom.models.profile import Right
from postroom.queries.campaign import campaign_visible_to
from postroom.queries.campaign_check import asks_many, audience_of, before_it_goes
from postroom.queries.campaign_choice import (
    accounts_to_choose,
    campaigns_to_join,
    lists_to_choose,
    people_to_preview,
    templates_to_choose,
)
from postroom.queries.contact import attribute_keys
from postroom.queries.message_type import types_to_choose
from postroom.queries.preview import Preview, campaign_preview, field_samples
from postroom.queries.template import template_default_for
from postroom.queries.viewer import Viewer, demand
from postroom.web.campaigns.forms import CampaignForm, NewForm
from postroom.web.campaigns.posting import post_or_back
from postroom.web.errors import status_of
from postroom.web.forms import add_error
from postroom.web.mail_page import mail_page
from postroom.web.said import said
from postroom.web.toast import toast
from postroom.web.typed import number, numbers
from postroom.web.viewer import ViewerRequest

#: One attached file; all of them together are bounded by the account's server.
ATTACHMENT_MAX = 25_000_000


def new(request: ViewerRequest) -> HttpResponse:
    """Name it, choose a template or none; the rest is on its own screen."""
    demand(request.viewer, Right.CAMPAIGNS_SEND)
    templates = templates_to_choose(request.viewer)
    usual = template_default_for(request.viewer)
    form = NewForm(request.POST or None, templates=templates, initial={"template": usual.id if usual else ""})
    if request.method == "POST" and form.is_valid():
        try:
            campaign = campaign_create(
                viewer=request.viewer,
                name=form.cleaned_data["name"],
                template_id=form.cleaned_data["template"] or None,
            )
            return redirect("campaign", campaign.id)
        except PostroomError as error:
            add_error(form, error)
    status = 422 if form.is_bound else 200
    return render(request, "campaigns/new.html", {"form": form, "templates": templates}, status=status)


def edit(
    request: ViewerRequest, campaign: Campaign, form: CampaignForm | None = None, **more: Any
) -> HttpResponse:
    """The whole editor; a form given is what somebody typed and is not stored."""
    viewer = request.viewer
    aside = _aside(request, campaign)
    chosen = form.chosen_lists() if form else set(campaign.lists.values_list("id", flat=True))
    values = {
        "campaign": campaign,
        "form": form or CampaignForm.of(campaign),
        "accounts": accounts_to_choose(viewer),
        "lists": lists_to_choose(viewer, chosen),
        "types": _types(viewer, campaign),
        "others": campaigns_to_join(viewer, campaign),
        "fields": _fields(request, campaign, aside["preview"]),
        **aside,
        **more,
    }
    return render(request, "campaigns/edit.html", values, status=more.get("status", 200))


def lists(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """The lists to choose from: those ticked in the form, and others by the words typed."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    words = request.GET.get("find_list", "")[:200]
    found = lists_to_choose(request.viewer, numbers(request.GET.getlist("lists")), words)
    return render(request, "campaigns/lists.html", {"campaign": campaign, "lists": found, "words": words})


def _types(viewer: Viewer, campaign: Campaign) -> list[MessageType]:
    """What may be chosen, and what the campaign has, though it may not be offered any more."""
    found = types_to_choose(viewer)
    return found if campaign.type is None or campaign.type in found else [campaign.type, *found]


def _fields(
    request: ViewerRequest, campaign: Campaign, preview: Preview | None
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """The field picker: group label -> (key, label, value for the person of the preview)."""
    samples = field_samples(campaign, preview.contact if preview else None)
    groups: dict[str, list[tuple[str, str, str]]] = {group: [] for group in GROUPS}
    for special in CATALOGUE:
        groups[special.group].append((special.key, _(special.label), samples.get(special.key, "")))
    groups["contact"] += [
        (key.key, key.label, samples.get(key.key, "")) for key in attribute_keys(request.viewer)
    ]
    return [(_(GROUPS[group]), fields) for group, fields in groups.items() if fields]


def _aside(request: ViewerRequest, campaign: Campaign) -> dict[str, Any]:
    """Preview and checks, as far as the draft allows."""
    audience = audience_of(campaign, request.viewer.user.id)
    checks = before_it_goes(campaign, audience)
    text = request.GET.get("contact") or request.POST.get("contact", "")
    preview, fault = _preview(request, campaign, number(text, None))
    minutes = audience.takes.total_seconds() / 60 if audience.takes else None
    return {
        "audience": audience,
        "checks": checks,
        "to_look_at": sum(check.kind != "ok" for check in checks),
        "asks_many": asks_many(campaign, audience),
        "can_start": not any(check.kind == "bad" for check in checks),
        "preview": preview,
        "fault": fault,
        "people": people_to_preview(request.viewer, campaign),
        "minutes": minutes,
        "done_at": timezone.now() + audience.takes if audience.takes else None,
        "attachments": list(campaign.attachments.select_related("blob").order_by("id")),
        "saved_at": campaign.updated_at,
    }


def _preview(
    request: ViewerRequest, campaign: Campaign, contact_id: int | None
) -> tuple[Preview | None, str]:
    try:
        return campaign_preview(request.viewer, campaign, contact_id), ""
    except PostroomError as error:
        return None, said(error)


def aside(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """Preview for another contact."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    return render(request, "campaigns/aside.html", {"campaign": campaign, **_aside(request, campaign)})


def _keep(request: ViewerRequest, campaign: Campaign) -> Campaign | HttpResponse:
    """Store what was typed; else the answer that shows it again and says why it is not stored."""
    form = CampaignForm(request.POST)
    if not form.is_valid():
        return _refused(request, campaign, form, 422)
    try:
        return campaign_edit(
            viewer=request.viewer,
            campaign_id=campaign.id,
            version=form.cleaned_data["version"],
            account_id=form.cleaned_data["account"] or None,
            list_ids=form.cleaned_data["lists"],
            mailing_id=form.cleaned_data["mailing"] or 0,
            type_id=form.cleaned_data["type"] or 0,
            **form.content(),
        )
    except Conflict as error:
        if error.code == "STALE_VERSION":
            return _refused(request, campaign, form, 409, stale=error.details)
        return _refused(request, campaign, form, 409, trouble=said(error))
    except PostroomError as error:
        add_error(form, error)
        return _refused(request, campaign, form, status_of(error))


@post_or_back
def save(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """Save by button, or by itself while typing (htmx). A stale save shows both texts and loses none."""
    kept = _keep(request, campaign_visible_to(request.viewer, campaign_id))
    if isinstance(kept, HttpResponse):
        return kept
    if request.htmx:
        answer = render(request, "campaigns/saved.html", {"campaign": kept, **_aside(request, kept)})
        answer.headers["X-Saved"] = str(kept.version)
        return answer
    toast(request, _("Saved."))
    return redirect("campaign", campaign_id)


def _refused(
    request: ViewerRequest, campaign: Campaign, form: CampaignForm, status: int, **more: Any
) -> HttpResponse:
    if not request.htmx:
        return edit(request, campaign, form, status=status, **more)
    words = "; ".join(str(error) for errors in form.errors.values() for error in errors)
    values = {"words": more.get("trouble") or words, "stale": more.get("stale")}
    answer = render(request, "campaigns/unsaved.html", values)
    answer.headers["HX-Retarget"] = "#pr-saved"
    answer.headers["HX-Reswap"] = "innerHTML"
    return answer


def body(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """The HTML of the preview, for a sandboxed frame."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    text = request.GET.get("contact", "")
    preview, fault = _preview(request, campaign, number(text, None))
    return mail_page(preview.html, preview.text) if preview else mail_page("", fault)


def source(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """The bytes that would be sent to this contact."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    text = request.GET.get("contact", "")
    preview, fault = _preview(request, campaign, number(text, None))
    raw = preview.raw if preview and preview.raw else (preview.missing if preview else fault).encode()
    answer = HttpResponse(raw, content_type="text/plain; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="preview.eml.txt"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


def as_sent(request: ViewerRequest, campaign: Campaign) -> HttpResponse:
    """What a campaign on its way says, for a chosen recipient."""
    return render(request, "campaigns/message.html", {"campaign": campaign, **_aside(request, campaign)})


@post_or_back
def attach(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    campaign_visible_to(request.viewer, campaign_id)
    for file in request.FILES.getlist("files"):
        if (file.size or 0) > ATTACHMENT_MAX:
            toast(
                request,
                _("%(name)s is larger than %(max)s MB and was not attached.")
                % {"name": file.name, "max": ATTACHMENT_MAX // 1_000_000},
            )
            continue
        blob = blob_put(b"".join(file.chunks()))
        attachment_add(
            viewer=request.viewer,
            campaign_id=campaign_id,
            name=file.name or "",
            content_type=file.content_type or "",
            sha256=blob.sha256,
        )
    return redirect("campaign", campaign_id)


@post_or_back
def detach(request: ViewerRequest, campaign_id: int, attachment_id: int) -> HttpResponse:
    attachment_remove(viewer=request.viewer, campaign_id=campaign_id, attachment_id=attachment_id)
    toast(request, _("The file is no longer attached."))
    return redirect("campaign", campaign_id)


@post_or_back
def test(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """What is typed is stored, then goes to the signed-in person's own address."""
    kept = _keep(request, campaign_visible_to(request.viewer, campaign_id))
    if isinstance(kept, HttpResponse):
        return kept
    text = request.POST.get("contact", "")
    try:
        campaign_test_send(
            viewer=request.viewer,
            campaign_id=campaign_id,
            contact_id=number(text, None),
        )
    except NotFound:
        raise
    except PostroomError as error:
        return edit(request, kept, trouble=said(error), status=status_of(error))
    toast(request, _("A test is on its way to %(address)s.") % {"address": request.viewer.user.email})
    return redirect("campaign", campaign_id)


@post_or_back
def start(request: ViewerRequest, campaign_id: int) -> HttpResponse:
    """Start; what is in the way is said on the editor itself. Receipts without a reader: three choices (RC-05)."""
    campaign = campaign_visible_to(request.viewer, campaign_id)
    choice, audience = request.POST.get("receipts", ""), audience_of(campaign, request.viewer.user.id)
    if choice != "without" and asks_many(campaign, audience) and not request.POST.get("ask_many"):
        return edit(request, campaign, open_start=True, status=409)
    try:
        if choice == "without":
            campaign = campaign_edit(
                viewer=request.viewer,
                campaign_id=campaign_id,
                version=campaign.version,
                receipt_delivery=False,
                receipt_read=False,
            )
        elif choice == "enable" and campaign.account is not None:
            collector_switch(viewer=request.viewer, account_id=campaign.account.id, on=True)
        campaign_start(viewer=request.viewer, campaign_id=campaign_id)
    except Conflict as error:
        if error.code == "COLLECTOR_REQUIRED":
            return edit(request, campaign, ask_receipts=True, status=409)
        if error.code == "RUN_ACTIVE":
            toast(request, _("It was started already."))
            return redirect("campaign", campaign_id)
        return edit(request, campaign, trouble=said(error), status=409)
    except NotFound:
        raise
    except PostroomError as error:
        return edit(request, campaign, trouble=said(error), status=status_of(error))
    people = audience.will_get
    words = ngettext(
        "It leaves for %(n)s person in a moment.", "It leaves for %(n)s people in a moment.", people
    )
    toast(request, words % {"n": people}, undo=reverse("campaign_act", args=[campaign_id, "unstart"]))
    return redirect("campaign", campaign_id)
