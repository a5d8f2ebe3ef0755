"""Further workspaces, and what each may use: for who administers the installation."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.member import member_add, workspace_make
from postroom.errors import InputError, NotFound
from postroom.models.workspace import Role, Workspace
from postroom.queries.viewer import Viewer, demand_administers


@transaction.atomic
def workspace_add(*, viewer: Viewer, name: str, language: str, time_zone: str) -> Workspace:
    """With its maker as the owner, who may invite another and leave. Raises NotAllowed, InputError."""
    demand_administers(viewer)
    clean = " ".join(name.replace("\0", " ").split())
    if not clean or len(clean) > 120:
        raise InputError(_("Give the firm a name."), field="name")
    made = workspace_make(name=clean, language=language, time_zone=time_zone)
    member_add(workspace=made, user=viewer.user, role=Role.OWNER)
    audit(viewer, "made", "workspace", made.id, name=clean)
    return made


@transaction.atomic
def workspace_limit(
    *,
    viewer: Viewer,
    workspace_id: int,
    seats: int,
    parallel_runs: int,
    per_day: int,
    approve_below: int | None = None,
) -> Workspace:
    """0 = no limit; approve_below: 0 = every marketing account waits for a word (SA-13), None = as
    it was. Who is there beyond the places stays. Raises NotAllowed, NotFound, InputError."""
    demand_administers(viewer)
    found = Workspace.objects.select_for_update().filter(id=workspace_id).first()
    if found is None:
        raise NotFound(_("There is no such workspace."))
    values = {
        "seats": seats,
        "parallel_runs": parallel_runs,
        "per_day": per_day,
        "approve_below": found.approve_below if approve_below is None else approve_below,
    }
    for field, value in values.items():
        if not 0 <= value <= 2_000_000_000:
            raise InputError(_("Give a number; 0 means no limit."), field=field)
        setattr(found, field, value)
    found.version += 1
    found.save(update_fields=[*values, "version"])
    audit(viewer, "limits", "workspace", found.id, name=found.name, **values)
    return found
