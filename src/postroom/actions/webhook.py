"""Keeping webhooks: where other systems are told what became of mail."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from postroom.actions.audit import audit
from postroom.errors import Conflict, InputError, NotFound
from postroom.mail.page_address import page_address
from postroom.models.profile import Right
from postroom.models.webhook import Webhook, WebhookCall
from postroom.queries.changes import last_change
from postroom.queries.viewer import Viewer, demand
from postroom.queries.webhook import EVENTS, TEST, webhook_visible_to

URL_MAX, WEBHOOKS_MAX = 500, 20
#: After a change the old secret signs too for so long.
OLD_SECRET = timedelta(hours=24)


@dataclass(frozen=True)
class WebhookValues:
    """events: names of queries/webhook.py; empty = all of single messages, none of campaigns."""

    url: str
    events: Sequence[str] = ()
    is_on: bool = True


@transaction.atomic
def webhook_add(*, viewer: Viewer, values: WebhookValues) -> tuple[Webhook, str]:
    """The webhook and its secret, which is told this once. Raises NotAllowed, InputError, Conflict TOO_MANY."""
    demand(viewer, Right.WORKSPACE_MANAGE)
    if Webhook.objects.filter(workspace=viewer.workspace).count() >= WEBHOOKS_MAX:
        words = _("A workspace has at most %(n)s webhooks.") % {"n": WEBHOOKS_MAX}
        raise Conflict(words, code="TOO_MANY")
    secret = _secret()
    made = Webhook(workspace=viewer.workspace, created_by=viewer.user, secret=secret)
    _fill(made, values)
    made.save()
    audit(viewer, "made", "webhook", made.id, name=made.url)
    return made, secret


@transaction.atomic
def webhook_change(*, viewer: Viewer, webhook_id: int, version: int, values: WebhookValues) -> Webhook:
    """Switched on again it is called at once. Raises NotAllowed, NotFound, InputError, Conflict STALE_VERSION."""
    found = webhook_visible_to(viewer, webhook_id, lock=True)
    if found.version != version:
        raise Conflict(
            _("Somebody else has changed this in the meantime. Look at both texts, then save again."),
            code="STALE_VERSION",
            details={
                "version": found.version,
                "by": last_change(viewer, "webhook", found.id),
                "theirs": {"url": found.url, "events": found.events, "is_on": found.is_on},
                "yours": {"url": values.url, "events": list(values.events), "is_on": values.is_on},
            },
        )
    _fill(found, values)
    if found.is_on:
        found.error, found.failing_since, found.rests_until = "", None, None
    found.version += 1
    found.save()
    audit(viewer, "changed", "webhook", found.id, name=found.url)
    return found


@transaction.atomic
def webhook_secret_change(*, viewer: Viewer, webhook_id: int) -> tuple[Webhook, str]:
    """A new secret, told this once; the old one signs beside it for a day. Raises NotAllowed, NotFound."""
    found = webhook_visible_to(viewer, webhook_id, lock=True)
    found.old_secret, found.old_secret_until = found.secret, timezone.now() + OLD_SECRET
    found.secret = secret = _secret()
    found.save()
    audit(viewer, "secret", "webhook", found.id, name=found.url)
    return found, secret


@transaction.atomic
def webhook_delete(*, viewer: Viewer, webhook_id: int) -> Webhook:
    """With its log. Raises NotAllowed, NotFound."""
    found = webhook_visible_to(viewer, webhook_id, lock=True)
    audit(viewer, "deleted", "webhook", found.id, name=found.url)
    WebhookCall.objects.filter(webhook=found).delete()
    Webhook.objects.filter(id=found.id).delete()
    return found


@transaction.atomic
def webhook_test(*, viewer: Viewer, webhook_id: int) -> WebhookCall:
    """A call that tells nothing, to see whether it is heard. Raises NotAllowed, NotFound, Conflict."""
    found = webhook_visible_to(viewer, webhook_id, lock=True)
    if not found.is_on:
        raise Conflict(_("Switch the webhook on first."), code="WEBHOOK_OFF")
    Webhook.objects.filter(id=found.id).update(rests_until=None)
    now = timezone.now()
    return WebhookCall.objects.create(webhook=found, event=TEST, body={"at": now.isoformat()}, next_at=now)


@transaction.atomic
def webhook_call_again(*, viewer: Viewer, webhook_id: int, call_id: int) -> WebhookCall:
    """Tell one thing once more, under the same id. Raises NotAllowed, NotFound, Conflict WEBHOOK_OFF."""
    found = webhook_visible_to(viewer, webhook_id, lock=True)
    call = found.calls.select_for_update(of=("self",)).filter(id=call_id).first()
    if call is None:
        raise NotFound("There is no such call.")
    if not found.is_on:
        raise Conflict(_("Switch the webhook on first."), code="WEBHOOK_OFF")
    Webhook.objects.filter(id=found.id).update(rests_until=None)
    call.done_at, call.is_given_up, call.tries, call.next_at = None, False, 0, timezone.now()
    call.save()
    return call


def _secret() -> str:
    return f"whsec_{secrets.token_urlsafe(32)}"


def _fill(webhook: Webhook, values: WebhookValues) -> None:
    webhook.url = page_address(values.url).geturl()
    if len(webhook.url) > URL_MAX:
        raise InputError(_("At most %(n)s characters fit here.") % {"n": URL_MAX}, field="url")
    unknown = [name for name in values.events if name not in EVENTS]
    if unknown:
        raise InputError(_("There is no event %(name)s.") % {"name": unknown[0][:100]}, field="events")
    webhook.events = [name for name in EVENTS if name in set(values.events)]
    webhook.is_on = values.is_on
