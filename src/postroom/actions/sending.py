"""What may be sent at the same time and in a while: the firm's limits, and the slots of the installation."""

from django.db import transaction
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.slot import slots_fill
from postroom.errors import InputError
from postroom.models.profile import Right
from postroom.models.workspace import Instance, Workspace
from postroom.queries.viewer import Viewer, demand, demand_administers

_MOST = 2_000_000_000


@transaction.atomic
def firm_limits_save(*, viewer: Viewer, per_minute: int, per_hour: int, parallel_runs_each: int) -> Workspace:
    """0 = no limit. They hold over all accounts of the workspace. Raises NotAllowed, InputError."""
    demand(viewer, Right.WORKSPACE_MANAGE)
    found = Workspace.objects.select_for_update(no_key=True).get(
        id=viewer.workspace.id
    )  # the line needs its key
    values = {"per_minute": per_minute, "per_hour": per_hour, "parallel_runs_each": parallel_runs_each}
    for field, value in values.items():
        setattr(found, field, _number(field, value))
    found.version += 1
    found.save(update_fields=[*values, "version"])
    audit(viewer, "limits", "workspace", found.id, name=found.name, **values)
    slots_fill()
    return found


@transaction.atomic
def slots_save(*, viewer: Viewer, parallel_runs: int) -> None:
    """Campaigns of all workspaces sent at once; 0 = as the memory allows. Raises NotAllowed, InputError."""
    demand_administers(viewer)
    Instance.objects.filter(id=1).update(parallel_runs=_number("parallel_runs", parallel_runs))
    audit(viewer, "limits", "instance", 1, parallel_runs=parallel_runs)
    slots_fill()


def _number(field: str, value: int) -> int:
    if not 0 <= value <= _MOST:
        raise InputError(_("Give a number; 0 means no limit."), field=field)
    return value
