"""What is asked about postings on their way: the groups within groups, who is whom, the thread, and the copies."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core import signing
from django.utils import timezone

from postroom.conf import keys
from postroom.mail.group_expand import Member, Node
from postroom.mail.group_headers import without
from postroom.mail.letterhead import Head, head_of
from postroom.mail.token import token_make, token_read, tokens_in
from postroom.models.delivery import Delivery
from postroom.models.group import Group, GroupPerson, Posting, PostingState
from postroom.models.user import User
from postroom.queries.matching import ingress_purpose
from postroom.queries.prepared import prepared

#: In the loop header: its number is that of the group.
LOOP = b"group loop"
#: What the links to decide on a held posting are signed for.
MODERATION = "postroom.moderation"
#: How long an answer finds the first mail of its thread (EG-04).
THREAD = timedelta(days=90)
#: The options of a group that hold for a posting as they were when it was taken (EG-18).
SNAPSHOT = (
    *("set_reply_to", "expand", "remove_author", "reject_automatic", "remove_to_and_cc", "final_delivery"),
    *("include_external_author", "verify_to_cc", "archive", "real_name"),
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
    real_name: str = ""
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


_HELD_AS_THEY_ARE = """
SELECT id, version FROM postroom_group
 WHERE id = ANY(%(ids)s) AND deleted_at IS NULL ORDER BY id FOR SHARE
"""


def groups_settled(ids: Collection[int]) -> dict[int, int]:
    """{id: version} of those that are there. Until the caller's transaction ends nobody changes them: so what is
    taken by their settings is taken before the next save, whose it is not (EG-18)."""
    return dict(prepared(_HELD_AS_THEY_ARE, {"ids": sorted(ids)})) if ids else {}


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
    found = prepared(_REACHED, {"start": group_id})
    members: dict[int, list[Member]] = {row[0]: [] for row in found}
    for group, id, address, name, subgroup, outside in prepared(_MEMBERS, {"ids": list(members)}):
        members[group].append(Member(id, address, name, subgroup, outside))
    return {
        id: Node(id, address, expand, disabled, tuple(members[id])) for id, address, expand, disabled in found
    }


# The people and accounts behind some addresses, and all names of each: their own, and those of the firm's mail server.
_PEOPLE = """
WITH found AS (
  SELECT 'user' AS kind, u.id FROM postroom_user u JOIN postroom_membership m ON m.user_id = u.id
   WHERE m.workspace_id = %(workspace)s AND lower(u.email) = ANY(%(wanted)s)
  UNION SELECT 'account', a.id FROM postroom_account a
   WHERE a.workspace_id = %(workspace)s AND a.deleted_at IS NULL AND lower(a.address) = ANY(%(wanted)s)
  UNION SELECT 'user', l.user_id FROM postroom_localaddress l
   WHERE l.workspace_id = %(workspace)s AND l.address = ANY(%(wanted)s) AND l.user_id IS NOT NULL
  UNION SELECT 'account', l.account_id FROM postroom_localaddress l
   WHERE l.workspace_id = %(workspace)s AND l.address = ANY(%(wanted)s) AND l.account_id IS NOT NULL)
SELECT f.kind, f.id, names.address FROM found f CROSS JOIN LATERAL (
  SELECT lower(u.email) AS address FROM postroom_user u WHERE f.kind = 'user' AND u.id = f.id
  UNION SELECT lower(a.address) FROM postroom_account a WHERE f.kind = 'account' AND a.id = f.id
  UNION SELECT l.address FROM postroom_localaddress l
   WHERE l.workspace_id = %(workspace)s AND ((f.kind = 'user' AND l.user_id = f.id)
      OR (f.kind = 'account' AND l.account_id = f.id))) names
"""


def same_people(workspace_id: int, addresses: Collection[str]) -> dict[str, set[str]]:
    """For each canonical address all names of the person or account it belongs to, itself among them."""
    names = {address: {address} for address in addresses}
    if not names:
        return names
    people: dict[tuple[str, int], set[str]] = {}
    for kind, number, address in prepared(_PEOPLE, {"workspace": workspace_id, "wanted": list(names)}):
        people.setdefault((kind, number), set()).add(address)
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


def answered_of(group_id: int, references: Iterable[str]) -> Posting | None:
    """The oldest posting that the mail answers, with the one that began its thread; None when that is none of ours."""
    wanted = list(references)
    if not wanted:
        return None
    return (
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
