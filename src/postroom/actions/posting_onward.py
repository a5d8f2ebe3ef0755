"""What follows once the copies of a posting are queued: sub-groups that send their own, and the report of EG-11."""

from postroom.actions.blob import blob_put
from postroom.actions.posting import Handed, postings_judge, postings_store
from postroom.actions.posting_report import posting_report, wants
from postroom.mail.dsn_make import Said
from postroom.mail.group_headers import without
from postroom.mail.letterhead import head_of
from postroom.models.account import Account
from postroom.models.group import Posting
from postroom.queries.posting import Options, groups_settled


def posting_onward(posting: Posting, raw: bytes, account: Account | None) -> None:
    """In the transaction that queued the copies. raw: the mail as it was stored."""
    _pass_on(posting, raw, posting.options.get("groups", ()))
    if Options.of(posting).final_delivery and wants(posting, "delivered"):
        posting_report(posting, [Said(posting.group.address, "delivered", "2.0.0")], account)


def _pass_on(posting: Posting, raw: bytes, groups: list[int]) -> None:
    """Sub-groups that are kept as recipients get what a member gets, and send their own copies (EG-08)."""
    if not groups:
        return
    size = head_of(raw).size
    whole = posting.front.encode() + without(raw[:size], posting.cuts) + raw[size:]
    handed = [
        Handed(
            group_id=group_id,
            raw=whole,
            mail_from=posting.envelope_from,
            recipients=tuple(posting.recipients),
            notify=posting.notify,
            orcpt=posting.orcpt or posting.group.address,
            envid=posting.envid,
            ret=posting.ret,
            peer=f"{posting.group.domain.name} (a group)",
            parent_id=posting.id,
        )
        for group_id in groups
    ]
    groups_settled(groups)
    sha256 = blob_put(whole).sha256
    postings_store(postings_judge(handed), [sha256] * len(handed))
