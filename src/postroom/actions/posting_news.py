"""What became of single copies of a posting, and telling it: the author, the managers (EG-11)."""

from collections import defaultdict
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from postroom.actions.message import notice_queue
from postroom.actions.notify import POSTING, notify
from postroom.actions.posting_report import STATUS, posting_report, wants
from postroom.mail.dsn_make import Said
from postroom.models.account import Account
from postroom.models.delivery import Delivery
from postroom.models.group import GroupMember, Posting, PostingNews
from postroom.queries.content import instance_url
from postroom.queries.group_route import group_account
from postroom.queries.posting import Options, managers_to_tell
from postroom.queries.prepared import prepared

#: Failures of a class that speak of the member's mailbox; those of our own doing are not held against it.
_OF_THE_MEMBER = ("address_gone", "mailbox_state")
#: Told at once.
_AT_ONCE = 500

# What a delivery says now. Accepted by a server that knows no reports is "relayed", where success was asked for
# (RFC 3461 section 5.2.2); ours is the last word then.
_NOTE = """
INSERT INTO postroom_postingnews (delivery_id, posting_id, action, at)
SELECT d.id, p.id, said.action, clock_timestamp()
  FROM postroom_delivery d
  JOIN postroom_message m ON m.id = d.message_id AND m.purpose = 'posting'
  JOIN postroom_posting p ON p.message_id = m.id
  CROSS JOIN LATERAL (SELECT CASE
      WHEN d.unsubscribed_at IS NOT NULL THEN 'left'
      WHEN d.state = 'failed' OR d.arrival = 'bounced' THEN 'failed'
      WHEN d.arrival IN ('delivered', 'relayed', 'expanded', 'delayed') THEN d.arrival
      WHEN d.state = 'accepted' AND d.arrival = 'unknown' AND NOT d.dsn_requested AND p.notify LIKE '%%SUCCESS%%'
          THEN 'relayed'
      END AS action) said
 WHERE d.id = ANY(string_to_array(%(ids)s, ',')::bigint[]) AND said.action IS NOT NULL
ON CONFLICT DO NOTHING
RETURNING 1
"""


def news_note(delivery_ids: Sequence[int]) -> None:
    """In the transaction that changed these deliveries; those that are no copies of postings are passed over."""
    if not delivery_ids:
        return
    if prepared(_NOTE, {"ids": ",".join(map(str, delivery_ids))}):
        notify(POSTING)


@transaction.atomic
def news_tell() -> int:
    """Tell what nobody was told yet; how many."""
    rows = list(
        PostingNews.objects.select_for_update(skip_locked=True).filter(told_at=None).order_by("id")[:_AT_ONCE]
    )
    if not rows:
        return 0
    deliveries = Delivery.objects.in_bulk([row.delivery_id for row in rows])
    postings = Posting.objects.select_related(
        "group__account", "group__domain", "group__workspace__notice_account"
    ).in_bulk({row.posting_id for row in rows})
    heaps: dict[int, list[tuple[str, Delivery]]] = defaultdict(list)
    for row in rows:
        if row.delivery_id in deliveries:
            heaps[row.posting_id].append((row.action, deliveries[row.delivery_id]))
    for posting_id, news in heaps.items():
        _tell(postings[posting_id], news)
    PostingNews.objects.filter(id__in=[row.id for row in rows]).update(told_at=timezone.now())
    return len(rows)


def _tell(posting: Posting, news: Sequence[tuple[str, Delivery]]) -> None:
    _leave([delivery for action, delivery in news if action == "left"])
    news = [(action, delivery) for action, delivery in news if action != "left"]
    account = group_account(posting.group)
    failed = [delivery for action, delivery in news if action == "failed"]
    paused = _hold_against(failed)
    alive = [delivery for action, delivery in news if action == "delivered"]
    if alive:
        members = [delivery.fields.get("m") for delivery in alive]
        GroupMember.objects.filter(id__in=members, failures__gt=0).update(failures=0)
    if account is None:
        return
    if not Options.of(posting).final_delivery:
        for action, delivery in news:
            if wants(posting, action):
                posting_report(posting, [_said(posting, action, delivery)], account)
    elif failed:
        _tell_managers(posting, account, failed)
    if paused:
        _tell_paused(posting, account, paused)


