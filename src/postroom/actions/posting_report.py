"""Reports to authors of postings (EG-11): queued as mail with the null path, never about automatic mail."""

from collections.abc import Sequence

from django.utils import timezone

from postroom.actions.blob import blob_put
from postroom.actions.posting import Judged
from postroom.actions.retry import retry_shard_make
from postroom.errors import PostroomError
from postroom.mail.address import canonical, parse
from postroom.mail.dsn_make import SUBJECTS, About, Said, report_make
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.group import Group, Posting
from postroom.models.message import Message
from postroom.queries.blob import blob_read
from postroom.queries.content import addressing_of
from postroom.queries.group_route import group_account
from postroom.queries.posting import Options

#: What a report says first; a status where the server gave none (RFC 3463).
STATUS = {
    "failed": "5.0.0",
    "delayed": "4.0.0",
    "delivered": "2.0.0",
    "relayed": "2.0.0",
    "expanded": "2.0.0",
}


def wants(posting: Posting, action: str) -> bool:
    """Whether the author asked to hear of this (RFC 3461 section 4.1); of failures he hears unless he said no."""
    if not posting.envelope_from or Options.of(posting).automatic:
        return False
    asked = set(posting.notify.split(",")) - {""}
    word = {"failed": "FAILURE", "delayed": "DELAY"}.get(action, "SUCCESS")
    return word in asked if asked else word == "FAILURE"


def posting_report(posting: Posting, said: Sequence[Said], account: Account | None = None) -> Message | None:
    """Tell the author; the posting with its group and workspace. None: nobody can be told."""
    about = About(
        raw=blob_read(posting.raw_id) if posting.raw_id else b"",
        sender=posting.envelope_from,
        envid=posting.envid,
        orcpt=posting.orcpt or posting.group.address,
        ret=posting.ret,
        arrived_at=posting.taken_at,
    )
    return _queue(posting.group, about, said, account)


def refusal_report(judged: Judged) -> Message | None:
    """A refusal that the SMTP answer could not tell."""
    mail, group = judged.handed, judged.group
    wanted = not mail.notify or "FAILURE" in mail.notify
    if group is None or not mail.mail_from or judged.automatic or not wanted:
        return None
    reply = judged.verdict.reply
    said = Said(group.address, "failed", reply.status or "5.0.0", f"{reply.code} {reply.text}")
    about = About(mail.raw, mail.mail_from, mail.envid, mail.orcpt or group.address, mail.ret)
    return _queue(group, about, [said], None)


def _queue(group: Group, about: About, said: Sequence[Said], account: Account | None) -> Message | None:
    account = account or group_account(group)
    if account is None:
        return None
    try:
        to = parse(about.sender)
    except PostroomError:
        return None
    now = timezone.now()
    message = Message.objects.create(
        workspace_id=group.workspace_id,
        account=account,
        direction="out",
        purpose="report",
        subject=SUBJECTS[said[0].action],
        from_address=account.address,
        to_address=to.spec,
        is_automatic=True,
        is_read=True,
    )
    delivery = Delivery.objects.create(
        workspace_id=group.workspace_id,
        message=message,
        address=to.spec,
        canonical=canonical(to),
        queued_at=now,
    )
    message.message_id = addressing_of(account).token(delivery.id)
    domain = group.address.rpartition("@")[2]
    raw = report_make(
        about,
        said,
        host=domain,
        header_from=account.address,
        message_id=f"{message.message_id}@{domain}",
        at=now,
    )
    message.raw = blob_put(raw)
    message.save(update_fields=["raw", "message_id"])
    retry_shard_make(group.workspace_id, account.id, None, [delivery.id])
    return message
