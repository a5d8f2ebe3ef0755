"""Making, changing and deleting e-mail groups (EG-01, 02, 05, 06, 15, 17, 18, 22)."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from postroom.actions.audit import audit
from postroom.actions.undo import undo_keep, undo_take
from postroom.errors import BadAddress, Conflict, InputError
from postroom.mail.address import canonical, parse
from postroom.models.account import Account
from postroom.models.domain import Domain
from postroom.models.group import Group, GroupMember, GroupPerson, WhoMayPost
from postroom.models.profile import May, Right
from postroom.models.workspace import Membership
from postroom.queries.group import (
    MORE,
    OPTIONS,
    RECOMMENDED,
    group_one,
    group_to_change,
    named_of,
    parents_of,
    taken_by,
)
from postroom.queries.sharing import shared_with
from postroom.queries.viewer import Viewer, demand

#: RFC 2142 and RFC 5321 section 4.5.1: addresses that must reach a person.
RESERVED = frozenset({"postmaster", "abuse", "mailer-daemon"})
#: The address of a deleted group is nobody's for so long (EG-22).
QUARANTINE = timedelta(days=30)
SIZE_MOST = 1_000_000_000
_SWITCHES = frozenset(OPTIONS.values()) | {"include_external_author", "verify_to_cc", "archive"}
_ALL = frozenset({*OPTIONS.values(), *MORE.values()})


@transaction.atomic
def group_make(*, viewer: Viewer, domain_id: int, name: str, **options: Any) -> Group:
    """A group without members; its maker manages it.

    options: columns of queries.group.OPTIONS and MORE, account_id, managers (user ids), named (addresses); what is
    left out is as recommended. domain_id 0: the only proved domain.
    Raises NotAllowed, InputError, Conflict NO_DOMAIN, NAME_TAKEN.
    """
    demand(viewer, Right.GROUPS_MANAGE)
    domain = _domain(viewer, domain_id)
    address = _free_address(name, domain)
    group = Group(
        workspace=viewer.workspace,
        domain=domain,
        name=name.strip(),
        address=address,
        created_by=viewer.user,
    )
    _set(viewer, group, options)
    group.save()
    _set_people(viewer, group, {"managers": [viewer.user.id], **options})
    audit(viewer, "added", "group", group.id, name=address)
    return group


def _domain(viewer: Viewer, domain_id: int) -> Domain:
    """Locked: names of its groups are given out one after the other."""
    proved = Domain.objects.select_for_update().filter(workspace=viewer.workspace, proved_at__isnull=False)
    found = list(proved.order_by("name"))
    if not found:
        raise Conflict(
            _("A group needs an address in a domain of yours, and none is proved yet. Prove one first."),
            code="NO_DOMAIN",
        )
    if domain_id == 0 and len(found) == 1:
        return found[0]
    chosen = next((one for one in found if one.id == domain_id), None)
    if chosen is None:
        raise InputError(_("Choose one of your proved domains."), field="domain")
    return chosen


def _free_address(name: str, domain: Domain, but: int = 0) -> str:
    """The canonical address of a name that is valid and nobody's. Raises InputError, Conflict NAME_TAKEN."""
    name = name.strip()
    if not name:
        raise InputError(_("Write a name: what stands before the @-sign."), field="name")
    if "@" in name:
        raise InputError(_("Write only what stands before the @-sign; the domain is added."), field="name")
    if not name.isascii() and not settings.POSTROOM_SMTPUTF8:
        raise InputError(
            _("Only the letters a to z, digits and dots: mail servers here do not take other letters."),
            field="name",
            code="NEEDS_SMTPUTF8",
        )
    try:
        address = canonical(parse(f"{name}@{domain.name}"))
    except BadAddress as error:
        raise InputError(error.message, field="name") from error
    if address.partition("@")[0] in RESERVED:
        raise InputError(
            _("%(name)s must reach a person who answers for the domain; a group cannot have it.")
            % {"name": name},
            field="name",
            code="NAME_RESERVED",
        )
    refuse_taken(domain.workspace_id, address, but)
    return address


def refuse_taken(workspace_id: int, address: str, but: int = 0) -> None:
    """Raises Conflict NAME_TAKEN (details: by)."""
    by = taken_by(workspace_id, address, but)
    if by:
        raise Conflict(
            _taken_words(by) % {"address": address}, code="NAME_TAKEN", field="name", details={"by": by}
        )