def _leave(left: Sequence[Delivery]) -> None:
    """Outsiders who wrote to the address in List-Unsubscribe of their own copy."""
    ids = [delivery.fields["m"] for delivery in left if delivery.fields.get("x")]
    GroupMember.objects.filter(id__in=ids, subgroup=None, local_address=None).delete()


def _said(posting: Posting, action: str, delivery: Delivery) -> Said:
    """An outsider is told of the group's address only, and of no server behind it."""
    report = delivery.reports.filter(action=action).order_by("-id").first() if action != "relayed" else None
    status = report.status if report is not None else ""
    words = delivery.words if action == "failed" else ""
    if report is not None and report.words:
        words = report.words
    if not status and delivery.code and action == "failed":
        found = delivery.words.split(" ", 1)[0]
        status = found if found.count(".") == 2 and found[0] == "5" else ""
        words = f"{delivery.code} {delivery.words}"
    status = status if status[:1] == STATUS[action][:1] else STATUS[action]
    if posting.outside_author:
        return Said(posting.group.address, action, status, "" if action != "failed" else f"{status} A member")
    return Said(delivery.address, action, status, words[:500])


def _hold_against(failed: Sequence[Delivery]) -> list[GroupMember]:
    """Count what speaks of the member's mailbox; those whose copies pause from now on."""
    ids = [
        delivery.fields["m"]
        for delivery in failed
        if delivery.bounce_class in _OF_THE_MEMBER and "m" in delivery.fields
    ]
    if not ids:
        return []
    GroupMember.objects.filter(id__in=ids).update(failures=F("failures") + 1)
    tired = list(
        GroupMember.objects.select_for_update().filter(
            id__in=ids, failures__gte=settings.POSTROOM_GROUP_FAILURES, state=GroupMember.State.ACTIVE
        )
    )
    words = {delivery.fields["m"]: f"{delivery.code or ''} {delivery.words}".strip() for delivery in failed}
    for member in tired:
        member.state, member.state_words = GroupMember.State.PAUSED, words.get(member.id, "")[:500]
        member.save(update_fields=["state", "state_words"])
    return tired


def _tell_managers(posting: Posting, account: Account, failed: Sequence[Delivery]) -> None:
    group = posting.group
    lines = [f"{one.address}: {one.code or ''} {one.words or one.reason}" for one in failed[:50]]
    if len(failed) > len(lines):
        lines.append("...")
    with override(group.workspace.language):
        subject = _("%(n)s members of %(group)s did not get a mail") % {
            "n": len(failed),
            "group": group.address,
        }
        text = _("The mail was: %(subject)s (from %(author)s)\n\n%(lines)s\n\n%(url)s\n") % {
            "subject": posting.subject,
            "author": posting.author,
            "lines": "\n".join(lines),
            "url": f"{instance_url()}/groups/{group.id}/",
        }
        _notices(group.id, account, subject, text)


def _tell_paused(posting: Posting, account: Account, paused: Sequence[GroupMember]) -> None:
    group = posting.group
    with override(group.workspace.language):
        subject = _("Members of %(group)s get no mail for now") % {"group": group.address}
        text = _(
            "The mail servers of these members refused several mails in a row, so no more are sent to them:\n\n"
            "%(lines)s\n\nThey stay members; let them go on here when their mailboxes work again:\n%(url)s\n"
        ) % {
            "lines": "\n".join(f"{one.address}: {one.state_words}" for one in paused[:50]),
            "url": f"{instance_url()}/groups/{group.id}/",
        }
        _notices(group.id, account, subject, text)


def _notices(group_id: int, account: Account, subject: str, text: str) -> None:
    for user in managers_to_tell(group_id):
        notice_queue(account=account, recipient=user.email, subject=subject, text=text)
