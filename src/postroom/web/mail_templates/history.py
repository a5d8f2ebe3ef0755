"""Earlier versions of a template: who saved what and when, side by side, and the way back."""

from dataclasses import dataclass
from difflib import SequenceMatcher

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from postroom.actions.template import template_restore
from postroom.errors import NotFound
from postroom.models.profile import May, Right
from postroom.models.template import TemplateVersion
from postroom.queries.sharing import may
from postroom.queries.template import template_versions, template_visible_to
from postroom.queries.viewer import can
from postroom.web.toast import toast
from postroom.web.typed import number as typed_number
from postroom.web.viewer import ViewerRequest

#: Longer texts are shown whole, without marks: comparing them would take too long.
LINES_MAX = 1500


@dataclass(frozen=True)
class Line:
    """One line before and after; None = there is none. same: nothing changed here."""

    before: str | None
    after: str | None
    same: bool = False


@require_GET
def index(request: ViewerRequest, template_id: int) -> HttpResponse:
    """?version=n: that one beside the one before it; without it the newest."""
    viewer = request.viewer
    template = template_visible_to(viewer, template_id, May.VIEW)
    versions = template_versions(viewer, template_id)
    asked = request.GET.get("version", "")
    shown = next((one for one in versions if str(one.version) == asked), None)
    if asked and shown is None:
        raise NotFound(_("There is no such version."))
    shown = shown or (versions[0] if versions else None)
    before = next((one for one in versions if shown and one.version < shown.version), None)
    values = {
        "template": template,
        "versions": versions,
        "shown": shown,
        "before": before,
        "parts": _parts(before, shown) if shown else [],
        "may_restore": can(viewer, Right.TEMPLATES_EDIT) and may(viewer, template, May.EDIT),
    }
    return render(request, "library/history.html", values)


def _parts(before: TemplateVersion | None, shown: TemplateVersion) -> list[tuple[str, list[Line]]]:
    names = (
        (_("Name"), "name"),
        (_("Subject"), "subject"),
        (_("Text with layout (HTML)"), "html"),
        (_("Plain text"), "text"),
    )
    found = []
    for label, part in names:
        old, new = (getattr(before, part) if before else ""), getattr(shown, part)
        if old or new:
            found.append((label, _compared(old.splitlines(), new.splitlines())))
    return found


def _compared(old: list[str], new: list[str]) -> list[Line]:
    if len(old) + len(new) > LINES_MAX:
        rows = range(max(len(old), len(new)))
        pairs = [(old[n] if n < len(old) else None, new[n] if n < len(new) else None) for n in rows]
        return [Line(a, b, same=True) for a, b in pairs]
    lines: list[Line] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            lines += [Line(text, text, same=True) for text in old[a:b]]
            continue
        for n in range(max(b - a, d - c)):
            lines.append(Line(old[a + n] if a + n < b else None, new[c + n] if c + n < d else None))
    return lines


@require_POST
def restore(request: ViewerRequest, template_id: int, number: int) -> HttpResponse:
    text = request.POST.get("version", "")
    version = typed_number(text, 0)
    template_restore(viewer=request.viewer, template_id=template_id, number=number, version=version)
    toast(request, _("Version %(n)s is back, as a new version.") % {"n": number})
    return redirect("template", template_id)
