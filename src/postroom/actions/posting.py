"""Taking mail for groups: what the rules say of it, and storing it (FEATURES 1.8; DESIGN section 4)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from postroom.actions.bulk import row_new, rows_copy
from postroom.actions.notify import POSTING, notify
from postroom.actions.webhook_tell import postings_tell
from postroom.mail.group_headers import list_id_is
from postroom.mail.letterhead import Head, head_of
from postroom.mail.posting import TAKEN, Decision, Facts, Proof, Verdict, automatic_signs, judged
from postroom.mail.proof import Looked, proof_of, seen_by
from postroom.mail.reply import Reply
from postroom.models.event import LogLine
from postroom.models.group import Group, Posting, PostingState
from postroom.queries.posting import (
    group_graph,
    is_own_return,
    loops_of,
    named_for,
    options_of,
    same_people,
)
from postroom.queries.prepared import prepared

#: The same octets for the same group within this time are the same posting: a server that lost our answer came again.
AGAIN = timedelta(days=5)
_AGAIN = """SELECT 1 FROM postroom_posting
WHERE raw_id = %(raw)s AND group_id = %(group)s AND taken_at > %(since)s LIMIT 1"""
_GONE = Verdict(Decision.REFUSE, "gone", Reply(550, "5.1.1 There is no such group any more"))
_KEPT = {Decision.TAKE, Decision.HOLD}


@dataclass(frozen=True, slots=True)
class Handed:
    """One mail for one group, as it came. recipients: all of its transaction. notify, orcpt, envid, ret: RFC 3461.

    looked: what was found out about the author here; None = nobody looked.
    """

    group_id: int
    raw: bytes
    mail_from: str
    recipients: tuple[str, ...] = ()
    notify: str = ""
    orcpt: str = ""
    envid: str = ""
    ret: str = ""
    peer: str = ""
    parent_id: int | None = None
    looked: Looked | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A mail with what the rules say. is_new: False for one that was taken before.

    wants_look: the verdict would gain by `Handed.looked`.
    """

    handed: Handed
    verdict: Verdict
    head: Head
    group: Group | None
    automatic: str = ""
    seen: str = ""
    is_new: bool = True
    wants_look: bool = False


def postings_judge(mails: Sequence[Handed]) -> list[Judged]:
    """Ask the rules, with the groups as they are now. Changes nothing."""
    groups = {
        group.id: group
        for group in Group.objects.filter(id__in={mail.group_id for mail in mails}, deleted_at=None)
    }
    return [_judge(mail, groups.get(mail.group_id)) for mail in mails]


def _judge(mail: Handed, group: Group | None) -> Judged:
    head = head_of(mail.raw)
    if group is None:
        return Judged(mail, _GONE, head, None)
    if head.msgid and mail.parent_id is None and _is_again(mail):
        return Judged(mail, TAKEN, head, group, is_new=False)
    automatic = automatic_signs(mail.mail_from, head, own_return=is_own_return(mail.mail_from))
    proof, seen = _proof(mail, head)
    facts = Facts(
        looped=group.id in loops_of(head) or list_id_is(head, group.address),
        disabled=group.email_disabled,
        automatic=automatic,
        reject_automatic=group.reject_automatic,
        size=len(mail.raw),
        size_max=group.size_max,
        who=group.who_may_post,
        proof=proof,
        via_group=mail.parent_id is not None,
        **_standing(group, head),
    )
    verdict = judged(facts)
    matters = group.who_may_post != "anyone" or group.verify_to_cc
    nobody = not settings.POSTROOM_INGRESS_AUTHSERV and mail.looked is None and mail.parent_id is None
    wants_look = matters and nobody and verdict.decision in _KEPT
    return Judged(mail, verdict, head, group, automatic, seen, wants_look=wants_look)


