"""Members of a group: adding one or a pasted list, taking them out, pausing (EG-01, 19 to 21).

A group that would contain itself by way of others is refused here, in words (RETURNED_MAIL goal 13). Only an import may
bring one (`cycles`): other programs' files hold them, and the expansion ends them at run time.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.actions.member_consent import members_ask
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import BadAddress, Conflict, InputError, NotFound, PostroomError
from postroom.mail.address import canonical, parse_many
from postroom.models.account import Account
from postroom.models.domain import AddressKind, Domain, LocalAddress
from postroom.models.group import Group, GroupMember
from postroom.models.user import User
from postroom.queries.domain import domain_for
from postroom.queries.group import group_to_change, kind_of, way_down
from postroom.queries.viewer import Viewer

#: Of a pasted list.
PASTE_MOST = 10_000


@dataclass(frozen=True)
class LineError:
    """line: its number, from 1; text: the words that stand there; the rest as in the API."""

    line: int
    text: str
    code: str
    message: str


@dataclass(frozen=True)
class Added:
    members: list[GroupMember] = field(default_factory=list)
    errors: list[LineError] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Wanted:
    line: int
    text: str
    address: str
    name: str


@transaction.atomic
def member_add(*, viewer: Viewer, group_id: int, address: str, name: str = "") -> GroupMember:
    """One member; an address without @ is one of the group's domain.

    Raises NotFound, NotAllowed, InputError BAD_ADDRESS, SELF, GROUP_CYCLE, Conflict MEMBER_EXISTS.
    """
    group = group_to_change(viewer, group_id)
    wanted, wrong = _read(group, [address])
    if len(wanted) != 1 or wrong:
        raise InputError(
            wrong[0].message if wrong else _("Write one address."), field="address", code="BAD_ADDRESS"
        )
    if name:
        wanted = [_Wanted(1, address, wanted[0].address, " ".join(name.replace("\0", " ").split())[:200])]
    added = _add(viewer, group, wanted, cycles=False)
    if added.errors:
        error = added.errors[0]
        kind: type[PostroomError] = Conflict if error.code == "MEMBER_EXISTS" else InputError
        raise kind(error.message, code=error.code, field="address")
    return added.members[0]


@transaction.atomic
def members_add(
    *,
    viewer: Viewer,
    group_id: int,
    text: str,
    cycles: bool = False,
    ask: bool = True,
    most: int = PASTE_MOST,
) -> Added:
    """A pasted list: one or several addresses a line, with or without names. What fits is added, the rest is told.

    ask: outsiders are asked first, where the workspace wants that; who is a member elsewhere already was.
    Raises NotFound, NotAllowed, InputError when there is nothing or too much, Conflict NO_ACCOUNT.
    """
    group = group_to_change(viewer, group_id)
    wanted, wrong = _read(group, text.splitlines())
    if not wanted and not wrong:
        raise InputError(_("Write at least one address."), field="addresses")
    if len(wanted) + len(wrong) > most:
        raise InputError(_("At most %(n)s addresses at a time.") % {"n": most}, field="addresses")
    added = _add(viewer, group, wanted, cycles=cycles, ask=ask)
    return Added(added.members, sorted(wrong + added.errors, key=lambda error: error.line))


def _read(group: Group, lines: Iterable[str]) -> tuple[list[_Wanted], list[LineError]]:
    wanted: list[_Wanted] = []
    wrong: list[LineError] = []
    for number, line in enumerate(lines, 1):
        for name, spec, error in parse_many(line.replace("\0", "")):
            full = spec if "@" in spec else f"{spec}@{group.domain.name}"
            try:
                wanted.append(_Wanted(number, spec, canonical(full), name[:200]))
            except BadAddress as bad:
                wrong.append(
                    LineError(
                        number,
                        spec[:200],
                        "BAD_ADDRESS",
                        bad.message if full != spec else error or bad.message,
                    )
                )
    return wanted, wrong


def _add(viewer: Viewer, group: Group, wanted: list[_Wanted], *, cycles: bool, ask: bool = True) -> Added:
    """Few statements for any number of lines."""
    # groups of the domain change what they contain one after the other: two at once could make a circle
    Domain.objects.select_for_update().get(id=group.domain_id)
    addresses = {one.address for one in wanted}
    here = set(
        GroupMember.objects.filter(group=group, address__in=addresses).values_list("address", flat=True)
    )
    groups = {
        one.address: one
        for one in Group.objects.filter(domain=group.domain_id, deleted_at=None, address__in=addresses)
    }
    local = addresses_known(viewer.workspace.id, addresses - set(groups) - here)
    rows: list[GroupMember] = []
    errors: list[LineError] = []
    for one in wanted:
        subgroup = groups.get(one.address)
        code, message = "", ""
        if one.address == group.address:
            code, message = "SELF", _("A group cannot be its own member.")
        elif one.address in here:
            code, message = "MEMBER_EXISTS", _("%(address)s is a member already.") % {"address": one.address}
        elif subgroup and not cycles and (way := way_down(subgroup.id, group.id)):
            code = "GROUP_CYCLE"
            message = _("%(address)s already contains this group: %(way)s.") % {
                "address": one.address,
                "way": " → ".join(way),
            }
        if code:
            errors.append(LineError(one.line, one.text[:200], code, message))
            continue
        here.add(one.address)
        rows.append(
            GroupMember(
                group=group,
                address=one.address,
                name=one.name,
                subgroup=subgroup,
                local_address=local.get(one.address),
                added_by=viewer.user,
            )
        )
    made = GroupMember.objects.bulk_create(rows, batch_size=5000)
    if made:
        shown = [row.address for row in made[:20]]
        audit(viewer, "added members", "group", group.id, name=group.address, count=len(made), members=shown)
    if ask and viewer.workspace.confirm_members:
        members_ask(group, [row for row in made if kind_of(row) == "external"])
    return Added(made, errors)


def addresses_known(workspace_id: int, addresses: Collection[str]) -> dict[str, LocalAddress]:
    """Of these canonical addresses those in our proved domains. Who has no row yet gets one: people, accounts, and what
    is on the firm's mail server by the word of who adds it; but no address that a group had until lately."""
    rows = LocalAddress.objects.filter(workspace=workspace_id, address__in=addresses)
    known = {row.address: row for row in rows}
    missing = set(addresses) - set(known)
    if not missing:
        return known
    domains: dict[str, Domain | None] = {}
    fresh: dict[str, LocalAddress] = {}

    def offer(address: str, kind: AddressKind, **whose: object) -> None:
        host = address.rpartition("@")[2]
        if host not in domains:
            domains[host] = domain_for(workspace_id, host)
        domain = domains[host]
        if domain is not None and address not in fresh:
            fresh[address] = LocalAddress(
                workspace_id=workspace_id, domain=domain, address=address, kind=kind, **whose
            )

    for user in User.objects.filter(memberships__workspace=workspace_id, email__in=missing):
        offer(user.email, AddressKind.USER, user=user)
    accounts = Account.objects.filter(workspace=workspace_id, deleted_at=None).annotate(low=Lower("address"))
    for account in accounts.filter(low__in=missing).order_by("id"):
        offer(account.address.lower(), AddressKind.ACCOUNT, account=account)
    kept = Group.objects.filter(quarantined_until__gt=timezone.now(), address__in=missing)
    for address in sorted(missing - set(fresh) - set(kept.values_list("address", flat=True))):
        offer(address, AddressKind.IMPORTED)
    LocalAddress.objects.bulk_create(fresh.values(), ignore_conflicts=True, batch_size=5000)
    found = LocalAddress.objects.filter(workspace=workspace_id, address__in=list(fresh))
    return known | {row.address: row for row in found}


