"""Finding the servers of an address: asked for by a page or a program, done by the sync daemon."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from postroom.actions.notify import PROBE, notify
from postroom.mail.address import parse
from postroom.mail.discovery import Discovered
from postroom.models.account import Discovery
from postroom.models.profile import Right
from postroom.queries.user import private_hosts_allowed
from postroom.queries.viewer import Viewer, demand

#: A search takes at most 40 s; one that is older was left by a daemon that ended.
LEFT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class DiscoveryOrder:
    discovery_id: int
    address: str
    allow_private: bool


def discovery_ask(*, viewer: Viewer, address: str) -> Discovery:
    """Raises NotAllowed, BadAddress (field `address`). One person has one search waiting: an earlier one is over."""
    demand(viewer, Right.ACCOUNTS_ADD)
    spec = parse(address).spec
    with transaction.atomic():
        earlier = Discovery.objects.filter(workspace=viewer.workspace, user=viewer.user, state="waiting")
        earlier.update(state="done", result=Discovered().to_json(), ended_at=Now())
        made = Discovery.objects.create(workspace=viewer.workspace, user=viewer.user, address=spec)
        notify(PROBE, made.id)
    return made


@transaction.atomic
def discoveries_claim(*, most: int) -> list[DiscoveryOrder]:
    """Take at most `most` of the waiting searches; drop what nobody looks at any more."""
    Discovery.objects.filter(created_at__lt=timezone.now() - timedelta(minutes=10)).delete()
    waiting = Discovery.objects.select_for_update(skip_locked=True).filter(state="waiting")
    rows = list(waiting.order_by("id")[: max(0, most)])
    if not rows:
        return []
    Discovery.objects.filter(id__in=[row.id for row in rows]).update(state="running")
    allowed = private_hosts_allowed()
    return [DiscoveryOrder(row.id, row.address, allowed) for row in rows]


def discovery_end(*, discovery_id: int, result: dict[str, Any]) -> None:
    Discovery.objects.filter(id=discovery_id).update(state="done", result=result, ended_at=Now())
