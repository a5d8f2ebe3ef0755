"""Taking groups over from another program: made where there is none, completed where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.group import group_make, group_save
from postroom.actions.group_member import LineError, members_add
from postroom.errors import InputError
from postroom.mail.group_file import GroupFile
from postroom.models.domain import Domain
from postroom.models.group import Group
from postroom.queries.group import groups_visible_to
from postroom.queries.viewer import Viewer

#: Members of one group.
MOST = 200_000


@dataclass(frozen=True)
class Taken:
    """added: new members; here: who was one already; errors: lines that were not taken."""

    group: Group
    made: bool
    added: int
    here: int
    errors: list[LineError]


@transaction.atomic
def groups_import(*, viewer: Viewer, domain_id: int, files: Sequence[GroupFile]) -> list[Taken]:
    """All of them or none. First every group is made, then members come in: they may contain each other.

    Circles stay as the other program had them; the expansion ends them. Raises NotAllowed, InputError (a group without
    a name), Conflict NO_DOMAIN, NAME_TAKEN.
    """
    groups = []
    for file in files:
        if not file.name:
            raise InputError(_("The file does not say what the group is called: name it."), field="name")
        domain = Domain.objects.filter(id=domain_id).first()
        address = f"{file.name}@{domain.name}".lower() if domain else ""
        group = groups_visible_to(viewer).filter(address=address).first()
        made = group is None
        if group is None:
            group = group_make(viewer=viewer, domain_id=domain_id, name=file.name, **file.options)
        elif file.options:
            group = group_save(viewer=viewer, group_id=group.id, **file.options)
        groups.append((file, group, made))
    found = []
    for file, group, made in groups:
        if not file.members:
            found.append(Taken(group, made, 0, 0, []))
            continue
        text = "\n".join(member.replace("\n", " ") for member in file.members)
        added = members_add(viewer=viewer, group_id=group.id, text=text, cycles=True, ask=False, most=MOST)
        here = [error for error in added.errors if error.code == "MEMBER_EXISTS"]
        errors = [error for error in added.errors if error.code != "MEMBER_EXISTS"]
        found.append(Taken(group, made, len(added.members), len(here), errors))
    return found
