"""What the delivery daemon reads: an account's server, a campaign's content, single messages."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from json import loads
from typing import Any

from django.utils import timezone

from postroom.mail.compose import CompiledMessage
from postroom.mail.fields import UNSUBSCRIBE_LINK
from postroom.mail.limit import Limits
from postroom.models.account import Account, AccountKind
from postroom.models.campaign import Campaign
from postroom.models.group import Posting
from postroom.models.workspace import Instance
from postroom.queries.blob import blobs_found
from postroom.queries.content import Addressing, addressing_of, campaign_compiled, one_click_allowed
from postroom.queries.domain import SigningKey, signing_keys
from postroom.queries.limit import limits_of
from postroom.queries.posting import Copy, copy_of
from postroom.queries.prepared import array_of, prepared


@dataclass(frozen=True, slots=True)
class SendingAccount:
    """Plain values of an account as the daemon needs them."""

    id: int
    workspace_id: int
    address: str
    server: dict[str, Any]
    connections: int
    limits: Limits
    paused_until: datetime | None


def sending_account(account_id: int) -> SendingAccount:
    """Raises Account.DoesNotExist."""
    account = Account.objects.select_related("workspace").get(id=account_id)
    instance = Instance.objects.filter(id=1).first()
    platform = account.kind == AccountKind.PLATFORM
    return SendingAccount(
        id=account.id,
        workspace_id=account.workspace_id,
        address=account.address,
        server=_relay(account, instance) if platform else _own_server(account, instance),
        connections=max(1, account.connections),
        limits=limits_of(account),
        paused_until=account.paused_until,
    )


def _own_server(account: Account, instance: Instance | None) -> dict[str, Any]:
    same = account.smtp_same_as_imap
    return {
        "host": account.smtp_host,
        "port": account.smtp_port,
        "security": account.smtp_security,
        "login": account.imap_login if same else account.smtp_login,
        "password": account.imap_password if same else account.smtp_password,
        "authenticate": account.smtp_authenticate,
        "verify_certificate": account.verify_certificate,
        "allow_private": bool(instance and instance.allow_private_hosts),
        "helo_name": account.address.rpartition("@")[2] or "localhost",
        "messages_per_connection": account.messages_per_connection,
        "proxy": proxy_of(account),
    }


def _relay(account: Account, instance: Instance | None) -> dict[str, Any]:
    """The firm's own server; the administrator named it, so it may stand inside the network."""
    relay = instance or Instance()
    return {
        "host": relay.relay_host,
        "port": relay.relay_port,
        "security": relay.relay_security,
        "login": relay.relay_login,
        "password": relay.relay_password,
        "authenticate": bool(relay.relay_login),
        "verify_certificate": relay.relay_verify_certificate,
        "allow_private": True,
        "helo_name": account.workspace.bounce_host or account.address.rpartition("@")[2] or "localhost",
        "messages_per_connection": account.messages_per_connection,
        "proxy": None,
    }


def proxy_of(account: Account) -> dict[str, Any] | None:
    """The values of wire.server.Proxy; None = connected directly."""
    if not account.proxy_kind:
        return None
    return {
        "kind": account.proxy_kind,
        "host": account.proxy_host,
        "port": account.proxy_port,
        "login": account.proxy_login,
        "password": account.proxy_password,
    }


@dataclass(frozen=True, slots=True)
class Sheet:
    """A campaign ready to be filled in for recipients."""

    compiled: CompiledMessage
    addressing: Addressing
    receipt_delivery: bool
    resend_doubt: bool


def campaign_sheet(campaign_id: int, *, eight_bit: bool) -> Sheet:
    """Compiled once for a lane."""
    campaign = Campaign.objects.select_related("account__workspace", "workspace").get(id=campaign_id)
    assert campaign.account is not None, "a campaign that runs has an account"
    compiled = campaign_compiled(campaign, campaign.account, eight_bit=eight_bit, now=timezone.now())
    addressing = addressing_of(campaign.account)
    in_header = campaign.unsubscribe_header and one_click_allowed(campaign.account, addressing.url)
    with_link = in_header or UNSUBSCRIBE_LINK in compiled.has_fallback
    return Sheet(
        compiled=compiled,
        addressing=replace(addressing, with_link=with_link),
        receipt_delivery=campaign.receipt_delivery,
        resend_doubt=campaign.on_doubt == "resend",
    )


#: Sent with the null path: nobody is told of their fate (RFC 8098 section 3, RFC 3464 section 2).
_UNANSWERED = ("receipt", "report")


@dataclass(frozen=True, slots=True)
class Print:
    """A single message as it goes out: the stored octets, or what all copies of a posting have in common."""

    copy: Copy
    null_path: bool = False
    is_posting: bool = False
    eight_bit: bool = False


_PRINTED = """
SELECT m.id, m.raw_id, m.purpose, p.id, p.front, p.cuts, p.notify, coalesce(nullif(p.orcpt, ''), g.address), p.ret,
       p.options::text
  FROM postroom_message m
  LEFT JOIN postroom_posting p ON p.message_id = m.id
  LEFT JOIN postroom_group g ON g.id = p.group_id
 WHERE m.id = ANY(%(ids)s::bigint[]) AND m.raw_id IS NOT NULL
"""


def messages_printed(message_ids: Collection[int]) -> dict[int, Print]:
    """Single messages by id; one whose bytes are missing is left out."""
    rows = prepared(_PRINTED, {"ids": array_of(list(message_ids))})
    raws = blobs_found([row[1] for row in rows])
    found = {}
    for id, sha256, purpose, posting_id, front, cuts, notify, orcpt, ret, options in rows:
        raw = raws.get(sha256)
        if raw is None or (purpose == "posting" and posting_id is None):
            continue
        if posting_id is not None:
            posting = Posting(
                id=posting_id,
                front=front,
                cuts=cuts,
                notify=notify,
                orcpt=orcpt,
                ret=ret,
                options=loads(options),
            )
            copy = copy_of(posting, raw)
        else:
            copy = Copy(segments=(raw,), stuffed=False)
        eight_bit = not all(part.isascii() for part in copy.segments)
        found[id] = Print(copy, purpose in _UNANSWERED, posting_id is not None, eight_bit)
    return found


def account_addressing(account_id: int) -> Addressing:
    return addressing_of(Account.objects.select_related("workspace").get(id=account_id))


def account_signing(account_id: int) -> list[SigningKey]:
    """The keys with which we sign mail of this account; an own account's server signs, or nobody."""
    account = Account.objects.only("kind", "workspace_id").get(id=account_id)
    return signing_keys(account.workspace_id) if account.kind == AccountKind.PLATFORM else []
