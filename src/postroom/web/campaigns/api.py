"""Campaigns in the API: write, start, watch, decide. The same queries and actions as the pages."""

from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.blob import blob_put
from postroom.actions.campaign import (
    attachment_add,
    attachment_remove,
    campaign_create,
    campaign_delete,
    campaign_edit,
    campaign_undelete,
    draft,
)
from postroom.actions.campaign_run import campaign_cancel, campaign_pause, campaign_resume, uncertain_decide
from postroom.actions.campaign_start import campaign_start, campaign_unstart
from postroom.actions.message import campaign_test_send
from postroom.errors import InputError
from postroom.queries.campaign import campaign_visible_to, campaigns_visible_to, figures_of
from postroom.queries.campaign_check import asks_many, audience_of
from postroom.queries.delivery import deliveries_page, delivery_visible_to, timeline_visible_to
from postroom.queries.viewer import Viewer
from postroom.web.campaigns.answers import (
    AttachmentOut,
    CampaignOut,
    Campaigns,
    Decided,
    Deliveries,
    DeliveryOut,
    StartedOut,
    TrialOut,
    attachment_json,
    campaign_json,
    campaign_short,
    delivery_row,
    happened,
)
from postroom.web.campaigns.editing import ATTACHMENT_MAX
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems

router = Router(tags=["campaigns"])

#: Campaigns in one answer.
PAGE = 100
Id = Annotated[int, Field(ge=0, le=2**53)]
#: A filter that narrows nothing down is "".
State = Literal[
    "",
    "draft",
    "freezing",
    "waiting_for_slot",
    "running",
    "paused",
    "needs_account",
    "cancelled",
    "finished",
]
Body = Annotated[str, Field(max_length=2_000_000)]


class CampaignIn(Schema):
    """A field left out keeps its value."""

    name: Annotated[str, Field(max_length=120)] | None = None
    subject: Annotated[str, Field(max_length=2000)] | None = None
    html: Body | None = None
    text: Body | None = None
    receipt_delivery: bool | None = None
    receipt_read: bool | None = None
    unsubscribe_header: bool | None = None
    on_missing: Literal["skip", "empty"] | None = None
    on_doubt: Literal["ask", "resend"] | None = None
    #: Who it is from, where the account's own is not wanted; a contact's detail goes before.
    sender_name: Annotated[str, Field(max_length=200)] | None = None
    sender_address: Annotated[str, Field(max_length=254)] | None = None
    account: Id | None = None
    lists: Annotated[list[Id], Field(max_length=5000)] | None = None
    #: The campaign it is one mailing with: an address in both gets one copy. 0 = none.
    mailing: Id | None = None
    #: What it is about: the id of a message type. 0 = none.
    type: Id | None = None


class CampaignNew(CampaignIn):
    name: Annotated[str, Field(max_length=120)]
    template: Id | None = None


class CampaignChange(CampaignIn):
    #: Of the draft as it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: int


class StartIn(Schema):
    #: Ask for receipts although nobody reads where they return to.
    force: bool = False


class ResumeIn(Schema):
    account: Id | None = None


class TrialIn(Schema):
    #: As this contact would get it; left out = the first of the lists.
    contact: Id | None = None
    #: Other addresses than one's own; the suppression list applies to them.
    to: Annotated[list[Annotated[str, Field(max_length=400)]], Field(max_length=5)] = []


class DecideIn(Schema):
    decision: Literal["again", "accepted"]
    #: Left out = all uncertain ones of the campaign.
    deliveries: Annotated[list[Id], Field(max_length=10_000)] | None = None


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _given(body: CampaignIn) -> dict[str, Any]:
    values = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    names = {
        "lists": "list_ids",
        **{name: f"{name}_id" for name in ("account", "template", "mailing", "type")},
    }
    return {names.get(name, name): value for name, value in values.items()}


@router.get("/campaigns", response={200: Campaigns, **problems(422)})
def campaign_list(request: HttpRequest, state: State = "", at: At = "") -> dict[str, Any]:
    """Newest first. state: only these."""
    rows = campaigns_visible_to(_viewer(request)).select_related("account").order_by("-id")
    if state:
        rows = rows.filter(state=state)
    if before := number_at(at):
        rows = rows.filter(id__lt=before)
    shown, following = cut(list(rows[: PAGE + 1]), PAGE)
    figures = figures_of(list(shown))
    return {
        "items": [campaign_short(campaign, figures[campaign.id]) for campaign in shown],
        "next": following,
    }


@router.post("/campaigns", response={201: CampaignOut, **problems(403, 404, 409, 422)})
def campaign_make(request: HttpRequest, body: CampaignNew) -> Any:
    return Status(201, campaign_json(campaign_create(viewer=_viewer(request), **_given(body))))