@transaction.atomic
def members_remove(*, viewer: Viewer, group_id: int, member_ids: Collection[int]) -> tuple[int, int]:
    """Only the membership ends; mailbox and login stay (EG-21). Returns how many went, and the undo step."""
    group = group_to_change(viewer, group_id)
    found = GroupMember.objects.filter(group=group, id__in=member_ids)
    rows = [
        {
            "group": group.id,
            "address": one.address,
            "name": one.name,
            "state": one.state,
            "state_words": one.state_words,
            "added_by": one.added_by_id,
            "asked_at": one.asked_at and one.asked_at.isoformat(),
            "confirmed_at": one.confirmed_at and one.confirmed_at.isoformat(),
        }
        for one in found
    ]
    if not rows:
        raise NotFound(_("These members are not here any more."))
    found.delete()
    shown = [row["address"] for row in rows[:20]]
    audit(viewer, "removed members", "group", group.id, name=group.address, count=len(rows), members=shown)
    return len(rows), undo_keep(viewer, "group members", rows)


@transaction.atomic
def members_put_back(*, viewer: Viewer, step_id: int) -> tuple[int, int]:
    """Undo a removal: the group's id and how many are back. Raises Conflict UNDO_GONE, NotFound, NotAllowed."""
    rows = undo_take(viewer, "group members", step_id)
    group = group_to_change(viewer, rows[0]["group"])
    wanted = [_Wanted(1, row["address"], row["address"], row["name"]) for row in rows]
    added = _add(viewer, group, wanted, cycles=False, ask=False)
    kept = {row["address"]: row for row in rows}
    for member in added.members:
        row = kept[member.address]
        member.state, member.state_words, member.added_by_id = (
            row["state"],
            row["state_words"],
            row["added_by"],
        )
        member.asked_at, member.confirmed_at = _moment(row, "asked_at"), _moment(row, "confirmed_at")
    GroupMember.objects.bulk_update(
        added.members,
        ["state", "state_words", "added_by", "asked_at", "confirmed_at"],
        batch_size=1000,
    )
    return group.id, len(added.members)


def _moment(row: dict[str, Any], name: str) -> datetime | None:
    return datetime.fromisoformat(row[name]) if row.get(name) else None


@transaction.atomic
def member_pause(*, viewer: Viewer, group_id: int, member_id: int, on: bool) -> GroupMember:
    """Stop (on) or go on sending to one member. Raises NotFound, NotAllowed, Conflict UNCONFIRMED."""
    group = group_to_change(viewer, group_id)
    member = GroupMember.objects.filter(group=group, id=member_id).first()
    if member is None:
        raise NotFound(_("This member is not here any more."))
    if member.state == GroupMember.State.UNCONFIRMED and viewer.workspace.confirm_members:
        raise Conflict(
            _("%(address)s was asked and has not said yes. Ask again instead.") % {"address": member.address},
            code="UNCONFIRMED",
        )
    member.state = GroupMember.State.PAUSED if on else GroupMember.State.ACTIVE
    member.state_words, member.failures = "", 0
    member.save(update_fields=["state", "state_words", "failures"])
    audit(viewer, "paused" if on else "resumed", "group", group.id, name=group.address, member=member.address)
    return member
