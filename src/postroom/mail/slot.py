"""How many campaigns are sent at the same time, and whose turn it is (PI-01, PI-07)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Slots:
    """The arithmetic as the administrator sees it; all memory in MB. configured: 0 = no limit.

    Of the memory that is free now (or allowed) a reserve stays free; each campaign may use `each`. Campaigns that run
    have taken theirs already. There is always one slot.
    """

    configured: int
    free: int
    reserve: int
    each: int
    running: int
    #: The free memory is a fixed allowance, which the running campaigns' share has not left yet.
    is_allowance: bool = False

    @property
    def by_memory(self) -> int:
        more = max(0, (self.free - self.reserve) // self.each)
        return max(1, more if self.is_allowance else more + self.running)

    @property
    def slots(self) -> int:
        return min(self.configured, self.by_memory) if self.configured else self.by_memory

    @property
    def by(self) -> str:
        """What sets the number: "memory" or "configured"."""
        return "configured" if self.configured and self.configured <= self.by_memory else "memory"


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign that runs or waits. user: who started it, 0 = nobody any more."""

    id: int
    workspace: int
    user: int


def admitted(
    running: Sequence[Run],
    waiting: Sequence[Run],
    *,
    slots: int,
    of_workspace: dict[int, int],
    of_user: dict[int, int],
) -> list[int]:
    """Ids of the waiting campaigns that may begin, first come first served.

    of_workspace, of_user: limit by workspace id, of its whole and of each of its people; missing or 0 = none. One that
    waits for its workspace's or its person's limit does not hold up the next of others.
    """
    firms = Counter(run.workspace for run in running)
    people = Counter((run.workspace, run.user) for run in running)
    free = slots - len(running)
    begin = []
    for run in waiting:
        if free <= 0:
            break
        firm, each = of_workspace.get(run.workspace, 0), of_user.get(run.workspace, 0)
        if (firm and firms[run.workspace] >= firm) or (each and people[(run.workspace, run.user)] >= each):
            continue
        begin.append(run.id)
        free -= 1
        firms[run.workspace] += 1
        people[(run.workspace, run.user)] += 1
    return begin
