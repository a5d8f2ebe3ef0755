"""Templates in the API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status
from ninja.files import UploadedFile
from pydantic import Field

from postroom.actions.template import (
    TemplateValues,
    template_add,
    template_copy,
    template_default_save,
    template_delete,
    template_edit,
    template_restore,
)
from postroom.actions.template_file import template_file_add, template_file_remove
from postroom.models.profile import May
from postroom.models.template import Template, TemplateFile
from postroom.queries.draft_file import files_bring, template_file_demand
from postroom.queries.sharing import rights_on
from postroom.queries.template import (
    defaults_of,
    template_default_for,
    template_versions,
    template_visible_to,
    templates_visible_to,
)
from postroom.queries.viewer import Viewer
from postroom.web.paging import At, page_of
from postroom.web.problem import problems

router = Router(tags=["templates"])
PAGE = 100
Name = Annotated[str, Field(max_length=1000)]
Body = Annotated[str, Field(max_length=2_000_000)]
Number = Annotated[int, Field(ge=1, le=2**53)]


class TemplateIn(Schema):
    name: Name
    subject: Annotated[str, Field(max_length=4000)] = ""
    html: Body = ""
    text: Body = ""


class TemplateChange(TemplateIn):
    #: As it was read; a stale one is refused with 409 STALE_VERSION, which holds both texts.
    version: int


class DefaultIn(Schema):
    #: Profiles whose mails begin with it, of those the caller may decide for.
    profiles: Annotated[list[Number], Field(max_length=500)]


class RestoreIn(Schema):
    #: As it was read.
    version: int


class CopyIn(Schema):
    name: Name | None = None


class TemplateShort(Schema):
    id: int
    name: str
    subject: str
    version: int
    visibility: str
    owner: str
    #: What the caller may do with it: view, use, edit.
    may: list[str]
    #: Ids of the profiles it is the default of.
    default_of: list[int]
    updated_at: str


class TemplateFileOut(Schema):
    id: int
    name: str
    content_type: str
    size_bytes: int


class TemplateOut(TemplateShort):
    html: str
    text: str
    #: What comes along into a message it is put into.
    files: list[TemplateFileOut]


class TemplateList(Schema):
    items: list[TemplateShort]
    #: To go on with as `at`; None at the end.
    next: str | None


class DefaultOut(Schema):
    #: The defaults it took the place of: {"profile", "template"} in words.
    cleared: list[dict[str, str]]


class VersionOut(Schema):
    version: int
    name: str
    subject: str
    html: str
    text: str
    saved_by: str
    saved_at: str


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.auth  # type: ignore[attr-defined]
    return viewer


def _short(viewer: Viewer, rows: list[Template]) -> list[dict[str, Any]]:
    rights, defaults = rights_on(viewer, rows), defaults_of(rows)
    return [
        {
            **{name: getattr(one, name) for name in ("id", "name", "subject", "version", "visibility")},
            "owner": str(one.created_by or ""),
            "may": sorted(rights[one.id]),
            "default_of": [profile.id for profile in defaults.get(one.id, [])],
            "updated_at": one.updated_at.isoformat(timespec="milliseconds"),
        }
        for one in rows
    ]


def _out(viewer: Viewer, one: Template) -> dict[str, Any]:
    files = [_file(file) for file in files_bring(one)]
    return {**_short(viewer, [one])[0], "html": one.html, "text": one.text, "files": files}


def _file(one: TemplateFile) -> dict[str, Any]:
    return {
        **{name: getattr(one, name) for name in ("id", "name", "content_type")},
        "size_bytes": one.blob.size_bytes,
    }


@router.get("/templates", response={200: TemplateList, **problems(422)})
def template_list(
    request: HttpRequest, q: Annotated[str, Query(max_length=200)] = "", at: At = ""
) -> dict[str, Any]:
    """By name. q: part of the name, accents and case aside."""
    viewer = _viewer(request)
    shown, following = page_of(templates_visible_to(viewer, q), at, PAGE)
    return {"items": _short(viewer, list(shown)), "next": following}


@router.get("/templates/default", response={200: TemplateOut, 204: None, **problems()})
def template_usual(request: HttpRequest) -> Any:
    """The one the caller's mails begin with; 204 = none."""
    found = template_default_for(_viewer(request))
    return Status(200, _out(_viewer(request), found)) if found else Status(204, None)


