"""Calls of webhooks on their way: who makes which, and what the receiver answered."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from postroom.mail.webhook import GIVE_UP, wait_after
from postroom.models.webhook import Webhook, WebhookCall
from postroom.queries.user import private_hosts_allowed

#: Calls of one webhook taken at a time: they are made one after another.
BATCH = 20
#: Calls a process took and did not answer for are free again after this time.
LEASE = timedelta(minutes=5)
#: Calls that are over are kept so long.
KEPT = timedelta(days=30)
#: A receiver that does not answer is let alone for so long at first, and at most.
_REST, _REST_MOST = timedelta(seconds=10), timedelta(hours=1)
#: Why a webhook was switched off, said in the reader's language by web/said.py.
OFF = "Switched off: for %(n)s days no call was taken. The last answer: %(words)s"


@dataclass(frozen=True, slots=True)
class WebhookOrder:
    """One call to be made. secrets: all that sign it, the newest first."""

    call_id: int
    webhook_id: int
    url: str
    secrets: tuple[str, ...]
    event: str
    body: dict[str, Any]
    allow_private: bool


# The oldest due calls of each webhook that does not rest, has none in hand and is not among the busy ones.
_DUE = """
SELECT w.id FROM postroom_webhook w
 WHERE w.is_on AND (w.rests_until IS NULL OR w.rests_until <= clock_timestamp())
   AND NOT (w.id = ANY(%s)) AND EXISTS (
     SELECT 1 FROM postroom_webhookcall c
      WHERE c.webhook_id = w.id AND c.done_at IS NULL AND c.next_at <= clock_timestamp())
 ORDER BY w.id LIMIT %s FOR UPDATE OF w SKIP LOCKED
"""


@transaction.atomic
def webhook_calls_claim(*, most: int, busy: list[int]) -> dict[int, list[WebhookOrder]]:
    """By webhook, at most `most` of them: what is to be called now. busy: those this process is calling."""
    if most <= 0:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [busy, most])
        ids = [row[0] for row in cursor.fetchall()]
    if not ids:
        return {}
    allowed, now = private_hosts_allowed(), timezone.now()
    claimed: dict[int, list[WebhookOrder]] = {}
    for webhook in Webhook.objects.filter(id__in=ids).order_by("id"):
        due = webhook.calls.select_for_update(skip_locked=True, of=("self",))
        calls = list(due.filter(done_at=None, next_at__lte=now).order_by("id")[:BATCH])
        WebhookCall.objects.filter(id__in=[call.id for call in calls]).update(next_at=now + LEASE)
        claimed[webhook.id] = [_order(webhook, call, allowed) for call in calls]
    return {number: orders for number, orders in claimed.items() if orders}


def _order(webhook: Webhook, call: WebhookCall, allowed: bool) -> WebhookOrder:
    old = webhook.old_secret_until is not None and webhook.old_secret_until > timezone.now()
    return WebhookOrder(
        call_id=call.id,
        webhook_id=webhook.id,
        url=webhook.url,
        secrets=(webhook.secret, webhook.old_secret) if old and webhook.old_secret else (webhook.secret,),
        event=call.event,
        body={"id": call.id, "type": call.event, **call.body},
        allow_private=allowed,
    )


@transaction.atomic
def webhook_call_end(*, order: WebhookOrder, code: int, words: str) -> bool:
    """Note what was answered. code: the HTTP status, 0 = there was no answer (words say why).

    Returns whether to go on with the next call of this webhook: not when nobody answers there, or it is switched off.
    """
    webhook = Webhook.objects.select_for_update(of=("self",)).filter(id=order.webhook_id).first()
    call = WebhookCall.objects.filter(id=order.call_id).first()
    if webhook is None or call is None:
        return False
    now = timezone.now()
    call.tries, call.code, call.words = call.tries + 1, code, words[:500]
    if 200 <= code < 300:
        call.done_at = now
        webhook.failing_since = webhook.rests_until = None
    else:
        call.next_at = now + wait_after(call.tries)
        if call.next_at > call.created_at + GIVE_UP and call.tries > 1:
            call.done_at, call.is_given_up = now, True
        webhook.failing_since = webhook.failing_since or now
        failing = now - webhook.failing_since
        if code == 0:
            webhook.rests_until = now + min(max(_REST, failing / 2), _REST_MOST)
        if failing > GIVE_UP:
            webhook.is_on = False
            webhook.error = OFF % {"n": GIVE_UP.days, "words": call.words or str(code)}
            webhook.version += 1
    call.save()
    webhook.save()
    return webhook.is_on and code != 0


def webhook_calls_release(orders: list[WebhookOrder]) -> None:
    """Claimed and not made: they are due again, once their webhook does not rest."""
    waiting = WebhookCall.objects.filter(id__in=[order.call_id for order in orders], done_at=None)
    waiting.update(next_at=F("created_at"))


def webhook_calls_forget() -> None:
    """Those that are over and old."""
    old = timezone.now() - KEPT
    WebhookCall.objects.filter(created_at__lt=old, done_at__isnull=False).delete()
    # of a webhook that was switched off nothing waits for ever
    WebhookCall.objects.filter(created_at__lt=old, webhook__is_on=False).delete()
