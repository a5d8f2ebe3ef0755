"""What is asked about postings on their way: the groups within groups, who is whom, the thread, and the copies."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.db import connection
from django.utils import timezone

from postroom.conf import keys
from postroom.mail.group_expand import Member, Node
from postroom.mail.group_headers import without
from postroom.mail.letterhead import Head, head_of
from postroom.mail.token import token_make, token_read, tokens_in
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.domain import LocalAddress
from postroom.models.group import Group, GroupPerson, Posting, PostingState
from postroom.models.user import User
from postroom.queries.matching import ingress_purpose

#: In the loop header: its number is that of the group.
LOOP = b"group loop"
#: What the links to decide on a held posting are signed for.
MODERATION = "postroom.moderation"
#: How long an answer finds the first mail of its thread (EG-04).
THREAD = timedelta(days=90)
#: The options of a group that hold for a posting as they were when it was taken (EG-18).
SNAPSHOT = (
    *("set_reply_to", "expand", "remove_author", "reject_automatic", "remove_to_and_cc", "final_delivery"),
    *("include_external_author", "verify_to_cc", "archive"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """`Posting.options`. automatic: a machine wrote it; hold: why it waits for a moderator; seen: RFC 8601 results of
    a trusted server; leave: copies to outsiders may name the address that takes them off."""

    set_reply_to: bool = True
    expand: bool = True
    remove_author: bool = True
    reject_automatic: bool = True
    remove_to_and_cc: bool = True
    final_delivery: bool = False
    include_external_author: bool = True
    verify_to_cc: bool = False
    archive: bool = True
    automatic: bool = False
    hold: str = ""
    seen: str = ""
    leave: bool = True

    @classmethod
    def of(cls, posting: Posting) -> "Options":
        known = cls.__dataclass_fields__
        return cls(**{name: value for name, value in posting.options.items() if name in known})


def options_of(group: Group, **more: Any) -> dict[str, Any]:
    """What `Posting.options` keeps of the group."""
    return {**{name: getattr(group, name) for name in SNAPSHOT}, **more}


def loop_token(group_id: int) -> str:
    return token_make(group_id, keys.current().token_keys[0], LOOP)


def loops_of(head: Head) -> set[int]:
    """The groups whose loop header, signed by us, a mail carries."""
    found = (
        token_read(token, keys.current().token_keys, LOOP)
        for value in head.all("x-postroom-loop")
        for token in tokens_in(value)
    )
    return {number for number in found if number is not None}


_REACHED = """
WITH RECURSIVE reached(id) AS (
  SELECT %(start)s::bigint
  UNION
  SELECT m.subgroup_id FROM reached r JOIN postroom_groupmember m ON m.group_id = r.id
   WHERE m.subgroup_id IS NOT NULL AND m.state = 'active')
SELECT g.id, g.address, g.expand, g.email_disabled OR g.deleted_at IS NOT NULL
  FROM reached r JOIN postroom_group g ON g.id = r.id
"""
_MEMBERS = """
SELECT m.group_id, m.id, m.address, m.name, m.subgroup_id, m.local_address_id IS NULL AND m.subgroup_id IS NULL
  FROM postroom_groupmember m
 WHERE m.group_id = ANY(%(ids)s) AND m.state = 'active'
 ORDER BY m.id
