"""From a stored posting to one delivery a member, in one commit (DESIGN section 4; docs/message-states.md).

Whatever is killed when: either the posting is still TAKEN and nothing of it has left, or its copies are deliveries of
the engine, which loses and doubles none. Many postings share a commit and their copies a shard.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from postroom.actions.bulk import row_new, rows_copy, rows_number
from postroom.actions.notify import SHARD, notify
from postroom.actions.posting_hold import moderators_tell
from postroom.actions.posting_onward import posting_onward
from postroom.actions.posting_rows import copies_queue, postings_sent_on
from postroom.actions.webhook_tell import postings_tell
from postroom.errors import BadAddress
from postroom.mail.address import canonical
from postroom.mail.arc import arc_seal, arc_sealed
from postroom.mail.arc_chain import Chain
from postroom.mail.dkim import DkimSigner
from postroom.mail.dns_records import below
from postroom.mail.group_expand import Expanded, Node, expanded
from postroom.mail.group_headers import Letterhead, fronted, oversigned, signature_survives, without
from postroom.mail.letterhead import Head, head_of
from postroom.models.account import Account
from postroom.models.group import Group, Posting, PostingState
from postroom.models.message import Message
from postroom.queries.blob import blob_read, blobs_found
from postroom.queries.content import instance_url
from postroom.queries.domain import SigningKey, signing_keys
from postroom.queries.group_route import group_account
from postroom.queries.posting import (
    Options,
    answered_of,
    group_graph,
    loop_token,
    same_people,
)

log = logging.getLogger("postroom.posting")

#: The DMARC policy of a domain: none, quarantine, reject; "" = nobody knows.
Policy = Callable[[str], str]
#: What became of the seals that others put on a mail.
Sealed = Callable[[bytes], Chain]
STRICT = ("quarantine", "reject")


def postings_waiting(limit: int = 1000) -> list[int]:
    """Postings that are stored and not yet sent on, oldest first."""
    found = Posting.objects.filter(state=PostingState.TAKEN).order_by("id")
    return list(found.values_list("id", flat=True)[:limit])


@dataclass(slots=True)
class _Batch:
    """What the postings of one commit share."""

    policy: Policy
    sealed: Sealed | None = None
    graphs: dict[int, dict[int, Node]] = field(default_factory=dict)
    members: dict[int, set[str]] = field(default_factory=dict)
    keys: dict[int, dict[str, SigningKey]] = field(default_factory=dict)
    accounts: dict[int, Account | None] = field(default_factory=dict)
    url: str = field(default_factory=instance_url)
    #: (workspace, account, waits for a moderator) -> (message, address, name, fields) of each copy
    copies: dict[tuple[int, int, bool], list[tuple[int, str, str, str]]] = field(default_factory=dict)
    #: The octets by their SHA-256, as far as the store holds them.
    raws: dict[str, bytes] = field(default_factory=dict)
    heads: dict[int, Head] = field(default_factory=dict)
    #: workspace -> canonical address in a header -> all names of whose it is.
    names: dict[int, dict[str, set[str]]] = field(default_factory=dict)
    #: Worked on, by id: stored together at the end.
    done: dict[int, Posting] = field(default_factory=dict)
    #: To be stored when all postings are worked on: deliveries and postings may name them before (deferred keys).
    messages: list[Message] = field(default_factory=list)
    #: (posting, what became of it), for webhooks.
    told: list[tuple[int, str]] = field(default_factory=list)

    def look(self, postings: Sequence[Posting]) -> None:
        """Read what is asked about each of them."""
        related = Group.objects.select_related("account", "workspace__notice_account", "domain")
        groups = related.in_bulk({posting.group_id for posting in postings})
        self.raws = blobs_found([posting.raw_id or "" for posting in postings])
        people: dict[int, set[str]] = {}
        for posting in postings:
            posting.group = groups[posting.group_id]
            head = head_of(self.raw(posting))
            self.heads[posting.id] = head
            named = {address for _, address in head.people("from", "to", "cc")}
            people.setdefault(posting.group.workspace_id, set()).update(named)
        self.names = {
            workspace_id: same_people(workspace_id, named) for workspace_id, named in people.items()
        }

    def raw(self, posting: Posting) -> bytes:
        return self.raws.get(posting.raw_id or "") or blob_read(posting.raw_id or "")

    def graph(self, group_id: int) -> dict[int, Node]:
        if group_id not in self.graphs:
            self.graphs[group_id] = graph = group_graph(group_id)
            self.members[group_id] = {member.address for node in graph.values() for member in node.members}
        return self.graphs[group_id]

    def key(self, group: Group) -> SigningKey | None:
        """Of the group's domain."""
        if group.workspace_id not in self.keys:
            found = signing_keys(group.workspace_id)
            self.keys[group.workspace_id] = {key.domain: key for key in found}
        return self.keys[group.workspace_id].get(group.address.rpartition("@")[2])

    def account(self, group: Group) -> Account | None:
        if group.id not in self.accounts:
            self.accounts[group.id] = group_account(group)
        return self.accounts[group.id]


