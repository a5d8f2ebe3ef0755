"""Outsiders whom a manager adds to a group are asked first, where the workspace wants that (EG-19).

They are members that wait, and get their first mail after they pressed the button on the page of the link in ours. The
link is that membership's: who is taken out and added anew is asked anew.
"""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from postroom.actions.audit import audit
from postroom.actions.message import notice_queue
from postroom.conf import keys
from postroom.errors import Conflict, InputError, NotFound, TooMany
from postroom.mail.token import MEMBER, token_make, token_read
from postroom.models.account import Account
from postroom.models.group import Group, GroupMember
from postroom.queries.content import instance_url
from postroom.queries.group import group_to_change
from postroom.queries.group_route import group_account
from postroom.queries.viewer import Viewer

#: Mails that one adding may cause; longer lists are for an import, which asks nobody.
ASKED_MOST = 300
#: Nobody is asked again sooner.
PAUSE = timedelta(minutes=10)


def member_link(member_id: int) -> str:
    return f"{instance_url()}/groups/join/{token_make(member_id, keys.current().token_keys[0], MEMBER)}/"


def members_ask(group: Group, members: Sequence[GroupMember]) -> None:
    """Write to these outsiders, who wait from now on; in the transaction that added them.

    Raises InputError for too many, Conflict NO_ACCOUNT when nothing can be sent.
    """
    if len(members) > ASKED_MOST:
        words = _("Outsiders are asked whether they want to: at most %(n)s at a time.")
        raise InputError(words % {"n": ASKED_MOST}, field="addresses")
    account = group_account(group)
    if members and account is None:
        raise Conflict(
            _("The group has no mail account to ask outsiders through. Choose one in its settings."),
            code="NO_ACCOUNT",
        )
    for member in members:
        assert account is not None
        member.state, member.state_words, member.asked_at = GroupMember.State.UNCONFIRMED, "", timezone.now()
        _write(group, account, member)
    GroupMember.objects.bulk_update(members, ["state", "state_words", "asked_at"])


def _write(group: Group, account: Account, member: GroupMember) -> None:
    with override(group.workspace.language):
        subject = _("Do you want mail of %(group)s?") % {"group": group.address}
        text = _(
            "%(firm)s would like to add you to the group %(group)s: mail to this address then reaches you too.\n\n"
            "If you want that, confirm it here:\n%(url)s\n\nIf not, do nothing; no mail of the group comes to you.\n"
        ) % {"firm": group.workspace.name, "group": group.address, "url": member_link(member.id)}
        notice_queue(account=account, recipient=member.address, subject=subject, text=text)


@transaction.atomic
def member_ask_again(*, viewer: Viewer, group_id: int, member_id: int) -> GroupMember:
    """Raises NotFound, NotAllowed, Conflict CONFIRMED, NO_ACCOUNT, TooMany."""
    group = group_to_change(viewer, group_id)
    member = GroupMember.objects.select_for_update().filter(group=group, id=member_id).first()
    if member is None:
        raise NotFound(_("This member is not here any more."))
    if member.state != GroupMember.State.UNCONFIRMED:
        raise Conflict(_("%(address)s need not be asked.") % {"address": member.address}, code="CONFIRMED")
    if member.asked_at and member.asked_at > timezone.now() - PAUSE:
        raise TooMany(
            _("%(address)s was asked a moment ago. Wait ten minutes.") % {"address": member.address}
        )
    members_ask(group, [member])
    audit(viewer, "asked again", "group", group.id, name=group.address, member=member.address)
    return member


def member_asked(token: str) -> GroupMember:
    """The membership of a link. Raises NotFound for one that is not ours, or whose member was taken out."""
    number = token_read(token, keys.current().token_keys, MEMBER)
    found = GroupMember.objects.select_related("group__workspace").filter(group__deleted_at=None)
    member = found.filter(id=number).first() if number is not None else None
    if member is None:
        raise NotFound(_("This link works no longer. Ask those who sent it for a new one."))
    return member


@transaction.atomic
def member_confirm(token: str) -> GroupMember:
    """The owner of the address says yes; once more changes nothing. Raises NotFound."""
    member = member_asked(token)
    waiting = GroupMember.objects.filter(id=member.id, state=GroupMember.State.UNCONFIRMED)
    if waiting.update(state=GroupMember.State.ACTIVE, confirmed_at=timezone.now()):
        member.state = GroupMember.State.ACTIVE
    return member