def _taken_words(by: str) -> str:
    return {
        "group": _("There is a group %(address)s already."),
        "quarantine": _("A group had the address %(address)s until lately; it stays free for 30 days."),
        "user": _("%(address)s is the address of a person here."),
        "account": _("%(address)s is the address of a mail account."),
        "local": _("%(address)s is an address of your mail server or another name of somebody."),
    }[by]


@transaction.atomic
def group_save(*, viewer: Viewer, group_id: int, version: int | None = None, **values: Any) -> Group:
    """Change what is given: columns of OPTIONS and MORE, name, account_id, managers (user ids), named (addresses).

    It holds for the next mail that is taken; copies on their way are as they were (EG-18). version: as it was read,
    None = whatever it is. Raises NotFound, NotAllowed, InputError, Conflict STALE_VERSION, NAME_TAKEN.
    """
    group = group_to_change(viewer, group_id)
    _not_stale(group, version, values)
    was = _shown(group)
    if "name" in values and values["name"].strip() != group.name:
        demand(viewer, Right.GROUPS_MANAGE)
        domain = Domain.objects.select_for_update().get(id=group.domain_id)
        group.address = _free_address(values["name"], domain, but=group.id)
        group.name = values["name"].strip()
        GroupMember.objects.filter(subgroup=group).update(address=group.address)
    _set(viewer, group, values)
    _set_people(viewer, group, values)
    now = _shown(group)
    changed = [name for name in now if now[name] != was[name]]
    if changed:
        group.version += 1
        group.save()
        before, after = ({name: one[name] for name in changed} for one in (was, now))
        audit(viewer, "changed", "group", group.id, name=group.address, before=before, after=after)
    return group


@transaction.atomic
def group_recommended(*, viewer: Viewer, group_id: int) -> int:
    """The eight options as recommended (EG-15); everything else stays. Returns the undo step."""
    group = group_to_change(viewer, group_id)
    was = {name: getattr(group, name) for name in RECOMMENDED}
    group_save(viewer=viewer, group_id=group_id, **RECOMMENDED)
    return undo_keep(viewer, "group options", [{"id": group.id, "was": was}])


@transaction.atomic
def group_options_put_back(*, viewer: Viewer, step_id: int) -> Group:
    """Undo it. Raises Conflict UNDO_GONE, NotFound, NotAllowed."""
    (row,) = undo_take(viewer, "group options", step_id)
    return group_save(viewer=viewer, group_id=row["id"], **row["was"])


def _shown(group: Group) -> dict[str, Any]:
    """What the audit trail compares."""
    shown = {name: getattr(group, name) for name in sorted(_ALL)}
    shown |= {"name": group.name, "account_id": group.account_id}
    shown["managers"] = sorted(
        GroupPerson.objects.filter(group=group).exclude(user=None).values_list("user_id", flat=True)
    )
    shown["named"] = named_of(group)
    return shown


def _not_stale(group: Group, version: int | None, values: Mapping[str, Any]) -> None:
    if version is None or version == group.version:
        return
    shown = [name for name in values if name in _ALL or name == "name"]
    raise Conflict(
        _("Somebody else has changed this group in the meantime. Look at it again before you save."),
        code="STALE_VERSION",
        details={
            "version": group.version,
            "theirs": {name: getattr(group, name) for name in shown},
            "yours": {name: values[name] for name in shown},
        },
    )


def _set(viewer: Viewer, group: Group, values: Mapping[str, Any]) -> None:
    unknown = set(values) - _ALL - {"name", "account_id", "managers", "named"}
    if unknown:
        raise InputError(_("There is no option %(name)s.") % {"name": min(unknown)}, field=min(unknown))
    for name in _SWITCHES & set(values):
        setattr(group, name, bool(values[name]))
    if "real_name" in values:
        group.real_name = " ".join(str(values["real_name"]).replace("\0", " ").split())[:120]
    if "description" in values:
        group.description = str(values["description"]).replace("\0", "").strip()[:5000]
    if "who_may_post" in values:
        if values["who_may_post"] not in WhoMayPost.values:
            raise InputError(
                _("Anyone, members, named people or anyone after approval may write."), field="who_may_post"
            )
        group.who_may_post = values["who_may_post"]
    if "size_max" in values:
        group.size_max = _whole(values["size_max"])
    if "account_id" in values:
        group.account = _account(viewer, group, values["account_id"])


def _whole(value: Any) -> int:
    number = int(value) if str(value).isascii() and str(value).isdecimal() and len(str(value)) < 12 else -1
    if not 0 <= number <= SIZE_MOST:
        raise InputError(_("The size is a number of bytes, 0 = no limit of its own."), field="size_max")
    return number