@transaction.atomic
def postings_fan(ids: Sequence[int], policy: Policy, sealed: Sealed | None = None) -> int:
    """Send these on; those that another process has, or that went on already, are passed over. How many went on.

    policy: asked for the domains of authors whose signature our fields break. sealed: asked for mail that others have
    sealed; None = it goes on without a seal of ours.
    """
    batch = _Batch(policy, sealed)
    open_ones = Posting.objects.select_for_update(skip_locked=True).filter(
        id__in=ids, state=PostingState.TAKEN
    )
    postings = list(open_ones.order_by("id"))
    batch.look(postings)
    messages = [row_new(Message) for _ in postings]
    rows_number(messages)
    done = sum(_fan(batch, posting, message) for posting, message in zip(postings, messages, strict=True))
    rows_copy(batch.messages)
    postings_sent_on(batch.done.values())
    for (workspace_id, account_id, held), rows in batch.copies.items():
        for begin in range(0, len(rows), settings.POSTROOM_SHARD_SIZE):
            copies_queue(
                workspace_id, account_id, rows[begin : begin + settings.POSTROOM_SHARD_SIZE], held=held
            )
    postings_tell(batch.told)
    if any(not held for _, _, held in batch.copies):
        notify(SHARD)
    return done


def posting_fault(posting_id: int, words: str) -> None:
    """It cannot be sent on for a fault of ours: it waits where managers see it, and no longer holds up others."""
    with transaction.atomic():
        if Posting.objects.filter(id=posting_id, state=PostingState.TAKEN).update(
            state=PostingState.HELD, reason="fault"
        ):
            postings_tell([(posting_id, "held")])
    log.error("posting %s cannot be sent on: %s", posting_id, words)


def _fan(batch: _Batch, posting: Posting, message: Message) -> bool:
    """message: its number is to be used."""
    group, options = posting.group, Options.of(posting)
    account = batch.account(group)
    if account is None:
        return False  # it waits for an account
    raw, head = batch.raw(posting), batch.heads[posting.id]
    names = batch.names[group.workspace_id]
    found = _recipients(batch, posting, options, head, names)
    _remember(batch, posting, options, head, names)
    _front(batch, posting, options, head, raw)
    if not found.people and not found.groups:
        posting.state, posting.reason = PostingState.DROPPED, "nobody"
        batch.done[posting.id] = posting
        batch.told.append((posting.id, "refused"))
        return True
    message.workspace_id, message.account_id = group.workspace_id, account.id
    message.direction, message.purpose = "out", "posting"
    message.raw_id, message.message_id = posting.raw_id, posting.msgid
    message.subject = posting.subject
    message.from_address, message.from_name = posting.author, posting.author_name
    message.to_address = group.address
    message.size_bytes = posting.size_bytes
    message.is_read, message.at = True, posting.taken_at
    batch.messages.append(message)
    posting.message = message
    held = bool(options.hold)
    rows = batch.copies.setdefault((group.workspace_id, account.id, held), [])
    rows += [
        (message.id, member.address, member.name, f'{{"m": {member.id}, "x": {int(member.outside)}}}')
        for member in found.people
    ]
    posting.state = PostingState.HELD if held else PostingState.SENT
    posting.reason = options.hold
    posting.options["groups"] = list(found.groups)
    batch.done[posting.id] = posting
    batch.told.append((posting.id, "held" if held else "accepted"))
    if held:
        moderators_tell(posting, account, raw)
    else:
        posting_onward(posting, raw, account)
    return True


def _recipients(
    batch: _Batch, posting: Posting, options: Options, head: Head, names: dict[str, set[str]]
) -> Expanded:
    left_out: set[str] = set()
    named = {address for _, address in head.people("to", "cc")}
    if options.remove_author:
        left_out.update(*(names[address] for _, address in head.authors))
    if options.remove_to_and_cc:
        sure = named
        if options.verify_to_cc and "=pass" not in options.seen:
            sure = named & {_canonical(address) for address in posting.recipients}
        left_out.update(*(names[address] for address in sure))
    graph = batch.graph(posting.group_id)
    start = graph[posting.group_id]
    graph = {**graph, start.id: Node(start.id, start.address, options.expand, False, start.members)}
    return expanded(
        posting.group_id,
        graph,
        without=left_out,
        named_groups=named if options.remove_to_and_cc else (),
    )