@router.get("/campaigns/{int:campaign_id}", response={200: CampaignOut, **problems(404)})
def campaign_show(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return campaign_json(campaign_visible_to(_viewer(request), campaign_id))


@router.put("/campaigns/{int:campaign_id}", response={200: CampaignOut, **problems(403, 404, 409, 422)})
def campaign_change(request: HttpRequest, campaign_id: int, body: CampaignChange) -> dict[str, Any]:
    return campaign_json(campaign_edit(viewer=_viewer(request), campaign_id=campaign_id, **_given(body)))


@router.post("/campaigns/{int:campaign_id}/test", response={202: TrialOut, **problems(403, 404, 409, 422)})
def trial(request: HttpRequest, campaign_id: int, body: TrialIn | None = None) -> Any:
    """The message to one's own address, or to others. 422 RECIPIENT_SUPPRESSED names those it must not go to."""
    asked = body or TrialIn()
    sent = campaign_test_send(
        viewer=_viewer(request), campaign_id=campaign_id, contact_id=asked.contact, to=asked.to
    )
    return Status(202, {"message": sent.id})


@router.post("/campaigns/{int:campaign_id}/start", response={200: StartedOut, **problems(403, 404, 409, 422)})
def start(request: HttpRequest, campaign_id: int, body: StartIn | None = None) -> dict[str, Any]:
    """409 COLLECTOR_REQUIRED: receipts are asked for and nobody reads them; `force` starts all the same."""
    viewer = _viewer(request)
    audience = audience_of(campaign_visible_to(viewer, campaign_id), viewer.user.id)
    campaign = campaign_start(
        viewer=viewer, campaign_id=campaign_id, force_receipts=body is not None and body.force
    )
    warnings = []
    if asks_many(campaign, audience):
        warnings.append({"code": "READ_REQUESTS", "people": audience.will_get})
    return {**campaign_json(campaign), "warnings": warnings}


@router.post("/campaigns/{int:campaign_id}/unstart", response={200: CampaignOut, **problems(403, 404, 409)})
def unstart(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return campaign_json(campaign_unstart(viewer=_viewer(request), campaign_id=campaign_id))


@router.post("/campaigns/{int:campaign_id}/pause", response={200: CampaignOut, **problems(403, 404, 409)})
def pause(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return campaign_json(campaign_pause(viewer=_viewer(request), campaign_id=campaign_id))


@router.post(
    "/campaigns/{int:campaign_id}/resume", response={200: CampaignOut, **problems(403, 404, 409, 422)}
)
def resume(request: HttpRequest, campaign_id: int, body: ResumeIn | None = None) -> dict[str, Any]:
    """account: another one, for a campaign in the state needs_account."""
    account_id = body.account if body else None
    return campaign_json(
        campaign_resume(viewer=_viewer(request), campaign_id=campaign_id, account_id=account_id)
    )


@router.post("/campaigns/{int:campaign_id}/cancel", response={200: CampaignOut, **problems(403, 404, 409)})
def cancel(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    return campaign_json(campaign_cancel(viewer=_viewer(request), campaign_id=campaign_id))


@router.get("/campaigns/{int:campaign_id}/deliveries", response={200: Deliveries, **problems(404, 422)})
def delivery_list(
    request: HttpRequest,
    campaign_id: int,
    show: Annotated[str, Query(max_length=20)] = "all",
    q: Annotated[str, Query(max_length=200)] = "",
    at: At = "",
) -> dict[str, Any]:
    """Recipients by position. show: a state, arrival or reading, or not_reached; 404 for a word that is none."""
    viewer = _viewer(request)
    campaign = campaign_visible_to(viewer, campaign_id)
    page = deliveries_page(viewer, campaign, show=show or "all", search=q, after=number_at(at))
    return {
        "items": [delivery_row(row) for row in page.rows],
        "next": None if page.after is None else str(page.after),
    }


@router.get("/deliveries/{int:delivery_id}", response={200: DeliveryOut, **problems(404)})
def delivery_show(request: HttpRequest, delivery_id: int) -> dict[str, Any]:
    """One recipient and everything that happened, oldest first."""
    viewer = _viewer(request)
    delivery = delivery_visible_to(viewer, delivery_id)
    return {
        **delivery_row(delivery),
        "campaign": delivery.campaign_id,
        "timeline": [happened(entry) for entry in timeline_visible_to(viewer, delivery_id)],
    }


@router.delete("/campaigns/{int:campaign_id}", response={204: None, **problems(403, 404, 409)})
def campaign_drop(request: HttpRequest, campaign_id: int) -> Any:
    """Only drafts go."""
    campaign_delete(viewer=_viewer(request), campaign_id=campaign_id)
    return Status(204, None)


@router.post("/campaigns/{int:campaign_id}/restore", response={200: CampaignOut, **problems(403, 404)})
def campaign_back(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    """A deleted draft is there again."""
    campaign_undelete(viewer=_viewer(request), campaign_id=campaign_id)
    return campaign_json(campaign_visible_to(_viewer(request), campaign_id))


@router.post(
    "/campaigns/{int:campaign_id}/attachments", response={201: AttachmentOut, **problems(403, 404, 409, 422)}
)
@transaction.atomic
def attach(request: HttpRequest, campaign_id: int, file: File[UploadedFile]) -> Any:
    """A file that goes with every message, at most 25 MB."""
    draft(_viewer(request), campaign_id)
    if (file.size or 0) > ATTACHMENT_MAX:
        words = _("%(name)s is larger than %(max)s MB and was not attached.")
        raise InputError(words % {"name": file.name, "max": ATTACHMENT_MAX // 1_000_000}, field="file")
    made = attachment_add(
        viewer=_viewer(request),
        campaign_id=campaign_id,
        name=file.name or "",
        content_type=file.content_type or "",
        sha256=blob_put(b"".join(file.chunks())).sha256,
    )
    return Status(201, attachment_json(made))


@router.delete(
    "/campaigns/{int:campaign_id}/attachments/{int:attachment_id}",
    response={204: None, **problems(403, 404, 409)},
)
def detach(request: HttpRequest, campaign_id: int, attachment_id: int) -> Any:
    attachment_remove(viewer=_viewer(request), campaign_id=campaign_id, attachment_id=attachment_id)
    return Status(204, None)


@router.post("/campaigns/{int:campaign_id}/decide", response={200: Decided, **problems(403, 404, 409, 422)})
def decide(request: HttpRequest, campaign_id: int, body: DecideIn) -> dict[str, Any]:
    """Doubt is settled by a person: send again, or count as accepted."""
    count = uncertain_decide(
        viewer=_viewer(request),
        campaign_id=campaign_id,
        delivery_ids=body.deliveries,
        send_again=body.decision == "again",
    )
    return {"decided": count}
