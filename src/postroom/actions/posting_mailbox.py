"""Mail for groups that lies in a catch-all mailbox, for firms whose MX stays as it is (FEATURES EG-03).

There is no dialogue to refuse it in: what the rules refuse goes back to its author as a report, and what a machine
wrote is thrown away without a word.
"""

from collections.abc import Mapping, Sequence

from postroom.actions.moderation_mail import decisions_take
from postroom.actions.posting import Handed, Judged, postings_judge, postings_store
from postroom.actions.posting_report import refusal_report
from postroom.errors import BadAddress
from postroom.mail import authres
from postroom.mail.address import canonical
from postroom.mail.letterhead import head_of
from postroom.mail.posting import Proof
from postroom.mail.proof import Looked
from postroom.mail.report import Recognised
from postroom.models.account import Account
from postroom.models.event import Event
from postroom.models.group import Group
from postroom.queries.matching import Found
from postroom.queries.posting import groups_settled
from postroom.queries.reading import hosts_of

#: The kind of an event that became a posting.
POSTING = "posting"


def postings_take(
    events: Sequence[Event],
    raws: Mapping[str, bytes],
    seen: Sequence[Recognised],
    found: Sequence[Found | None],
) -> set[int]:
    """Make postings of those that went to a group, and decide what moderators answered, in the caller's transaction;
    ids of these events."""
    decided = decisions_take(events, raws, seen, found)
    wanted = {event.account_id for event in events if event.source == "imap" and event.account_id}
    catching = set(
        Account.objects.filter(id__in=wanted, takes_groups=True).values_list("id", flat=True)
        if wanted
        else ()
    )
    judged: list[tuple[Event, Judged]] = []
    for event, mail, match in zip(events, seen, found, strict=True):
        if (
            event.id in decided
            or event.account_id not in catching
            or (match is not None and match.found_by == "envelope")
        ):
            continue
        group = _group(event, mail)
        if group is not None:
            raw = raws[event.raw_id]
            handed = Handed(
                group_id=group.id,
                raw=raw,
                mail_from=head_of(raw).mail_from,
                peer=f"the mailbox {event.account}",
                looked=_looked(event.account, raw),
            )
            groups_settled([group.id])
            judged.append((event, postings_judge([handed])[0]))
    if judged:
        postings_store([one for _, one in judged], [event.raw_id for event, _ in judged])
    for event, one in judged:
        if not one.verdict.reply.accepted:
            refusal_report(one)
        event.kind, event.subject = POSTING, one.head.subject[:998]
        event.workspace_id = one.group.workspace_id if one.group else event.workspace_id
        event.save(update_fields=["kind", "subject", "workspace"])
    return decided | {event.id for event, _ in judged}


def _looked(account: Account | None, raw: bytes) -> Looked:
    """What the mailbox's own server found out about the author."""
    told = authres.proof(authres.fields(raw), hosts_of(account))
    if told.proof is not authres.Proof.PROVEN:
        return Looked(Proof.FAILED if told.proof is authres.Proof.FAILED else Proof.UNKNOWN, "")
    return Looked(Proof.PASSED, "; ".join(f"{method}={result}" for method, result in told.methods))


def _group(event: Event, mail: Recognised) -> Group | None:
    """The first of the addresses that servers on the way wrote down that is a group of this workspace."""
    for address in mail.reached:
        try:
            wanted = canonical(address)
        except BadAddress:
            continue
        found = Group.objects.filter(
            address=wanted,
            workspace=event.workspace_id,
            deleted_at=None,
            domain__proved_at__isnull=False,
        ).first()
        if found is not None:
            return found
    return None