def _proof(mail: Handed, head: Head) -> tuple[Proof, str]:
    """Whether it is from its author, and in what words: a trusted server's, else ours."""
    server = settings.POSTROOM_INGRESS_AUTHSERV
    if mail.looked is not None:
        return mail.looked.proof, mail.looked.results
    return proof_of(head, server), seen_by(head, server) or ""


def _is_again(mail: Handed) -> bool:
    values = {
        "raw": hashlib.sha256(mail.raw).hexdigest(),
        "group": mail.group_id,
        "since": timezone.now() - AGAIN,
    }
    return bool(prepared(_AGAIN, values))


def _standing(group: Group, head: Head) -> dict[str, bool]:
    """Whether the author is a member, or named; looked up only where it matters."""
    if group.who_may_post == "anyone":
        return {}
    authors = [address for _, address in head.authors]
    names = set().union(*same_people(group.workspace_id, authors).values())
    is_named = bool(names & named_for(group))
    if group.who_may_post != "members":
        return {"is_named": is_named}
    members = {member.address for node in group_graph(group.id).values() for member in node.members}
    return {"is_named": is_named, "is_member": bool(names & members)}


def postings_store(found: Sequence[Judged], shas: Sequence[str]) -> list[int]:
    """Rows of what was judged, in the caller's transaction; the blobs of `shas` have their rows. Ids of those that
    are to be sent on. What was refused or thrown away keeps a row and a line in the log, without its octets."""
    rows = []
    for one, sha256 in zip(found, shas, strict=True):
        if one.group is not None and one.is_new:
            rows.append(_row(one, one.group, sha256))
    rows_copy(rows)
    rows_copy([_line(one) for one in found if one.verdict.decision not in _KEPT and one.group])
    postings_tell([(row.id, "refused") for row in rows if row.state != PostingState.TAKEN])
    taken = [row.id for row in rows if row.state == PostingState.TAKEN]
    if taken:
        notify(POSTING)
    return taken


def _row(one: Judged, group: Group, sha256: str) -> Posting:
    mail, head = one.handed, one.head
    decision = one.verdict.decision
    states = {Decision.REFUSE: PostingState.REFUSED, Decision.DROP: PostingState.DROPPED}
    name, address = head.authors[0] if head.authors else ("", _printable(mail.mail_from).lower())
    return row_new(
        Posting,
        group_id=group.id,
        state=states.get(decision, PostingState.TAKEN),
        reason=one.verdict.reason,
        raw_id=sha256 if decision in _KEPT else None,
        envelope_from=_printable(mail.mail_from)[:254],
        author=address[:254],
        author_name=name[:200],
        subject=head.subject[:998],
        msgid=head.msgid[:255],
        size_bytes=len(mail.raw),
        notify=mail.notify[:40],
        orcpt=_printable(mail.orcpt)[:500],
        envid=_printable(mail.envid)[:100],
        ret=mail.ret[:4],
        peer=_printable(mail.peer)[:300],
        recipients=[_printable(address)[:254] for address in mail.recipients[:100]],
        parent_id=mail.parent_id,
        options=options_of(
            group,
            automatic=bool(one.automatic),
            hold=one.verdict.reason if decision is Decision.HOLD else "",
            seen=_printable(one.seen)[:1000],
        ),
    )


def _line(one: Judged) -> LogLine:
    assert one.group is not None
    what = "thrown away" if one.verdict.decision is Decision.DROP else "refused"
    return LogLine(
        workspace_id=one.group.workspace_id,
        direction="in",
        stage="posting",
        level="warning",
        words=f"Mail to {one.group.address} {what} ({one.verdict.reason}): {one.verdict.reply.text}",
        message_id=one.head.msgid[:255],
        address=(one.head.authors[0][1] if one.head.authors else "")[:254],
    )


def _printable(text: str) -> str:
    """As a column takes it: surrogates and control characters gone."""
    text = text.encode("utf-8", "replace").decode()
    return text if text.isprintable() else "".join(letter for letter in text if letter.isprintable())
