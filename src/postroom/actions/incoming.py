"""One mail at the ingress, with all its recipients: whose each is, what the rules say, and storing it all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from postroom.actions.blob import blobs_commit, blobs_write
from postroom.actions.event import Incoming, events_store_smtp
from postroom.actions.posting import Handed, Judged, postings_judge, postings_store
from postroom.actions.posting_report import refusal_report
from postroom.errors import Conflict
from postroom.mail.posting import Decision
from postroom.mail.proof import Looked
from postroom.mail.reply import Reply
from postroom.queries.group_route import Route, Way, route_of
from postroom.queries.posting import groups_settled

KNOWN = Reply(250, "2.1.5 Ok")
TAKEN = Reply(250, "2.0.0 Stored")
UNKNOWN = Reply(550, "5.1.1 No mail is expected at this address")
DISABLED = Reply(550, "5.2.1 group not accepting mail")
STUCK = Reply(451, "4.3.5 The group has no mail account to send through at the moment")
_AT_RCPT = {Way.NOBODY: UNKNOWN, Way.DISABLED: DISABLED, Way.STUCK: STUCK}
_KEPT = (Decision.TAKE, Decision.HOLD)


def recipient_route(address: str) -> tuple[Route, Reply]:
    """Whose it is, and the answer to RCPT."""
    route = route_of(address)
    return route, _AT_RCPT.get(route.way, KNOWN)


@dataclass(frozen=True, slots=True)
class To:
    """One accepted recipient with what RCPT said of it (RFC 3461). route: as found then, None = look again."""

    address: str
    notify: str = ""
    orcpt: str = ""
    route: Route | None = None


@dataclass(frozen=True, slots=True)
class Envelope:
    """One message as it came. source: smtp or lmtp; peer: who handed it over.

    client, helo: who did so from outside, "" = a server of the firm. looked: as in `Handed`.
    """

    raw: bytes
    mail_from: str
    to: tuple[To, ...]
    source: str
    envid: str = ""
    ret: str = ""
    peer: str = ""
    client: str = ""
    helo: str = ""
    looked: Looked | None = None


@dataclass(slots=True)
class Sorted:
    """events: mails for tokens and the office; postings: for groups; replies: one a recipient.

    told: refusals that the reply cannot tell, since by SMTP one answers for all recipients: their senders get a report.
    """

    events: list[Incoming] = field(default_factory=list)
    postings: list[Judged] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    told: list[Judged] = field(default_factory=list)


def incoming_sort(mail: Envelope) -> Sorted:
    """What is to be done with it, as things are now. Changes nothing."""
    found = Sorted()
    addresses = tuple(one.address for one in mail.to)
    handed: dict[int, Handed] = {}
    for at, to in enumerate(mail.to):
        route = to.route or route_of(to.address)
        reply = _AT_RCPT.get(route.way, TAKEN)
        found.replies.append(reply)
        if route.way is Way.GROUP or route.way is Way.DISABLED:
            handed[at] = Handed(
                group_id=route.group_id,
                raw=mail.raw,
                mail_from=mail.mail_from,
                recipients=addresses,
                notify=to.notify,
                orcpt=to.orcpt,
                envid=mail.envid,
                ret=mail.ret,
                peer=mail.peer,
                looked=mail.looked,
            )
        elif reply.accepted:
            event = Incoming(mail.mail_from, to.address, mail.raw, mail.source, route.workspace_id)
            found.events.append(event)
    seen: set[int] = set()
    for at, judged in zip(handed, postings_judge(list(handed.values())), strict=True):
        found.replies[at] = judged.verdict.reply
        if judged.handed.group_id not in seen:  # named twice in one transaction
            found.postings.append(judged)
        seen.add(judged.handed.group_id)
    if mail.source == "smtp":
        _one_answer(found)
    return found


def _one_answer(found: Sorted) -> None:
    """By SMTP one answer stands for all: where some may have it, those who may not are told by a report."""
    if not any(reply.accepted for reply in found.replies):
        return
    if any(reply.transient for reply in found.replies):
        found.events, found.postings = [], []  # it comes again as a whole
        return
    found.told = [one for one in found.postings if not one.verdict.reply.accepted]
    found.replies = [reply if reply.accepted else TAKEN for reply in found.replies]


@dataclass(frozen=True, slots=True)
class Stored:
    events: list[int]
    postings: list[int]


def incoming_store(sorted_: Sequence[Sorted]) -> Stored:
    """All of them or none. The octets are safe when this returns; ids of the events, and of postings to send on.

    Raises Conflict GROUP_CHANGED when a group was saved since it was asked: then sort the mail again.
    """
    judged = [one for found in sorted_ for one in found.postings]
    kept = [one for one in judged if one.is_new and one.verdict.decision in _KEPT]
    blobs = blobs_write([one.handed.raw for one in kept])
    shas = {id(one): blob.sha256 for one, blob in zip(kept, blobs, strict=True)}
    with transaction.atomic():
        _demand_unchanged(judged)
        events = events_store_smtp([event for found in sorted_ for event in found.events])
        blobs_commit(blobs)
        postings = postings_store(judged, [shas.get(id(one), "") for one in judged])
        for one in (one for found in sorted_ for one in found.told):
            refusal_report(one)
    return Stored(events, postings)


def _demand_unchanged(judged: Sequence[Judged]) -> None:
    asked = {(one.group.id, one.group.version) for one in judged if one.group is not None and one.is_new}
    now = groups_settled({group_id for group_id, _ in asked})
    if any(now.get(group_id) != version for group_id, version in asked):
        raise Conflict("The group was changed while its mail was being taken.", code="GROUP_CHANGED")
