"""Exclusion sets in the API, and leaving people out of a draft by them."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext
from ninja import File, Form, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.exclusion import (
    TEXT_MAX,
    exclusion_change,
    exclusion_delete,
    exclusion_make,
    exclusion_put_back,
    exclusion_take_out,
)
from postroom.actions.exclusion_apply import (
    exclusion_apply,
    exclusion_look,
    exclusion_undo,
    exclusions_usable,
)
from postroom.actions.exclusion_read import exclusions_ask
from postroom.errors import Conflict, InputError
from postroom.models.campaign import Campaign, CampaignState
from postroom.models.exclusion import CampaignExclusion, Exclusion, ExclusionEntry
from postroom.models.profile import May
from postroom.queries.campaign import campaign_visible_to
from postroom.queries.exclusion import (
    PAGE,
    applied_to,
    exclusion_entries,
    exclusion_visible_to,
    exclusions_visible_to,
    reading_state,
)
from postroom.queries.viewer import Viewer
from postroom.web.download import csv_answer
from postroom.web.paging import At, cut, number_at
from postroom.web.problem import problems

router = Router(tags=["exclusions"])

#: Sets in one answer.
SETS = 100
Number = Annotated[int, Field(ge=1, le=2**53)]
Name = Annotated[str, Field(max_length=1000)]
Text = Annotated[str, Field(max_length=2_000_000)]
Place = Annotated[str, Field(max_length=2000)]
Words = Annotated[str, Field(max_length=200)]


class SetNew(Schema):
    """source text: `text` has an address or a domain a line; url, file: `place` is read on use."""

    name: Name
    source: Literal["text", "url", "file"] = "text"
    text: Text = ""
    place: Place = ""


class SetChange(Schema):
    """A field left out keeps its value. add: lines more; replace: lines in the place of all."""

    #: As it was read; a stale one is refused with 409 STALE_VERSION.
    version: int
    name: Name | None = None
    place: Place | None = None
    add: Text = ""
    replace: Text | None = None


class RefusedLine(Schema):
    line: int
    text: str


class SetOut(Schema):
    """state: of a set read from elsewhere: fresh, reading, failed or old. refused: lines that say nothing."""

    id: int
    name: str
    source: str
    place: str
    version: int
    size: int
    refused: int
    refused_lines: list[RefusedLine]
    state: str
    read_at: str | None
    error: str
    visibility: str
    created_by: str


class SetList(Schema):
    items: list[SetOut]
    #: To go on with as `at`; None at the end.
    next: str | None


class SetEntryOut(Schema):
    id: int
    entry: str
    is_domain: bool


class EntryList(Schema):
    items: list[SetEntryOut]
    next: str | None


class SetEntryIds(Schema):
    ids: Annotated[list[Number], Field(min_length=1, max_length=10_000)]


class SetsIn(Schema):
    sets: Annotated[list[Number], Field(min_length=1, max_length=50)]


class StepOut(Schema):
    id: int
    sets: list[dict[str, Any]]
    people: int
    by: str
    at: str


class AppliedOut(Schema):
    """people: left out by all steps; is_old: people came onto the lists afterwards, apply again."""

    steps: list[StepOut]
    people: int
    is_old: bool


class LookOut(Schema):
    """state: ready; reading: ask again in a second; failed: `unread` says why, and how old the last copy is."""

    state: Literal["ready", "reading", "failed"]
    people: int | None = None
    by_set: list[dict[str, Any]] = []
    sample: list[dict[str, str]] = []
    unread: list[dict[str, Any]] = []


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _moment(at: Any) -> str | None:
    return at.isoformat(timespec="milliseconds") if at else None


def _out(one: Exclusion) -> dict[str, Any]:
    names = ("id", "name", "source", "place", "version", "size", "refused", "error")
    return {
        **{name: getattr(one, name) for name in names},
        "refused_lines": [{"line": line, "text": text} for line, text in one.refused_lines],
        "state": reading_state(one),
        "read_at": _moment(one.read_at),
        "visibility": one.visibility,
        "created_by": str(one.created_by or ""),
    }


@router.get("/exclusions", response={200: SetList, **problems(422)})
def exclusion_list(request: HttpRequest, q: Words = "", at: At = "") -> dict[str, Any]:
    """By name."""
    begin = number_at(at)
    found = list(exclusions_visible_to(_viewer(request), words=q)[begin : begin + SETS + 1])
    following = str(begin + SETS) if len(found) > SETS else None
    return {"items": [_out(one) for one in found[:SETS]], "next": following}


@router.post("/exclusions", response={201: SetOut, **problems(403, 422)})
def exclusion_new(request: HttpRequest, body: SetNew) -> Any:
    return Status(201, _out(exclusion_make(viewer=_viewer(request), **body.dict())))


@router.post("/exclusions/upload", response={201: SetOut, **problems(403, 422)})
def exclusion_upload(request: HttpRequest, file: File[UploadedFile], name: Name = Form(...)) -> Any:
    """A set from a text file."""
    return Status(201, _out(exclusion_make(viewer=_viewer(request), name=name, text=uploaded(file))))


def uploaded(file: Any) -> str:
    """The text of an uploaded file. Raises InputError for a large one."""
    if (file.size or 0) > TEXT_MAX:
        raise InputError(
            gettext("This is larger than %(n)s MB.") % {"n": TEXT_MAX // 1_000_000}, field="file"
        )
    raw = b"".join(file.chunks())
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    return raw.decode("utf-16" if wide else "utf-8-sig", "replace")


@router.get("/exclusions/{int:exclusion_id}", response={200: SetOut, **problems(404)})
def exclusion_show(request: HttpRequest, exclusion_id: int) -> dict[str, Any]:
    return _out(exclusion_visible_to(_viewer(request), exclusion_id))


@router.put("/exclusions/{int:exclusion_id}", response={200: SetOut, **problems(403, 404, 409, 422)})
def exclusion_put(request: HttpRequest, exclusion_id: int, body: SetChange) -> dict[str, Any]:
    changed = exclusion_change(
        viewer=_viewer(request), exclusion_id=exclusion_id, **body.dict(exclude_unset=True)
    )
    return _out(changed)


@router.delete("/exclusions/{int:exclusion_id}", response={204: None, **problems(403, 404)})
def exclusion_away(request: HttpRequest, exclusion_id: int) -> Any:
    exclusion_delete(viewer=_viewer(request), exclusion_id=exclusion_id)
    return Status(204, None)


@router.post("/exclusions/{int:exclusion_id}/restore", response={200: SetOut, **problems(403, 404)})
def exclusion_back(request: HttpRequest, exclusion_id: int) -> dict[str, Any]:
    return _out(exclusion_put_back(viewer=_viewer(request), exclusion_id=exclusion_id))


@router.get("/exclusions/{int:exclusion_id}/entries", response={200: EntryList, **problems(403, 404, 422)})
def exclusion_entry_list(
    request: HttpRequest, exclusion_id: int, q: Words = "", at: At = ""
) -> dict[str, Any]:
    """Entries in the order they came."""
    found = exclusion_visible_to(_viewer(request), exclusion_id, May.VIEW)
    shown, following = cut(exclusion_entries(found, words=q, after=number_at(at)), PAGE)
    return {
        "items": [{"id": one.id, "entry": entry_text(one), "is_domain": one.is_domain} for one in shown],
        "next": following,
    }


def entry_text(entry: ExclusionEntry) -> str:
    """As a person writes it."""
    return f"@{entry.value}" if entry.is_domain else entry.value


@router.post(
    "/exclusions/{int:exclusion_id}/remove", response={200: dict[str, int], **problems(403, 404, 409, 422)}
)
def exclusion_remove(request: HttpRequest, exclusion_id: int, body: SetEntryIds) -> dict[str, int]:
    return {"removed": exclusion_take_out(viewer=_viewer(request), exclusion_id=exclusion_id, ids=body.ids)}


@router.get("/exclusions/{int:exclusion_id}/export", response={200: None, **problems(403, 404)})
def exclusion_file(request: HttpRequest, exclusion_id: int) -> HttpResponseBase:
    return exported(_viewer(request), exclusion_id)


def exported(viewer: Viewer, exclusion_id: int) -> HttpResponseBase:
    """One entry a line; it can be uploaded again."""
    found = exclusion_visible_to(viewer, exclusion_id, May.EXPORT)
    rows = ExclusionEntry.objects.filter(exclusion=found).order_by("id").iterator(chunk_size=5000)
    # without the at-sign a spreadsheet takes no entry for a formula, and a domain means the same
    return csv_answer(found.name, ([entry.value] for entry in rows))


@router.post("/exclusions/{int:exclusion_id}/read", response={202: SetOut, **problems(403, 404)})
def exclusion_read(request: HttpRequest, exclusion_id: int) -> Any:
    """Have it read again where it lies."""
    found = exclusion_visible_to(_viewer(request), exclusion_id, May.USE)
    exclusions_ask([found.id], again=True)
    found.refresh_from_db()
    return Status(202, _out(found))


@router.get("/campaigns/{int:campaign_id}/exclusions", response={200: AppliedOut, **problems(404)})
def campaign_exclusions(request: HttpRequest, campaign_id: int) -> dict[str, Any]:
    """Without steps no exclusion set is applied."""
    found = applied_to(campaign_visible_to(_viewer(request), campaign_id))
    return {"steps": [_step(step) for step in found.steps], "people": found.people, "is_old": found.is_old}


def _step(step: CampaignExclusion) -> dict[str, Any]:
    return {
        "id": step.id,
        "sets": step.sets,
        "people": step.people,
        "by": str(step.by or ""),
        "at": _moment(step.at) or "",
    }


def look_at(viewer: Viewer, campaign: Campaign, set_ids: list[int]) -> tuple[str, Any]:
    """("ready", a Look), or ("reading" | "failed", the sets it is about). Asks for a reading where a copy is not young.

    Raises Conflict RUN_ACTIVE where nothing can be applied any more.
    """
    if campaign.state != CampaignState.DRAFT:
        raise Conflict("This campaign is not a draft any more; its content is fixed.", code="RUN_ACTIVE")
    sets = exclusions_usable(viewer, set_ids)
    states = {one.id: reading_state(one) for one in sets}
    for state in ("reading", "failed"):
        if state in states.values():
            return state, [one for one in sets if states[one.id] == state]
    if exclusions_ask([one.id for one in sets if states[one.id] == "old"]):
        return "reading", [one for one in sets if states[one.id] == "old"]
    return "ready", exclusion_look(viewer=viewer, campaign=campaign, sets=sets)


@router.post(
    "/campaigns/{int:campaign_id}/exclusions/preview",
    response={200: LookOut, **problems(403, 404, 409, 422)},
)
def campaign_exclusion_look(request: HttpRequest, campaign_id: int, body: SetsIn) -> dict[str, Any]:
    """Whom the sets would leave out. A failed reading is tried again by POST /exclusions/{id}/read."""
    viewer = _viewer(request)
    state, found = look_at(viewer, campaign_visible_to(viewer, campaign_id), body.sets)
    if state != "ready":
        names = ("id", "name", "error")
        unread = [
            {**{name: getattr(one, name) for name in names}, "read_at": _moment(one.read_at)} for one in found
        ]
        return {"state": state, "unread": unread}
    return {
        "state": "ready",
        "people": found.people,
        "by_set": [{"id": one.id, "name": one.name, "people": n} for one, n in found.by_set],
        "sample": [{"name": name, "address": address} for name, address in found.sample],
    }


@router.post(
    "/campaigns/{int:campaign_id}/exclusions", response={201: StepOut, **problems(403, 404, 409, 422)}
)
def campaign_exclusion_apply(request: HttpRequest, campaign_id: int, body: SetsIn) -> Any:
    """Leaves them out of this draft. Lists and contacts stay as they are."""
    step = exclusion_apply(viewer=_viewer(request), campaign_id=campaign_id, set_ids=body.sets)
    return Status(201, _step(step))


@router.delete(
    "/campaigns/{int:campaign_id}/exclusions", response={200: dict[str, int], **problems(403, 404, 409)}
)
def campaign_exclusion_undo(request: HttpRequest, campaign_id: int) -> dict[str, int]:
    """Takes the newest step back."""
    return {"back": exclusion_undo(viewer=_viewer(request), campaign_id=campaign_id).people}