"""


def group_graph(group_id: int) -> dict[int, Node]:
    """A group and all that it reaches, with active members; two statements, however deep."""
    with connection.cursor() as cursor:
        cursor.execute(_REACHED, {"start": group_id})
        found = cursor.fetchall()
        cursor.execute(_MEMBERS, {"ids": [row[0] for row in found]})
        members: dict[int, list[Member]] = {row[0]: [] for row in found}
        for group, id, address, name, subgroup, outside in cursor.fetchall():
            members[group].append(Member(id, address, name, subgroup, outside))
    return {
        id: Node(id, address, expand, disabled, tuple(members[id])) for id, address, expand, disabled in found
    }


def same_people(workspace_id: int, addresses: Collection[str]) -> dict[str, set[str]]:
    """For each canonical address all names of the person or account it belongs to, itself among them."""
    names = {address: {address} for address in addresses}
    if not names:
        return names
    people: dict[tuple[str, int], set[str]] = {}
    wanted = list(names)

    def note(kind: str, number: int | None, address: str) -> None:
        if number is not None:
            people.setdefault((kind, number), set()).add(address.lower())

    for id, email in User.objects.filter(email__in=wanted, memberships__workspace=workspace_id).values_list(
        "id", "email"
    ):
        note("user", id, email)
    for id, address in Account.objects.filter(
        workspace_id=workspace_id, deleted_at=None, address__in=wanted
    ).values_list("id", "address"):
        note("account", id, address)
    local = LocalAddress.objects.filter(workspace_id=workspace_id)
    for user, account, address in local.filter(address__in=wanted).values_list(
        "user_id", "account_id", "address"
    ):
        note("user", user, address)
        note("account", account, address)
    users = [number for kind, number in people if kind == "user"]
    accounts = [number for kind, number in people if kind == "account"]
    if users:
        for id, email in User.objects.filter(id__in=users).values_list("id", "email"):
            note("user", id, email)
        for id, address in local.filter(user_id__in=users).values_list("user_id", "address"):
            note("user", id, address)
    if accounts:
        for id, address in Account.objects.filter(id__in=accounts).values_list("id", "address"):
            note("account", id, address)
        for id, address in local.filter(account_id__in=accounts).values_list("account_id", "address"):
            note("account", id, address)
    for found in people.values():
        for address in found & names.keys():
            names[address] |= found
    return names


def named_for(group: Group) -> set[str]:
    """Canonical addresses of who may post to it by name: those listed, and its managers."""
    rows = GroupPerson.objects.filter(group=group).values_list("address", "user__email")
    return {(address or email or "").lower() for address, email in rows} - {""}


def managers_to_tell(group_id: int) -> list[User]:
    """Its managers who can still sign in."""
    rows = GroupPerson.objects.filter(group_id=group_id, user__is_active=True)
    return [one.user for one in rows.order_by("id").select_related("user") if one.user is not None]


def moderation_token(posting: Posting, user: User) -> str:
    """Stands in the link of the mail to this manager; it lets decide on this one posting and nothing else."""
    return signing.dumps([posting.group.workspace_id, posting.group_id, posting.id, user.id], salt=MODERATION)


def first_of_thread(group_id: int, references: Iterable[str]) -> Posting | None:
    """The posting that began the thread, by what the mail answers; None when that is none of ours."""
    wanted = list(references)
    if not wanted:
        return None
    found = (
        Posting.objects.filter(
            group_id=group_id,
            msgid__in=wanted,
            taken_at__gt=timezone.now() - THREAD,
            state__in=(PostingState.SENT, PostingState.TAKEN, PostingState.HELD),
        )
        .select_related("first")
        .order_by("id")
        .first()
    )
    return (found.first or found) if found else None


def is_own_return(mail_from: str) -> bool:
    """Whether it is a return path of ours, that of a letter somebody wrote here apart."""
    number = ingress_purpose(mail_from)[1]
    if number is None:
        return False
    purpose = Delivery.objects.filter(id=number).values_list("message__purpose", flat=True).first()
    return purpose != "single"


@dataclass(frozen=True, slots=True)
class Copy:
    """What the copies of one posting have in common.

    segments: the header with our fields, and the body; stuffed: no line begins with a dot.
    notify, orcpt, ret: RFC 3461 for each member. leave: outsiders may be told how to leave.
    """

    segments: tuple[bytes, ...]
    stuffed: bool
    notify: str = ""
    orcpt: str = ""
    ret: str = ""
    leave: bool = True


def copy_of(posting: Posting, raw: bytes) -> Copy:
    """raw: the stored mail. Line ends that are not CRLF become it: nothing else may go over the wire."""
    size = head_of(raw).size
    head = posting.front.encode() + without(raw[:size], posting.cuts)
    body = raw[size:]
    if raw.count(b"\n") != raw.count(b"\r\n") or raw.count(b"\r") != raw.count(b"\r\n"):
        head, body = _crlf(head), _crlf(body)
    if not head.endswith(b"\r\n\r\n"):
        head += b"\r\n"
    if body and not body.endswith(b"\r\n"):
        body += b"\r\n"
    options = Options.of(posting)
    notify = posting.notify
    if (
        options.final_delivery
    ):  # the reports are for the group: its own wish, and the author's where that is wider
        asked = {"FAILURE", "DELAY"} | ({"SUCCESS"} & set(notify.split(",")))
        notify = ",".join(word for word in ("SUCCESS", "FAILURE", "DELAY") if word in asked)
    return Copy(
        segments=(head, body),
        stuffed=not body.startswith(b".") and b"\n." not in body and b"\n." not in head,
        notify=notify,
        orcpt=posting.orcpt or posting.group.address,
        ret=posting.ret,
        leave=options.leave,
    )


def _crlf(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