def _account(viewer: Viewer, group: Group, account_id: Any) -> Account | None:
    """Of those the viewer may use, or the one that is there; None = the instance's own relay."""
    if not account_id or account_id == group.account_id:
        return group.account if account_id else None
    found = Account.objects.filter(
        shared_with(viewer, Account, May.USE), id=account_id, deleted_at=None
    ).first()
    if found is None:
        raise InputError(_("There is no such mail account."), field="account")
    return found


def _set_people(viewer: Viewer, group: Group, values: Mapping[str, Any]) -> None:
    if "managers" in values:
        wanted = {int(number) for number in values["managers"]}
        here = Membership.objects.filter(workspace=viewer.workspace, user__in=wanted).values_list(
            "user_id", flat=True
        )
        if wanted - set(here):
            raise InputError(_("There is nobody of this name here."), field="managers")
        people = GroupPerson.objects.filter(group=group).exclude(user=None)
        people.exclude(user__in=wanted).delete()
        kept = set(people.values_list("user_id", flat=True))
        GroupPerson.objects.bulk_create(
            GroupPerson(group=group, user_id=one) for one in sorted(wanted - kept)
        )
    if "named" in values:
        addresses = _named(values["named"])
        named = GroupPerson.objects.filter(group=group).exclude(address="")
        named.exclude(address__in=addresses).delete()
        known = set(named.values_list("address", flat=True))
        GroupPerson.objects.bulk_create(
            GroupPerson(group=group, address=one) for one in addresses if one not in known
        )


def _named(texts: Iterable[str]) -> list[str]:
    try:
        found = {canonical(text) for text in texts if text.strip()}
    except BadAddress as error:
        raise InputError(error.message, field="named") from error
    if len(found) > 1000:
        raise InputError(_("At most %(n)s addresses at a time.") % {"n": 1000}, field="named")
    return sorted(found)


@transaction.atomic
def group_delete(*, viewer: Viewer, group_id: int, confirm: str, also_in_groups: bool = False) -> int:
    """The group goes, its members' mailboxes stay, its address is nobody's for 30 days. Returns the undo step.

    confirm: its address, typed again. also_in_groups: the second word, where other groups have it as a member.
    Raises NotFound, NotAllowed, InputError CONFIRM, Conflict IN_GROUPS (details: groups).
    """
    demand(viewer, Right.GROUPS_MANAGE)
    group = group_one(viewer, group_id, lock=True)
    if confirm.strip().lower() != group.address.lower():
        raise InputError(
            _("Type the group's address, %(address)s, to delete it.") % {"address": group.address},
            field="confirm",
            code="CONFIRM",
        )
    parents = parents_of(group)
    if parents and not also_in_groups:
        names = ", ".join(one.address for one in parents)
        raise Conflict(
            ngettext(
                "It is a member of the group %(names)s, which then reaches fewer people.",
                "It is a member of the groups %(names)s, which then reach fewer people.",
                len(parents),
            )
            % {"names": names},
            code="IN_GROUPS",
            details={"groups": [{"id": one.id, "address": one.address} for one in parents]},
        )
    members = GroupMember.objects.filter(group=group).count()
    GroupMember.objects.filter(subgroup=group).delete()
    group.deleted_at = timezone.now()
    group.quarantined_until = group.deleted_at + QUARANTINE
    group.save(update_fields=["deleted_at", "quarantined_until"])
    audit(viewer, "deleted", "group", group.id, name=group.address, members=members)
    return undo_keep(viewer, "group", [{"id": group.id, "parents": [one.id for one in parents]}])


@transaction.atomic
def group_put_back(*, viewer: Viewer, step_id: int) -> Group:
    """Undo a deletion: the group with its members, in the groups it was in. Raises Conflict UNDO_GONE, NAME_TAKEN."""
    demand(viewer, Right.GROUPS_MANAGE)
    (row,) = undo_take(viewer, "group", step_id)
    group = Group.objects.select_for_update().get(workspace=viewer.workspace, id=row["id"])
    Domain.objects.select_for_update().get(id=group.domain_id)
    refuse_taken(group.workspace_id, group.address, but=group.id)
    group.deleted_at = group.quarantined_until = None
    group.save(update_fields=["deleted_at", "quarantined_until"])
    parents = Group.objects.filter(workspace=viewer.workspace, deleted_at=None, id__in=row["parents"])
    GroupMember.objects.bulk_create(
        (
            GroupMember(group=parent, address=group.address, subgroup=group, added_by=viewer.user)
            for parent in parents
        ),
        ignore_conflicts=True,
    )
    audit(viewer, "put back", "group", group.id, name=group.address)
    return group