@router.post("/templates", response={201: TemplateOut, **problems(403, 409, 422)})
def template_make(request: HttpRequest, body: TemplateIn) -> Any:
    """422 UNKNOWN_FIELD lists the fields that do not exist in `details.unknown`."""
    viewer = _viewer(request)
    return Status(201, _out(viewer, template_add(viewer=viewer, values=TemplateValues(**body.dict()))))


@router.get("/templates/{int:template_id}", response={200: TemplateOut, **problems(403, 404)})
def template_show(request: HttpRequest, template_id: int) -> dict[str, Any]:
    viewer = _viewer(request)
    return _out(viewer, template_visible_to(viewer, template_id, May.VIEW))


@router.put("/templates/{int:template_id}", response={200: TemplateOut, **problems(403, 404, 409, 422)})
def template_change(request: HttpRequest, template_id: int, body: TemplateChange) -> dict[str, Any]:
    viewer = _viewer(request)
    values = TemplateValues(**body.dict(exclude={"version"}))
    changed = template_edit(viewer=viewer, template_id=template_id, version=body.version, values=values)
    return _out(viewer, changed)


@router.delete("/templates/{int:template_id}", response={204: None, **problems(403, 404, 409)})
def template_drop(request: HttpRequest, template_id: int) -> Any:
    """409 IN_USE names the scheduled campaigns that use it."""
    template_delete(viewer=_viewer(request), template_id=template_id)
    return Status(204, None)


@router.post("/templates/{int:template_id}/copy", response={201: TemplateOut, **problems(403, 404, 422)})
def template_again(request: HttpRequest, template_id: int, body: CopyIn | None = None) -> Any:
    """A copy of one's own, under the name or the next free one."""
    viewer = _viewer(request)
    name = (body.name if body else None) or template_visible_to(viewer, template_id).name
    return Status(201, _out(viewer, template_copy(viewer=viewer, template_id=template_id, name=name)))


@router.put("/templates/{int:template_id}/default", response={200: DefaultOut, **problems(403, 404, 422)})
def template_prefer(request: HttpRequest, template_id: int, body: DefaultIn) -> dict[str, Any]:
    cleared = template_default_save(
        viewer=_viewer(request), template_id=template_id, profile_ids=body.profiles
    )
    return {"cleared": [{"profile": str(profile), "template": str(other)} for profile, other in cleared]}


@router.post("/templates/{int:template_id}/files", response={201: TemplateFileOut, **problems(403, 404, 422)})
def file_add(request: HttpRequest, template_id: int, file: File[UploadedFile]) -> Any:
    """A file that comes along; all of a template have 18 MB at most (422 TOO_LARGE, BLOCKED by its ending)."""
    viewer = _viewer(request)
    template = template_visible_to(viewer, template_id, May.EDIT)
    template_file_demand(template, file.name or "", file.size or 0)
    made = template_file_add(
        viewer=viewer,
        template_id=template_id,
        name=file.name or "",
        content_type=file.content_type or "",
        data=b"".join(file.chunks()),
    )
    return Status(201, _file(made))


@router.delete("/templates/{int:template_id}/files/{int:file_id}", response={204: None, **problems(403, 404)})
def file_drop(request: HttpRequest, template_id: int, file_id: int) -> Any:
    """Messages and campaigns that have it already keep it."""
    template_file_remove(viewer=_viewer(request), template_id=template_id, file_id=file_id)
    return Status(204, None)


@router.get("/templates/{int:template_id}/versions", response={200: list[VersionOut], **problems(403, 404)})
def version_list(request: HttpRequest, template_id: int) -> list[dict[str, Any]]:
    """Newest first."""
    return [
        {
            **{name: getattr(one, name) for name in ("version", "name", "subject", "html", "text")},
            "saved_by": str(one.saved_by or ""),
            "saved_at": one.saved_at.isoformat(timespec="milliseconds"),
        }
        for one in template_versions(_viewer(request), template_id)
    ]


@router.post(
    "/templates/{int:template_id}/versions/{int:number}/restore",
    response={200: TemplateOut, **problems(403, 404, 409, 422)},
)
def version_restore(request: HttpRequest, template_id: int, number: int, body: RestoreIn) -> dict[str, Any]:
    viewer = _viewer(request)
    back = template_restore(viewer=viewer, template_id=template_id, number=number, version=body.version)
    return _out(viewer, back)
