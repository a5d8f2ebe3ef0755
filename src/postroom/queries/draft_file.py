"""What may be attached to a message: how much, and which kinds of files."""

from collections.abc import Collection

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from postroom.errors import InputError
from postroom.models.account import Account
from postroom.models.draft import Draft
from postroom.models.template import Template, TemplateFile
from postroom.queries.viewer import Viewer

#: All files of a message together, as they are (PI-11 counts them encoded: a third more).
FILES_MAX = 18_000_000
#: Base64 in lines of 76 characters; the text and the headers beside it.
_ENCODED, _REST = 78 / 57, 20_000


def room_of(account: Account | None) -> int:
    """Bytes of files that a message from this account can hold: FILES_MAX, or less where its server takes less."""
    limit = (account.capabilities or {}).get("size") if account is not None else None
    if not isinstance(limit, int) or limit <= 0:
        return FILES_MAX
    return min(FILES_MAX, max(0, int((limit - _REST) / _ENCODED)))


def file_demand(draft: Draft, name: str, size_bytes: int) -> None:
    """Whether one more file of this size fits beside those that are there and those still coming.

    Raises InputError TOO_LARGE (details: room), BLOCKED.
    """
    file_ending_demand(draft.workspace.blocked_files, name)
    there = sum(draft.files.values_list("blob__size_bytes", flat=True))
    there += sum(draft.uploads.values_list("size_bytes", flat=True))
    room = room_of(draft.account)
    if there + size_bytes > room and room < FILES_MAX and draft.account is not None:
        words = _("%(name)s was not added: the mail server of %(address)s takes files of %(size)s together.")
        said = words % {
            "name": name[:100],
            "address": draft.account.address,
            "size": filesizeformat(room).replace("\xa0", " "),
        }
        raise InputError(said, code="TOO_LARGE", field="files", details={"room": max(0, room - there)})
    _room_demand(there, name, size_bytes)


def template_file_demand(template: Template, name: str, size_bytes: int) -> None:
    """Whether a message could hold one more file of this size beside the template's. Raises as `file_demand`."""
    file_ending_demand(template.workspace.blocked_files, name)
    _room_demand(sum(template.files.values_list("blob__size_bytes", flat=True)), name, size_bytes)


def _room_demand(there: int, name: str, size_bytes: int) -> None:
    if there + size_bytes > FILES_MAX:
        words = _("%(name)s was not added: all files together may have %(n)s MB.")
        said = words % {"name": name[:100], "n": FILES_MAX // 1_000_000}
        raise InputError(said, code="TOO_LARGE", field="files", details={"room": max(0, FILES_MAX - there)})


def file_ending_demand(blocked: Collection[str], name: str) -> None:
    """Raises InputError BLOCKED for a file the firm sends to nobody. Blanks and dots at its end hide nothing."""
    ending = name.strip(" .").lower().rpartition(".")[2] if "." in name.strip(" .") else ""
    if ending in blocked:
        words = _("%(name)s was not added: files ending in .%(ending)s are not sent from here.")
        raise InputError(
            words % {"name": name[:100], "ending": ending},
            code="BLOCKED",
            field="files",
            details={"ending": ending},
        )


def files_bring(template: Template) -> list[TemplateFile]:
    """What comes along when the template is put into a message (CM-44)."""
    return list(template.files.select_related("blob").order_by("id"))


def endings_of(viewer: Viewer) -> list[str]:
    return sorted(viewer.workspace.blocked_files)