def _canonical(address: str) -> str:
    try:
        return canonical(address)
    except BadAddress:
        return ""


def _remember(
    batch: _Batch, posting: Posting, options: Options, head: Head, names: dict[str, set[str]]
) -> None:
    """Where it stands in its thread, and whether its author is somebody outside (EG-04)."""
    if posting.first_id is None:
        found = answered_of(posting.group_id, head.references)
        if found is not None:
            found = batch.done.get(found.id, found)  # as it is by now
        if found is not None and found.state != PostingState.DROPPED:
            posting.first = found.first or found
    mine = names.get(posting.author, {posting.author})
    if not mine & batch.members[posting.group_id]:
        posting.outside_author = posting.author


def _front(batch: _Batch, posting: Posting, options: Options, head: Head, raw: bytes) -> None:
    """The fields in front of the copies, and what of the author's gives way."""
    group = posting.group
    reply_to: list[tuple[str, str]] = []
    if options.set_reply_to:
        reply_to.append((options.real_name, group.address))
        first = posting.first.outside_author if posting.first else ""
        outside = [(posting.first.author_name, first)] if posting.first and first else []
        outside.append((posting.author_name, posting.outside_author))
        if options.include_external_author:
            reply_to += _once(outside, reply_to)
    paper = Letterhead(
        address=group.address,
        name=options.real_name,
        loop_token=loop_token(group.id),
        host=group.domain.name,
        trace=posting.peer or "somewhere (unknown)",
        number=posting.id,
        at=timezone.localtime(posting.taken_at),
        reply_to=tuple(reply_to),
        archive_url=f"{batch.url}/groups/{group.id}/postings/" if options.archive else "",
        author=(posting.author_name, posting.author),
    )
    if _rewrites(batch, posting, options, head, paper):
        reply_to += _once([(posting.author_name, posting.author)], reply_to)
        paper = replace(paper, reply_to=tuple(reply_to), rewrite=True)
    made = fronted(head, paper)
    shut = oversigned(head, posting.author.rpartition("@")[2])
    posting.options["leave"] = paper.rewrite or "list-unsubscribe" not in shut
    posting.front, posting.cuts = made.front, made.cuts
    _sign(batch, posting, options, head, raw, rewritten=paper.rewrite)


def _once(more: Sequence[tuple[str, str]], known: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those with an address that can stand in a header and is not among them yet."""
    seen = {address for _, address in known} | {""}
    found = []
    for name, address in more:
        if address not in seen:
            seen.add(address)
            if _canonical(address):
                found.append((name, address))
    return found


def _rewrites(batch: _Batch, posting: Posting, options: Options, head: Head, paper: Letterhead) -> bool:
    """EG-16: the author's domain asks members' servers to refuse what is not aligned, and our fields make it so."""
    domain = paper.author[1].rpartition("@")[2]
    if not domain or below(posting.group.workspace.bounce_host, [domain]):
        return False  # the return path is aligned
    survives = signature_survives(head, domain, paper)
    if survives or (survives is None and not options.set_reply_to):
        return False
    return batch.policy(domain) in STRICT


def _sign(
    batch: _Batch, posting: Posting, options: Options, head: Head, raw: bytes, *, rewritten: bool
) -> None:
    """Our signature where From is ours now, and the seal (RFC 8617); once for all copies."""
    key = batch.key(posting.group)
    if key is None:
        return
    now = int(time.time())
    body = raw[head.size :]
    if rewritten:
        signer = DkimSigner(domain=key.domain, selector=key.selector, private_key=key.private_key)
        whole = posting.front.encode() + without(raw[: head.size], posting.cuts)
        posting.front = signer.sign([whole, body], at=now).decode() + posting.front
    whole = posting.front.encode() + without(raw[: head.size], posting.cuts)
    chain = Chain("none")
    if arc_sealed(whole):
        if batch.sealed is None:
            return
        chain = batch.sealed(raw)
    results = [options.seen] if options.seen else []
    seal = arc_seal(
        whole + body,
        domain=key.domain,
        selector=key.selector,
        private_key=key.private_key,
        authserv=key.domain,
        results="; ".join([*results, f"arc={chain.status}"] if chain.length else results),
        at=now,
        chain=chain,
    )
    posting.front = seal.decode() + posting.front
