"""Who gets a copy: members of groups within groups, each person once. FEATURES EG-08, EG-09, EG-13."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

#: Groups within groups are followed so far down.
DEPTH = 10


@dataclass(frozen=True, slots=True)
class Member:
    """address: canonical. group: the id of the sub-group it is, else None. outside: neither group nor local address."""

    id: int
    address: str
    name: str = ""
    group: int | None = None
    outside: bool = True


@dataclass(frozen=True, slots=True)
class Node:
    """A group with its active members. disabled: it passes nothing on, alone or inside another."""

    id: int
    address: str
    expand: bool = True
    disabled: bool = False
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class Expanded:
    """people: one a person, in the order found. groups: sub-groups that get the mail as a whole and send their own."""

    people: tuple[Member, ...]
    groups: tuple[int, ...]


def expanded(
    start: int,
    nodes: Mapping[int, Node],
    *,
    without: Collection[str] = (),
    named_groups: Collection[str] = (),
) -> Expanded:
    """The recipients of a mail to group `start`.

    nodes:        every group that can be reached.
    without:      canonical addresses that get no copy (the author; To and Cc).
    named_groups: sub-groups that stand in To or Cc themselves: they get the mail by that, not from here.
    """
    people: dict[str, Member] = {}
    groups: dict[int, None] = {}
    seen = {start}
    level: Sequence[Node] = [nodes[start]]
    addresses = {node.address for node in nodes.values()}
    for depth in range(DEPTH + 1):
        below: list[Node] = []
        for node in level:
            for member in node.members:
                if member.group is None:
                    if member.address not in addresses:  # the group as its own member
                        people.setdefault(member.address, member)
                    continue
                sub = nodes.get(member.group)
                if sub is None or sub.disabled or sub.id in seen or sub.address in named_groups:
                    continue
                seen.add(sub.id)
                if nodes[start].expand and sub.expand and depth < DEPTH:
                    below.append(sub)
                else:
                    groups[sub.id] = None
        level = below
    left = tuple(member for address, member in people.items() if address not in without)
    return Expanded(left, tuple(groups))
